"""Whom a comment calls by name, and the way to them: `@Ines` of those who take part, `@Ines Keller` of all who may."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import ngettext
from sqlalchemy import select

from portal import mentions
from portal.accounts.models import SPOKEN_FOR, User, name_key
from portal.boards.models import Audience
from portal.boards.queries import team_of
from portal.comments.events import CommentPosted
from portal.comments.models import Comment, CommentMention, CommentRevision, RevisionMention
from portal.db import db, lookup, utcnow
from portal.errors import Refusal
from portal.events import EventRecord
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.limits import LIMITS, TooMuch, hold, wait
from portal.text import render_markdown

PROFILE = "/people/{}"
LOOKED_AT = 40  # signs of one text, so that nobody can have thousands of names looked up
WORDS = 5  # of a name

_TAG = re.compile(r"(<[^>]*>)")
_SIGN = re.compile(r"(?<![\w@.])@(?=\w)")
_SILENT = ("a", "code", "pre", "blockquote")
"""What calls nobody: links, code, and words that are somebody else's."""


class TooManyCalled(Refusal):
    """A comment calls more people than it may."""

    def __init__(self) -> None:
        most = mentions.MOST
        super().__init__(
            ngettext("A comment can call at most %(num)d person.", "A comment can call at most %(num)d people.", most)
        )


def find_called(idea: Idea, body: str) -> dict[int, str]:
    """Return whom a text under this idea calls, by what stands behind the @; only people who may see the idea now."""
    words = "\n".join(_spoken(render_markdown(body)))
    if not _SIGN.search(words):
        return {}
    here = {person.id: person for person in [*_taking_part(idea), *team_of(idea.board)]}
    known = {person.id: person for person in [*here.values(), *_by_whole_name(idea, words)]}
    found = mentions.find(words, list(here.values()), [who for number, who in known.items() if number not in here])
    called = {number: handle for number, handle in found.people.items() if sees(known[number], idea)}
    if len(called) > mentions.MOST:
        raise TooManyCalled
    return called


def refuse_too_many(called: dict[int, str], author: User) -> None:
    """Raise TooMuch where somebody has called as many people as a day allows."""
    if not called or not hold():
        return
    for rate in LIMITS["comments.mentions"].rates:
        since = utcnow() - timedelta(seconds=rate.get_expiry())
        ideas = select(Comment.idea_id).where(Comment.author_id == author.id, Comment.at > since)
        said = select(EventRecord.data).where(EventRecord.idea_id.in_(ideas), EventRecord.name == CommentPosted.name)
        said = said.where(EventRecord.actor_id == author.id, EventRecord.at > since)  # also what was deleted or edited
        number = sum(len(data.get("mentioned", ())) for data in db.session.scalars(said))
        if number + len(called) > rate.amount:
            raise TooMuch(rate.get_expiry(), wait(rate.get_expiry()))


def remember(comment: Comment, called: dict[int, str]) -> None:
    """Keep whom a comment calls, and lead from their names to them."""
    db.session.execute(sa.delete(CommentMention).where(CommentMention.comment_id == comment.id))
    db.session.add_all(
        CommentMention(comment_id=comment.id, user_id=user_id, handle=handle) for user_id, handle in called.items()
    )
    comment.body_html = with_links(render_markdown(comment.body), called)
    db.session.flush()


def remember_in(before: CommentRevision, comment: Comment) -> None:
    """Keep whom a comment called before an edit with what it said then."""
    called = select(sa.literal(before.id), CommentMention.user_id, CommentMention.handle)
    called = called.where(CommentMention.comment_id == comment.id)
    columns = ["revision_id", "user_id", "handle"]
    db.session.execute(sa.insert(RevisionMention).from_select(columns, called))


