"""What every answer carries, and which requests are not even looked at."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, abort, request, session
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FROM_OUTSIDE: set[str] = set()
"""Endpoints that mail programs post to, without a session; they carry a signed token of their own."""


def init_app(app: Flask) -> None:
    """Guard every request and dress every answer."""
    if app.config["PROXIES"]:
        hops = int(app.config["PROXIES"])
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.before_request(_refuse_foreign_pages)
    app.after_request(_add_headers)


def _refuse_foreign_pages() -> None:
    """Let changes come only from this portal's own pages, whatever token they carry."""
    if request.method in SAFE or request.endpoint in FROM_OUTSIDE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            abort(403)
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if "Cache-Control" not in response.headers:
        personal = bool(session) or response.status_code >= 400 or request.method not in SAFE
        response.headers["Cache-Control"] = "private, no-store" if personal else "no-cache"
    if request.endpoint in {"assets", "static"}:
        session.accessed = False  # Flask-Login looked, but these are the same for everybody
    else:
        response.vary.update(["HX-Request", "Cookie"])
    return response
