"""What happened to accounts, and the limits that guard them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField

from portal.accounts import queries as accounts
from portal.credentials import browsers, links
from portal.credentials.models import Purpose
from portal.limits import LIMITS
from portal.security import queries, service, words
from portal.security.models import SecurityEntry
from portal.sso import service as sso
from portal.text import clean_line
from portal.transactions import transaction
from portal.web import paging
from portal.web.responses import go_to, page
from portal.web.session import authorize, browser_cookie, end_sessions, keep_browser, member

bp = Blueprint("security", __name__)

ON_A_PAGE = 50


class FilterForm(FlaskForm):
    """Which acts to see."""

    class Meta:
        """Reading changes nothing, so it needs no token."""

        csrf = False

    kind = SelectField(_l("What happened"))
    person = StringField(_l("Person"), filters=[clean_line])


@bp.get("/admin/security")
def index() -> ResponseReturnValue:
    """Read what happened to accounts."""
    authorize("security.see")
    form = FilterForm(request.args)
    kinds = {kind: str(words.WORDS.get(kind, kind)) for kind in queries.kinds()}
    form.kind.choices = [("", _("Everything")), *sorted(kinds.items(), key=lambda kind: kind[1])]
    person = accounts.find_by_name_or_email(form.person.data or "")
    unknown, place = bool(form.person.data) and person is None, _place()
    rows = queries.entries(
        kind=form.kind.data if form.kind.data in kinds else "",
        user_id=person.id if person else None,
        before=place,
        count=0 if unknown else ON_A_PAGE + 1,
    )
    kept: dict[str, Any] = {key: value for key in ("kind", "person") if (value := request.args.get(key))}
    return page(
        "security/index.html",
        form=form,
        acts=[words.Act(row, words.in_words(row), words.place(row), _details(row)) for row in rows[:ON_A_PAGE]],
        older=_older(rows, ".index", kept),
        first=url_for(".index", **kept) if place else None,
        unknown=unknown,
        filtered=bool(kept),
    )


@bp.get("/account/security/history")
def mine() -> ResponseReturnValue:
    """See what happened to one's own account."""
    authorize("account.use")
    place = _place()
    rows = queries.entries_of(member(), place, ON_A_PAGE + 1)
    first = url_for(".mine") if place else None
    acts = words.own_acts(rows[:ON_A_PAGE])
    return page("security/mine.html", acts=acts, older=_older(rows, ".mine", {}), first=first)


@bp.get("/admin/limits")
def limits() -> ResponseReturnValue:
    """See how much is allowed in a while."""
    authorize("security.see")
    return page("security/limits.html", limits=list(LIMITS.values()), held=current_app.config["LIMITS"])


@bp.route("/not-me/<token>", methods=["GET", "POST"])
def not_me(token: str) -> ResponseReturnValue:
    """Say that somebody else signed in: everybody is signed out, and a new password is chosen."""
    link = links.find(token, Purpose.NOT_ME)
    user = link.user if link else None
    if link is None or user is None or not user.is_active or user.email != link.email:
        return page("security/not_me.html", status=410, act=None)
    if request.method == "POST":
        with transaction():
            reset = service.disown_sign_in(link)
            if reset:
                end_sessions(user)
                sso.forget_linked_since(user, service.since(link))
                known_as = browsers.remember(request.cookies.get(browser_cookie(), ""), user)
                target = url_for("credentials.choose_password", token=links.token_of(reset))
        if reset is None:
            return page("security/not_me.html", status=410, act=None)
        keep_browser(known_as)
        return go_to(target, _("Everybody is signed out. Choose a new password now."))
    entry = queries.entry(link.data.get("entry"))
    return page(
        "security/not_me.html", act=words.Act(entry, words.in_words(entry), words.place(entry)) if entry else None
    )


def _place() -> int | None:
    """Return the entry after which the page of a list begins; None for the first page."""
    place = paging.place(request.args.get("after"), (int,))
    return place[0] if place else None


def _older(rows: list[SecurityEntry], endpoint: str, kept: dict[str, Any]) -> str | None:
    more = len(rows) > ON_A_PAGE
    return url_for(endpoint, after=paging.cursor(rows[ON_A_PAGE - 1].id), **kept) if more else None


def _details(entry: SecurityEntry) -> str:
    """Return what else is known, in the words of the log itself."""
    said = [_("a new browser")] if entry.data.get("known") is False else []
    known = {key: value for key, value in entry.data.items() if key not in words.IN_OTHER_WORDS}
    return ", ".join([*said, *(f"{key}: {value}" for key, value in known.items() if value not in (None, "", False))])
