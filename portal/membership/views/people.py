"""The people here: who they are, letting in who waits, roles, suspensions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.accounts.models import User
from portal.accounts.policy import LONGEST_BY_MODERATORS
from portal.accounts.roles import Role
from portal.credentials import factors
from portal.errors import Refusal
from portal.membership import people as service
from portal.membership import queries
from portal.membership.forms import RoleForm, SuspendForm, WordsForm
from portal.membership.views.base import bp, say_at, status_of
from portal.security import queries as security
from portal.security import words
from portal.text import clean_line
from portal.transactions import transaction
from portal.web.paging import cursor, place
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, can, member, viewer

WORDS_MAX = 100
ACTS = 10  # of the history of an account


@bp.get("/admin/people")
def people() -> ResponseReturnValue:
    """See who is here: by name, role and how things stand with their account."""
    authorize("people.see")
    state = request.args.get("state", "all")
    state = state if state in queries.states() else "all"
    role = next((role for role in Role if role.value == request.args.get("role")), None)
    sought = clean_line(request.args.get("q", ""))[:WORDS_MAX]
    before = place(request.args.get("before"), (int,))
    found = queries.people(
        state=state,
        role=role,
        words=sought,
        by_address=can("people.address"),
        before=before[0] if before else None,
    )
    chosen = {"state": state if state != "all" else None, "role": role.value if role else None, "q": sought or None}
    return page(
        "membership/people.html",
        found=found,
        state=state,
        role=role,
        words=sought,
        chosen=chosen,
        roles=list(Role),
        waiting=queries.count_people("waiting"),
        older=cursor(found.next_id) if found.next_id else None,
        is_first=before is None,
    )


@bp.get("/admin/people/<int:user_id>")
def person(user_id: int) -> ResponseReturnValue:
    """See one person as those who look after people do."""
    authorize("people.see")
    return _show(_find(user_id))


@bp.post("/admin/people/<int:user_id>/address")
def reveal_address(user_id: int) -> ResponseReturnValue:
    """Read somebody's mail address; it is written down that one did."""
    authorize("people.address")
    with transaction():
        user = _find(user_id)
        address = service.reveal_address(user, member())
    return _show(user, address=address)


@bp.post("/admin/people/<int:user_id>/approve")
def approve_person(user_id: int) -> ResponseReturnValue:
    """Let somebody in who waits."""
    authorize("people.approve")
    form = WordsForm()
    with transaction():
        user = _find(user_id)
        service.approve(user, member(), form.words.data or "")
    return go_to(url_for(".people", state="waiting"), _("%(name)s is in, and reads so by mail.", name=user.name))


@bp.post("/admin/people/<int:user_id>/decline")
def decline_person(user_id: int) -> ResponseReturnValue:
    """Say no to somebody who waits."""
    authorize("people.approve")
    form = WordsForm()
    with transaction():
        user = _find(user_id)
        name = user.name
        service.decline(user, member(), form.words.data or "")
    return go_to(url_for(".people", state="waiting"), _("%(name)s reads by mail that the answer is no.", name=name))


@bp.route("/admin/people/<int:user_id>/role", methods=["GET", "POST"])
def change_role(user_id: int) -> ResponseReturnValue:
    """Give somebody another role, from the next thing they do on."""
    user = _find_to("people.role", user_id)
    prove_again()
    form = RoleForm([role for role in Role if can("role.give", role)], role=user.role.value)
    if form.validate_on_submit():
        try:
            with transaction():
                service.set_role(user, Role(form.role.data), member())
            return go_to(_page_of(user), _("%(name)s is now: %(role)s.", name=user.name, role=user.role.label))
        except Refusal as refusal:
            say_at(form, "role", refusal)
    return page("membership/role.html", status=status_of(form), form=form, person=user)


@bp.route("/admin/people/<int:user_id>/suspend", methods=["GET", "POST"])
def suspend_person(user_id: int) -> ResponseReturnValue:
    """Shut an account for a time, with the reason for its owner."""
    user = _find_to("people.suspend", user_id)
    longest = None if can("people.suspend_for_long", user) else LONGEST_BY_MODERATORS.days
    form = SuspendForm(longest, days="7")
    if form.validate_on_submit():
        days = int(form.days.data) if form.days.data else None
        try:
            with transaction():
                service.suspend(user, member(), reason=form.reason.data, days=days)
            return go_to(_page_of(user), _("%(name)s is suspended and signed out everywhere.", name=user.name))
        except Refusal as refusal:
            say_at(form, "days", refusal)
    return page("membership/suspend.html", status=status_of(form), form=form, person=user)


@bp.post("/admin/people/<int:user_id>/lift")
def lift_suspension(user_id: int) -> ResponseReturnValue:
    """Open a shut account again."""
    user = _find_to("people.suspend", user_id)
    with transaction():
        service.lift(user, member())
    return go_to(_page_of(user), _("%(name)s can sign in again.", name=user.name))


@bp.post("/admin/people/<int:user_id>/sign-out")
def sign_out_person(user_id: int) -> ResponseReturnValue:
    """End somebody's sessions in all their browsers."""
    user = _find_to("people.role", user_id)
    with transaction():
        service.sign_out_everywhere(user, member())
    return go_to(_page_of(user), _("%(name)s is signed out everywhere.", name=user.name))


@bp.route("/admin/people/<int:user_id>/second-factors", methods=["GET", "POST"])
def remove_second_factors(user_id: int) -> ResponseReturnValue:
    """Take away what somebody lost: they sign in without a second step, and set up another where their role asks."""
    user = _find_to("people.role", user_id)
    prove_again()
    if request.method == "POST":
        with transaction():
            factors.remove_all(user, member())
        return go_to(_page_of(user), _("Done. %(name)s reads so by mail.", name=user.name))
    return page("membership/second_factors.html", person=user, factors=factors.factors_of(user))


def _find(user_id: int) -> User:
    return queries.find_person(user_id) or abort(404)


def _find_to(permission: str, user_id: int) -> User:
    """Find somebody to act on: only for those who look after people at all is there anybody to find."""
    authorize("people.see")
    user = _find(user_id)
    authorize(permission, user)
    return user


def _acts_of(user: User) -> list[tuple[str, datetime, str]]:
    """Return the last of what happened to an account: what, when, from where."""
    rows = security.entries(kind="", user_id=user.id, before=None, count=ACTS)
    return [(words.in_words(row), row.at, words.place(row)) for row in rows]


def _page_of(user: User) -> str:
    return url_for(".person", user_id=user.id)


def _show(user: User, address: str = "") -> Any:
    why = queries.why_suspended(user) if user.is_suspended else None
    return page(
        "membership/person.html",
        person=user,
        address=address,
        sessions=len(accounts.sessions_of(user)),
        why=why,
        by=accounts.find_user(why.actor_id) if why else None,
        form=WordsForm(),
        accepted=queries.acceptance_of(user),
        acts=_acts_of(user) if can("security.see") else [],
        factors=factors.factors_of(user),
        mails=bool(current_app.config["MAIL_URL"]),
        mine=user.id == viewer().id,
    )
