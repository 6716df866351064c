"""The inbox, the mail catcher of the demo, and how mails are getting on."""

from __future__ import annotations

import datetime
from email import message_from_string
from email.message import EmailMessage
from email.policy import default

from flask import Blueprint, abort, current_app, request, url_for
from flask_babel import format_date, get_timezone, ngettext
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.db import utcnow
from portal.inbound import queries as inbound
from portal.notifications import queries, service
from portal.notifications.mails import line, progress
from portal.notifications.portal_news import PortalNews
from portal.notifications.preferences import SHORT, count_followed, topic_rows
from portal.notifications.reach import CEILINGS
from portal.options import option
from portal.transactions import transaction
from portal.web.dates import day
from portal.web.paging import cursor, place
from portal.web.responses import fragment, go_to, page, swap
from portal.web.security import POLICY
from portal.web.session import authorize, member, viewer

bp = Blueprint("notifications", __name__)

FRAME = "allow-top-navigation-by-user-activation allow-popups allow-popups-to-escape-sandbox"
POLICY_OF_CAUGHT = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    f"frame-ancestors 'self'; sandbox {FRAME}"
)


@bp.get("/inbox")
def inbox() -> Response:
    """See what one was told, newest first."""
    authorize("account.use")
    before = place(request.args.get("before"), (int,))
    shown = queries.inbox(viewer(), request.args.get("show", "all"), before[0] if before else None)
    older = url_for(".inbox", show=shown.tab, before=cursor(shown.next_id)) if shown.next_id else None
    first = url_for(".inbox", show=shown.tab) if before else None
    return page(
        "notifications/inbox.html",
        inbox=shown,
        older_url=older,
        first_url=first,
        person=member(),
        rows=topic_rows(member(), only=SHORT),
        followed=count_followed(member()),
    )


@bp.post("/inbox/<int:notification_id>")
def open(notification_id: int) -> Response:
    """Read what happened to an idea, on its page."""
    authorize("account.use")
    notification = queries.get_notification(notification_id, viewer())
    if notification.idea_id is None:
        return _open_portal_news(queries.portal_row(notification))
    story = queries.news_row(notification, notification.id, viewer()).lead
    with transaction():
        service.mark_idea_read(member(), notification)
    if story.entry_id:
        return go_to(url_for("changelog.credit", entry_id=story.entry_id))
    if story.also and story.search_name:
        return go_to(url_for("search.open_saved", search_id=story.search_id))
    if story.team:
        endpoint, values = story.team.place
        return go_to(url_for(endpoint, **values))
    idea = story.main or story.idea
    return go_to(url_for("ideas.show", idea_id=idea.id, _anchor=story.place or None))


@bp.post("/inbox/<int:notification_id>/read")
def read(notification_id: int) -> Response:
    """Mark a line as read without opening it."""
    authorize("account.use")
    if (notification := queries.get_notification(notification_id, viewer())).idea_id is None:
        with transaction():
            service.mark_one_read(notification)
        return show_row(notification_id)
    row = told_row(notification_id)
    with transaction():
        service.mark_read(row)
    return show_row(notification_id)


@bp.post("/inbox/read")
def read_all() -> Response:
    """Mark everything as read."""
    authorize("account.use")
    with transaction():
        service.mark_all_read(member())
    return go_to(url_for(".inbox"), notice=_("All read."))


@bp.post("/inbox/mail")
def choose_mail() -> Response:
    """Get mails, or only read the inbox."""
    authorize("account.use")
    with transaction():
        service.choose_mail(member(), request.form.get("wants_mail") == "1")
    return swap(
        fragment("notifications/_mail_choice.html", person=member()),
        otherwise=url_for(".inbox", _anchor="reaches-you"),
        notice=_("Saved."),
    )


@bp.post("/inbox/confirm-address")
def confirm_again() -> Response:
    """Get the link that confirms one's address once more."""
    authorize("account.use")
    with transaction():
        service.ask_again_to_confirm(member())
    return swap(
        fragment("notifications/_mail_choice.html", person=member()),
        otherwise=url_for(".inbox", _anchor="reaches-you"),
        notice=_("Sent. Look for a mail to %(email)s.", email=member().email),
    )


@bp.get("/mail-catcher")
def caught() -> Response:
    """See the mails that the demo would have sent."""
    _only_in_demo()
    return page("notifications/caught.html", mails=progress.caught_mails())


