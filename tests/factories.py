"""Plain functions that save valid objects; each names only what its test is about."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import User, name_key
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board, BoardMember
from portal.comments import service as comments
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.ideas import service as ideas
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction

PASSWORD = "seven quiet sheep on a hill"  # noqa: S105 - of people who exist only here

_numbers = count(1)


def make_user(role: Role = Role.MEMBER, *, name: str = "", with_password: bool = False, **fields: Any) -> User:
    """Return somebody with an account, confirmed and trusted unless ``fields`` say otherwise."""
    number = next(_numbers)
    name = name or f"{role.label} {number}"
    settings: dict[str, Any] = {"confirmed_at": utcnow(), "trusted_at": utcnow()} | fields
    user = User(
        email=settings.pop("email", f"person{number}@example.org"), name=name, name_key=name_key(name), role=role
    )
    for field, value in settings.items():
        setattr(user, field, value)
    with transaction(wake=False):
        if with_password:
            user.password_hash = accounts.hash_password(PASSWORD)
        db.session.add(user)
        db.session.flush()
        if "approved_at" in settings:
            user.approved_at = settings["approved_at"]  # a default takes the place of None in a new row
        accounts.accept_rules(user)
    return user


def make_board(name: str = "", audience: Audience = Audience.PUBLIC, **fields: Any) -> Board:
    """Return a board."""
    name = name or f"Board {next(_numbers)}"
    with transaction(wake=False):
        board = Board(name=name, slug=name.lower().replace(" ", "-"), audience=audience, **fields)
        db.session.add(board)
    return board


def make_place(board: Board, user: User, role: Role = Role.MEMBER) -> BoardMember:
    """Put somebody on a board's list."""
    with transaction(wake=False):
        db.session.add(BoardMember(board_id=board.id, user_id=user.id, role=role))
        user.has_board_roles = True
    return db.session.get_one(BoardMember, (board.id, user.id))


def make_idea(
    title: str = "",
    *,
    author: User | None = None,
    board: Board | None = None,
    need: str = "Today I have to do this by hand, and it takes an hour.",
    proposal: str = "",
    publication: Publication = Publication.PUBLISHED,
    at: datetime | None = None,
    **fields: Any,
) -> Idea:
    """Return an idea posted by its author; ``status`` and other columns are set as they are given."""
    author, board = author or make_user(), board or _any_board()
    title = title or f"Let me do thing number {next(_numbers)}"
    with transaction(wake=False):
        held = publication is Publication.HELD
        idea = ideas.submit_idea(author, board, title=title, need=need, proposal=proposal, held=held, at=at)
        if publication in {Publication.HIDDEN, Publication.REMOVED}:
            ideas.count_on_board(board.id, -1)
            idea.publication = publication
        for field, value in fields.items():
            setattr(idea, field, value)
    return idea


def make_comment(idea: Idea | None = None, *, author: User | None = None, body: str = "", **details: Any) -> Comment:
    """Return a comment on an idea."""
    idea, author = idea or make_idea(), author or make_user()
    with transaction(wake=False):
        return comments.post_comment(idea, author, body or f"Comment number {next(_numbers)}", **details)


def make_votes(idea: Idea, number: int) -> list[User]:
    """Put ``number`` new members behind an idea and return them."""
    voters = [make_user() for _ in range(number)]
    for voter in voters:
        with transaction(wake=False):
            ideas.cast_vote(idea, voter)
    return voters


def make_rules(body: str = "Be kind. Say why.") -> int:
    """Put a new version of the rules in force and return its number."""
    with transaction(wake=False):
        return accounts.publish_rules(body).version


def move_to(idea: Idea, status: Status) -> None:
    """Put an idea into a status as if it had always been there."""
    with transaction(wake=False):
        idea.status = status


def _any_board() -> Board:
    board = db.session.scalar(select(Board).where(Board.audience == Audience.PUBLIC).limit(1))
    return board or make_board("Anything")


def make_provider(
    name: str = "", *, issuer: str = "", client_id: str = "portal", secret: str = "", **fields: Any
) -> Any:
    """Return an OpenID provider that people may sign in with."""
    from portal.sso import providers

    number, actor = next(_numbers), make_user(Role.ADMIN)
    name, issuer = name or f"Provider {number}", issuer or f"https://provider{number}.example"
    with transaction(wake=False):
        provider = providers.add_provider(actor, kind="openid", name=name, issuer=issuer)
        admits = fields.pop("admits", False)
        for field, value in fields.items():
            setattr(provider, field, value)
        providers.change_provider(
            actor, provider, name=name, issuer=issuer, client_id=client_id, secret=secret, admits=admits
        )
        providers.switch(actor, provider, True)
    return provider


def make_product(name: str = "", issuer: str = "") -> tuple[Any, str, str]:
    """Return a product that hands its people over, and the name and secret of its key."""
    from portal.sso import providers

    number, actor = next(_numbers), make_user(Role.ADMIN)
    with transaction(wake=False):
        product = providers.add_provider(
            actor, kind="handover", name=name or f"Product {number}", issuer=issuer or f"https://app{number}.example"
        )
        key, secret = providers.make_key(actor, product)
        providers.switch(actor, product, True)
    return product, key, secret


def link_identity(user: User, provider: Any = None, subject: str = "") -> Any:
    """Link a sign-in at a provider to an account."""
    from portal.sso.models import Identity

    provider = provider or make_provider()
    with transaction(wake=False):
        identity = Identity(
            user_id=user.id,
            provider_id=provider.id,
            issuer=provider.issuer,
            subject=subject or f"subject-{next(_numbers)}",
            email=user.email,
        )
        db.session.add(identity)
    return identity
