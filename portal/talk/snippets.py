"""Wording kept for answers, with gaps that each idea fills: {author}, {title}, {board} and a few more."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.talk.events import SnippetsChanged
from portal.talk.models import NAME_MAX, SNIPPET_MAX, Snippet
from portal.text import clean_line, clean_text

_GAP = re.compile(r"\{(\w+)\}")
_SIGNS = re.compile(r"([\\`*_\[\]<>~|])")

GAPS: dict[str, Callable[[Idea, User], str]] = {
    "author": lambda idea, _me: idea.author.shown_name if idea.author else "",
    "title": lambda idea, _me: idea.title,
    "board": lambda idea, _me: idea.board.name,
    "status": lambda idea, _me: str(idea.rule.label),
    "votes": lambda idea, _me: str(idea.votes),
    "me": lambda _idea, me: me.speaks_as,
}
"""What can stand in braces, and what comes in its place."""


def fill(body: str, idea: Idea, me: User) -> str:
    """Return the wording for this idea; what people called things is shown as they wrote it, never as markup."""

    def filled(gap: re.Match[str]) -> str:
        word = GAPS.get(gap[1])
        return _SIGNS.sub(r"\\\1", clean_line(word(idea, me))) if word else gap[0]

    return _GAP.sub(filled, body)


def save_snippet(
    actor: User, name: str, body: str, *, shared: bool, board_id: int | None, snippet: Snippet | None = None
) -> Snippet:
    """Keep wording, for oneself or for colleagues."""
    name, body = clean_line(name), clean_text(body)
    _refuse_unfit(name, body)
    if snippet is None:
        snippet = Snippet()
        db.session.add(snippet)
    snippet.name, snippet.body, snippet.edited_at = name, body, utcnow()
    snippet.owner_id = None if shared else actor.id
    snippet.board_id = board_id if shared else None
    db.session.flush()
    if shared:
        emit(SnippetsChanged(actor_id=actor.id, snippet_id=snippet.id, done="saved"))
    return snippet


def delete_snippet(snippet: Snippet, actor: User) -> None:
    """Keep it no longer."""
    if snippet.is_shared:
        emit(SnippetsChanged(actor_id=actor.id, snippet_id=snippet.id, done="deleted"))
    db.session.delete(snippet)


def _refuse_unfit(name: str, body: str) -> None:
    if not name or not body:
        raise Refusal(_("Give it a name and some words."))
    if len(name) > NAME_MAX:
        raise Refusal(_("The name has at most %(max)d letters.", max=NAME_MAX))
    if len(body) > SNIPPET_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(body), max=SNIPPET_MAX))
    unknown = [gap for gap in _GAP.findall(body) if gap not in GAPS]
    if unknown:
        raise Refusal(
            _(
                "Nothing fills {%(gap)s}. Known are: %(known)s.",
                gap=unknown[0],
                known=", ".join(f"{{{gap}}}" for gap in GAPS),
            )
        )
