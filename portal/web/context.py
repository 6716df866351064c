"""What every template may use."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from babel import Locale
from flask import Flask, has_request_context, request
from flask_babel import get_locale, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup
from werkzeug.local import LocalProxy

from portal import zones
from portal.accounts import queries as accounts
from portal.accounts.models import User
from portal.credentials import passkeys
from portal.db import utcnow
from portal.ideas.workflow import Status
from portal.notifications import queries as notifications
from portal.options import option
from portal.web import dates, session

LANGUAGES = {"en": "English", "de": "Deutsch"}
SENTENCES = 20_000  # kept in the languages they were asked for; the catalogue has a quarter of that


def init_app(app: Flask) -> None:
    """Add the globals and filters that fragments use, and what only layouts show."""
    app.jinja_env.globals.update(
        _=translated,
        gettext=translated,
        viewer=LocalProxy(session.viewer),
        can=session.can,
        dom_id=dom_id,
        portal_name=LocalProxy(lambda: option("name")),
        option=option,
        rules_grace=rules_grace,
        only_reads=only_reads,
        passkeys_work=passkeys.are_possible,
        demo=app.config["DEMO"],
        languages=LANGUAGES,
        statuses=tuple(Status),
        now=utcnow,
    )
    app.jinja_env.filters.update(
        reltime=dates.reltime, absolute=dates.absolute, day=dates.day, clock=dates.clock, rich=rich
    )
    app.context_processor(_for_layouts)


@pass_eval_context
def translated(context: EvalContext, text: str, /, **values: Any) -> str:
    """Return ``text`` in the language of the page, with ``values`` filled in; Jinja's own takes three times as long.

    A page asks a few hundred times: what a sentence is in a language is looked up once.
    """
    return _sentence(text, get_locale(), context.autoescape) % values


@lru_cache(maxsize=SENTENCES)
def _sentence(text: str, _locale: Locale | None, marked: bool) -> str:
    words: str = get_translations().ugettext(text)
    return Markup(words) if marked else words  # noqa: S704 - our own words


def dom_id(thing: Any, part: str) -> str:
    """Return the id of one part of one thing on the page: ``idea-42-vote``."""
    kind = getattr(thing, "dom_class", None) or type(thing).__name__.lower()
    return f"{kind}-{thing.id}-{part}"


def rich(html: str) -> Markup:
    """Show HTML that the renderer made safe when the text was saved; nothing else passes here."""
    return Markup(html)  # noqa: S704 - portal.text cleaned it


def locale() -> str | None:
    """Return the language to answer in: the person's choice, else the best the browser asks for; None in mails."""
    if not has_request_context():
        return None
    chosen = getattr(session.viewer(), "locale", None) or request.cookies.get("language")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES)


def timezone() -> str | None:
    """Return the zone to tell moments in: the reader's or the viewer's choice; None for the portal's."""
    written_for = zones.reader()
    if written_for is not None or not has_request_context():
        return written_for or None
    return zones.usable(getattr(session.viewer(), "timezone", None))


def only_reads() -> bool:
    """Whether the viewer was let in to read and not to take part: nothing is to lead them where they are refused."""
    person = session.viewer()
    return isinstance(person, User) and person.is_approved and not session.can("idea.submit")


def rules_grace() -> datetime | None:
    """Return until when the viewer may go on under rules agreed to before; None where there is nothing to say.

    Outside a time of grace, which is most of the time, this asks the database nothing.
    """
    person, until = session.viewer(), str(option("rules_grace"))
    moment = datetime.fromisoformat(until) if until else None
    if moment is None or moment <= utcnow() or not isinstance(person, User) or not person.is_approved:
        return None
    return None if accounts.has_accepted_rules(person) else moment


def _for_layouts() -> dict[str, Any]:
    person = session.viewer()
    theme = getattr(person, "theme", "") or request.cookies.get("theme", "")
    language = get_locale()
    return {
        "unread": notifications.count_unread(person),
        "theme": theme if theme in {"light", "dark"} else "",
        "shortcuts_on": getattr(person, "shortcuts_on", True),
        "lang": str(language) if language else "en",
        "text_dir": language.text_direction if language else "ltr",
    }
