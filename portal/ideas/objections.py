"""“This is not what I meant”: supporters of a merged idea take their vote back from the main one, and back again."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import format_date
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import supporters
from portal.ideas.events import MergeObjected, ObjectionTakenBack
from portal.ideas.merges import Consent, consent_of
from portal.ideas.models import OBJECTION_MAX, Idea, Objection
from portal.ideas.service import lock
from portal.text import clean_line


class NothingToObject(Refusal):
    """There is no merge that this person could object to."""

    status = 422


class TooLateToObject(Refusal):
    """The days after a merge are over."""

    def __init__(self, consent: Consent) -> None:
        super().__init__(
            _(
                "The two weeks after the merge ended on %(day)s. Write a comment under the main idea instead.",
                day=format_date(consent.until, _("d MMMM")),
            )
        )


class WordsTooLong(Refusal):
    """What was meant has to fit into a line or two."""

    status = 422

    def __init__(self, count: int) -> None:
        super().__init__(_("This is %(count)d letters long; at most %(max)d fit.", count=count, max=OBJECTION_MAX))


def object_to_merge(idea: Idea, person: User, words: str = "") -> None:
    """Let ``person`` stay with a merged idea alone: they neither count for the main one nor hear of it through this.

    Their vote on the merged idea stays theirs, and so does a vote they gave to the main idea itself. Doing it twice
    changes what was said, and nothing else.
    """
    words = clean_line(words)
    if len(words) > OBJECTION_MAX:
        raise WordsTooLong(len(words))
    main, consent = _decide(idea, person)
    change = consent.change
    if insert_if_absent(Objection, change_id=change.id, idea_id=idea.id, user_id=person.id, words=words, at=utcnow()):
        main.votes = supporters.count_supporters(main)
        emit(MergeObjected(actor_id=person.id, idea_id=idea.id, into_id=main.id, change_id=change.id))
    elif words:
        mine = sa.update(Objection).where(Objection.change_id == change.id, Objection.user_id == person.id)
        db.session.execute(mine.values(words=words))


def take_back_objection(idea: Idea, person: User) -> None:
    """Let ``person`` come along with the merge after all; without an objection nothing happens."""
    main, consent = _decide(idea, person)
    change = consent.change
    gone = sa.delete(Objection).where(Objection.change_id == change.id, Objection.user_id == person.id)
    if count_rows(gone):
        main.votes = supporters.count_supporters(main)
        emit(ObjectionTakenBack(actor_id=person.id, idea_id=idea.id, into_id=main.id, change_id=change.id))


def _decide(idea: Idea, person: User) -> tuple[Idea, Consent]:
    """Lock both ideas, the main one first, and return what can be said now."""
    main = lock(idea.merged_into) if idea.merged_into else None
    lock(idea)
    consent = consent_of(idea, person, main)
    if consent is None or main is None or idea.merged_into_id != main.id:
        raise NothingToObject(_("This idea stands on its own, or you are not among those it was joined for."))
    if not consent.is_open:
        raise TooLateToObject(consent)
    return main, consent