@bp.get("/mail-catcher/<int:mail_id>")
def caught_mail(mail_id: int) -> Response:
    """Read one of them, in each of its forms."""
    _only_in_demo()
    mail = progress.get_caught_mail(mail_id)
    message = _parse(mail.raw)
    text = message.get_body(("plain",))
    answer = page(
        "notifications/caught_mail.html",
        mail=mail,
        headers=message.items(),
        frame=FRAME,
        text=text.get_content() if text else "",
    )
    answer.headers["Content-Security-Policy"] = f"{POLICY}; frame-src 'self'"
    return answer


@bp.get("/mail-catcher/<int:mail_id>/html")
def caught_html(mail_id: int) -> Response:
    """Show the HTML part alone: sandboxed, without scripts, its links opening in the page around it."""
    _only_in_demo()
    html = _parse(progress.get_caught_mail(mail_id).raw).get_body(("html",)) or abort(404)
    answer = current_app.response_class(html.get_content().replace("<head>", '<head><base target="_top">', 1))
    answer.headers["Content-Security-Policy"] = POLICY_OF_CAUGHT
    return answer


@bp.get("/mail/health")
def health() -> Response:
    """See which mails and reactions wait, fail or were set aside, and why."""
    authorize("outbox.see")
    configured = bool(current_app.config["MAIL_URL"])
    return page(
        "notifications/health.html",
        health=progress.mail_health(),
        configured=configured,
        line=line.state(),
        coming=inbound.coming_in(),
        usual=option("mails_a_day"),
        ceilings=CEILINGS,
    )


@bp.post("/mail/health/<kind>/<int:work_id>/again")
def try_again(kind: str, work_id: int) -> Response:
    """Try a mail or a reaction again."""
    authorize("outbox.see")
    with transaction():
        service.try_again(progress.get_work(kind, work_id))
        line.knock_again()
    return go_to(url_for(".health"), notice=_("It is tried again now."))


@bp.post("/mail/health/again")
def try_all_again() -> Response:
    """Try everything again that was set aside."""
    authorize("outbox.see")
    with transaction():
        number = service.try_all_again()
        line.knock_again()
    notice = ngettext("%(num)d is tried again now.", "%(num)d are tried again now.", number)
    return go_to(url_for(".health"), notice=notice)


@bp.app_template_filter("weekday")
def weekday(date: datetime.date) -> str:
    """Return ``Today``, ``Yesterday``, the day of the week within a week, else the date: what heads a day's news."""
    ago = (utcnow().astimezone(get_timezone()).date() - date).days
    if ago < 2:
        return str(_("Yesterday") if ago == 1 else _("Today"))
    return str(format_date(date, "EEEE")) if ago < 7 else day(date)


def _open_portal_news(news: PortalNews) -> Response:
    with transaction():
        service.mark_one_read(news.notification)
    return go_to(url_for(news.endpoint, **news.values))


def told_row(notification_id: int) -> queries.NewsRow:
    """Return the line of the viewer's inbox that an action is about, or answer 404."""
    authorize("account.use")
    notification = queries.get_notification(notification_id, viewer())
    oldest = request.form.get("oldest", "")
    return queries.news_row(notification, int(oldest[:18]) if oldest.isdecimal() else notification_id, viewer())


def show_row(notification_id: int, notice: str = "", undo: str = "") -> Response:
    """Answer an action with the line as it is now, and the number of what is unread."""
    unread = queries.count_unread(viewer())
    notification = queries.get_notification(notification_id, viewer())
    row = (
        fragment("notifications/_news_row.html", row=told_row(notification_id))
        if notification.idea_id is not None
        else fragment("notifications/_portal_row.html", news=queries.portal_row(notification))
    )
    parts: list[Markup] = [
        row,
        fragment("notifications/_bell.html", unread=unread, here=True, oob=True),
        fragment("notifications/_unread_count.html", unread=unread, oob=True),
    ]
    return swap(*parts, otherwise=url_for(".inbox"), notice=notice, undo=undo)


def _only_in_demo() -> None:
    if not current_app.config["DEMO"]:
        abort(404)


def _parse(raw: str) -> EmailMessage:
    return message_from_string(raw, _class=EmailMessage, policy=default)
