"""The weekly note tells the team what colleagues decided: on the boards where its reader works, and what stands."""

from datetime import timedelta

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import utcnow
from portal.ideas import moves, taking_back
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.mails.letter import Suppressed, compose
from portal.notifications.models import Mail
from portal.transactions import transaction
from portal.triage.letters import triage_note
from tests.factories import make_board, make_idea, make_place, make_user

pytestmark = pytest.mark.usefixtures("app")


def decide(idea, actor, status=Status.PLANNED):
    with transaction():
        return moves.move_idea(idea, status, actor, MoveDetails(answer="We build it."))


def note_to(user):
    return triage_note(Mail(key="note", kind="triage_note", user=user, data={}))


def test_colleagues_decisions_are_in_it_but_ones_own_undone_ones_and_those_out_of_sight_are_not():
    reader, colleague = make_user(Role.PM), make_user(Role.ADMIN, name="Petra")
    hidden = make_board(audience=Audience.PRIVATE)
    ideas = {
        title: make_idea(title, status=Status.UNDER_REVIEW, board=board)
        for title, board in (("Theirs", None), ("Own", None), ("Undone", None), ("Elsewhere", hidden))
    }
    decide(ideas["Theirs"], colleague)
    decide(ideas["Own"], reader)
    decide(ideas["Elsewhere"], colleague)
    change = decide(ideas["Undone"], colleague)
    with transaction():
        taking_back.undo_move(ideas["Undone"], change, colleague, within=timedelta(hours=1))

    told = next(s for s in note_to(reader).sections if s.heading == "What colleagues decided")

    assert [entry.title for entry in told.entries] == ["Theirs"]
    assert told.entries[0].target.label == "Planned" and told.entries[0].text.startswith("Petra, ")
    assert "Theirs" not in str(note_to(colleague).sections)
    member = make_user()
    make_place(hidden, member)
    assert isinstance(note_to(member), Suppressed)


def test_both_parts_of_the_mail_say_what_was_decided():
    reader = make_user(Role.PM)
    decide(make_idea("Theirs", status=Status.UNDER_REVIEW), make_user(Role.ADMIN, name="Petra"))
    mail = Mail(key="note", kind="triage_note", user=reader, data={}, queued_at=utcnow())

    written = compose(triage_note(mail), mail)

    plain, html = (written.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "* Theirs\n  Planned\n  Petra, " in plain and ">Planned</span>" in html
