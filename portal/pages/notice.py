"""The privacy notice that the portal brings along; it holds until somebody publishes one."""

from __future__ import annotations

from pathlib import Path

from flask import current_app
from flask_babel import get_locale

from portal.options import option

TEXTS = Path(__file__).parent / "texts"


def default_notice() -> str:
    """Return the text that we bring along, in the language of the request where we have it."""
    own = TEXTS / f"privacy.{get_locale()}.md"
    text = (own if own.exists() else TEXTS / "privacy.md").read_text(encoding="utf-8")
    return text.replace("{portal}", option("name")).replace("{contact}", current_app.config["MAIL_FROM"])
