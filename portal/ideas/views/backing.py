"""Standing behind an idea, following it, and seeing who does."""

from __future__ import annotations

from datetime import datetime

from flask import abort, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.db import utcnow
from portal.extensions import limiter
from portal.ideas import followers, queries, service, supporters
from portal.ideas.models import Idea
from portal.ideas.views.reading import bp
from portal.text import clean_text
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.paging import cursor, place
from portal.web.responses import fragment, page, swap
from portal.web.session import authorize, member, viewer

VOTERS = 100  # on a page


@bp.post("/ideas/<int:idea_id>/vote")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def vote(idea_id: int) -> Response:
    """Back an idea."""
    idea = _idea_behind(idea_id)
    authorize("idea.vote", idea)
    with transaction(keep=True):
        service.cast_vote(idea, member())
    return _show_ballot(idea, _("Voted."), cast=True)


@bp.post("/ideas/<int:idea_id>/vote/withdraw")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def withdraw_vote(idea_id: int) -> Response:
    """Take one's vote back."""
    idea = _idea_behind(idea_id)
    authorize("idea.vote", idea)
    with transaction(keep=True):
        service.withdraw_vote(idea, member())
    return _show_ballot(idea, _("Vote taken back."), cast=False)


@bp.post("/ideas/<int:idea_id>/follow")
def follow(idea_id: int) -> Response:
    """Be told of changes."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("idea.follow", idea)
    with transaction():
        service.follow(idea, member())
    return _show_following(idea, _("You will hear when this idea moves."))


@bp.post("/ideas/<int:idea_id>/unfollow")
def unfollow(idea_id: int) -> Response:
    """Be told no more."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("idea.follow", idea)
    with transaction():
        service.unfollow(idea, member())
    return _show_following(idea, _("You will hear no more of this idea."))


@bp.get("/ideas/<int:idea_id>/voters")
def voters(idea_id: int) -> Response:
    """See who is behind an idea."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("votes.see_names", idea)
    after = place(request.args.get("after"), (datetime, int))
    found = supporters.voters(idea, after, VOTERS + 1)
    last = found[VOTERS - 1] if len(found) > VOTERS else None
    older = cursor(last.cast_at, last.user.id) if last else None
    return page("ideas/voters.html", idea=idea, voters=found[:VOTERS], older=older, is_first=after is None)


@bp.route("/ideas/<int:idea_id>/voters/<int:user_id>/address", methods=["GET", "POST"])
def address(idea_id: int, user_id: int) -> Response:
    """Read the mail address of somebody behind an idea, for a reason that is written down."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("votes.reveal_mail", idea)
    person = supporters.get_voter(idea, user_id)
    if person.is_former:
        abort(404)
    reason, shown = clean_text(request.form.get("reason"))[:500], ""
    if request.method == "POST" and len(reason) >= 10:
        with transaction():
            shown = service.reveal_address(idea, person, member(), reason)
    refused = request.method == "POST" and not shown
    return page("ideas/address.html", status=422 if refused else 200, idea=idea, person=person, reason=reason,
                shown=shown, refused=refused)  # fmt: skip


def _idea_behind(idea_id: int) -> Idea:
    """Return the idea for which a vote counts, of a merged one the main idea, or answer 404."""
    idea = queries.get_idea_alone(idea_id, viewer())
    return queries.get_idea_alone(idea.merged_into_id, viewer()) if idea.merged_into_id else idea


def _show_ballot(idea: Idea, done: str, *, cast: bool) -> Response:
    ballot = supporters.ballot_on(queries.main_of(idea, viewer()) or idea, cast)
    votes = ngettext("%(num)d vote.", "%(num)d votes.", ballot.votes)
    large, mini = request.args.get("large") == "1", request.args.get("in") == "line"
    return swap(
        fragment("ideas/_vote_button.html", ballot=ballot, large=large, mini=mini),
        *(_beside_the_vote(idea, ballot) if large else []),
        otherwise=url_for(".show", idea_id=idea.id),
        trigger="idea:votes-changed",
        said=f"{done} {votes}",
    )


def _beside_the_vote(idea: Idea, ballot: supporters.Ballot) -> list[Markup]:
    """What else on the page of the idea a vote changes."""
    following = followers.following(idea, viewer())
    return [
        fragment("ideas/_follow_button.html", following=following, oob=True),
        fragment("ideas/_backers.html", ballot=ballot, oob=True),
        fragment(
            "ideas/_action_bar.html", ballot=ballot, following=following, open=idea.takes_comments(utcnow()), oob=True
        ),
    ]


def _show_following(idea: Idea, done: str) -> Response:
    return swap(
        fragment("ideas/_follow_button.html", following=followers.following(idea, viewer())),
        otherwise=url_for(".show", idea_id=idea.id),
        notice=done,
    )
