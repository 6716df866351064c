"""Mails on their way: written late, sent once, retried, given up in sight of staff, and never more than agreed."""

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from portal import outbox
from portal.accounts.models import SPOKEN_FOR, User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.notifications import service
from portal.notifications.mails import line, sending, transport
from portal.notifications.mails.transport import EndUnknown
from portal.notifications.models import CaughtMail, Mail
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user, make_votes
from tests.support.mail import free_port

ANSWER = "**Yes, we will build this.** You make a link & send it.\n\n- it ends by itself\n- you end it\n\n> as wished"


def plan(voters: int = 1, title: str = "Share my position for a day", **fields: object) -> tuple[Idea, list[User]]:
    """Decide on an idea, so that its author and voters get a mail each."""
    idea = make_idea(title, **fields)
    people = make_votes(idea, voters)
    outbox.work_off(500)
    no_mails_yet()
    with transaction():
        idea.status = Status.UNDER_REVIEW
    with transaction():
        details = MoveDetails(answer=ANSWER, expected="June")
        moves.move_idea(idea, Status.PLANNED, make_user(Role.PM, team="Safety team"), details)
    outbox.work_off(500)
    return idea, people


def no_mails_yet() -> None:
    """Forget receipts and the like."""
    with transaction():
        for mail in db.session.scalars(select(Mail)):
            db.session.delete(mail)


def a_mail(user: User | None = None) -> Mail:
    """Return the one mail, or the one to somebody, as it is now."""
    db.session.expire_all()
    found = select(Mail) if user is None else select(Mail).where(Mail.user_id == user.id)
    return db.session.scalars(found).one()


def later() -> None:
    """Let time pass for what waits."""
    with transaction():
        line.knock_again()
        for mail in db.session.scalars(select(Mail).where(Mail.done_at.is_(None))):
            mail.available_at = utcnow() - timedelta(seconds=1)
            if mail.locked_until:
                mail.locked_until = utcnow() - timedelta(seconds=1)


def text_of(message: EmailMessage) -> str:
    return message.get_body(("plain",)).get_content()


def html_of(message: EmailMessage) -> str:
    return message.get_body(("html",)).get_content()


def test_a_decision_reaches_everybody_behind_the_idea_by_mail(app, smtp):
    idea, voters = plan(voters=2)

    assert sending.send_due() == 3

    assert {m["To"] for m in smtp.got} == {idea.author.email, *(voter.email for voter in voters)}
    message = next(m for m in smtp.got if m["To"] == voters[0].email)
    assert message["Subject"] == "Planned: Share my position for a day"
    assert message["From"] == "Ideas <ideas@127.0.0.1>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["References"] == message["In-Reply-To"] == f"<idea-{idea.id}@127.0.0.1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<http://127\.0\.0\.1:8000/mail/stop/[\w.-]+>", message["List-Unsubscribe"])
    assert "You get this because you voted." in text_of(message)
    assert sending.send_due() == 0


def test_text_and_html_show_the_same(app, smtp):
    plan(voters=1)
    sending.send_due()
    message = smtp.got[0]

    shown = re.sub(r"<head>.*?</head>|<div style=\"display:none.*?</div>", "", html_of(message), flags=re.DOTALL)
    links = set(re.findall(r'href="([^"]+)"', shown))
    words_of_html = set(re.findall(r"\w{2,}", re.sub(r"<[^>]+>", " ", shown).replace("&amp;", "&")))
    text = text_of(message)
    words_of_text = set(re.findall(r"\w{2,}", re.sub(r"https?://\S+", " ", text)))

    assert words_of_html == words_of_text
    assert links == set(re.findall(r"https?://\S+", text))
    assert "Yes, we will build this. You make a link & send it." in text
    assert "June" not in text  # what is expected stands on the page, where it can change
    assert "http" not in re.sub(r'href="[^"]+"', "", shown)  # nothing is fetched from anywhere


def test_a_mail_that_is_refused_for_now_is_tried_again_under_the_same_number(app, smtp):
    idea, _voters = plan(voters=0)
    smtp.refuse("451 Try again later")

    sending.send_due()
    waiting = a_mail()
    key, error, due = waiting.key, waiting.error, waiting.available_at
    assert sending.send_due() == 0
    later()
    sending.send_due()

    assert error == "451 Try again later"
    assert due > utcnow()
    assert [m["Message-ID"] for m in smtp.got] == [f"<{key}@127.0.0.1>"]
    assert a_mail().done_at
    assert a_mail().unknown_ends == 0


def test_a_mail_that_is_refused_for_good_is_set_aside_with_the_servers_words(app, smtp, browse):
    plan(voters=0)
    smtp.refuse("550 No such person here")

    sending.send_due()
    admin = make_user(Role.ADMIN)
    seen = browse(admin).get("/mail/health").text

    assert a_mail().given_up_at
    assert "550 No such person here" in seen
    browse(admin).post(f"/mail/health/mails/{a_mail().id}/again")
    sending.send_due()
    assert len(smtp.got) == 1
    assert "550" not in browse(admin).get("/mail/health").text


