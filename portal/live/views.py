"""Who may listen to what: the stream, and the answer for those who ask now and then."""

from __future__ import annotations

import math
import re

from flask import Blueprint, Response, g, request
from flask_babel import get_locale

from portal.accounts.queries import ends_at
from portal.live import changes, journal, messages, rights
from portal.live.hub import PLACE, WISH, Wish
from portal.live.polling import TAG
from portal.live.reader import MOST_AT_ONCE
from portal.notifications import queries as notifications
from portal.web.context import locale
from portal.web.session import forget_viewer, viewer

bp = Blueprint("live", __name__)

TOPIC = re.compile(r"(?:idea|board)-\d{1,9}|boards|roadmap|changelog|triage")
MOST_TOPICS = 80
STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


@bp.get("/live")
def stream() -> Response:
    """Open a stream, where the server can hold one and this browser may listen; else say that there is none."""
    if PLACE not in request.environ or _is_foreign():
        return _nothing()
    person = viewer()
    held = person.signed_in
    mark = rights.marks([held.token_hash]).get(held.token_hash) if held is not None else 0
    if mark is None:
        return _nothing()
    request.environ[WISH] = Wish(
        topics=_topics(),
        locale=_language(),
        address=request.remote_addr or "",
        user_id=person.id,
        session=held.token_hash if held is not None else "",
        mark=mark,
        ends_at=ends_at(held, person.reads_as_staff) if held is not None else None,
        rules=rights.house_rules(),
        after=_number(request.headers.get("Last-Event-ID") or request.args.get("after", "")),
        age=_age(request.args.get("age", "")),
    )
    return Response(headers=STREAM)


@bp.get("/live/poll")
def poll() -> Response:
    """Return what changed since a number, once."""
    if _is_foreign():
        return _nothing()
    person, language, topics = viewer(), _language(), _topics()
    after, age = _number(request.args.get("after", "")), _age(request.args.get("age", ""))
    number = journal.settled()
    facts = journal.since(after) if after is not None else journal.of_the_last(age) if age is not None else []
    seen = rights.what_one_may_hear(changes.gather(facts), person, topics) if facts else []
    if len(seen) > MOST_AT_ONCE:
        facts, seen = None, []
    mine = (notifications.count_unread(person), notifications.newest_unread(person)) if person.is_signed_in else None
    forget_viewer()  # the fragments are the same for all who may see them
    parts = [messages.of_change(change, language) for change in seen]
    if mine is not None:
        parts.append(messages.badge(*mine, language))
    answer = Response("\n".join(part for part in parts if part), 200 if facts is not None else 205)
    answer.headers["X-Live"] = str(number)
    answer.headers["Cache-Control"] = "private, no-cache"
    if tag := request.environ.get(TAG):
        answer.set_etag(tag)
    return answer


@bp.after_request
def answer_machines(answer: Response) -> Response:
    """Say nothing where people would be led somewhere; asking by itself keeps no session alive."""
    g.pop("session_seen", None)
    return answer if answer.status_code < 300 else _nothing()


def _nothing() -> Response:
    return Response(status=204, headers={"Cache-Control": "no-store"})


def _is_foreign() -> bool:
    """Whether another site's page asks: nothing could be read there, but streams be used up."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}


def _topics() -> frozenset[str]:
    named = request.args.get("on", "")[:2_000].split(",")
    return frozenset([topic for topic in named if TOPIC.fullmatch(topic)][:MOST_TOPICS])


def _language() -> str:
    return locale() or str(get_locale() or "en")


def _number(said: str) -> int | None:
    return int(said) if re.fullmatch(r"\d{1,15}", said, re.ASCII) else None


def _age(said: str) -> float | None:
    try:
        seconds = float(said)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
