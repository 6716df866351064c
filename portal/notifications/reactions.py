"""Who is told of what."""

from __future__ import annotations

from portal.events import Recorded


def ask_to_confirm_address(recorded: Recorded) -> None:
    """Stub."""


def tell_of_receipt(recorded: Recorded) -> None:
    """Stub."""


def tell_of_publication(recorded: Recorded) -> None:
    """Stub."""


def tell_of_hiding(recorded: Recorded) -> None:
    """Stub."""


def tell_of_move(recorded: Recorded) -> None:
    """Stub."""


def tell_of_answer(recorded: Recorded) -> None:
    """Stub."""


def tell_of_merge(recorded: Recorded) -> None:
    """Stub."""


def tell_of_undone_merge(recorded: Recorded) -> None:
    """Stub."""


def remind_of_question(recorded: Recorded) -> None:
    """Stub."""


def tell_owner(recorded: Recorded) -> None:
    """Stub."""


def tell_author_of_votes(recorded: Recorded) -> None:
    """Stub."""


def tell_of_comment(recorded: Recorded) -> None:
    """Stub."""

