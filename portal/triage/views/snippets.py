"""Wording kept for answers: one's own, and what is shared with the team."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.roles import DECIDERS
from portal.boards.queries import list_worked_on
from portal.errors import Refusal
from portal.talk import queries
from portal.talk import snippets as service
from portal.talk.models import Snippet
from portal.transactions import transaction
from portal.triage.views.pages import bp
from portal.web.once import made_once
from portal.web.responses import go_to
from portal.web.session import authorize, can, member, viewer

EVERYWHERE = "everywhere"


@bp.get("/snippets")
def snippets() -> ResponseReturnValue:
    """See the wording one has."""
    authorize("snippet.keep")
    return _show()


@bp.post("/snippets")
def add_snippet() -> ResponseReturnValue:
    """Keep new wording."""
    authorize("snippet.keep")
    return _save(None)


@bp.route("/snippets/<int:snippet_id>", methods=["GET", "POST"])
def edit_snippet(snippet_id: int) -> ResponseReturnValue:
    """Change wording."""
    authorize("snippet.keep")
    snippet = queries.get_snippet(snippet_id, viewer())
    authorize("snippet.change", snippet)
    return _save(snippet) if request.method == "POST" else _show(snippet)


@bp.post("/snippets/<int:snippet_id>/delete")
def delete_snippet(snippet_id: int) -> ResponseReturnValue:
    """Keep it no longer."""
    authorize("snippet.keep")
    snippet = queries.get_snippet(snippet_id, viewer())
    authorize("snippet.change", snippet)
    name = snippet.name
    with transaction():
        service.delete_snippet(snippet, member())
    return go_to(url_for("triage.snippets"), notice=_("“%(name)s” is deleted.", name=name))


def _save(snippet: Snippet | None) -> ResponseReturnValue:
    whose = request.form.get("whose", "")
    shared = whose != ""
    board = next((board for board in list_worked_on(viewer(), DECIDERS) if board.slug == whose), None)
    board_id = board.id if board else None
    if shared and (whose != EVERYWHERE and board is None or not can("snippet.share", board_id)):
        authorize("snippet.share", 0)

    def save() -> Snippet:
        name, body = request.form.get("name", ""), request.form.get("body", "")
        return service.save_snippet(member(), name, body, shared=shared, board_id=board_id, snippet=snippet)

    try:
        with transaction():
            if snippet is None:
                made_once(Snippet, save)
            else:
                save()
    except Refusal as refusal:
        return _show(snippet, refusal.message)
    return go_to(url_for("triage.snippets"), notice=_("Saved."))


def _show(snippet: Snippet | None = None, sentence: str = "") -> ResponseReturnValue:
    typed = request.form if sentence else {}
    whose = ""
    if snippet is not None and snippet.is_shared:
        whose = snippet.board.slug if snippet.board else EVERYWHERE
    page = render_template(
        "triage/snippets.html",
        snippets=queries.list_snippets(viewer()),
        snippet=snippet,
        boards=list_worked_on(viewer(), DECIDERS),
        gaps=list(service.GAPS),
        sentence=sentence,
        name=typed.get("name", snippet.name if snippet else ""),
        body=typed.get("body", snippet.body if snippet else ""),
        whose=typed.get("whose", whose),
    )
    return page, 422 if sentence else 200
