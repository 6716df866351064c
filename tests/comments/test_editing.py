"""Saying it differently, and taking it back."""

import pytest

from portal.accounts.roles import Role
from portal.comments import service
from portal.errors import Refusal
from portal.transactions import transaction
from tests.factories import make_comment, make_user


def test_an_edit_does_not_bring_back_what_was_deleted_meanwhile(app):
    comment, moderator = make_comment(body="He lives in Mill Lane."), make_user(Role.MODERATOR)
    with transaction():
        service.delete_comment(comment, moderator)

    with pytest.raises(Refusal), transaction():
        service.edit_comment(comment, "He lives at 4 Mill Lane.")

    assert (comment.body, comment.body_html, comment.edited_at) == ("", "", None)


def test_a_comment_deleted_twice_is_counted_once(app):
    comment, moderator = make_comment(), make_user(Role.MODERATOR)

    for actor in (comment.author, moderator):
        with transaction():
            service.delete_comment(comment, actor)

    assert comment.idea.comments == 0
