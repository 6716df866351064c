"""An idea-and-feedback portal: members suggest, staff decide, everyone hears what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import StrictUndefined

from portal import config, db, reactions
from portal.demand import log as search_log
from portal.extensions import babel, compress, csrf, htmx, migrate
from portal.live import polling
from portal.search import index
from portal.web import (
    assets,
    blueprints,
    context,
    errors,
    gates,
    guests,
    limits,
    membership_gate,
    opened,
    remembered,
    rooms,
    security,
    session,
)

ROOT = Path(__file__).parent
MIGRATIONS = ROOT / "migrations"


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Build the portal from defaults, ``PORTAL_*`` variables and ``overrides``.

    Raises portal.config.ConfigurationError, with what to change, for settings it cannot start with.
    """
    app = Flask(
        __name__,
        template_folder=str(_beside("templates")),
        static_folder=str(_beside("static")),
        instance_relative_config=True,
    )
    app.jinja_env.undefined = StrictUndefined
    config.configure(app, overrides)
    db.init_app(app)
    migrate.init_app(app, db.db, directory=str(MIGRATIONS), render_as_batch=True)
    babel.init_app(
        app,
        locale_selector=context.locale,
        timezone_selector=context.timezone,
        default_translation_directories=str(ROOT / "translations"),
    )
    htmx.init_app(app)
    limits.init_app(app)
    csrf.init_app(app)
    compress.init_app(app)
    asked = (guests, polling, opened, security, session, membership_gate, gates)
    for part in (*asked, assets, context, remembered, rooms, errors, reactions, index, search_log, blueprints):
        part.init_app(app)
    return app


def _beside(folder: str) -> Path:
    """Find a folder that lies beside the package in a checkout, and inside it once installed."""
    inside = ROOT / f"_{folder}"
    return inside if inside.is_dir() else ROOT.parent / folder
