"""What people choose about how the pages look."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectChoice

THEMES = [
    SelectChoice("", _l("As my system says")),
    SelectChoice("light", _l("Light")),
    SelectChoice("dark", _l("Dark")),
]


class AppearanceForm(FlaskForm):
    """Theme and language."""

    theme = RadioField(_l("Light or dark"), choices=THEMES)
    language = RadioField(_l("Language"))

    def __init__(self, languages: dict[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.language.choices = [
            SelectChoice("", _l("As my browser asks")),
            *(SelectChoice(code, name) for code, name in languages.items()),
        ]
