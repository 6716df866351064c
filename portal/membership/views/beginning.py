"""Setting the portal up: the owner's account behind a printed code, then mail, people and samples."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts import service as accounts
from portal.accounts.passwords import PasswordRefused
from portal.accounts.service import FieldRefused
from portal.credentials import factors
from portal.extensions import limiter
from portal.membership import mail_proof, sample
from portal.membership import setting_up as service
from portal.membership.forms import MailTestForm, SetUpForm
from portal.membership.setting_up import AlreadySetUp, WrongCode
from portal.membership.views.base import bp, say_at, status_of
from portal.notifications.mails import dns
from portal.options import option
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_address, per_person
from portal.web.responses import fragment, go_to, is_htmx, page, swap
from portal.web.session import authorize, member
from portal.web.session import sign_in as open_session


@bp.route("/set-up", methods=["GET", "POST"])
@limiter.limit(LIMITS["set_up"], key_func=per_address, methods=["POST"])
def set_up() -> ResponseReturnValue:
    """Open the first account, the owner's, and name the portal; once anybody has an account, it leads home."""
    if not service.is_needed():
        return go_to(url_for("ideas.index"))
    form = SetUpForm(portal=option("name"), question=option("question"), board=_("Product ideas"))
    if form.validate_on_submit():
        try:
            service.check_code(form.code.data)
            with transaction():
                owner = service.set_up(
                    name=form.name.data,
                    email=form.email.data,
                    password=form.password.data,
                    portal=form.portal.data,
                    question=form.question.data,
                    board=form.board.data,
                )
                accounts.note_sign_in(owner)
                open_session(owner)
            service.forget_code()
        except WrongCode as refusal:
            say_at(form, "code", refusal)
        except FieldRefused as refusal:
            say_at(form, refusal.field, refusal)
        except PasswordRefused as refusal:
            say_at(form, "password", refusal)
        except AlreadySetUp:
            return go_to(url_for("accounts.sign_in"), _("Somebody else has set the portal up already."))
        else:
            return go_to(url_for(".begin"), _("Welcome, %(name)s. The portal is yours.", name=form.name.data))
    return page("membership/set_up.html", status=status_of(form), form=form, has_code=service.has_code())


@bp.get("/admin/begin")
def begin() -> ResponseReturnValue:
    """See what is left to do before people come: mail, the team, samples, rules."""
    authorize("options.decide")
    return page(
        "membership/begin.html",
        samples=len(option("sample_ideas")),
        second=factors.is_demanded_of(member()) and not factors.is_missing(member()),
        mails=bool(current_app.config["MAIL_URL"]),
    )


@bp.route("/admin/mail-test", methods=["GET", "POST"])
@limiter.limit(LIMITS["mail_test"], key_func=per_person, methods=["POST"])
def mail_test() -> ResponseReturnValue:
    """Send a test mail, or one to nobody that comes back, and be led to what became of it."""
    authorize("options.decide")
    form = MailTestForm(to=member().email)
    if form.validate_on_submit():
        mail = mail_proof.send(member(), form.to.data)
        return go_to(url_for(".show_mail_test", mail_id=mail.id))
    return _show_mail_test(form, None)


@bp.post("/admin/mail-test/nobody")
@limiter.limit(LIMITS["mail_test"], key_func=per_person)
def test_bounce() -> ResponseReturnValue:
    """Send a mail to an address that nobody has, to see that it comes back."""
    authorize("options.decide")
    mail = mail_proof.send(member(), "")
    return go_to(url_for(".show_mail_test", mail_id=mail.id))


@bp.get("/admin/mail-test/<int:mail_id>")
def show_mail_test(mail_id: int) -> ResponseReturnValue:
    """Read how a test mail left, in the words of the mail server, and what came back."""
    authorize("options.decide")
    test = mail_proof.get_test(mail_id, member())
    return _show_mail_test(MailTestForm(formdata=None, to=member().email), test)


@bp.get("/admin/mail-test/<int:mail_id>/news")
def mail_test_news(mail_id: int) -> ResponseReturnValue:
    """See whether anything came back since; a page that has it all is told nothing."""
    authorize("options.decide")
    test = mail_proof.get_test(mail_id, member())
    if request.args.get("seen") == test.mark and is_htmx():
        return current_app.response_class(status=204)
    shown, whole = fragment("membership/_mail_back.html", test=test), url_for(".show_mail_test", mail_id=mail_id)
    return swap(shown, otherwise=whole, said=_("There is news of the test."))


@bp.post("/admin/samples")
def fill_samples() -> ResponseReturnValue:
    """Put sample ideas on the first board."""
    authorize("options.decide")
    with transaction():
        number = sample.fill(member())
    said = ngettext("%(num)d sample idea is there.", "%(num)d sample ideas are there.", number)
    return go_to(url_for(".begin"), said if number else _("The samples are there already."))


@bp.post("/admin/samples/clear")
def clear_samples() -> ResponseReturnValue:
    """Take the sample ideas away."""
    authorize("options.decide")
    with transaction():
        sample.clear(member())
    return go_to(url_for(".begin"), _("The samples are gone."))


def _show_mail_test(form: MailTestForm, test: mail_proof.Test | None) -> Any:
    return page(
        "membership/mail_test.html",
        status=status_of(form),
        form=form,
        test=test,
        last=mail_proof.last_of(member()) if test is None else None,
        way_in=test.way_in if test else mail_proof.way_in(),
        records=dns.needed(),
        domains=dns.domains(),
        sender=current_app.config["MAIL_FROM"],
    )
