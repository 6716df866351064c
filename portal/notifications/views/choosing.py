"""What reaches one: by topic, by board, how often and when; and the list of what one follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any, TypeVar

from flask import abort, request, url_for
from flask_babel import format_date, format_time, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.boards.models import Board
from portal.boards.queries import find_board
from portal.ideas import service as ideas
from portal.notifications import choosing
from portal.notifications import preferences as chosen
from portal.notifications.hours import zone_of
from portal.notifications.policy import Topic, Way
from portal.notifications.reach import Rhythm
from portal.notifications.views.pages import bp
from portal.push.queries import browsers_of
from portal.transactions import transaction
from portal.web.paging import cursor, place
from portal.web.responses import fragment, go_to, page, swap
from portal.web.session import authorize, member, viewer

Value = TypeVar("Value")
MAIL: dict[str, Way | None] = {"": None, "mail": Way.MAIL, "digest": Way.DIGEST, "inbox": Way.INBOX}
PUSH: dict[str, bool | None] = {"": None, "yes": True, "no": False}


@bp.get("/inbox/preferences")
def preferences() -> Response:
    """See what reaches one, and choose."""
    authorize("account.use")
    told = len(browsers_of(member()))
    return page(
        "notifications/preferences.html",
        shown=chosen.preferences(member()),
        zone=zone_of(member()),
        browsers=told,
        push_offered=told > 0,
    )


@bp.post("/inbox/preferences/topics")
def choose_topics() -> Response:
    """Choose how news of each topic arrive."""
    authorize("account.use")
    return _keep_topics(None)


@bp.get("/inbox/preferences/boards/<slug>")
def board_preferences(slug: str) -> Response:
    """See what reaches one from one board, and choose otherwise for it."""
    authorize("account.use")
    return page(
        "notifications/board_preferences.html",
        shown=chosen.preferences(member(), _board(slug)),
        push_offered=bool(browsers_of(member())),
    )


@bp.post("/inbox/preferences/boards/<slug>")
def choose_for_board(slug: str) -> Response:
    """Choose how news of one board arrive."""
    authorize("account.use")
    return _keep_topics(_board(slug))


@bp.post("/inbox/preferences/digest")
def choose_digest() -> Response:
    """Choose how often the digest comes, and when."""
    authorize("account.use")
    rhythm = {each.value: each for each in Rhythm}.get(request.form.get("digest", "")) or abort(400)
    with transaction():
        choosing.choose_rhythm(member(), rhythm, _number("hour"), _number("weekday"))
    return _saved("rhythm")


@bp.post("/inbox/preferences/mails-a-day")
def choose_ceiling() -> Response:
    """Choose how many mails may come at once in a day."""
    authorize("account.use")
    most = _number("most") if request.form.get("most") else None
    with transaction():
        choosing.choose_ceiling(member(), most)
    return _saved("ceiling")


@bp.post("/mail/health/mails-a-day")
def choose_usual_ceiling() -> Response:
    """Decide how many mails a day are usual at most."""
    authorize("outbox.see")
    with transaction():
        choosing.choose_usual_ceiling(_number("most"))
    return go_to(url_for(".health", _anchor="mails-a-day"), notice=_("Saved."))


@bp.post("/inbox/preferences/quiet-hours")
def choose_quiet_hours() -> Response:
    """Choose hours at which nothing may arrive."""
    authorize("account.use")
    start, end = (_number(end) if request.form.get(end) else None for end in ("from", "until"))
    with transaction():
        choosing.choose_quiet_hours(member(), start, end)
    return _saved("quiet")


@bp.post("/inbox/preferences/pause")
def pause() -> Response:
    """Hear of nothing for 30 days, but in the inbox."""
    authorize("account.use")
    with transaction():
        choosing.pause(member())
    return _show_pause()


@bp.post("/inbox/preferences/resume")
def resume() -> Response:
    """End a pause early."""
    authorize("account.use")
    with transaction():
        choosing.resume(member())
    return _show_pause()


@bp.post("/inbox/preferences/links")
def forget_links() -> Response:
    """Make the links useless that mails to one carried until now."""
    authorize("account.use")
    with transaction():
        choosing.make_links_useless(member())
    return go_to(
        url_for(".preferences", _anchor="links"), notice=_("Done. The links in mails that you have work no more.")
    )


@bp.get("/inbox/following")
def following() -> Response:
    """See what one follows, and tidy up."""
    authorize("account.use")
    level = request.args.get("level", "all")
    level = level if level in chosen.LEVELS else "all"
    before = place(request.args.get("before"), (int,))
    followed, next_id = chosen.followed(member(), level, before[0] if before else None)
    here = level if level != "all" else None
    return page(
        "notifications/following.html",
        followed=followed,
        level=level,
        number=chosen.count_followed(member()),
        older_url=url_for(".following", before=cursor(next_id), level=here) if next_id else None,
        first_url=url_for(".following", level=here) if before else None,
    )


@bp.post("/inbox/following")
def tidy_up() -> Response:
    """Follow several ideas no more, or more quietly, or again."""
    authorize("account.use")
    acts = {"stop": ideas.unfollow, "quiet": ideas.follow_quietly, "follow": ideas.follow}
    act = acts.get(request.form.get("choice", "")) or abort(400)
    ids = [int(number[:9]) for number in request.form.getlist("idea")[: 2 * chosen.PAGE] if number.isdecimal()]
    with transaction():
        ticked = chosen.followed_among(member(), ids)
        for idea in ticked:
            act(idea, member())
    notice = ngettext("Saved for %(num)d idea.", "Saved for %(num)d ideas.", len(ticked))
    level = request.form.get("level", "all")
    return go_to(
        url_for(".following", level=level if level in chosen.LEVELS[1:] else None),
        notice=notice if ticked else _("Tick the ideas first."),
    )


@bp.app_template_filter("hour")
def hour(number: int) -> str:
    """Return how an hour stands on a clock."""
    return str(format_time(time(number), "HH:mm", rebase=False))


@bp.app_template_filter("name_of_weekday")
def name_of_weekday(number: int) -> str:
    """Return what a day of the week is called; 0 is Monday."""
    return str(format_date(date(2024, 1, 1 + number), "EEEE"))


def _board(slug: str) -> Board:
    return find_board(slug, viewer()) or abort(404)


def _keep_topics(board: Board | None) -> Response:
    topics = chosen.topics_of(member())
    with transaction():
        choosing.choose_topics(member(), _choices("mail", MAIL, topics), _choices("push", PUSH, topics), board)
    return _saved("topics", board)


def _choices(channel: str, values: Mapping[str, Value], topics: list[Topic]) -> dict[Topic, Value]:
    """Read what the form holds for these topics, and no others; it may hold some of them only."""
    sent = {topic: request.form[f"{channel}-{topic}"] for topic in topics if f"{channel}-{topic}" in request.form}
    return {topic: values[word] for topic, word in sent.items() if word in values}


def _number(name: str) -> int:
    typed = request.form.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) < 3 else -1


def _saved(what: str, board: Board | None = None) -> Response:
    """Say quietly that it is kept; what the person is choosing stays as it is."""
    here: dict[str, Any] = {"slug": board.slug} if board else {}
    url = url_for(".board_preferences", **here) if board else url_for(".preferences", _anchor=what)
    if request.form.get("from") == "inbox":
        url = url_for(".inbox", _anchor="reaches-you")
    return swap(fragment("notifications/_saved.html", what=what, done=True), otherwise=url, said=_("Saved."))


def _show_pause() -> Response:
    return swap(
        fragment("notifications/_pause.html", shown=chosen.preferences(member())),
        otherwise=url_for(".preferences", _anchor="pause"),
        said=_("Saved."),
    )
