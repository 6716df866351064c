"""Naming segments, and who is in them."""

from __future__ import annotations

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.queries import find_by_name_or_email
from portal.organisations import queries, segments
from portal.organisations.forms import PersonForm, SegmentForm
from portal.organisations.models import Segment
from portal.organisations.service import NameTaken
from portal.organisations.views.base import bp
from portal.transactions import transaction
from portal.web.once import made_once
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.route("/admin/segments", methods=["GET", "POST"])
def list_segments() -> Response:
    """See the segments, and make another one."""
    authorize("organisation.manage")
    form = SegmentForm().offer(queries.list_organisations())
    if form.validate_on_submit():
        try:
            with transaction():
                made = made_once(Segment, lambda: segments.make_segment(member(), form.name.data, form.rule()))
            return go_to(url_for(".segment", segment_id=made.id), _("The segment %(name)s is there.", name=made.name))
        except NameTaken as taken:
            form.name.errors = [taken.message]
    rows = segments.list_segments()
    status = 422 if form.errors else 200
    return page("organisations/segments.html", status=status, segments=rows, sizes=segments.sizes(rows), form=form)


@bp.route("/admin/segments/<int:segment_id>", methods=["GET", "POST"])
def segment(segment_id: int) -> Response:
    """Change a segment, and see who is in it by hand."""
    authorize("organisation.manage")
    found = queries.get_segment(segment_id)
    form = _form_of(found, filled=request.method == "POST")
    if form.validate_on_submit():
        try:
            with transaction():
                segments.change_segment(found, member(), form.name.data, form.rule())
            return go_to(url_for(".segment", segment_id=found.id), _("Saved."))
        except NameTaken as taken:
            form.name.errors = [taken.message]
    return _show(found, form, PersonForm(formdata=None))


@bp.post("/admin/segments/<int:segment_id>/people")
def put_in(segment_id: int) -> Response:
    """Put somebody into a segment."""
    authorize("organisation.manage")
    found, form = queries.get_segment(segment_id), PersonForm()
    if form.validate_on_submit():
        user = find_by_name_or_email(form.who.data)
        if user is not None:
            with transaction():
                segments.put_in(found, user, member())
            return go_to(url_for(".segment", segment_id=found.id), _("%(name)s is added.", name=user.name))
        form.who.errors = [_("Nobody with this name or address has an account.")]
    return _show(found, _form_of(found, filled=False), form)


@bp.post("/admin/segments/<int:segment_id>/people/<int:user_id>/remove")
def take_out(segment_id: int, user_id: int) -> Response:
    """Take somebody out of a segment."""
    authorize("organisation.manage")
    found = queries.get_segment(segment_id)
    with transaction():
        segments.take_out(found, user_id, member())
    return go_to(url_for(".segment", segment_id=found.id), _("Taken out. A rule may still find them."))


@bp.post("/admin/segments/<int:segment_id>/delete")
def delete_segment(segment_id: int) -> Response:
    """Take a segment away."""
    authorize("organisation.manage")
    found = queries.get_segment(segment_id)
    with transaction():
        segments.remove_segment(found, member())
    return go_to(url_for(".list_segments"), _("The segment is gone. Nobody is gone with it."))


def _form_of(found: Segment, filled: bool) -> SegmentForm:
    form = (SegmentForm() if filled else SegmentForm(formdata=None)).offer(queries.list_organisations())
    if not filled:
        form.name.data = found.name
        form.show(segments.Rule.read(found.rule))
    return form


def _show(found: Segment, form: SegmentForm, who: PersonForm) -> Response:
    status = 422 if form.errors or who.errors else 200
    people = queries.put_in_by_hand(found)
    size = segments.sizes([found])[found.id]
    return page(
        "organisations/segment.html", status=status, segment=found, form=form, who=who, people=people, size=size
    )
