"""What the people of a joined idea read, before anybody wrote it."""

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.triage.merge_preview import preview_merge
from tests.factories import make_board, make_idea, make_user


@pytest.mark.usefixtures("app")
def test_s05_a_main_idea_that_not_all_of_them_may_know_of_is_not_named():
    idea, owner = make_idea("Bigger labels", board=make_board("Open")), make_user(Role.OWNER)
    inside, open_too = (
        make_idea("Buy them", board=make_board(str(to), to)) for to in (Audience.PRIVATE, Audience.PUBLIC)
    )

    assert preview_merge(idea, inside, owner).notice == ""
    assert "“Buy them”" in preview_merge(idea, open_too, owner).notice
