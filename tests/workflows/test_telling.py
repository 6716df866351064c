"""A proposed workflow is told to those who decide, and what became of it to whoever proposed it."""

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db
from portal.events import EventRecord
from portal.notifications import choosing, queries
from portal.notifications.models import Notification
from portal.notifications.policy import Topic, Way
from portal.transactions import transaction
from portal.workflows import drafting, service
from portal.workflows.models import State, WorkflowVersion
from tests.factories import make_user
from tests.support.mails import mails_to, words_of
from tests.support.workflows import proposed_workflow

pytestmark = pytest.mark.usefixtures("app")


def told(user_id: int) -> list[tuple[str, str]]:
    db.session.rollback()
    mine = select(Notification.kind, Notification.way).where(Notification.user_id == user_id)
    return [tuple(row) for row in db.session.execute(mine.order_by(Notification.id))]


def propose(pm: User, days: int = 14) -> int:
    with transaction():
        return service.propose_workflow(
            lambda held: drafting.with_status(held, "under_review", days=days), pm, base=0, reason="People wait long."
        ).id


def test_admins_hear_of_a_proposal_here_and_by_mail_and_the_proposer_of_what_became_of_it(browse, settle):
    pm, admin, other, member = make_user(Role.PM), make_user(Role.ADMIN), make_user(Role.PM), make_user()
    ids, addresses = (pm.id, admin.id, other.id, member.id), (pm.email, admin.email)
    proposer, decider = browse(pm), browse(admin)

    number = propose(pm)
    settle()

    assert [told(one) for one in ids] == [[], [("workflow_proposed", "inbox")], [], []]
    (letter,) = mails_to(addresses[1])
    assert "People wait long." in words_of(letter) and f"/admin/workflow/proposals/{number}" in words_of(letter)
    line = db.session.scalars(select(Notification.id).where(Notification.user_id == ids[1])).one()
    assert decider.post(f"/inbox/{line}").location.endswith(f"/admin/workflow/proposals/{number}")

    nameless = decider.post(f"/admin/workflow/proposals/{number}/refuse", data={"why": " "})
    assert nameless.status_code == 422 and "Say why. Whoever proposed it reads it." in nameless.text
    decider.post(f"/admin/workflow/proposals/{number}/refuse", data={"why": "Not before the summer."})
    decider.post(f"/admin/workflow/proposals/{number}/refuse", data={"why": "Once more."})
    settle()

    assert told(ids[0]) == [("workflow_settled", "inbox")]
    assert told(ids[1]) == [("workflow_proposed", "inbox")]
    (letter,) = mails_to(addresses[0])
    assert letter["Subject"] == "Your workflow was not accepted"
    assert "An admin says: Not before the summer." in words_of(letter)
    assert "An admin says: Not before the summer." in proposer.get("/inbox").text


def test_an_accepted_workflow_is_told_to_whoever_proposed_it_and_choices_are_heeded(browse, settle):
    pm, admin = make_user(Role.PM), make_user(Role.ADMIN)
    ids, addresses = (pm.id, admin.id), (pm.email, admin.email)
    proposer, decider = browse(pm), browse(admin)
    with transaction():
        choosing.choose_topics(admin, {Topic.WORK: Way.INBOX}, {})
    number = propose(pm)
    settle()

    assert decider.post(f"/admin/workflow/proposals/{number}/accept").status_code == 303
    settle()

    assert told(ids[1]) == [("workflow_proposed", "inbox")] and mails_to(addresses[1]) == []
    assert told(ids[0]) == [("workflow_settled", "inbox")]
    assert [letter["Subject"] for letter in mails_to(addresses[0])] == ["Your workflow holds now"]
    assert "Your workflow holds now" in proposer.get("/inbox").text


@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_what_one_admin_decided_waits_for_no_other(browse, settle, answer):
    pm, admin, other = make_user(Role.PM), make_user(Role.ADMIN), make_user(Role.ADMIN)
    number, decider = propose(pm), browse(admin)
    settle()
    assert [queries.count_unread(db.session.get_one(User, one)) for one in (admin.id, other.id)] == [1, 1]

    decider.post(f"/admin/workflow/proposals/{number}/{answer}", data={"why": "Not before the summer."})
    settle()

    assert [queries.count_unread(db.session.get_one(User, one)) for one in (admin.id, other.id)] == [0, 0]


def test_nobody_is_mailed_about_a_proposal_that_was_decided_or_is_no_longer_theirs(settle):
    admin, number = make_user(Role.ADMIN), proposed_workflow()
    address, who = admin.email, admin.id
    with transaction():
        db.session.get_one(WorkflowVersion, number).state = State.REFUSED
    settle()

    assert [kind for kind, _way in told(who)] == ["workflow_proposed"]
    assert mails_to(address) == []
    assert db.session.scalar(select(EventRecord.id).where(EventRecord.name == "workflow.proposed")) is not None


def test_s09_whoever_decides_no_more_reads_no_more_what_became_of_their_proposal(browse, settle):
    pm, admin = make_user(Role.PM), make_user(Role.ADMIN)
    who, address, proposer, decider = pm.id, pm.email, browse(pm), browse(admin)
    number = propose(pm)
    decider.post(f"/admin/workflow/proposals/{number}/refuse", data={"why": "Quillsecret plans."})
    with transaction():
        db.session.get_one(User, who).role = Role.MEMBER
    settle()

    assert told(who) == [("workflow_settled", "inbox")]
    assert mails_to(address) == []
    inbox = proposer.get("/inbox").text
    assert "Quillsecret" not in inbox and "Your workflow" not in inbox
    with transaction():
        db.session.get_one(User, who).role = Role.PM
    assert "Quillsecret" in proposer.get("/inbox").text
