"""The page behind the link that stops mails, which mail programs ask by themselves too."""

from __future__ import annotations

from flask import request, url_for
from werkzeug.wrappers import Response

from portal.extensions import csrf
from portal.notifications import by_link, service
from portal.notifications.by_link import Stop
from portal.notifications.digests import turns
from portal.notifications.views.pages import bp
from portal.search import stopping as searches
from portal.search.watching import LETTER as KEPT_SEARCHES
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.security import FROM_OUTSIDE


@bp.get("/mail/stop/<token>")
def stop(token: str) -> Response:
    """Choose what mails to stop, from the link at the foot of one; looking changes nothing."""
    return _stop_page(token)


@bp.post("/mail/stop/<token>")
@csrf.exempt
def stop_now(token: str) -> Response:
    """Stop mails, or have them again; mail programs do so with one click and without a session."""
    about = by_link.find_stop(token)
    if about is None:
        return _stop_page(token)
    with transaction():
        if request.form.get("List-Unsubscribe") == "One-Click":
            _stop_at_once(about)
        else:
            _choose(about, request.form.get("choice", ""))
    if "choice" in request.form:
        return go_to(url_for(".stop", token=token))
    return _stop_page(token)


def _stop_at_once(about: Stop) -> None:
    if about.kind == KEPT_SEARCHES:
        searches.stop_mails(about.user, about.numbers)
    else:
        service.stop_at_once(about)


def _choose(about: Stop, choice: str) -> None:
    """Carry out a choice; one about a kept search names it, and it must be among those that the page shows."""
    said, _space, number = choice.partition(" ")
    named = {one.id for one in _searches(about)} & ({int(number[:18])} if number.isdecimal() else set())
    if not number:
        service.stop(about, choice)
    elif said == "no-search" and named:
        searches.stop_mails(about.user, named)
    elif said == "search" and named:
        searches.send_mails_again(about.user, named)


def _stop_page(token: str) -> Response:
    about = by_link.find_stop(token)
    if about is None:
        return page("notifications/link_gone.html", status=404)
    turn = None if about.by_idea else turns.TURNS.get(about.kind)
    wanted = turn is not None and turns.wants(about.user, about.kind)
    return page("notifications/stop.html", about=about, turn=turn, wanted=wanted, searches=_searches(about))


def _searches(about: Stop) -> searches.Searches:
    return searches.searches_of(about.user, about.numbers) if about.kind == KEPT_SEARCHES else ()


FROM_OUTSIDE.add("notifications.stop_now")
