"""Signing up, in and out, agreeing to the rules, one's own account, other people's profiles."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, flash, g, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.accounts import browsers, queries, service
from portal.accounts.changes import changes
from portal.accounts.forms import (
    NameForm,
    PasswordForm,
    PreferencesForm,
    RulesForm,
    SignInForm,
    SignUpForm,
)
from portal.accounts.models import Rules, User
from portal.accounts.passwords import PasswordRefused
from portal.accounts.service import FieldRefused
from portal.comments.models import Comment
from portal.db import db
from portal.errors import Refusal
from portal.extensions import limiter
from portal.ideas.models import Idea, Vote
from portal.ideas.queries import ideas_visible_to, is_seen_by
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from portal.web import paging, resume
from portal.web.limits import LIMITS, per_account_and_address, per_address, per_person
from portal.web.responses import go_to, own_path, page
from portal.web.session import authorize, end_sessions, member, this_session_hash, viewer
from portal.web.session import sign_in as open_session
from portal.web.session import sign_out as close_session

bp = Blueprint("accounts", __name__)

PROFILE_IDEAS = 20

REASONS = {
    "ideas.vote": (_l("Sign in to vote. Your vote is kept."), _l("Vote")),
    "ideas.follow": (_l("Sign in to follow this idea. We remember which one."), _l("Follow this idea")),
    "ideas.create": (_l("Sign in to post your idea. What you wrote is kept."), _l("Post idea")),
    "comments.post": (_l("Sign in to comment. Your text is kept."), _l("Post comment")),
    "comments.mark_helpful": (_l("Sign in to say that this helps. We remember the comment."), _l("Mark as helpful")),
}
"""Why somebody is asked to sign in, and what the one button says for whoever is signed in already."""


def _wrong_password(_answer: Response) -> bool:
    return bool(g.get("wrong_password"))


# Signing up, in and out


@bp.route("/sign-up", methods=["GET", "POST"])
@limiter.limit(LIMITS["accounts.register"], key_func=per_address, methods=["POST"])
def sign_up() -> ResponseReturnValue:
    """Open an account and go on with what one came for."""
    if request.method != "POST" and viewer().is_signed_in:
        return go_to(_next())
    rules = _rules()
    form = SignUpForm(version=str(rules.version))
    if form.validate_on_submit() and _agrees_to(rules, form):
        try:
            with transaction():
                user, new = service.join(email=form.email.data, name=form.name.data, password=form.password.data)
                service.note_sign_in(user)
                open_session(user)
        except FieldRefused as refusal:
            _say_at(form, refusal.field, refusal)
        except PasswordRefused as refusal:
            _say_at(form, "password", refusal)
        else:
            return _go_on(_("Welcome, %(name)s.", name=user.name) if new else _welcome_back(user))
    return page("accounts/sign_up.html", status=_status(form), form=form, rules=rules, **_asked_for())


@bp.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(LIMITS["accounts.sign_in.address"], key_func=per_address, methods=["POST"], deduct_when=_wrong_password)
@limiter.limit(
    LIMITS["accounts.sign_in.account"], key_func=per_account_and_address, methods=["POST"], deduct_when=_wrong_password
)
def sign_in() -> ResponseReturnValue:
    """Sign in and go on with what one came for."""
    asked = _asked_for()
    if viewer().is_signed_in and "email" not in request.form:
        if request.method == "POST":
            return _go_on()
        return page("accounts/go_on.html", **asked) if asked["act"] else go_to(_next())
    form = SignInForm()
    if form.validate_on_submit():
        user = service.find_by_password(form.email.data, form.password.data)
        if user:
            with transaction():
                service.note_sign_in(user, form.password.data)
                open_session(user, remember=form.remember.data)
            return _go_on(_welcome_back(user))
        g.wrong_password = True
        with transaction(wake=False):
            service.note_wrong_password(form.email.data)
        form.form_errors.append(_("This address and this password do not belong together. Check both and try again."))
    return page("accounts/sign_in.html", status=_status(form), form=form, demo_accounts=_demo_accounts(), **asked)


@bp.post("/sign-in/as")
def sign_in_as() -> ResponseReturnValue:
    """Become one of the demo's people by one press; only in a demo."""
    email = request.form.get("email", "")
    if email not in {address for address, _label in _demo_accounts()}:
        abort(404)
    user = queries.find_by_email(email) or abort(404)
    with transaction():
        service.note_sign_in(user)
        open_session(user)
    return _go_on(_("You are %(name)s now.", name=user.name))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Leave, and take along what this browser kept."""
    person = viewer()
    if isinstance(person, User):
        with transaction():
            service.note_sign_out(person)
            close_session()
        flash(_("You are signed out."))
    answer = go_to(url_for("ideas.index"))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


# Rules and address


@bp.route("/rules/agree", methods=["GET", "POST"])
def agree() -> ResponseReturnValue:
    """Agree to the rules in force, and go on with what waited for that."""
    authorize("account.use")
    rules = _rules()
    if request.method != "POST" and queries.has_accepted_rules(member()):
        waits = resume.kept_path() is not None
        return go_to(url_for(".sign_in", next=_next()) if waits else _next())
    form = RulesForm(version=str(rules.version))
    if form.validate_on_submit() and _agrees_to(rules, form):
        with transaction():
            service.accept_rules(member())
        return _go_on()
    before = queries.rules_accepted_by(member())
    differs = changes(before.body, rules.body) if before else []
    about = {"rules": rules, "before": before, "differs": differs, **_asked_for()}
    return page("accounts/agree.html", status=_status(form), form=form, **about)


@bp.route("/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """Show that a mail address is one's own; opening the link alone changes nothing."""
    user = service.whose_confirmation(token)
    if user and request.method == "POST":
        with transaction():
            service.confirm_email(token)
        return go_to(url_for("ideas.index"), _("Thank you. Your address is confirmed."))
    return page("accounts/confirm.html", status=200 if user else 410, person=user)


