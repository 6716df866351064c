"""Doing one thing with many ideas: what the dry run says happens, and is taken back exactly."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.bulk import carrying, service
from portal.bulk.kinds import write_details
from portal.bulk.models import BulkAct, BulkItem, State, Step
from portal.bulk.telling import LETTER, tell_together
from portal.db import db, utcnow
from portal.ideas import moves
from portal.ideas.models import Answer, Idea
from portal.ideas.steps import MoveDetails, Tell
from portal.ideas.workflow import Publication, Status
from portal.notifications import choosing
from portal.notifications.mails.sending import send_due
from portal.notifications.models import CaughtMail, Mail, Notification
from portal.notifications.policy import Topic, Way
from portal.outbox import work_off
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user, make_votes
from tests.support import either_way
from tests.support.mails import mails_to, words_of
from tests.support.queries import queries

pytestmark = pytest.mark.usefixtures("app")

PLANNED = {"target": "planned", "details": write_details(MoveDetails(answer="We will build it.", expected="June"))}


def plan(actor, kind, what, ideas, **more):
    with transaction():
        return service.plan(actor, kind, what, ideas, **more)


def carry_out(act, tell=Tell.DIGEST):
    with transaction():
        service.begin(act, tell)
    finish()
    return act


def take_back(act, actor=None):
    with transaction():
        service.take_back(act, actor or act.actor)
    finish()


def finish():
    while carrying.carry_on():
        pass
    db.session.expire_all()


def states(act):
    items = select(BulkItem.idea_id, BulkItem.state).where(BulkItem.act_id == act.id)
    return {idea_id: state.value for idea_id, state in db.session.execute(items)}


def whys(act):
    items = select(BulkItem.idea_id, BulkItem.why).where(BulkItem.act_id == act.id, BulkItem.why != "")
    return dict(db.session.execute(items).all())


def snapshot(ideas):
    db.session.expire_all()
    columns = [column.name for column in Idea.__table__.columns if column.name not in {"heat", "comments", "votes"}]
    return {
        idea.id: {name: getattr(idea, name) for name in columns} | {"tags": [tag.name for tag in idea.tags]}
        for idea in ideas
    }


def settle():
    work_off(500)
    while tell_together() or work_off(500):
        pass
    while send_due():
        pass


def forget_mails():
    settle()
    with transaction():
        for mail in [*db.session.scalars(select(Mail)), *db.session.scalars(select(CaughtMail))]:
            db.session.delete(mail)


def mixture(pm):
    """Ideas in many states, on boards where this person decides and on one where not."""
    elsewhere = make_board("Elsewhere")
    board = make_board("Here")
    there = [make_idea(board=board, status=status) for status in (Status.UNDER_REVIEW, Status.NEW, Status.PLANNED)]
    hidden = make_idea(board=board, status=Status.UNDER_REVIEW, publication=Publication.HIDDEN)
    others = make_idea(board=elsewhere, status=Status.UNDER_REVIEW)
    make_place(board, pm, Role.PM)
    with transaction():
        moves.set_tags(there[0], ["maps", "old"], pm)
        moves.set_tags(there[1], [f"tag {number}" for number in range(10)], pm)
    return [*there, hidden, others], board


@pytest.mark.parametrize("kind", ["owner", "add_tags", "remove_tags", "board", "move", "snooze"])
def test_what_the_dry_run_says_happens_and_is_taken_back_exactly(kind):
    pm = make_user(Role.MEMBER)
    ideas, board = mixture(pm)
    goal = make_board("Goal")
    make_place(goal, pm, Role.PM)
    what = {
        "owner": {"owner": pm.id},
        "add_tags": {"tags": ["maps", "new"]},
        "remove_tags": {"tags": ["maps", "tag 3"]},
        "board": {"board": goal.id},
        "move": PLANNED,
        "snooze": {"until": (utcnow() + timedelta(days=3)).isoformat()},
    }[kind]
    before = snapshot(ideas)

    act = plan(pm, kind, what, ideas)
    foreseen = {idea_id for idea_id, state in states(act).items() if state == "waiting"}
    assert snapshot(ideas) == before, "a dry run changes nothing"
    carry_out(act)

    assert act.step is Step.DONE
    assert {idea_id for idea_id, state in states(act).items() if state == "done"} == foreseen
    assert 0 < len(foreseen) < len(ideas) and set(whys(act)) == {idea.id for idea in ideas} - foreseen
    assert ideas[-1].id not in foreseen and "do not decide" in whys(act)[ideas[-1].id]
    if kind != "snooze":
        changed = {idea_id for idea_id, now in snapshot(ideas).items() if now != before[idea_id]}
        assert changed == foreseen
    take_back(act)
    assert act.step is Step.UNDONE and snapshot(ideas) == before
    assert {state for idea_id, state in states(act).items() if idea_id in foreseen} == {"undone"}
    assert not db.session.scalars(select(Answer.id).where(Answer.taken_back_at.is_(None))).all()


def test_what_somebody_changed_since_stays_and_is_said():
    pm, other = make_user(Role.PM), make_user(Role.PM)
    ideas = [make_idea(status=Status.UNDER_REVIEW) for _ in range(3)]
    act = carry_out(plan(pm, "move", PLANNED, ideas))
    with transaction():
        moves.move_idea(ideas[1], Status.IN_PROGRESS, other, MoveDetails())

    take_back(act)

    assert states(act) == {ideas[0].id: "undone", ideas[1].id: "kept", ideas[2].id: "undone"}
    assert whys(act) == {ideas[1].id: "Somebody moved it on since, to In progress."}
    assert [idea.status for idea in ideas] == [Status.UNDER_REVIEW, Status.IN_PROGRESS, Status.UNDER_REVIEW]


def test_an_idea_that_moved_after_the_dry_run_is_left_alone():
    pm = make_user(Role.PM)
    ideas = [make_idea(status=Status.UNDER_REVIEW) for _ in range(2)]
    declined = write_details(MoveDetails(answer="No.", reversal="Many."))
    act = plan(pm, "move", {"target": "declined", "details": declined}, ideas)
    with transaction():
        moves.move_idea(ideas[0], Status.PLANNED, pm, MoveDetails(answer="Yes."))

    carry_out(act)

    assert states(act) == {ideas[0].id: "left_out", ideas[1].id: "done"}
    assert "Somebody moved it to Planned meanwhile." in whys(act)[ideas[0].id]


def people_behind_three():
    pm, author = make_user(Role.PM), make_user()
    ideas = [make_idea(f"Bell {number}", author=author, status=Status.UNDER_REVIEW) for number in range(3)]
    voter = make_votes(ideas[0], 1)[0]
    forget_mails()
    return pm, author, voter, ideas


def to_whom():
    return sorted(db.session.scalars(select(CaughtMail.recipient)))


@pytest.mark.parametrize("tell", list(Tell))
def test_one_decision_says_how_people_hear_and_the_dry_run_counts_them(tell):
    pm, author, voter, ideas = people_behind_three()

    act = plan(pm, "move", PLANNED, ideas)
    assert act.what["audience"] == {"people": 2, "mails": 4, "letters": 2}
    carry_out(act, tell)
    settle()

    lines = db.session.scalars(select(Notification.user_id).where(Notification.kind == "decided")).all()
    expected = {
        Tell.EVERYBODY: ([author.email] * 3 + [voter.email], 4),
        Tell.DIGEST: ([author.email, voter.email], 4),
        Tell.NOBODY: ([], 0),
    }[tell]
    assert (to_whom(), len(lines)) == (sorted(expected[0]), expected[1])
    if tell is Tell.DIGEST:
        letters = {mail.recipient: mail for mail in db.session.scalars(select(CaughtMail))}
        assert letters[author.email].subject == "News of 3 ideas"
        assert all(f"Bell {number}" in letters[author.email].raw for number in range(3))
        assert letters[author.email].raw.count("We will build it.") == 2, "once in each part of the mail"
        assert "Bell 0" in letters[voter.email].subject
    settle()
    assert len(to_whom()) == len(expected[0]), "nobody is told twice"


def test_the_one_mail_about_very_many_ideas_names_some_and_says_how_many_more_there_are():
    pm, author = make_user(Role.PM), make_user()
    ideas = [make_idea(f"Bell {number:02}", author=author, status=Status.UNDER_REVIEW) for number in range(23)]
    forget_mails()

    carry_out(plan(pm, "move", PLANNED, ideas), Tell.DIGEST)
    settle()

    [letter] = mails_to(author.email)
    assert letter["Subject"] == "News of 23 ideas"
    words, html = words_of(letter), letter.get_body(("html",)).get_content()
    assert [part.count("Bell ") for part in (words, html.partition("</h1>")[2])] == [20, 20]
    assert words.count(f"/ideas/{ideas[0].id}\n") == 1 and "Under review → Planned" in words
    assert "and 3 more" in words and "and 3 more" in html


def test_the_one_mail_heeds_what_its_reader_chose_since_it_was_queued():
    pm, author, voter, ideas = people_behind_three()
    elsewhere = make_idea("Elsewhere", author=author, status=Status.UNDER_REVIEW, board=make_board("Elsewhere"))
    forget_mails()
    carry_out(plan(pm, "move", PLANNED, [*ideas, elsewhere]))
    work_off(500)
    tell_together()

    with transaction():
        choosing.choose_topics(author, {Topic.DECISIONS: Way.DIGEST}, {}, ideas[0].board)
        choosing.choose_topics(voter, {Topic.DECISIONS: Way.INBOX}, {})
    settle()

    [letter] = db.session.scalars(select(CaughtMail))
    assert (letter.recipient, "Elsewhere" in letter.raw, "Bell" in letter.raw) == (author.email, True, False)
    decided = select(Notification.way).where(Notification.kind == "decided").order_by(Notification.id)
    assert sorted(db.session.scalars(decided.where(Notification.user_id == author.id))) == ["digest"] * 3 + ["mail"]
    assert db.session.scalars(decided.where(Notification.user_id == voter.id)).all() == ["inbox"]
    voters = select(Mail.suppressed).where(Mail.user_id == voter.id, Mail.kind == LETTER)
    assert db.session.scalar(voters) == "chosen otherwise meanwhile"


def test_whoever_was_told_is_told_once_that_all_was_taken_back():
    pm, author, voter, ideas = people_behind_three()
    act = carry_out(plan(pm, "move", PLANNED, ideas))
    settle()
    forget_mails()
    with transaction():
        for mail in db.session.scalars(select(Mail)):
            db.session.delete(mail)
    assert to_whom() == []

    act2 = carry_out(plan(pm, "move", PLANNED | {"target": "in_progress"}, ideas))
    take_back(act2)
    settle()
    assert to_whom() == [], "of what was taken back before its mail nobody reads"

    reopened = {"target": "under_review", "details": write_details(MoveDetails(reason="Oh."))}
    again = carry_out(plan(pm, "move", reopened, ideas))
    settle()
    assert to_whom() == sorted([author.email, voter.email])
    take_back(again)
    settle()
    assert to_whom() == sorted([author.email, voter.email] * 2)
    assert act.step is Step.DONE


@pytest.mark.settings(FOLD_MINUTES=15)
def test_what_is_taken_back_while_mails_wait_is_mailed_to_nobody():
    pm, _author, _voter, ideas = people_behind_three()
    act = carry_out(plan(pm, "move", PLANNED, ideas))
    settle()
    assert to_whom() == []

    take_back(act)
    with transaction():
        act.done_at = utcnow() - timedelta(hours=1)
    settle()

    unread = select(Notification.id).where(Notification.kind == "decided", Notification.read_at.is_(None))
    assert to_whom() == [] and not db.session.scalars(unread).all()


def test_much_is_done_in_parts_by_the_worker_and_a_day_later_it_stays(monkeypatch):
    pm = make_user(Role.PM)
    ideas = [make_idea() for _ in range(30)]
    act = plan(pm, "owner", {"owner": pm.id}, ideas)
    with transaction():
        service.begin(act, Tell.NOBODY)

    assert carrying.carry_on() == 25 and act.step is Step.RUNNING
    finish()

    assert act.step is Step.DONE and {idea.owner_id for idea in ideas} == {pm.id}
    with transaction():
        act.done_at = utcnow() - timedelta(hours=25)
    with pytest.raises(Exception, match="for a day only"):
        take_back(act)


def test_one_idea_that_goes_wrong_stops_no_other(monkeypatch):
    pm = make_user(Role.PM)
    ideas = [make_idea() for _ in range(3)]
    act = plan(pm, "owner", {"owner": pm.id}, ideas)
    assign = moves.assign_owner

    def stumble(idea, *rest, **more):
        if idea.id == ideas[1].id:
            raise RuntimeError("out of luck")
        assign(idea, *rest, **more)

    monkeypatch.setattr(moves, "assign_owner", stumble)
    carry_out(act)

    assert states(act) == {ideas[0].id: "done", ideas[1].id: "left_out", ideas[2].id: "done"}
    assert "went wrong" in whys(act)[ideas[1].id]


# In the browser


@either_way
def test_a_manager_ticks_ideas_looks_does_it_and_takes_it_back(browse, headers):
    pm = make_user(Role.PM)
    ideas = [make_idea(f"Bell {number}") for number in range(3)]
    make_idea("Left alone")
    browser = browse(pm)
    chosen = {"idea": [ideas[0].id, ideas[1].id], "queue": "first-look"}

    assert 'action="/triage/bulk/new"' in browser.get("/triage/first-look").text
    form = browser.get("/triage/bulk/new", query_string=chosen | {"act": "owner"}, headers=headers).text
    assert "Change 2 ideas" in form and "Left alone" not in form
    nothing = browser.post("/triage/bulk/new", data=chosen | {"act": "add_tags", "tags": " , "}, headers=headers)
    assert nothing.status_code == 422 and "at least one tag" in nothing.text
    seen = browser.post(
        "/triage/bulk/new", data=chosen | {"act": "add_tags", "tags": "Bells"}, headers=headers, follow_redirects=True
    )
    if headers:
        seen = browser.get(seen.headers.get("HX-Redirect", "/triage/bulk/1"))
    assert "It would be done with 2 ideas." in seen.text
    db.session.rollback()
    assert not db.session.scalars(select(Idea.id).where(Idea.tags.any())).all()

    act_id = db.session.scalars(select(BulkAct.id)).one()
    browser.post(f"/triage/bulk/{act_id}/carry-out", headers=headers)
    done = browser.get(f"/triage/bulk/{act_id}").text
    assert "Done with 2 ideas." in done and "Undo all of it" in done
    db.session.rollback()
    assert [tag.name for tag in ideas[0].tags] == ["bells"]
    assert "Add the tags bells" in browser.get("/triage/bulk").text

    browser.post(f"/triage/bulk/{act_id}/undo", headers=headers)
    assert "Taken back from 2 ideas." in browser.get(f"/triage/bulk/{act_id}").text
    db.session.rollback()
    assert not ideas[0].tags and not ideas[1].tags


def test_a_whole_queue_is_moved_with_all_that_has_to_be_said(browse):
    pm, author = make_user(Role.PM), make_user()
    ideas = [make_idea(f"Bell {number}", author=author) for number in range(3)]
    make_idea("Another", status=Status.PLANNED)
    browser = browse(pm)
    forget_mails()
    sent = {"act": "move-declined", "queue": "first-look", "all": "1"}

    form = browser.get("/triage/bulk/new", query_string=sent).text
    assert "Change 3 ideas" in form and 'name="answer"' in form and 'name="reversal"' in form
    because = re.search(r'name="because".*?<option value="(\d+)"', form, re.S)
    without = browser.post("/triage/bulk/new?queue=first-look", data=sent | {"answer": "No."})
    assert without.status_code == 422 and "No.</textarea>" in without.text
    said = {"answer": "No bells.", "reversal": "Quiet ones.", "because": because[1] if because else ""}
    browser.post("/triage/bulk/new?queue=first-look", data=sent | said)
    act_id = db.session.scalars(select(BulkAct.id)).one()
    shown = browser.get(f"/triage/bulk/{act_id}").text
    assert "It would be done with 3 ideas." in shown
    assert "One mail each: 1 mail" in shown and "A mail for each idea: 3 mails" in shown
    assert browser.post(f"/triage/bulk/{act_id}/carry-out", data={"tell": "all of them"}).status_code == 422
    browser.post(f"/triage/bulk/{act_id}/carry-out", data={"tell": "digest"})

    settle()
    db.session.expire_all()
    assert {idea.status for idea in ideas} == {Status.DECLINED}
    assert to_whom() == [author.email]


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OBSERVER, Role.MEMBER])
def test_only_those_who_decide_change_many(browse, role):
    idea, browser = make_idea(), browse(make_user(role))
    act = plan(make_user(Role.PM), "add_tags", {"tags": ["maps"]}, [idea])

    assert browser.get(f"/triage/bulk/new?idea={idea.id}").status_code == 403
    for address in (f"/triage/bulk/{act.id}/carry-out", f"/triage/bulk/{act.id}/undo"):
        assert browser.post(address).status_code in {403, 404}
    if role is not Role.MEMBER:
        assert "/triage/bulk/new" not in browser.get("/triage/first-look").text
    assert browse(make_user(Role.PM)).get(f"/triage/bulk/{act.id}").status_code == 404
    assert browse(make_user(Role.ADMIN)).get(f"/triage/bulk/{act.id}").status_code == 200
    assert states(act) == {idea.id: State.WAITING.value}


def test_looking_at_many_costs_the_statements_of_few(browse):
    browser, numbers = browse(make_user(Role.PM)), [make_idea().id for _number in range(12)]
    sent = {"act": "add_tags", "queue": "first-look", "tags": "bells"}
    browser.post("/triage/bulk/new", data=sent | {"idea": numbers})

    with queries() as few:
        assert browser.post("/triage/bulk/new", data=sent | {"idea": numbers[:2]}).status_code == 303
    with queries() as many:
        assert browser.post("/triage/bulk/new", data=sent | {"idea": numbers}).status_code == 303

    assert len(many) == len(few)
