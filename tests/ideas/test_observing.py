"""What observers see: all that the team sees, and nothing that would lead them where they are refused."""

import re

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from tests.factories import make_board, make_comment, make_idea, make_user
from tests.support import on_one_database

pytestmark = pytest.mark.usefixtures("app")


@on_one_database
def test_observers_are_led_to_no_page_that_refuses_them(browse):
    board = make_board("Fell", Audience.PUBLIC)
    idea = make_idea("Lamps", board=board)
    make_comment(idea, body="Yes please.")
    observer, member = browse(make_user(Role.OBSERVER)), browse(make_user())
    pages = ["/", "/?who=mine", f"/ideas/{idea.id}", "/search?q=quokka", "/triage", "/inbox", f"/boards/{board.slug}"]

    refused = []
    for page in pages:
        text = observer.get(page, follow_redirects=True).text
        for link in sorted(set(re.findall(r'<(?:a|form)[^>]* (?:href|action)="(/(?!assets|static)[^"#]*)"', text))):
            if observer.get(link.replace("&amp;", "&")).status_code == 403:
                refused.append((page, link))

    assert refused == []
    assert "You read along as an observer" in observer.get("/").text
    assert observer.get("/ideas/new").status_code == 403
    assert "/ideas/new" in member.get("/").text and "comments/new?reply_to" in member.get(f"/ideas/{idea.id}").text
