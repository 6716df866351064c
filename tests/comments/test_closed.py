"""What a closed discussion no longer takes."""

import pytest

from portal.comments import service as comments
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_comment, move_to

pytestmark = pytest.mark.usefixtures("app")


def test_a_comment_stays_as_it_is_once_the_discussion_is_closed():
    comment = make_comment(body="As it was")
    move_to(comment.idea, Status.CONFIRMED)

    with pytest.raises(comments.CommentsClosed), transaction():
        comments.edit_comment(comment, "As I wish it had been")

    assert comment.body == "As it was"
