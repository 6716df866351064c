"""Every group of addresses the portal answers."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from portal.accounts.views import bp as accounts
from portal.comments.views import bp as comments
from portal.ideas.views import bp as ideas
from portal.notifications.views import bp as notifications
from portal.pages.views import bp as pages
from portal.search.views import bp as search
from portal.triage.views import bp as triage

BLUEPRINTS = (ideas, comments, search, accounts, notifications, triage, pages)


class RowNumber(IntegerConverter):
    """A number in an address; one that no row can have leads nowhere."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**31 - 1)


def init_app(app: Flask) -> None:
    """Answer at all of them."""
    app.url_map.converters["int"] = RowNumber
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
