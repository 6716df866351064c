"""A rule of the portal saying no."""

from __future__ import annotations


class Refusal(Exception):
    """What was asked for cannot be done now; the text says why and what to do instead, to the person."""

    status = 409

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
