"""What people choose about how the pages look."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField

from portal.web.appearance import THEMES, language_choices


class AppearanceForm(FlaskForm):
    """Theme and language."""

    theme = RadioField(_l("Light or dark"), choices=THEMES)
    language = RadioField(_l("Language"))

    def __init__(self, languages: dict[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.language.choices = language_choices(languages)
