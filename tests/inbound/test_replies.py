"""Replying to a mail: the words become a comment, or come back with the reason; nobody writes in another's name."""

import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from portal.inbound import receiving
from portal.inbound.receiving import Outcome
from portal.notifications import links
from portal.notifications.mails import coming_back
from portal.notifications.models import Mail, ReceivedMail
from portal.notifications.policy import TEAM_KINDS
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_rules, make_user, move_to
from tests.inbound.conftest import SECRET, SETTINGS
from tests.inbound.letters import a_reply, address_for, outcomes
from tests.support import on_one_database
from tests.support.mails import mails_to, words_of

pytestmark = pytest.mark.settings(**SETTINGS)


def said() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Comment.body).order_by(Comment.id)))


@dataclass(frozen=True)
class Replier:
    """Somebody who may reply, and to what."""

    id: int
    email: str
    idea_id: int
    title: str
    to: str


def somebody_replies(email: str = "", role: Role = Role.MEMBER) -> Replier:
    """Return a member, an idea, and where their replies about it go."""
    user, idea = make_user(role, **({"email": email} if email else {})), make_idea()
    return Replier(user.id, user.email, idea.id, idea.title, address_for(user, idea))


def test_a_reply_to_a_mail_becomes_a_reply_to_the_comment_that_it_told_of(app, hand_in, settle, smtp):
    author = make_user(email="ada@home.example")
    idea = make_idea(author=author)
    mine = make_comment(idea, author=author, body="It should show the whole route.")
    expected = (author.id, mine.id)
    make_comment(idea, author=make_user(), body="Which route do you mean?", reply_to=mine)
    settle()
    told = next(mail for mail in smtp.got if "Which route" in words_of(mail))

    reply = a_reply(
        "Ada <ada@home.example>", told["Reply-To"], "The one over the pass.", In_Reply_To=told["Message-ID"]
    )
    assert hand_in(reply) == 204

    assert "Reply to this mail" in words_of(told)
    assert said()[-1] == "The one over the pass."
    newest = db.session.scalars(select(Comment).order_by(Comment.id.desc())).first()
    assert (newest.author_id, newest.parent_id) == expected
    assert outcomes() == [Outcome.POSTED]


def test_the_thread_goes_on_with_the_number_of_the_reply(app, hand_in, settle, smtp):
    author = make_user(email="ada@home.example")
    idea = make_idea(author=author)
    idea_id, to = idea.id, address_for(author, idea)
    number = "<CA+one.two=3@mail.home.example>"
    hand_in(a_reply("ada@home.example", to, number=number))
    db.session.rollback()
    mine = db.session.scalar(select(Comment))
    make_comment(mine.idea, author=make_user(), reply_to=mine)
    settle()

    newest = smtp.got[-1]

    root = f"<idea-{idea_id}@{links.mail_domain()}>"
    assert (newest["In-Reply-To"], newest["References"]) == (number, f"{root} {number}")


def test_a_mail_that_comes_twice_is_one_comment(app, hand_in, settle):
    user = somebody_replies()
    to = user.to
    reply = a_reply(user.email, to)

    assert [hand_in(reply), hand_in(reply), receiving.receive(reply)] == [204, 204, Outcome.KNOWN]

    assert said() == ["Yes please, by Friday."]


