"""What is asked of a portal that is measured: by whom, and of which ideas."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from urllib.parse import quote_plus

from flask import Flask, current_app
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select

from portal.accounts.models import AuthSession, Guest, User
from portal.accounts.roles import Role
from portal.bench.community import BOARDS, TAGS
from portal.db import db, utcnow
from portal.ideas import lists
from portal.ideas.models import Idea, Vote
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from portal.web.paging import cursor

MEMBERS, STAFF = 200, 1  # who is signed in
VOTES = 20_000  # enough for any round
SAMPLES = 200
DEEP = 0.5  # how far down the list a deep page lies
ENCODINGS = "gzip, deflate, br, zstd"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody's browser: what it sends along with each request."""

    user_id: int
    cookie: str
    token: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    path: str
    visitor: Visitor | None = None
    method: str = "GET"
    htmx: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What a browser would send."""
        headers = {"Accept-Encoding": ENCODINGS, "Sec-Fetch-Site": "same-origin"}
        if self.htmx:
            headers["HX-Request"] = "true"
        if self.visitor:
            headers["Cookie"] = self.visitor.cookie
        if self.visitor and self.method == "POST":
            headers["X-CSRFToken"] = self.visitor.token
        return headers

    def raw(self) -> str:
        """The request as it goes over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.method == "POST":
            lines.append("Content-Length: 0")
        return "\r\n".join([*lines, "", ""])


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request, many times: over and over, or each ``once``."""

    name: str
    asks: Sequence[Ask]
    once: bool = False


def plan(app: Flask, seed: int = 1) -> list[Work]:
    """Return what is asked of this portal, with its visitors signed in."""
    with app.app_context():
        visitors = sign_in(Role.MEMBER, MEMBERS)
        staff = sign_in(Role.PM, STAFF)
        return _plan(visitors, staff[0], random.Random(seed))  # noqa: S311 - guards nothing


def _plan(visitors: Sequence[Visitor], staff: Visitor, chance: random.Random) -> list[Work]:
    ideas, titles = _some_ideas(chance)
    discussed = _discussed()
    phrases = [" ".join(title.split()[:5]) for title in titles]
    words = [chance.choice([word for word in title.split() if len(word) > 3] or [title]) for title in titles]
    typed = "/search/similar?title="
    deep = f"/?status=all&after={_deep_place()}"
    board = f"/boards/board-{len(BOARDS)}?sort=rising&status=planned"
    return [
        Work("Board, guest", [Ask("/")]),
        Work("Board, signed in", [Ask("/", visitor) for visitor in visitors]),
        Work("Board, deep page, guest", [Ask(deep)]),
        Work("Board, deep page, signed in", [Ask(deep, visitor) for visitor in visitors]),
        Work("Board, one board and status, rising, signed in", [Ask(board, visitor) for visitor in visitors]),
        Work("Board, one tag, new, signed in", [Ask(f"/?sort=new&tag={TAGS[0]}", visitor) for visitor in visitors]),
        Work("Board, own votes", [Ask("/?who=voted", visitor) for visitor in visitors]),
        Work("Idea, 20 comments, guest", [Ask(f"/ideas/{discussed}")]),
        Work("Idea, 20 comments, signed in", [Ask(f"/ideas/{discussed}", visitor) for visitor in visitors]),
        Work("Ideas at random, signed in", [Ask(f"/ideas/{number}", chance.choice(visitors)) for number in ideas]),
        Work("Search", [Ask(f"/search?q={quote_plus(word)}", chance.choice(visitors)) for word in words]),
        Work("Similar ideas while typing", [Ask(f"{typed}{quote_plus(phrase)}", htmx=True) for phrase in phrases]),
        Work("Inbox", [Ask("/inbox", visitor) for visitor in visitors]),
        Work("Triage, first look", [Ask("/triage/first-look", staff)]),
        Work("Vote", _votes(visitors, chance), once=True),
    ]


def sign_in(role: Role, number: int) -> list[Visitor]:
    """Open sessions as signing in does, for people at equal distances."""
    ids = list(db.session.scalars(select(User.id).where(User.role == role).order_by(User.id)))
    chosen = ids[:: max(len(ids) // number, 1)][:number]
    tokens = {user_id: secrets.token_urlsafe(32) for user_id in chosen}
    with transaction(wake=False):
        for user_id, token in tokens.items():
            row = AuthSession(token_hash=sha256(token.encode()).hexdigest(), user_id=user_id, idle_seconds=43_200)
            row.expires_at, row.browser = utcnow() + timedelta(hours=12), "portal bench"
            db.session.add(row)
    return [_visitor(user_id, token) for user_id, token in tokens.items()]


def _visitor(user_id: int, token: str) -> Visitor:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None  # the portal always has a secret key
    secret = secrets.token_hex(20)
    held = signer.dumps({"_user_id": token, "_fresh": True, "csrf_token": secret})
    form_token = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(secret)
    return Visitor(user_id, f"{app.config['SESSION_COOKIE_NAME']}={held}", str(form_token))


def _some_ideas(chance: random.Random) -> tuple[list[int], list[str]]:
    shown = (Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED)
    ids = list(db.session.scalars(select(Idea.id).where(*shown).order_by(Idea.id)))
    chosen = chance.sample(ids, min(SAMPLES, len(ids)))
    titles = list(db.session.scalars(select(Idea.title).where(Idea.id.in_(chosen)).order_by(Idea.id)))
    return chosen, titles


def _discussed() -> int:
    """Return an idea with 20 comments, or with as nearly as many as there is."""
    distance = (Idea.comments - 20) * (Idea.comments - 20)
    open_ones = select(Idea.id).where(Idea.publication == Publication.PUBLISHED, Idea.status == Status.UNDER_REVIEW)
    return db.session.scalars(open_ones.order_by(distance, Idea.id).limit(1)).one()


def _deep_place() -> str:
    guest = Guest()
    total = len(db.session.scalars(select(Idea.id).where(Idea.publication == Publication.PUBLISHED)).all())
    filters = lists.Filters(status="all")
    everything = lists.list_ideas(guest, filters, limit=int(total * DEEP))
    row = everything.rows[-1]
    return cursor(row.votes, row.id)


def _votes(visitors: Sequence[Visitor], chance: random.Random) -> list[Ask]:
    """Return votes that nobody has cast yet, of all visitors in turn."""
    open_ones = [status for status in Status if status.rule.takes_votes]
    ids = list(db.session.scalars(
        select(Idea.id).where(Idea.publication == Publication.PUBLISHED, Idea.status.in_(open_ones))
    ))  # fmt: skip
    people = [visitor.user_id for visitor in visitors]
    cast = {(row.voter_id, row.idea_id) for row in db.session.execute(
        select(Vote.voter_id, Vote.idea_id).where(Vote.voter_id.in_(people))
    )}  # fmt: skip
    each = max(VOTES // len(visitors), 1)
    chosen = {visitor: chance.sample(ids, min(each, len(ids))) for visitor in visitors}
    return [
        Ask(f"/ideas/{chosen[visitor][number]}/vote", visitor, "POST", htmx=True)
        for number in range(min(each, len(ids)))
        for visitor in visitors
        if (visitor.user_id, chosen[visitor][number]) not in cast
    ]
