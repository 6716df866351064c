"""Writing entries, publishing them now or later, and taking them back."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.accounts.roles import DECIDERS
from portal.boards.queries import find_board, list_worked_on
from portal.changelog import queries, service
from portal.changelog.forms import EntryForm, WhenForm
from portal.changelog.models import BODY_MAX, Entry, Kind
from portal.changelog.service import Words
from portal.changelog.views.base import bp, get_written
from portal.errors import Refusal
from portal.ideas.followers import count_audience
from portal.ideas.workflow import Category, Status, move_between
from portal.text import render_markdown
from portal.transactions import transaction
from portal.web.dates import absolute
from portal.web.once import made_once
from portal.web.responses import go_to, page
from portal.web.session import authorize, can, member, viewer
from portal.zones import told_in


@bp.get("/changelog/drafts")
def drafts() -> Response:
    """See what is being written, and what comes out by itself."""
    authorize("changelog.publish")
    return page("changelog/drafts.html", drafts=queries.drafts_of(viewer()))


@bp.route("/changelog/new", methods=["GET", "POST"])
def new() -> Response:
    """Begin an entry."""
    authorize("changelog.publish")
    form = _entry_form(None)
    if "preview" not in request.form and form.validate_on_submit():
        words = _words(form)
        authorize("changelog.publish", words.board or Entry())
        try:
            with transaction(wake=False):
                entry = made_once(Entry, lambda: service.write_entry(words, member()))
            return go_to(url_for(".publish", entry_id=entry.id), _("Saved as a draft."))
        except Refusal as refusal:
            return _form_page(form, None, refusal.status, refusal.message)
    return _form_page(form, None)


@bp.route("/changelog/<int:entry_id>/edit", methods=["GET", "POST"])
def edit(entry_id: int) -> Response:
    """Say an entry better, and choose the ideas it tells of."""
    entry = get_written(entry_id)
    form = _entry_form(entry)
    if "preview" not in request.form and form.validate_on_submit():
        words = _words(form, entry)
        authorize("changelog.publish", words.board or Entry())
        try:
            with transaction():
                service.change_entry(entry, words, member(), request.form.get("seen", 0, type=int))
            out = entry.is_published
            return go_to(url_for(".show" if out else ".publish", entry_id=entry.id), _("Saved."))
        except Refusal as refusal:
            entry = get_written(entry_id)
            form.seen.data = str(entry.version)
            return _form_page(form, entry, refusal.status, refusal.message)
    return _form_page(form, entry)


@bp.route("/changelog/<int:entry_id>/publish", methods=["GET", "POST"])
def publish(entry_id: int) -> Response:
    """Let an entry out, now or later, and move its ideas to Shipped; what follows is shown before."""
    entry = get_written(entry_id)
    if entry.is_published:
        return go_to(url_for(".show", entry_id=entry.id))
    zone = member().timezone or current_app.config["TIMEZONE"]
    form, do, sentence = WhenForm(zone), request.form.get("do", ""), ""
    if request.method != "POST":
        return _publish_page(entry, form)
    ship = {each.idea_id for each in queries.shipments_of(entry, viewer())} & set(
        request.form.getlist("ships", type=int)
    )
    try:
        if do == "stop":
            with transaction(wake=False):
                service.unschedule(entry)
            return go_to(url_for(".publish", entry_id=entry.id), _("It stays a draft until you publish it."))
        if do == "later" and form.validate() and form.moment:
            with transaction(wake=False):
                service.schedule(entry, member(), form.moment, zone, ship)
            return go_to(url_for(".drafts"), _("It comes out by itself on %(when)s.", when=_moment(entry)))
        if do == "now":
            with transaction():
                told = service.publish(entry, member(), ship)
            return go_to(url_for(".show", entry_id=entry.id), _said(len(ship), told))
    except Refusal as refusal:
        sentence = refusal.message
    return _publish_page(get_written(entry_id), form, 409 if sentence else 422, sentence, ship)


@bp.post("/changelog/<int:entry_id>/withdraw")
def withdraw(entry_id: int) -> Response:
    """Make a published entry a draft again."""
    entry = get_written(entry_id)
    with transaction():
        service.withdraw(entry, member())
    said = _("It is a draft again. Ideas that it moved stay Shipped, and mails that went out cannot be taken back.")
    return go_to(url_for(".publish", entry_id=entry.id), said)


@bp.post("/changelog/<int:entry_id>/remove")
def remove(entry_id: int) -> Response:
    """Throw a draft away."""
    entry = get_written(entry_id)
    with transaction(wake=False):
        service.remove_draft(entry)
    return go_to(url_for(".drafts"), _("The draft is gone."))


def _entry_form(entry: Entry | None) -> EntryForm:
    held: dict[str, Any] = {"seen": "0", "board": "", "kind": Kind.NEW.value, "ideas": []}
    if entry is not None:
        linked = [shipment.idea_id for shipment in queries.shipments_of(entry)]
        held = {"seen": str(entry.version), "title": entry.title, "body": entry.body, "kind": entry.kind.value}
        held |= {"board": entry.board.slug if entry.board else "", "ideas": linked}
    form = EntryForm(data=held)
    form.offer(
        list_worked_on(viewer(), DECIDERS), queries.ideas_to_tell_of(viewer(), entry), can("changelog.publish", Entry())
    )
    return form


def _words(form: EntryForm, entry: Entry | None = None) -> Words:
    """Return what was filled in; links to ideas that this person cannot choose stay as they are."""
    ideas = queries.ideas_by_id(viewer(), form.numbers) if form.numbers else []
    offered = {number for number, _title in form.ideas.choices}
    ideas += [each.idea for each in (queries.shipments_of(entry) if entry else []) if each.idea_id not in offered]
    board = find_board(form.board.data, viewer()) if form.board.data else None
    return Words(form.title.data, form.body.data, Kind(form.kind.data), board, ideas)


def _form_page(form: EntryForm, entry: Entry | None, status: int = 0, sentence: str = "") -> Response:
    preview = render_markdown((form.body.data or "")[:BODY_MAX]) if "preview" in request.form else None
    return page(
        "changelog/edit.html",
        status=status or (422 if form.errors else 200),
        form=form,
        entry=entry,
        preview=preview,
        sentence=sentence,
        ideas={idea.id: idea for idea in queries.ideas_to_tell_of(viewer(), entry)},
    )


def _publish_page(
    entry: Entry, form: WhenForm, status: int = 200, sentence: str = "", ship: set[int] | None = None
) -> Response:
    telling = queries.tell([entry], viewer())[0]
    shipments = queries.shipments_of(entry, viewer())
    chosen = ship if ship is not None else {each.idea_id for each in shipments if each.ships or not entry.publish_at}
    lines = []
    for idea in (each.idea for each in shipments):
        step = move_between(idea.rule, Status.SHIPPED.rule)
        done = idea.status.category is Category.DONE
        movable = step is not None and can("move.make", (step, idea))
        told = sum(count_audience(idea, member().id).values()) if movable else 0
        lines.append({"idea": idea, "done": done, "movable": movable, "told": told, "chosen": idea.id in chosen})
    return page(
        "changelog/publish.html",
        status=status,
        entry=entry,
        telling=telling,
        lines=lines,
        form=form,
        sentence=sentence,
        when=_moment(entry) if entry.publish_at else "",
    )


def _said(moved: int, told: int) -> str:
    if not moved:
        return _("Published. Nobody is told; people find it here.")
    shipped = ngettext("Published. %(num)d idea is Shipped now.", "Published. %(num)d ideas are Shipped now.", moved)
    hear = ngettext("%(num)d person will hear about it.", "%(num)d people will hear about it.", told)
    return f"{shipped} {hear}"


def _moment(entry: Entry) -> str:
    """Return when an entry comes out, in the time of whoever chose it."""
    with told_in(entry.timezone):
        return f"{absolute(entry.publish_at)} ({entry.timezone})"
