"""The throw-away PostgreSQL of the measurements serves the tests too."""

from portal.throwaway import PostgreSQL, find_binaries

__all__ = ["PostgreSQL", "find_binaries"]