@on_one_database
def test_s26_nobody_writes_in_anothers_name(app, hand_in, settle):
    user = somebody_replies()
    to = user.to
    other = make_user(email="eve@elsewhere.example")
    two_people = a_reply(user.email, to).replace(b"From:", b"From: eve@elsewhere.example\nFrom:", 1)
    forged = [
        a_reply("eve@elsewhere.example", to),
        a_reply(f'"{user.email}" <eve@elsewhere.example>', to),
        a_reply(f"{user.email}, eve@elsewhere.example", to),
        a_reply("eve@elsewhere.example", to, Sender=user.email, Reply_To=user.email),
        two_people,
    ]
    strangers = [
        a_reply(user.email, "ideas+r1-1-aaaaaaaaaaaaaaaaaaaa@reply.example"),
        a_reply(user.email, to.replace("ideas+r", "ideas+b")),
        a_reply(user.email, to[:-16] + "x@reply.example"),
        a_reply(other.email, f"ideas+{coming_back.bounce_token(1, user.email)}@reply.example"),
        a_reply(user.email, "ideas@reply.example"),
    ]

    assert {hand_in(raw) for raw in [*forged, *strangers]} == {204}
    settle()

    assert said() == []
    assert outcomes() == [Outcome.FORGED] * 5 + [Outcome.UNKNOWN] * 5
    assert mails_to(user.email) == mails_to("eve@elsewhere.example") == []
    assert db.session.scalars(select(SecurityEntry.kind).where(SecurityEntry.user_id == user.id)).all() == (
        ["mail.forged"] * 5
    )


@on_one_database
def test_a_forged_mail_takes_the_number_from_no_genuine_one(app, hand_in):
    user = somebody_replies()
    number = "<one@home.example>"

    hand_in(a_reply(user.email, "ideas+r1-1-aaaaaaaaaaaaaaaaaaaa@reply.example", number=number))
    hand_in(a_reply(user.email, user.to, number=number))
    hand_in(a_reply(user.email, user.to, "Once more.", number=number))

    assert outcomes() == [Outcome.UNKNOWN, Outcome.POSTED]
    assert said() == ["Yes please, by Friday."]


@on_one_database
@pytest.mark.settings(REPLY_TRUSTS="mx.reply.example")
@pytest.mark.parametrize(
    ("results", "posted"),
    [
        (["mx.reply.example; spf=fail; dkim=pass header.d=home.example; dmarc=pass header.from=home.example"], True),
        (["mx.reply.example 1; dkim=pass (2048-bit; key) header.d=example"], False),
        (["mx.reply.example; dkim=pass header.i=@home.example"], True),
        (["mx.reply.example; dmarc=fail header.from=home.example; spf=pass"], False),
        (["mx.reply.example; dkim=pass header.d=elsewhere.example; dmarc=none"], False),
        (["mx.reply.example; dmarc=pass header.from=elsewhere.example"], False),
        (["mx.reply.example; none"], False),
        (['mx.reply.example; spf=pass smtp.mailfrom="a; dmarc=pass x"@elsewhere.example'], False),
        (["mx.reply.example; spf=pass (of a (b); dmarc=pass c) smtp.mailfrom=elsewhere.example"], False),
        (["mx.reply.example; spf=pass smtp.mailfrom=x dmarc=pass"], False),
        (['mx.reply.example; dkim=pass (2048 bits) header.d="home.example"; dmarc=none'], True),
        (["mx.elsewhere.example; dmarc=pass header.from=home.example"], False),
        (["mx.reply.example; dmarc=fail", "mx.reply.example; dmarc=pass header.from=home.example"], False),
        ([], False),
    ],
)
def test_only_the_word_of_our_own_mail_server_proves_a_sender(app, hand_in, results, posted):
    user = make_user(email="ada@home.example")
    raw = a_reply(user.email, address_for(user, make_idea()))
    stamped = b"".join(f"Authentication-Results: {line}\n".encode() for line in results) + raw

    hand_in(stamped)

    assert outcomes() == [Outcome.POSTED if posted else Outcome.FORGED]
    assert bool(said()) is posted


@on_one_database
@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Auto_Response_Suppress": "All"},
     {"List_Id": "<list.example>"}, {"Return_Path": "<>"},
     {"X_Autoreply": "yes"}],
)  # fmt: skip
def test_what_a_machine_answers_is_dropped(app, hand_in, settle, headers):
    user = somebody_replies()
    to = user.to

    hand_in(a_reply(user.email, to, "I am on holiday.", **headers))
    settle()

    assert (said(), outcomes(), mails_to(user.email)) == ([], [Outcome.AUTOMATIC], [])


