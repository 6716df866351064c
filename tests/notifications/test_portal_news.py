"""News about no idea in the inbox: who reads it, that it opens what it is about, and who stops reading it."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.events import emit
from portal.notifications import queries
from portal.notifications.events import MailFlows, MailStuck
from portal.notifications.models import Mail, Notification
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_rules, make_user
from tests.support import PLAIN, either_way
from tests.support.mails import mails_to

pytestmark = pytest.mark.usefixtures("app")


def kinds(user_id: int) -> list[str]:
    db.session.rollback()
    mine = select(Notification.kind).where(Notification.user_id == user_id).order_by(Notification.id)
    return list(db.session.scalars(mine))


def number_of(kind: str, user_id: int) -> int:
    db.session.rollback()
    return db.session.scalars(
        select(Notification.id).where(Notification.kind == kind, Notification.user_id == user_id)
    ).one()


@either_way
def test_changed_rules_are_a_line_and_one_mail_for_everybody_with_an_account_in_use(browse, settle, headers):
    make_rules()
    member, admin, gone = make_user(), make_user(Role.ADMIN), make_user(suspended_at=utcnow())
    numbers = member.id, admin.id, gone.id
    reader, address = browse(member), member.email
    idea = make_idea(author=member, title="Quarry lamps")
    make_comment(idea)
    with transaction():
        accounts.publish_rules("Be kind and brief.", "Be brief.")
    settle()

    assert [kinds(number).count("rules_changed") for number in numbers] == [1, 1, 0]
    assert [mail["Subject"] for mail in mails_to(address)].count("The community rules have changed") == 1
    page = reader.get("/inbox").text
    assert "The community rules have changed" in page and "Quarry lamps" in page
    line = number_of("rules_changed", numbers[0])
    unread = queries.count_unread(db.session.get_one(User, numbers[0]))
    read = reader.post(f"/inbox/{line}/read", headers=headers, follow_redirects=True).text
    assert ("<html" in read) is (headers is PLAIN)
    db.session.rollback()
    assert queries.count_unread(db.session.get_one(User, numbers[0])) == unread - 1
    opened = reader.post(f"/inbox/{line}", headers=PLAIN)
    assert opened.status_code == 303 and re.search(r"/rules\?version=2$", opened.headers["Location"])
    for act in ("mute", "quieter", "unmute"):
        assert reader.post(f"/inbox/{line}/{act}", headers=PLAIN).status_code == 404
    assert reader.get(f"/inbox/{line}/why").status_code == 404


def test_a_new_role_is_a_line_for_whoever_has_it_and_for_nobody_else(browse, settle):
    member, admin = make_user(), make_user(Role.ADMIN)
    ids, reader = (member.id, admin.id), browse(member)
    with transaction():
        accounts.set_role(member, Role.MODERATOR, admin)
    settle()

    assert [kinds(number) for number in ids] == [["role_changed"], []]
    assert "Your role is now: Moderator" in reader.get("/inbox").text
    line = number_of("role_changed", ids[0])
    assert reader.post(f"/inbox/{line}", headers=PLAIN).headers["Location"].endswith("/account")
    assert browse(make_user()).post(f"/inbox/{line}", headers=PLAIN).status_code == 404


def test_what_admins_are_told_of_mail_is_gone_for_whoever_is_none_any_more(browse, settle):
    admin, member = make_user(Role.ADMIN), make_user(Role.PM)
    ids = admin.id, member.id
    with transaction():
        emit(MailStuck(since=utcnow().isoformat(), said="connection refused"))
        emit(MailFlows())
    settle()

    assert [kinds(number) for number in ids] == [["mail_stuck", "mail_flows"], []]
    assert db.session.scalar(select(sa.func.count()).select_from(Mail)) == 0
    page = browse(db.session.get_one(User, ids[0])).get("/inbox").text
    assert "It says: connection refused" in page and "Mails go out again" in page
    line = number_of("mail_stuck", ids[0])
    with transaction():
        db.session.execute(sa.update(User).where(User.id == ids[0]).values(role=Role.MEMBER))
    db.session.expire_all()
    demoted = db.session.get_one(User, ids[0])
    assert queries.count_unread(demoted) == 0
    assert "connection refused" not in browse(demoted).get("/inbox").text
    assert browse(demoted).post(f"/inbox/{line}", headers=PLAIN).status_code == 404
