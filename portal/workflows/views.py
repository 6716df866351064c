"""The rooms where admins say how ideas are decided; product managers read there and propose."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.errors import Refusal
from portal.ideas.workflow import By, Status, read
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, can, member, viewer
from portal.workflows import drafting, queries, service
from portal.workflows.checks import ALONE
from portal.workflows.differences import ASKED, NEWS, PEOPLE, ROLES, say_days
from portal.workflows.drafting import Document
from portal.workflows.forms import MoveForm, ReasonForm, StatusForm
from portal.workflows.models import State, WorkflowVersion

bp = Blueprint("workflows", __name__, url_prefix="/admin/workflow")


@bp.get("")
def index() -> Response:
    """See every status and every move, with the ideas that stand there."""
    authorize("workflow.propose")
    number, document = queries.now_held()
    return page(
        "workflows/index.html",
        workflow=read(document),
        ideas=queries.count_ideas(viewer()),
        proposals=queries.proposals(),
        number=number,
        alone=ALONE,
        words=_words(),
    )


@bp.route("/status/<key>", methods=["GET", "POST"])
def status(key: str) -> Response:
    """Change what holds in one status."""
    authorize("workflow.propose")
    row = drafting.status_of(queries.now_held()[1], key) or abort(404)
    form = StatusForm(formdata=request.form if request.method == "POST" else None)
    if request.method == "GET":
        form.show(row)
    else:
        form.kind.data = row["kind"]

    def edit(document: Document) -> Document:
        return drafting.with_status(document, key, **form.values(row))

    return _weigh(form, edit, "workflows/status.html", rule=read(queries.now_held()[1]).rules[key])


@bp.route("/status", methods=["GET", "POST"])
def new_status() -> Response:
    """Add a status beside one that the portal came with."""
    authorize("workflow.propose")
    form = StatusForm(formdata=request.form if request.method == "POST" else None)
    own = drafting.status_of(queries.now_held()[1], form.kind.data or request.args.get("kind", "under_review"))
    if own is None or own["kind"] != own["key"] or Status(own["kind"]) in ALONE:
        abort(400)
    if request.method == "GET":
        form.show(own)
        form.label.data = form.meaning.data = ""

    def edit(document: Document) -> Document:
        key = drafting.free_key(document, own["kind"], form.label.data or "")
        return drafting.with_new_status(document, own["kind"], key, **form.values(own | {"key": ""}))

    return _weigh(form, edit, "workflows/status.html", rule=None)


@bp.route("/status/<key>/remove", methods=["GET", "POST"])
def remove_status(key: str) -> Response:
    """Take away a status that admins added and where no idea stands."""
    authorize("workflow.propose")
    rule = read(queries.now_held()[1]).rules.get(key)
    if rule is None or not rule.stage:
        abort(404)
    title = _("Remove the status %(status)s", status=rule.label)
    return _weigh(_reason(), lambda held: drafting.without_status(held, key), "workflows/change.html", title=title)


@bp.get("/move")
def way() -> Response:
    """Go to the form of a move by its ends."""
    authorize("workflow.propose")
    rules = read(queries.now_held()[1]).rules
    source, target = rules.get(request.args.get("source", "")), rules.get(request.args.get("target", ""))
    if source is None or target is None:
        abort(404)
    return go_to(url_for(".move", source=source.key, target=target.key))


@bp.route("/move/<source>/<target>", methods=["GET", "POST"])
def move(source: str, target: str) -> Response:
    """Say who may make a move, what must be said with it, and who hears of it."""
    authorize("workflow.propose")
    document = queries.now_held()[1]
    rules = read(document).rules
    if source not in rules or target not in rules or source == target:
        abort(404)
    row = drafting.move_of(document, source, target)
    form = MoveForm(formdata=request.form if request.method == "POST" else None)
    merges = rules[target].kind is Status.MERGED
    if request.method == "GET":
        form.show(row or _plain_move(merges))

    def edit(held: Document) -> Document:
        return drafting.with_move(held, source, target, **form.values(merges))

    ends = {"source": rules[source], "target": rules[target]}
    return _weigh(form, edit, "workflows/move.html", allowed=row is not None, merges=merges, **ends)


@bp.route("/move/<source>/<target>/remove", methods=["GET", "POST"])
def remove_move(source: str, target: str) -> Response:
    """Allow a move no longer."""
    authorize("workflow.propose")
    workflow = read(queries.now_held()[1])
    if (source, target) not in workflow.moves:
        abort(404)
    ends = {"before": workflow.rules[source].label, "after": workflow.rules[target].label}
    title = _("No longer allow %(before)s → %(after)s", **ends)
    return _weigh(
        _reason(), lambda held: drafting.without_move(held, source, target), "workflows/change.html", title=title
    )


@bp.get("/versions")
def versions() -> Response:
    """Read what held before, who changed it and why."""
    authorize("workflow.propose")
    return page("workflows/versions.html", versions=queries.versions(), number=queries.now_held()[0])


@bp.route("/versions/<int:version_id>", methods=["GET", "POST"])
def restore(version_id: int) -> Response:
    """Let an earlier version hold again; 0 is the workflow that the portal came with."""
    authorize("workflow.propose")
    document = drafting.beginning()
    title = _("Go back to the workflow of the beginning")
    if version_id:
        version = queries.find_version(version_id)
        document, title = version.document, _("Go back to version %(number)d", number=version_id)
        if version.state is not State.HELD:
            abort(404)
    return _weigh(_reason(), lambda _held: document, "workflows/change.html", title=title)


@bp.get("/proposals/<int:version_id>")
def proposal(version_id: int) -> Response:
    """Read what a product manager proposes, and what it would mean today."""
    authorize("workflow.propose")
    version = queries.find_version(version_id)
    return _show_proposal(version)


@bp.post("/proposals/<int:version_id>/accept")
def accept(version_id: int) -> Response:
    """Let a proposal hold."""
    authorize("workflow.decide")
    version = queries.find_version(version_id)
    with transaction():
        service.accept_proposal(version, member())
    return go_to(url_for(".index"), notice=_("Saved. It holds from this moment on."))


@bp.post("/proposals/<int:version_id>/refuse")
def refuse(version_id: int) -> Response:
    """Say no to a proposal."""
    authorize("workflow.decide")
    version = queries.find_version(version_id)
    why = request.form.get("why", "")
    try:
        with transaction():
            service.refuse_proposal(version, member(), why)
    except service.CannotHold as refusal:
        return _show_proposal(queries.find_version(version_id), refusal.message, why)
    return go_to(url_for(".index"), notice=_("The proposal was refused."))


def _show_proposal(version: WorkflowVersion, sentence: str = "", typed: str = "") -> Response:
    return page(
        "workflows/proposal.html",
        status=422 if sentence else 200,
        version=version,
        preview=queries.preview(version.document, viewer()),
        is_of_today=(version.base_id or 0) == queries.now_held()[0],
        sentence=sentence,
        typed=typed,
    )


def _weigh(form: Any, edit: service.Edit, template: str, **context: Any) -> Response:
    """Show what a change would mean, and let it hold only as it was shown."""
    number, held = queries.now_held()
    seen, sentence = None, ""
    is_question = request.method == "GET" and isinstance(form, ReasonForm) and type(form) is ReasonForm
    if is_question or (request.method == "POST" and form.validate()):
        seen = queries.preview(edit(held), viewer())
    if request.method == "POST" and seen is not None:
        if form.base.data != str(number):
            sentence = _("Somebody changed the workflow meanwhile. Look again at what would change now.")
        elif "save" in request.form and seen.is_possible and form.seen.data == seen.fingerprint:
            try:
                return _let_hold(form, edit, number)
            except Refusal as refusal:
                sentence = refusal.message
    form.base.data, form.seen.data = str(number), seen.fingerprint if seen and seen.is_possible else ""
    failed = bool(form.errors or sentence or (seen and seen.problems and request.method == "POST"))
    return page(
        template,
        status=422 if failed else 200,
        form=form,
        preview=seen,
        sentence=sentence,
        decides=can("workflow.decide"),
        **context,
    )


def _let_hold(form: Any, edit: service.Edit, base: int) -> Response:
    decides = can("workflow.decide")
    act = service.change_workflow if decides else service.propose_workflow
    with transaction():
        act(edit, member(), base=base, reason=form.why.data or "")
    done = _("Saved. It holds from this moment on.") if decides else _("Proposed. An admin decides.")
    return go_to(url_for(".index"), notice=done)


def _reason() -> ReasonForm:
    return ReasonForm(formdata=request.form if request.method == "POST" else None)


def _plain_move(merges: bool) -> dict[str, Any]:
    lists: dict[str, Any] = {"demands": [], "one_of": [], "offers": ["answer"] if not merges else ["reason"]}
    return {"by": By.DECIDER.value, "news": "step", "tells": ["author", "voter", "commenter", "follower"], **lists}


def _words() -> dict[str, Any]:
    return {"roles": ROLES, "news": NEWS, "asked": ASKED, "people": PEOPLE, "days": say_days}
