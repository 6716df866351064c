"""Answering a request: one answer for the page and for htmx."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import flash, get_template_attribute, redirect, render_template, request
from htmx_flask import make_response
from markupsafe import Markup
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response


def fragment(template: str, /, **arguments: Any) -> Markup:
    """Render the macro a partial is named after: ``ideas/_vote_button.html``, ``vote_button``."""
    macro = template.rpartition("/_")[2].removesuffix(".html")
    rendered: Markup = get_template_attribute(template, macro)(**arguments)
    return rendered


def page(template: str, partial: str | None = None, status: int = 200, **context: Any) -> Response:
    """Show a page; for htmx only the ``partial`` at its heart, from the same context."""
    if partial and is_htmx():
        return _response(fragment(partial, **context), status)
    return _response(render_template(template, **context), status)


def swap(
    *fragments: Markup, otherwise: str, trigger: str | None = None, notice: str = "", said: str = "", undo: str = ""
) -> Response:
    """Answer a change with fresh fragments; a plain browser is redirected ``otherwise``.

    ``notice`` is a sentence for the person: a toast beside the fragments, or shown on the page redirected to; ``undo``
    is the address that takes back what it tells of. ``said`` is one that the fragments show already: only spoken
    beside them.
    """
    if not is_htmx():
        if notice or said:
            flash(notice or said, f"undo:{undo}" if undo else "message")
        return redirect(otherwise, 303)
    parts = [*fragments]
    if said:
        parts.append(fragment("components/_said.html", text=said))
    if notice:
        parts.append(fragment("components/_notice.html", text=notice, undo=undo or None, oob=True))
    return _response(Markup("\n").join(parts), 200, trigger=trigger)


def go_to(url: str, notice: str = "") -> Response:
    """Send the person to another page of the portal."""
    if notice:
        flash(notice)
    if is_htmx():
        return _response("", 204, redirect=iri_to_uri(url))
    return redirect(url, 303)


def is_htmx() -> bool:
    """Whether the answer goes into a page that is already there."""
    return bool(request.htmx)  # type: ignore[attr-defined]


def own_path(target: str | None, fallback: str) -> str:
    """Return ``target`` if it is a path of this portal and nothing else, or ``fallback``."""
    if not target or len(target) > 2000 or not target.startswith("/") or target.startswith(("//", "/\\")):
        return fallback
    if any(ord(c) <= 32 or c in "\\\x7f" for c in target):
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target


def _response(body: str, status: int, **headers: Any) -> Response:
    answer: Response = make_response(body, status, **headers)
    return answer
