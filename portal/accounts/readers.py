"""Statements built once for all who may read the same.

Building a statement takes ten times as long as carrying it out. What says who may read what asks a person for rank and
places, of which there are few combinations, and for their number, which can be given when it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

import sqlalchemy as sa

from portal.accounts.models import Person
from portal.accounts.roles import Role
from portal.db import on_sqlite

Asked = ParamSpec("Asked")
Statement = TypeVar("Statement", bound=sa.Executable)
MOST = 256  # statements of one kind; there are far fewer


@dataclass(frozen=True)
class Reader(Person):
    """Anybody with these rights; their number is a parameter of the statement, ``viewer_id``."""

    has_account: bool
    rank: Role | None
    ranks_on_boards: frozenset[Role]
    open_to: str

    @property
    def id(self) -> Any:
        """The parameter that stands for a member's number; None for visitors."""
        return _VIEWER_ID if self.has_account else None

    @property
    def standing(self) -> Role | None:
        """The role that counts everywhere in the portal."""
        return self.rank

    @property
    def reading(self) -> str:
        """Whom the portal let read when this reader was asked for: a statement is built for that, whatever is now."""
        return self.open_to

    @property
    def has_board_roles(self) -> bool:
        """Whether there is a board on which this reader is something."""
        return bool(self.ranks_on_boards)

    @property
    def board_roles(self) -> dict[int, Role]:
        """Nothing that a statement may be built from: readers of the same rights have theirs on different boards."""
        raise TypeError("what a reader is on a single board is known when the statement is carried out")

    def is_one_of_anywhere(self, roles: Collection[Role]) -> bool:
        """Whether one of these roles is this reader's in the portal, or on any board."""
        return self.rank in roles or any(role in roles for role in self.ranks_on_boards)


def built_once(build: Callable[Asked, Statement]) -> Callable[Asked, tuple[Statement, dict[str, Any]]]:
    """Let a function that builds a statement do so once for all viewers with the same rights.

    What it returns then is what a session carries out, the statement and its parameters: ``db.session.scalars(*shown(
    viewer, idea_id=7))``. Arguments by position, the viewer first of all, say what the statement looks like, and it is
    built for each of their values. Those by name are values, in whose place ``build`` gets parameters.
    """

    @lru_cache(maxsize=MOST)
    def built(shape: tuple[Hashable, ...], names: tuple[str, ...], _sqlite: bool) -> Statement:
        return build(*shape, **{name: sa.bindparam(name) for name in names})  # type: ignore[arg-type]

    def statement(*shape: Any, **values: Any) -> tuple[Statement, dict[str, Any]]:
        names = tuple(values)
        if shape and isinstance(shape[0], Person):
            values["viewer_id"] = shape[0].id
            shape = (like(shape[0]), *shape[1:])
        return built(shape, names, on_sqlite()), values

    return statement


def like(viewer: Person) -> Reader:
    """Return the reader with the rights of ``viewer``: equal for all who have the same."""
    places = frozenset(viewer.board_roles.values())
    return Reader(viewer.is_signed_in, viewer.standing, places, viewer.reading)


_VIEWER_ID: sa.BindParameter[int] = sa.bindparam("viewer_id", type_=sa.Integer())
