"""Notes for the team on the idea that lies on the desk."""

from __future__ import annotations

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.mentions import Found
from portal.search.asking import MOST_LETTERS
from portal.talk import queries, service
from portal.talk.models import Note
from portal.transactions import transaction
from portal.triage.desk import Spot, Typed, spot_of
from portal.triage.views.pages import bp, show_again
from portal.web.once import this_form
from portal.web.responses import fragment, go_to, is_htmx, swap
from portal.web.session import authorize, member, viewer


@bp.get("/notes")
def notes() -> ResponseReturnValue:
    """Look for what the team noted, on all boards that one works on."""
    authorize("triage.read")
    words = request.args.get("q", "")[:MOST_LETTERS]
    return render_template("triage/notes.html", notes=queries.find_notes(viewer(), words), words=words)


@bp.post("/<queue>/<int:idea_id>/notes")
def write_note(queue: str, idea_id: int) -> ResponseReturnValue:
    """Leave a note, and call colleagues by name."""
    idea = get_idea(idea_id, viewer())
    authorize("note.write", idea)
    body = request.form.get("note", "")
    try:
        with transaction():
            sent, found = this_form(), Found({}, [])
            note = sent.earlier(Note)
            if note is None or note.deleted_at is not None:
                note, found = service.write_note(idea, member(), body)
                sent.made = note.id
    except Refusal as refusal:
        return _again(spot_of(queue), idea, body, refusal)
    return _show(spot_of(queue), idea, _said(note, found))


@bp.route("/<queue>/<int:idea_id>/notes/<int:note_id>", methods=["GET", "POST"])
def edit_note(queue: str, idea_id: int, note_id: int) -> ResponseReturnValue:
    """Say it differently."""
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)  # whether there is such a note is for the team to know
    note = queries.get_note(idea, note_id)
    authorize("note.edit", note)
    spot, body, sentence = spot_of(queue), request.form.get("body", note.body), ""
    if request.method == "POST":
        try:
            with transaction():
                service.edit_note(note, body)
            return _show(spot, idea, _("Note saved."))
        except Refusal as refusal:
            sentence = refusal.message
    shown = {"note": note, "spot": spot, "body": body, "sentence": sentence}
    return render_template("triage/note.html", **shown), 422 if sentence else 200


@bp.post("/<queue>/<int:idea_id>/notes/<int:note_id>/delete")
def delete_note(queue: str, idea_id: int, note_id: int) -> ResponseReturnValue:
    """Take a note away; it can be brought back."""
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)  # whether there is such a note is for the team to know
    note = queries.get_note(idea, note_id)
    authorize("note.delete", note)
    spot = spot_of(queue)
    with transaction():
        service.delete_note(note, member())
    undo = spot.url("restore_note", idea_id=idea.id, note_id=note.id)
    return _show(spot, idea, _("Note deleted."), undo)


@bp.post("/<queue>/<int:idea_id>/notes/<int:note_id>/restore")
def restore_note(queue: str, idea_id: int, note_id: int) -> ResponseReturnValue:
    """Bring a note back."""
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)  # whether there is such a note is for the team to know
    note = queries.get_note(idea, note_id)
    authorize("note.delete", note)
    with transaction():
        service.restore_note(note, member())
    return _show(spot_of(queue), idea, _("The note is back."))


def _show(spot: Spot, idea: Idea, said: str, undo: str = "") -> ResponseReturnValue:
    """Answer with the notes as they are now; what is typed elsewhere on the desk stays."""
    url = spot.url("desk", idea_id=idea.id, _anchor="notes")
    if not is_htmx():
        flash(said, f"undo:{undo}" if undo else "message")
        return go_to(url)
    notes = fragment("triage/_notes.html", notes=queries.notes_on(idea, viewer()), spot=spot)
    return swap(notes, fragment("components/_notice.html", text=said, undo=undo or None, oob=True), otherwise=url)


def _again(spot: Spot, idea: Idea, body: str, refusal: Refusal) -> ResponseReturnValue:
    if not is_htmx():
        kept = [(_("Note"), body)] if body.strip() else []
        return show_again(spot, idea, Typed(sentence=refusal.message, kept=kept))
    shown = {"notes": queries.notes_on(idea, viewer()), "spot": spot, "typed": body, "sentence": refusal.message}
    return fragment("triage/_notes.html", **shown), refusal.status if refusal.status == 429 else 422


def _said(note: Note, found: Found) -> str:
    said = _("Note saved.")
    if found.people:
        said += " " + _("%(names)s will hear of it.", names=", ".join(found.people.values()))
    if found.nobody:
        names = ", ".join(f"@{word}" for word in found.nobody)
        said += " " + _("Nobody on the team of this board is called %(names)s.", names=names)
    return said