@on_one_database
@pytest.mark.parametrize("why", ["closed", "hidden board", "rules", "nothing", "long", "too many", "not approved"])
def test_a_reply_that_cannot_be_posted_comes_back_with_the_reason_and_all_its_words(app, hand_in, settle, why):
    user = somebody_replies()
    to = user.to
    user_id, title = user.id, user.title
    words = "Let it cross the river.\n\nAnd the wood."
    reasons = {
        "closed": "The discussion is closed",
        "hidden board": "You cannot see this idea any more.",
        "rules": "The community rules have changed.",
        "nothing": "We found no words of yours",
        "long": "letters long; at most 10000 fit",
        "too many": "That was a lot in a short time.",
        "not approved": "cannot write comments there",
    }
    if why == "closed":
        move_to(db.session.get_one(Idea, user.idea_id), Status.MERGED)
    if why == "rules":
        make_rules("Be kinder.")
    with transaction():
        if why == "hidden board":
            db.session.get_one(Idea, user.idea_id).board.audience = Audience.STAFF
        if why == "not approved":
            db.session.get_one(User, user_id).role = Role.OBSERVER
    if why == "too many":
        app.config["LIMITS"] = True
        for _ in range(10):
            make_comment(db.session.get_one(Idea, user.idea_id), author=db.session.get_one(User, user_id))
    text = "" if why == "nothing" else "x" * 10_001 if why == "long" else words

    before = len(said())
    hand_in(a_reply(user.email, to, text))
    settle()

    [letter] = mails_to(user.email)
    told = words_of(letter)
    assert len(said()) == before
    assert reasons[why] in " ".join(told.split())
    assert outcomes() == [Outcome.REFUSED]
    assert (title in told) is (why != "hidden board")
    assert why in {"nothing", "long"} or ("> Let it cross the river." in told and "> And the wood." in told)
    assert letter["Auto-Submitted"] == "auto-generated"
    db.session.rollback()
    with transaction():
        receiving.forget_old()
    assert db.session.scalars(select(Mail.data).where(Mail.kind == "reply_by_mail")).all() == [{}]


@on_one_database
def test_refusals_are_answered_ten_times_a_day_at_most(app, hand_in, settle):
    user = somebody_replies()
    to = user.to

    for _ in range(12):
        hand_in(a_reply(user.email, to, ""))
    settle()

    assert outcomes() == [Outcome.REFUSED] * 10 + [Outcome.DROPPED] * 2
    assert len(mails_to(user.email)) == 10


@on_one_database
def test_files_are_left_out_with_a_sentence_and_a_logo_is_no_file(app, hand_in, settle):
    user = somebody_replies()
    to = user.to

    hand_in(a_reply(user.email, to, "See the plan.", files=2))
    html = (
        f"From: {user.email}\nTo: {to}\nMessage-ID: <logo@home.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/related; boundary="b"\n\n--b\nContent-Type: text/html; charset=utf-8\n\n'
        "<html><head><title>no</title></head><body><div>Only <b>this</b>.</div><br><p>And that.</p>"
        "<div class='gmail_quote'><div>On Tue Ada wrote:<br></div><blockquote>old words</blockquote></div>"
        "<script>alert(1)</script></body></html>\n"
        "--b\nContent-Type: image/png; name=logo.png\nContent-ID: <a>\nContent-Disposition: inline; filename=logo.png"
        "\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n"
    )
    hand_in(html.encode())
    settle()

    assert said() == ["See the plan.", "Only this.\n\nAnd that."]
    [letter] = mails_to(user.email)
    assert "The 2 files that came along were left out" in " ".join(words_of(letter).split())
    assert f"/ideas/{user.idea_id}" in words_of(letter)


@on_one_database
def test_the_team_speaks_by_mail_only_where_senders_are_proven(app, hand_in, settle, monkeypatch):
    colleague, idea = make_user(Role.PM, email="pm@home.example"), make_idea()
    to = address_for(colleague, idea)

    hand_in(a_reply(colleague.email, to))
    monkeypatch.setitem(app.config, "REPLY_TRUSTS", "mx.reply.example")
    proven = b"Authentication-Results: mx.reply.example; dmarc=pass header.from=home.example\n"
    hand_in(proven + a_reply(colleague.email, to, "We are on it."))

    assert outcomes() == [Outcome.REFUSED, Outcome.POSTED]
    assert said() == ["We are on it."]


