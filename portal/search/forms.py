"""What an address asks the search: one line as people type it, and the parameters of older addresses as parts of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import AnyOf, Length

from portal.search.asking import FIELDS, LONGEST_VALUE, MOST_LETTERS, Operator, read
from portal.search.meaning import span
from portal.search.models import Alert
from portal.search.saved import NAME_MAX
from portal.text import clean_line


class SaveForm(FlaskForm):
    """How a search is kept."""

    q = HiddenField()
    name = StringField(_l("Name"), [Length(max=NAME_MAX)])
    alert = StringField(_l("Alert about new ideas"), [AnyOf(list(Alert))], default=Alert.NONE)
    shared = BooleanField(_l("Share it with the team"))

    @property
    def choices(self) -> dict[str, Any]:
        """Whether it is shared, and how its owner hears of it."""
        return {"shared": bool(self.shared.data), "alert": Alert(self.alert.data)}


def typed(asked: Mapping[str, str]) -> str:
    """Return the line that the address stands for; what is no search stays in it as it was typed."""
    line = clean_line((asked.get("q") or "")[: 4 * MOST_LETTERS])[:MOST_LETTERS].strip()
    more = [one for name in FIELDS if (one := _operator(name, asked.get(name)))]
    new = [one for one in more if one not in read(line).operators]
    return " ".join([line, *map(str, new)]).strip() if new else line


def _operator(name: str, value: str | None) -> Operator | None:
    value = clean_line((value or "")[: 2 * LONGEST_VALUE]).replace('"', " ").strip()[:LONGEST_VALUE].strip()
    if name == "before" and len(value) == 10 and (day := span(value)):
        value = day[1].date().isoformat()  # a form once asked for the last day
    return Operator(name, value) if value else None
