"""The doctor: each illness that it claims to see, made and seen."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import sqlalchemy as sa

from portal import doctor
from portal.boards.models import Board
from portal.comments.models import Comment
from portal.comments.service import mark_helpful
from portal.db import db, utcnow
from portal.doctor import Health, post
from portal.events import OutboxRow
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.service import cast_vote
from portal.ideas.workflow import Status
from portal.notifications.mails import transport
from portal.search import index
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user


@pytest.fixture
def community(app, settle):
    """A few ideas with votes, a comment found helpful and a merge, all worked off."""
    main, other, third = make_idea("Main idea"), make_idea("Other idea"), make_idea("Third idea")
    voter, comment = make_user(), make_comment(main)
    with transaction():
        cast_vote(main, voter)
        cast_vote(other, voter)
        mark_helpful(comment, voter)
        move_idea(other, Status.MERGED, None, MoveDetails(into=main))
    settle()
    index.rebuild()
    return main, other, third


def examine(mail_to=None):
    """What the doctor finds, without what is well."""
    return [finding for finding in doctor.examine(mail_to) if finding.health is not Health.OK]


def sentences(health, mail_to=None):
    return [finding.sentence for finding in examine(mail_to) if finding.health is health]


def change(table, **values):
    with transaction(wake=False):
        db.session.execute(sa.update(table).values(**values))


def test_a_community_that_is_well_is_found_well(community):
    assert sentences(Health.BROKEN) == []


@pytest.mark.parametrize(
    ("table", "column", "part"),
    [
        (Idea, "votes", "Votes of idea"),
        (Idea, "comments", "Comments of idea"),
        (Comment, "helpful", "Thanks for comment"),
        (Board, "ideas", "Ideas on board"),
    ],
)
def test_a_counter_that_is_wrong_is_seen(community, table, column, part):
    change(table, **{column: 7})

    found = sentences(Health.BROKEN)

    assert found
    assert all(part in sentence and "the counter says 7" in sentence for sentence in found)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["others merged into it", "merged", "alone"])
def test_one_wrong_counter_is_named_once(community, which):
    number, votes = community[which].id, community[which].votes
    with transaction(wake=False):
        db.session.execute(sa.update(Idea).where(Idea.id == number).values(votes=votes + 1))

    assert sentences(Health.BROKEN) == [f"Votes of idea {number}: the counter says {votes + 1}, there are {votes}."]


def test_a_merge_that_leads_nowhere_is_seen(community):
    main, other, third = community
    with transaction(wake=False):
        db.session.execute(sa.update(Idea).where(Idea.id == main.id).values(merged_into_id=third.id))

    assert any("Merges do not lead to a main idea" in sentence for sentence in sentences(Health.BROKEN))


def test_an_idea_at_a_status_that_is_gone_is_seen(community):
    change(Idea, stage="planned_x")

    assert any("in the status that is to go" in sentence for sentence in sentences(Health.BROKEN))


def test_an_index_out_of_step_is_seen(community):
    _main, _other, third = community
    index.engine().remove([third.id])

    assert sentences(Health.BROKEN) == [
        "The search index lacks 1 ideas and has 0 that are gone. Run: portal search rebuild"
    ]


def test_an_idea_that_still_waits_for_the_index_is_no_illness(community):
    with transaction():
        index.note(community[2].id)
    index.engine().remove([community[2].id])

    assert sentences(Health.BROKEN) == []


def test_a_missing_index_is_seen(app):
    assert any("missing or damaged" in sentence for sentence in sentences(Health.BROKEN))


def test_work_that_waits_or_was_set_aside_is_seen(community):
    idea, voter = make_idea(), make_user()
    with transaction():
        cast_vote(idea, voter)
    change(OutboxRow, available_at=utcnow() - timedelta(hours=1), done_at=None)

    assert any("the oldest for 60 minutes" in sentence for sentence in sentences(Health.ATTENTION))

    change(OutboxRow, given_up_at=utcnow(), error="Somebody tripped over a cable")
    assert any("set aside" in s and "tripped over a cable" in s for s in sentences(Health.ATTENTION))


@pytest.mark.settings(SECRET_KEY="")
def test_a_secret_that_others_can_read_is_seen(app):
    file = Path(app.config["INSTANCE"]) / "secret_key"
    assert not any("secret key" in sentence for sentence in sentences(Health.ATTENTION))

    file.chmod(0o644)

    assert any(
        "can be read by other users" in sentence and "chmod 600" in sentence for sentence in sentences(Health.ATTENTION)
    )


@pytest.mark.settings(LIMITS_STORAGE="redis://127.0.0.1:1/", LIMITS=True)
def test_rate_limits_that_cannot_be_counted_are_seen(app):
    assert any("cannot be counted in redis://127.0.0.1:1/" in sentence for sentence in sentences(Health.ATTENTION))


def test_a_mail_server_that_answers_is_heard(app, smtp):
    found = [finding for finding in doctor.examine("nia@example.org") if "mail server" in finding.sentence]

    assert [finding.health for finding in found] == [Health.OK]
    assert "took the test mail to nia@example.org" in found[0].sentence
    assert smtp.got[0]["To"] == "nia@example.org"
    assert "@" in smtp.got[0]["Message-ID"]


def test_a_mail_server_that_refuses_is_quoted(app, smtp):
    smtp.refuse("550 No such person here")

    assert any("550 No such person here" in sentence for sentence in sentences(Health.BROKEN, "nia@example.org"))


@pytest.mark.parametrize(
    ("url", "part"),
    [("smtp://127.0.0.1:1", "127.0.0.1:1 does not answer"), ("pigeon://coop", "must be like smtp://")],
)
def test_a_mail_server_that_cannot_be_reached_is_named(app, url, part):
    app.config["MAIL_URL"] = url

    assert any(part in sentence for sentence in sentences(Health.BROKEN))


def test_a_test_mail_without_a_mail_server_is_no_success(app):
    assert any(
        "No test mail went to nia@example.org" in sentence for sentence in sentences(Health.BROKEN, "nia@example.org")
    )


@pytest.mark.parametrize("there", ["nia", "Nia <nia@example.org>", "nia..o@example.org", "n@i@example.org"])
def test_no_test_mail_goes_to_what_is_no_address(app, there):
    app.config["MAIL_URL"] = "smtp://127.0.0.1:1"

    assert f"{there} is no address to send a test mail to." in sentences(Health.BROKEN, there)


def test_the_mail_server_is_asked_where_mails_are_sent():
    assert post.ask_mail_server("smtp://127.0.0.1", None).sentence.startswith("The mail server 127.0.0.1:25 ")


def test_no_password_is_sent_in_the_open(monkeypatch):
    server = MagicMock()
    server.has_extn.return_value, server.esmtp_features = False, {}
    monkeypatch.setattr(transport.smtplib, "SMTP", lambda *_where, **_how: server)

    found = post.ask_mail_server("smtp://ann:secret@mail.example.org", None)

    assert "does not encrypt: the server offers no encryption, so the password was not sent" in found.sentence
    server.login.assert_not_called()