def forget_name(user: User) -> set[int]:
    """Take the name of somebody who is erased out of the comments that called them; return under which ideas.

    It goes out of what they said before an edit, too.
    """
    earlier = select(CommentRevision, RevisionMention.handle).join(RevisionMention)
    for revision, handle in db.session.execute(earlier.where(RevisionMention.user_id == user.id)).all():
        revision.body = revision.body.replace(f"@{handle}", "@…")
    changed: set[int] = set()
    called = select(Comment, CommentMention.handle).join(CommentMention).where(CommentMention.user_id == user.id)
    for comment, handle in db.session.execute(called).all():
        comment.body = comment.body.replace(f"@{handle}", "@…")
        others = select(CommentMention.user_id, CommentMention.handle).where(
            CommentMention.comment_id == comment.id, CommentMention.user_id != user.id
        )
        comment.body_html = with_links(render_markdown(comment.body), lookup(others))
        changed.add(comment.idea_id)
    return changed


def with_links(rendered: str, called: dict[int, str]) -> str:
    """Return safe HTML in which each name that calls somebody leads to their profile."""
    if not called:
        return rendered
    by_handle = {f"@{html.escape(handle, quote=False)}": number for number, handle in called.items()}
    longest = "|".join(re.escape(handle) for handle in sorted(by_handle, key=lambda handle: (-len(handle), handle)))
    names = re.compile(rf"(?<![\w@.])(?:{longest})(?!\w)", re.IGNORECASE)
    numbers = {handle.lower(): number for handle, number in by_handle.items()}

    def link(match: re.Match[str]) -> str:
        number = numbers.get(match[0].lower())  # none for signs that only look like the same without their case
        return f'<a href="{PROFILE.format(number)}">{match[0]}</a>' if number else match[0]

    return "".join(names.sub(link, part) if speaks else part for part, speaks in _parts(rendered))


def sees(user: User, idea: Idea) -> bool:
    """Whether this person may know of the idea and can be told of it: an account in use, by somebody let in."""
    if not user.is_active or user.is_former or not user.is_approved or user.is_stand_in:
        return False
    return db.session.scalar(ideas_visible_to(user).where(Idea.id == idea.id).with_only_columns(Idea.id)) is not None


def _taking_part(idea: Idea) -> Sequence[User]:
    """Whoever posted the idea or says something about it: their names stand on its page."""
    said = select(Comment.author_id).where(Comment.idea_id == idea.id, Comment.deleted_at.is_(None))
    here = User.id.in_(said) | (User.id == (idea.author_id or 0))
    return db.session.scalars(select(User).where(here, _is_around()).order_by(User.id)).all()


def _by_whole_name(idea: Idea, words: str) -> Sequence[User]:
    """Whoever has a name that stands behind an @; nobody where not all members may look: who may is not for all."""
    if idea.board.audience not in {Audience.PUBLIC, Audience.MEMBERS} or idea.board.one_way:
        return []
    keys = {key for sign in list(_SIGN.finditer(words))[:LOOKED_AT] for key in _names_at(words[sign.end() :])}
    return db.session.scalars(select(User).where(User.name_key.in_(keys), _is_around()).order_by(User.id)).all()


def _names_at(text: str) -> Iterator[str]:
    """What the text may begin with that is a name: its first word, its first two, and so on."""
    beginning = text[:80].partition("\n")[0].split(" ")[:WORDS]
    for number in range(1, len(beginning) + 1):
        name = " ".join(beginning[:number])
        yield name_key(name)
        yield name_key(name.rstrip(".,:;!?)…”’'\""))


def _is_around() -> sa.ColumnElement[bool]:
    around = User.erased_at.is_(None) & User.leaves_at.is_(None) & User.approved_at.is_not(None)
    return around & User.email.not_like(f"%@{SPOKEN_FOR}")


def _spoken(rendered: str) -> Iterator[str]:
    """The words of a rendered text that are its author's own."""
    return (html.unescape(part) for part, speaks in _parts(rendered) if speaks)


def _parts(rendered: str) -> Iterator[tuple[str, bool]]:
    """Take safe HTML apart; say of each part whether it is text in which people can be called."""
    silent: list[str] = []
    for part in _TAG.split(rendered):
        tag = part[1:-1].partition(" ")[0].lower() if part.startswith("<") else ""
        if tag in _SILENT:
            silent.append(tag)
        elif tag.startswith("/") and silent and tag[1:] == silent[-1]:
            silent.pop()
        yield part, not tag and not silent
