"""In the demo, the team leaves notes for each other, drafts two answers, and keeps wording for more."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.demo.builder import HOST
from portal.events import quietly
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication, Status
from portal.talk import drafts, service, snippets
from portal.transactions import transaction

NOTED = 8


def let_the_team_talk() -> None:
    """Put notes on young ideas, one draft that waits for the product manager and one that came back, and wording."""
    accounts = {user.email: user for user in db.session.scalars(sa.select(User).where(User.email.endswith(f"@{HOST}")))}
    moderator, pm = accounts.get(f"{Role.MODERATOR}@{HOST}"), accounts.get(f"{Role.PM}@{HOST}")
    if moderator is None or pm is None:
        return
    with transaction(wake=False), quietly():
        young = sa.select(Idea).where(Idea.status == Status.NEW, Idea.publication == Publication.PUBLISHED)
        ideas = list(db.session.scalars(young.order_by(Idea.published_at, Idea.id).limit(NOTED)))
        for place, idea in enumerate(ideas):
            _note(idea, moderator, pm, place)
        for place, idea in enumerate(ideas[:2]):
            _draft(idea, moderator, pm, place)
        _keep_wording(pm, moderator)


def _note(idea: Idea, moderator: User, pm: User, place: int) -> None:
    words = (
        _("Support hears this about twice a week, mostly from people who walk alone."),
        _("@%(name)s, does the new map layer make this easy?", name=pm.name),
        _("Asked the hut wardens: three of five have **the same trouble**."),
    )
    note, _found = service.write_note(idea, moderator if place % 2 else pm, words[place % len(words)])
    note.at = max(utcnow() - timedelta(days=1 + place, hours=place), idea.published_at)


def _draft(idea: Idea, moderator: User, pm: User, place: int) -> None:
    words = (
        _("Thank you, this is clear. We look at it together with the new map layer, and tell you here what we find."),
        _("Thank you for writing this down. It will take us a while."),
    )[place]
    writer, reviewer = (moderator, pm) if place == 0 else (pm, moderator)
    draft = drafts.save_draft(idea, writer, "answer", {"answer-answer": [words]}, {_("Official answer"): words})
    drafts.ask_for_review(draft, writer, reviewer.id, _("Is this too early to say?"))


def _keep_wording(pm: User, moderator: User) -> None:
    thanks = _("Thank you, {author}, for writing “{title}” down so clearly.")
    snippets.save_snippet(pm, _("Thanks, with a name"), thanks, shared=True, board_id=None)
    later = _("We read every idea on {board}. This one waits until the present work is done, and we say so here.")
    snippets.save_snippet(pm, _("Read, and not yet"), later, shared=True, board_id=None)
    own = _("Could you tell us on which phone this happens, and where you were?")
    snippets.save_snippet(moderator, _("Which phone, where"), own, shared=False, board_id=None)
