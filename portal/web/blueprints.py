"""Every group of addresses the portal answers."""

from __future__ import annotations

from flask import Flask

from portal.accounts.views import bp as accounts
from portal.comments.views import bp as comments
from portal.ideas.views import bp as ideas
from portal.notifications.views import bp as notifications
from portal.pages.views import bp as pages
from portal.search.views import bp as search
from portal.triage.views import bp as triage

BLUEPRINTS = (ideas, comments, search, accounts, notifications, triage, pages)


def init_app(app: Flask) -> None:
    """Answer at all of them."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