def test_one_refused_mail_does_not_keep_the_others_back(app, smtp):
    plan(voters=3)
    smtp.refuse("550 No such person here")

    sending.send_due()

    assert len(smtp.got) == 3


@pytest.mark.parametrize(("voters", "stuck"), [(0, False), (2, True)])
def test_one_full_mailbox_is_no_trouble_of_the_mail_server_but_several_are(app, smtp, voters, stuck):
    plan(voters=voters)
    smtp.refuse("452 Mailbox full", times=voters + 1)

    sending.send_due()

    way = line.state()
    assert bool(way and way.failing_since) is stuck


def test_mails_wait_while_the_server_is_away(app, smtp):
    plan(voters=2)
    app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"

    sending.send_due()
    errors = {mail.error for mail in db.session.scalars(select(Mail))}
    app.config["MAIL_URL"] = smtp.url
    later()
    sending.send_due()

    assert len(errors) == 1
    assert "Connection refused" in errors.pop()
    assert len(smtp.got) == 3
    assert len({m["Message-ID"] for m in smtp.got}) == 3


class Dies:
    """A server that takes the mail and is cut off before it can say so."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> None:
        self.taken.append(message["Message-ID"])
        raise EndUnknown("connection lost")

    def close(self) -> None:
        pass


class Killed(Dies):
    """Our process is killed right after handing over."""

    def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> None:
        self.taken.append(message["Message-ID"])
        raise KeyboardInterrupt


@pytest.mark.parametrize("server", [Dies, Killed])
def test_a_mail_whose_end_is_unknown_is_repeated_once_under_its_number_and_then_set_aside(app, server, monkeypatch):
    plan(voters=0)
    taker = server()
    monkeypatch.setattr(sending, "transport_for", lambda _url: taker)

    for _ in range(4):
        try:
            sending.send_due()
        except KeyboardInterrupt:
            db.session.rollback()
        later()

    assert len(taker.taken) == 2
    assert len(set(taker.taken)) == 1
    assert a_mail().given_up_at
    assert a_mail().error == "unknown whether it arrived"


def test_a_mail_that_another_worker_took_over_is_left_to_it(app, smtp, monkeypatch):
    plan(voters=0)
    begin = sending._begin

    def too_late(mail: Mail, taken: list[int]) -> bool:
        with transaction():
            db.session.get_one(Mail, mail.id).locked_by = "somebody else"
        return begin(mail, taken)

    monkeypatch.setattr(sending, "_begin", too_late)
    sending.send_due()

    assert smtp.got == []
    assert (a_mail().done_at, a_mail().locked_by, a_mail().error) == (None, "somebody else", None)
    with transaction():
        service.try_again(a_mail())  # somebody presses the button meanwhile
    assert (a_mail().locked_by, a_mail().attempts) == ("somebody else", 1)


def test_a_mail_that_goes_while_others_are_sent_holds_none_of_them_up(app, monkeypatch):
    plan(voters=3)

    class TakesBackTheNext(Dies):
        def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> None:
            self.taken.append(message["To"])
            if len(self.taken) == 1:
                with transaction():
                    waits = select(Mail).where(Mail.locked_until.is_not(None), Mail.unknown_ends == 0)
                    db.session.delete(db.session.scalars(waits.order_by(Mail.id)).first())

    taker = TakesBackTheNext()
    monkeypatch.setattr(sending, "transport_for", lambda _url: taker)
    sending.send_due()

    assert len(taker.taken) == len(set(taker.taken)) == 3
    db.session.expire_all()
    assert [bool(mail.done_at) for mail in db.session.scalars(select(Mail))] == [True] * 3


def hide(idea: Idea, user: User) -> None:
    idea.publication = Publication.HIDDEN


def make_private(idea: Idea, user: User) -> None:
    idea.board.audience = Audience.STAFF


def mute(idea: Idea, user: User) -> None:
    ideas.unfollow(idea, user)


def withdraw(idea: Idea, user: User) -> None:
    ideas.withdraw_vote(idea, user)


def stop_mails(idea: Idea, user: User) -> None:
    user.wants_mail = False


def suspend(idea: Idea, user: User) -> None:
    user.suspended_at = utcnow()


def lose_address(idea: Idea, user: User) -> None:
    user.confirmed_at = None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (hide, "no longer visible"),
        (make_private, "no longer visible"),
        (mute, "idea muted"),
        (withdraw, "no longer follows"),
        (stop_mails, "mails not wanted"),
        (suspend, "account suspended"),
        (lose_address, "address not confirmed"),
    ],
)
def test_what_changed_since_a_mail_was_queued_counts_when_it_is_sent(app, smtp, change, why):
    idea, [voter] = plan(voters=1)

    with transaction():
        change(idea, voter)
    sending.send_due()

    assert a_mail(voter).suppressed == why
    assert a_mail(voter).done_at
    assert voter.email not in [m["To"] for m in smtp.got]


def test_a_deleted_comment_is_mailed_to_nobody(app, smtp):
    comment = make_comment()
    outbox.work_off()
    no_mails_yet()
    with transaction():
        reply = comments.post_comment(comment.idea, make_user_now(), "A secret I regret.", comment)
    outbox.work_off()
    with transaction():
        comments.delete_comment(reply, reply.author)

    sending.send_due()

    assert smtp.got == []
    assert a_mail().suppressed == "no longer visible"


def make_user_now() -> User:
    """Open an account inside a transaction that runs already."""
    user = User(email="replier@example.org", name="Replier", name_key="replier")
    db.session.add(user)
    db.session.flush()
    return user


def test_nobody_gets_more_than_five_mails_a_day_and_the_inbox_has_the_rest(app, smtp):
    author = make_user()
    for _ in range(7):
        make_idea(author=author)
    outbox.work_off()

    sending.send_due()

    assert len(smtp.got) == 5
    suppressed = [mail.suppressed for mail in db.session.scalars(select(Mail)) if mail.suppressed]
    assert suppressed == ["kept for the digest"] * 2


@pytest.mark.settings(MAIL_URL="")
def test_without_a_mail_server_mails_end_quietly_and_staff_read_why(app, browse):
    plan(voters=0)

    sending.send_due()

    assert a_mail().suppressed == "no mail server configured"
    assert "No mail server is configured" in browse(make_user(Role.ADMIN)).get("/mail/health").text


def test_whoever_wants_no_mail_has_none_queued(app):
    idea = make_idea()
    with transaction():
        ideas.cast_vote(idea, make_user_now())
    outbox.work_off()
    no_mails_yet()

    with transaction():
        moves.answer_idea(idea, db.session.scalars(select(User)).first(), MoveDetails(answer="We heard you."))
    outbox.work_off()

    assert all(mail.user.can_get_mail for mail in db.session.scalars(select(Mail)))


def test_the_confirmation_is_sent_to_an_address_that_is_not_confirmed_yet(app, smtp, browse):
    user = make_user(confirmed_at=None)
    with transaction():
        service.queue_confirmation(user, key="confirm-1")

    sending.send_due()

    [message] = smtp.got
    assert message["To"] == user.email
    assert message["List-Unsubscribe"] is None
    assert re.search(r"http://127\.0\.0\.1:8000/confirm/\S+", text_of(message))


def test_nothing_is_mailed_to_an_address_that_only_stands_for_somebody(app, smtp):
    user = make_user(confirmed_at=None, email=f"0123456789ab@{SPOKEN_FOR}")
    with transaction():
        service.queue_confirmation(user, key="confirm-1")

    sending.send_due()

    assert smtp.got == [] and a_mail().suppressed == "no such address"


def test_an_address_is_asked_to_confirm_at_most_twice_an_hour(app):
    user = make_user(confirmed_at=None)
    for _ in range(2):
        with transaction():
            service.ask_again_to_confirm(user)

    with pytest.raises(Refusal, match="more than once"), transaction():
        service.ask_again_to_confirm(user)

    assert len(db.session.scalars(select(Mail)).all()) == 2


def test_mails_are_written_in_the_language_of_their_reader(app, smtp, monkeypatch):
    user = make_user(locale="de")
    make_idea(author=user)
    outbox.work_off()

    sending.send_due()

    assert '<html lang="de" ' in html_of(smtp.got[0])


def test_sending_holds_no_transaction(app, monkeypatch):
    plan(voters=0)

    class Looks(Dies):
        def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> None:
            self.taken.append(str(db.session().in_transaction()))

    looks = Looks()
    monkeypatch.setattr(sending, "transport_for", lambda _url: looks)
    sending.send_due()

    assert looks.taken == ["False"]


def test_the_catcher_keeps_what_would_have_been_sent(app, browse):
    plan(voters=0)

    sending.send_due()

    assert db.session.scalars(select(CaughtMail.subject)).all() == ["Planned: Share my position for a day"]
    assert browse().get("/mail-catcher").status_code == 404  # nothing is shown to everybody outside the demo


@pytest.mark.settings(DEMO=True)
def test_a_caught_mail_can_be_read_in_all_its_forms(app, browse):
    plan(voters=0)
    sending.send_due()
    caught = db.session.scalars(select(CaughtMail)).one()

    page = browse().get(f"/mail-catcher/{caught.id}")
    part = browse().get(f"/mail-catcher/{caught.id}/html")

    assert caught.subject in browse().get("/mail-catcher").text
    assert "You get this because the idea is yours." in page.text
    assert "frame-src &#39;self&#39;" not in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert '<base target="_top">' in part.text
    assert "sandbox" in part.headers["Content-Security-Policy"]
    assert "script" not in part.headers["Content-Security-Policy"]


def test_a_mail_server_that_is_not_there_is_named_in_words(app):
    app.config["MAIL_URL"] = "smtp://127.0.0.1:9"

    assert transport.check(app).startswith("127.0.0.1:9: ")


def test_only_admins_see_how_mails_are_getting_on(app, browse):
    assert browse(make_user(Role.PM)).get("/mail/health").status_code == 403
    assert browse(make_user()).post("/mail/health/again").status_code == 403


def test_a_removed_idea_is_mailed_to_nobody(app, smtp):
    idea, [voter] = plan(voters=1)
    with transaction():
        idea.publication = Publication.REMOVED

    sending.send_due()

    assert smtp.got == []
