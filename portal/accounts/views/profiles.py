"""Other people's profiles."""

from __future__ import annotations

import sqlalchemy as sa
from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from sqlalchemy import select
from werkzeug.wrappers import Response

from portal.accounts import pictures, queries
from portal.accounts.models import User
from portal.accounts.views.base import bp
from portal.comments.models import Comment
from portal.db import db
from portal.ideas.models import Idea, Vote
from portal.ideas.queries import ideas_visible_to, is_seen_by
from portal.ideas.workflow import Publication, Status
from portal.web import paging
from portal.web.responses import page
from portal.web.session import viewer

PROFILE_IDEAS = 20


@bp.get("/people/<int:user_id>")
def profile(user_id: int) -> ResponseReturnValue:
    """See what somebody suggested, as far as one may."""
    person = queries.find_user(user_id)
    if person is None or person.is_former or (person.suspended_at and not viewer().is_moderator):
        abort(404)
    if person.is_stand_in and not viewer().works_here:
        abort(404)
    theirs = ideas_visible_to(viewer()).where(Idea.author_id == person.id, Idea.publication == Publication.PUBLISHED)
    rows = theirs.order_by(Idea.id.desc()).limit(PROFILE_IDEAS + 1)
    if place := paging.place(request.args.get("after"), (int,)):
        rows = rows.where(Idea.id < place[0])
    ideas: list[Idea] = list(db.session.scalars(rows))
    older = paging.cursor(ideas[PROFILE_IDEAS - 1].id) if len(ideas) > PROFILE_IDEAS else None
    return page(
        "accounts/profile.html",
        person=person,
        ideas=ideas[:PROFILE_IDEAS],
        figures=_figures(person),
        older=older,
        is_first=place is None,
        since=format_date(person.created_at, "MMMM y"),
    )


@bp.get("/people/<int:user_id>/picture/<name>.webp")
def picture(user_id: int, name: str) -> ResponseReturnValue:
    """See a picture; its address changes with it, so browsers may keep it."""
    person = queries.find_user(user_id) or abort(404)
    found = pictures.find_picture(person, name) or abort(404)
    answer = Response(found.image, mimetype="image/webp")
    answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    return answer


def _figures(person: User) -> dict[str, int]:
    """Count what somebody did, only of what the viewer may see."""
    seen = is_seen_by(viewer()) & (Idea.publication == Publication.PUBLISHED)
    own = Idea.author_id == person.id
    voted = select(Vote.idea_id).join(Idea, Idea.id == Vote.idea_id).where(seen, Vote.voter_id == person.id)
    helpful = (Comment.author_id == person.id) & Comment.deleted_at.is_(None) & (Comment.helpful > 0)
    return {
        "suggested": _count(select(Idea.id).where(seen, own)),
        "shipped": _count(select(Idea.id).where(seen, own, Idea.status.in_([Status.SHIPPED, Status.CONFIRMED]))),
        "voted": _count(voted),
        "helpful": _count(select(Comment.id).join(Idea, Idea.id == Comment.idea_id).where(seen, helpful)),
    }


def _count(rows: sa.Select[int]) -> int:
    return db.session.scalar(select(sa.func.count()).select_from(rows.subquery())) or 0
