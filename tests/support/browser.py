"""A browser without a window: Flask's test client, made to behave as a person's browser does."""

import contextvars
import re
from typing import Any

import flask
import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from portal.accounts.models import User
from portal.db import db
from portal.transactions import transaction
from portal.web.session import sign_in

HTMX = {"HX-Request": "true"}
PLAIN: dict[str, str] = {}

either_way = pytest.mark.parametrize("headers", [HTMX, PLAIN], ids=["htmx", "plain"])


class Browser(FlaskClient):
    """A client whose requests share nothing but cookies, and whose forms carry the token that pages give them."""

    carries_token = True

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        """Make a request in a context of its own, as a server does."""
        if self.carries_token:
            options["headers"] = {"X-CSRFToken": self.token(), **dict(options.get("headers") or {})}
        answer = contextvars.Context().run(super().open, *arguments, **options)
        answer.request.environ["wsgi.input"].close()  # a large upload is a file, which nobody else closes
        return answer

    def sign_in(self, user: User) -> None:
        """Hold a session as if ``user`` had just signed in with a password and a second factor."""
        held = contextvars.Context().run(_session_of, self.application, user.id)
        with self.session_transaction() as session:
            session.update(held)

    def token(self) -> str:
        """The token that a page shown to this browser would carry."""
        with self.session_transaction() as session:
            secret = session.setdefault("csrf_token", "a secret of this browser")
        serializer = URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token")
        return str(serializer.dumps(secret))


def timeless(page: str) -> str:
    """A page without what changes while time passes: how long ago something was, and the tokens of its forms.

    The way to compare two pages. The moments themselves stay: each ``<time>`` has its own as an attribute.
    """
    return _TOKEN.sub(r"\1", _AGO.sub(r"\1", page))


_AGO = re.compile(r"(<time [^>]*>)[^<]*")
_TOKEN = re.compile(r"""(csrf_token"(?: type="hidden")? value="|X-CSRFToken(?:"|&#34;): (?:"|&#34;))[\w.-]+""")


def _session_of(app: Flask, user_id: int) -> dict[str, Any]:
    """What the portal leaves in the cookie of somebody who signs in."""
    with app.test_request_context(), transaction():
        sign_in(db.session.get_one(User, user_id), second=True)
        return dict(flask.session)
