"""The throw-away PostgreSQL of the benchmarks serves the tests too."""

from portal.bench.postgres import PostgreSQL, find_binaries

__all__ = ["PostgreSQL", "find_binaries"]