# One's own account


@bp.get("/account")
def show() -> ResponseReturnValue:
    """See and change what belongs to one's account."""
    authorize("account.use")
    return _show_account()


@bp.post("/account/name")
def rename() -> ResponseReturnValue:
    """Show another name from now on."""
    authorize("account.use")
    form = NameForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.rename(member(), form.name.data)
            return go_to(url_for(".show"), _("Saved. Your name is %(name)s now.", name=member().name))
        except FieldRefused as refusal:
            _say_at(form, refusal.field, refusal)
    return _show_account(422, name_form=form)


@bp.post("/account/preferences")
def prefer() -> ResponseReturnValue:
    """Choose what reaches one and which keys work."""
    authorize("account.use")
    form = PreferencesForm()
    with transaction():
        user = member()
        user.wants_mail, user.shortcuts_on = form.wants_mail.data, form.shortcuts_on.data
    return go_to(url_for(".show") + "#reach", _("Saved."))


@bp.post("/account/confirmation")
@limiter.limit(LIMITS["accounts.confirmation"], key_func=per_person)
def ask_for_confirmation() -> ResponseReturnValue:
    """Have the link that confirms the address sent again."""
    authorize("account.use")
    with transaction():
        service.ask_for_confirmation(member())
    return go_to(url_for(".show") + "#reach", _("The link is on its way to %(email)s.", email=member().email))


@bp.post("/account/password")
@limiter.limit(LIMITS["accounts.sign_in.account"], key_func=per_person, deduct_when=_wrong_password)
def change_password() -> ResponseReturnValue:
    """Choose another password; every other browser is signed out."""
    authorize("account.use")
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.change_password(member(), form.old.data, form.new.data)
                end_sessions(member())
                open_session(member(), remember=session.permanent)
            return go_to(url_for(".show"), _("Your password is changed. Other browsers are signed out."))
        except FieldRefused as refusal:
            g.wrong_password = refusal.field == "old"
            _say_at(form, refusal.field, refusal)
        except PasswordRefused as refusal:
            _say_at(form, "new", refusal)
    return _show_account(422, password_form=form)


@bp.post("/account/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """Sign out everywhere else."""
    authorize("account.use")
    with transaction():
        end_sessions(member(), except_this=True)
    return go_to(url_for(".show") + "#browsers", _("Only this browser is signed in now."))


def _show_account(status: int = 200, **forms: Any) -> ResponseReturnValue:
    user = member()
    shown: dict[str, Any] = {
        "name_form": NameForm(formdata=None, obj=user),
        "password_form": PasswordForm(formdata=None),
        "preferences": PreferencesForm(formdata=None, obj=user),
    }
    sessions = [
        {"browser": browsers.in_words(row.browser), "row": row, "this": row.token_hash == this_session_hash()}
        for row in queries.sessions_of(user)
    ]
    return page("accounts/show.html", status=status, user=user, sessions=sessions, **(shown | forms))


# Profiles


@bp.get("/people/<int:user_id>")
def profile(user_id: int) -> ResponseReturnValue:
    """See what somebody suggested, as far as one may."""
    person = queries.find_user(user_id)
    if person is None or (person.suspended_at and not viewer().is_moderator):
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


# What the views above share


def _next() -> str:
    return own_path(request.args.get("next"), url_for("ideas.index"))


def _asked_for() -> dict[str, Any]:
    """What a person came for, for the page that stands between: the reason, and links that keep it."""
    target, then = _next(), request.args.get("then")
    act = resume.waiting(target, then)
    reason, button = REASONS.get(act or "", (_("Sign in to go on. What you began is kept."), _("Go on")))
    if not act:
        reason = _("Sign in to see the page you asked for.") if target != url_for("ideas.index") else ""
    keep = {key: value for key in ("next", "then") if (value := request.args.get(key))}
    return {"act": act, "reason": reason, "button": button, "keep": keep, "back": target}


def _go_on(notice: str = "") -> ResponseReturnValue:
    target, then = _next(), request.args.get("then")
    if notice:
        flash(notice)
    resume.keep_linked_act(target, then)
    return resume.go_on(target)


def _rules() -> Rules:
    return queries.rules_in_force() or service.default_rules()


def _agrees_to(rules: Rules, form: RulesForm) -> bool:
    """Whether the rules are still those that were shown with the form."""
    if form.version.data == str(rules.version):
        return True
    form.version.data, form.agreed.data = str(rules.version), False
    form.agreed.errors = [_("The rules changed a moment ago. Please read them once more.")]
    return False


def _say_at(form: Any, field: str, refusal: Refusal) -> None:
    form[field].errors = [*form[field].errors, refusal.message]


def _status(form: Any) -> int:
    return 422 if form.errors else 200


def _welcome_back(user: User) -> str:
    return str(_("Welcome back, %(name)s.", name=user.name))


def _demo_accounts() -> tuple[tuple[str, str], ...]:
    return tuple(current_app.config.get("DEMO_ACCOUNTS") or ()) if current_app.config["DEMO"] else ()