@on_one_database
def test_what_the_team_says_among_itself_and_what_asks_for_something_else_takes_no_reply(app, settle):
    author = make_user(email="ada@home.example")
    make_idea(author=author)
    settle()

    [received] = mails_to("ada@home.example")

    assert (received["Reply-To"], "Reply to this mail" in words_of(received)) == (None, False)
    assert TEAM_KINDS | {"hidden", "verdict_asked", "credited"} <= coming_back.NOT_ANSWERED


@on_one_database
def test_another_key_for_the_links_makes_old_addresses_useless(app, hand_in):
    from portal.notifications.reach import Reach

    user = somebody_replies()
    to = user.to
    with transaction():
        db.session.add(Reach(user_id=user.id, links_key="another"))

    hand_in(a_reply(user.email, to))

    assert (said(), outcomes()) == ([], [Outcome.UNKNOWN])


@on_one_database
def test_only_who_knows_the_secret_hands_mails_in(app, hand_in, monkeypatch):
    user = somebody_replies()
    to = user.to
    raw = a_reply(user.email, to)
    now = time.time()

    refused = [
        hand_in(raw, secret="another secret that is long enough to be one"),
        hand_in(raw, at=now - 301),
        hand_in(raw, at=now + 400),
        hand_in(raw + b"more", signed=raw),
        hand_in(b"x" * (app.config["LARGEST_UPLOAD"] + 1)),
    ]
    new = "another-one-that-comes-in-its-place-soon"
    monkeypatch.setitem(app.config, "INBOUND_SECRET", f"{SECRET} {new}")
    rotated = hand_in(raw, secret=new)
    monkeypatch.setitem(app.config, "INBOUND_SECRET", "")

    assert refused == [403, 403, 403, 403, 413]
    assert rotated == 204
    assert hand_in(raw) == 404
    assert len(said()) == 1


@on_one_database
def test_whatever_comes_in_is_taken_without_an_error_and_nothing_of_it_is_kept(app, hand_in):
    user = somebody_replies()
    to = user.to
    oddities = [
        b"",
        b"\0\xff\xfe",
        b"From\n\n\n",
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: text/plain; charset=nonsense\nTo: <<<@@@>>>\nFrom: =?utf-8?q?=00?= <@>\n\nx",
        f"From: {user.email}\nTo: {to}\nContent-Type: text/plain; charset=x-none\n\nStill read.".encode(),
        f"From: {user.email}\nTo: {to}\nMessage-ID: <\n x@y>\nContent-Transfer-Encoding: base64\n\n!!!".encode(),
        f"From: {user.email}\nTo: {to}\nMessage-ID: <z@z>\n\nwith \0 a null\n".encode(),
        b"Content-Type: message/rfc822\n\n" * 40,
    ]

    assert [hand_in(raw) for raw in oddities] == [204] * len(oddities)

    assert "Still read." in said()
    assert all("\0" not in body for body in said())
    kept = db.session.execute(select(ReceivedMail.__table__)).mappings().all()
    assert not any("Still read" in str(value) for row in kept for value in row.values())


@on_one_database
def test_what_came_in_is_forgotten_after_ninety_days(app, hand_in):
    user = somebody_replies()
    to = user.to
    with time_machine.travel(utcnow() - timedelta(days=91)):
        receiving.receive(a_reply(user.email, to))
    receiving.receive(a_reply(user.email, to))

    with transaction():
        receiving.forget_old()

    assert outcomes() == [Outcome.POSTED]
    assert len(said()) == 2


@on_one_database
def test_somebody_of_a_domain_with_letters_of_the_world_may_reply(app, hand_in):
    user, idea = make_user(email="ann@bücher.example"), make_idea()

    hand_in(a_reply("ann@xn--bcher-kva.example", address_for(user, idea)))

    assert outcomes() == [Outcome.POSTED]
