"""Taking part in the discussion of an idea."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.comments import queries, service
from portal.comments.calling import TooManyCalled
from portal.comments.forms import CommentForm
from portal.comments.models import Comment
from portal.extensions import limiter
from portal.ideas import queries as ideas
from portal.ideas.models import Idea
from portal.limits import TooMuch
from portal.transactions import transaction
from portal.web import paging
from portal.web.limits import LIMITS, per_person
from portal.web.once import this_form
from portal.web.responses import fragment, go_to, page, swap
from portal.web.session import authorize, can, member, viewer

bp = Blueprint("comments", __name__)

EARLIER = 10  # wordings on a page: each is rendered when it is read


@bp.get("/ideas/<int:idea_id>/comments/new")
def new(idea_id: int) -> Response:
    """Write a comment or a reply on a page of its own."""
    idea = ideas.get_idea(idea_id, viewer())
    authorize("comment.post", idea)
    parent = _parent(idea, request.args.get("reply_to"))
    form = CommentForm(data={"reply_to": parent.id if parent else ""})
    return _again(form, idea, parent, 200)


@bp.post("/ideas/<int:idea_id>/comments")
@limiter.limit(LIMITS["comments.post"], key_func=per_person)
def post(idea_id: int) -> Response:
    """Say something about an idea."""
    idea = ideas.get_idea(idea_id, viewer())
    authorize("comment.post", idea)
    form = CommentForm()
    parent = _parent(idea, form.reply_to.data)
    if not form.validate_on_submit():
        return _again(form, idea, parent)
    try:
        with transaction():
            sent = this_form()
            comment = sent.earlier(Comment)
            if comment is None or comment.deleted_at is not None:
                comment = service.post_comment(idea, member(), form.body.data, reply_to=parent)
                sent.made = comment.id
    except (TooManyCalled, TooMuch) as refusal:
        form.body.errors = [str(refusal)]
        return _again(form, idea, parent, 429 if isinstance(refusal, TooMuch) else 422)
    return go_to(_place(comment, said=comment.id), notice=_("Posted."))


@bp.route("/comments/<int:comment_id>/edit", methods=["GET", "POST"])
@limiter.limit(LIMITS["comments.post"], key_func=per_person, methods=["POST"])
def edit(comment_id: int) -> Response:
    """Say it differently."""
    comment = queries.get_comment(comment_id, viewer())
    authorize("comment.edit", comment)
    form = CommentForm(obj=comment)
    if form.validate_on_submit() and _saved(comment, form):
        return go_to(_place(comment), notice=_("Saved."))
    return page("comments/edit.html", status=422 if form.errors else 200, form=form, comment=comment)


@bp.get("/comments/<int:comment_id>/history")
def history(comment_id: int) -> Response:
    """Read what a comment said before it was edited."""
    comment = queries.get_comment(comment_id, viewer())
    if comment.deleted_at is not None and not can("comment.read_removed", comment):
        abort(404)
    place = paging.place(request.args.get("after"), (int,))
    rows = queries.earlier(comment, place[0] if place else None, EARLIER + 1)
    more = len(rows) > EARLIER
    return page(
        "comments/history.html",
        comment=comment,
        earlier=rows[:EARLIER],
        older=url_for(".history", comment_id=comment.id, after=paging.cursor(rows[EARLIER - 1].id)) if more else None,
        first=url_for(".history", comment_id=comment.id) if place else None,
        place=_place(comment),
    )


@bp.route("/comments/<int:comment_id>/delete", methods=["GET", "POST"])
def delete(comment_id: int) -> Response:
    """Take one's words back; moderators remove others'."""
    comment = queries.get_comment(comment_id, viewer())
    authorize("comment.delete", comment)
    if request.method != "POST":
        return page("comments/delete.html", comment=comment)
    with transaction():
        service.delete_comment(comment, member())
    return go_to(url_for("ideas.show", idea_id=comment.idea_id), notice=_("The comment is gone. Replies stay."))


@bp.post("/comments/<int:comment_id>/helpful")
def mark_helpful(comment_id: int) -> Response:
    """Thank somebody for a comment."""
    comment = queries.get_comment(comment_id, viewer())
    authorize("comment.mark", comment)
    with transaction(wake=False):
        service.mark_helpful(comment, member())
    return _show_helpful(comment)


@bp.post("/comments/<int:comment_id>/helpful/withdraw")
def unmark_helpful(comment_id: int) -> Response:
    """Take the thanks back."""
    comment = queries.get_comment(comment_id, viewer())
    authorize("comment.mark", comment)
    with transaction(wake=False):
        service.unmark_helpful(comment, member())
    return _show_helpful(comment)


def _again(form: CommentForm, idea: Idea, parent: Comment | None, status: int = 422) -> Response:
    calls = queries.names_on(idea, viewer())
    return page(
        "comments/new.html", "comments/_composer.html", status, form=form, idea=idea, parent=parent, calls=calls
    )


def _saved(comment: Comment, form: CommentForm) -> bool:
    """Whether the comment says it differently now; what was typed stays in the form where it does not."""
    try:
        with transaction():
            service.edit_comment(comment, form.body.data)
    except TooManyCalled as refusal:
        form.body.errors = [str(refusal)]
        return False
    return True


def _show_helpful(comment: Comment) -> Response:
    view = queries.comment_view(comment, viewer())
    return swap(fragment("comments/_helpful_button.html", view=view), otherwise=_place(comment))


def _parent(idea: Idea, comment_id: str | None) -> Comment | None:
    if not comment_id:
        return None
    parent = queries.get_comment(int(comment_id), viewer()) if comment_id.isdecimal() else abort(404)
    return parent if parent.idea_id == idea.id and parent.deleted_at is None else abort(404)


def _place(comment: Comment, said: int | None = None) -> str:
    """Where the comment stands; ``said`` tells the page that it has just arrived, so that its draft may go."""
    return url_for("ideas.show", idea_id=comment.idea_id, all=1, said=said, _anchor=f"comment-{comment.id}-said")
