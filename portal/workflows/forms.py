"""What people fill in about statuses and moves."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.validators import Length, NumberRange, Optional

from portal.ideas.starting import EVERYBODY, WORDS
from portal.ideas.workflow import By, News, Status
from portal.text import clean_line, clean_text
from portal.workflows.checks import ALONE, DAYS_MAX, FIELDS, LABEL_MAX, MEANING_MAX
from portal.workflows.differences import NEWS, PEOPLE, ROLES
from portal.workflows.service import REASON_MAX

HUES: dict[str, object] = {
    "new": _l("Stone"),
    "under_review": _l("Plum"),
    "needs_info": _l("Rose"),
    "not_now": _l("Sky"),
    "planned": _l("Indigo"),
    "in_progress": _l("Amber"),
    "shipped": _l("Green"),
}
SAME_HUE = {"declined": "new", "merged": "new", "confirmed": "shipped", "available": "shipped"}

MODES = [
    SelectChoice("", _l("Not asked")),
    SelectChoice("offers", _l("May be given")),
    SelectChoice("demands", _l("Must be given")),
    SelectChoice("one_of", _l("One of these must be given")),
]
ASKING = ("demands", "one_of", "offers")


class ReasonForm(FlaskForm):
    """The reason for a change; ``base`` is the version that the person saw, ``seen`` what they saw of the change."""

    base = HiddenField()
    seen = HiddenField()
    why = TextAreaField(
        _l("Why"),
        filters=[clean_text],
        validators=[Length(max=REASON_MAX, message=_l("Use at most %(max)d characters."))],
    )


class StatusForm(ReasonForm):
    """One status: what it is called, and what holds in it."""

    kind = SelectField(_l("Kind"), validate_choice=False)
    label = StringField(
        _l("Name"),
        filters=[clean_line],
        validators=[Length(max=LABEL_MAX, message=_l("Use at most %(max)d characters."))],
    )
    meaning = StringField(
        _l("What it means"),
        filters=[clean_line],
        validators=[Length(max=MEANING_MAX, message=_l("Use at most %(max)d characters."))],
    )
    hue = SelectField(_l("Colour"), choices=[SelectChoice(hue, name) for hue, name in HUES.items()])
    glyph = SelectField(_l("Sign"))
    votes = BooleanField(_l("People can vote"))
    comments = BooleanField(_l("People can comment"))
    comments_days = IntegerField(
        _l("Comments stay open for so many days"), validators=[Optional(), NumberRange(0, DAYS_MAX)]
    )
    edits = BooleanField(_l("Authors can change their words"))
    days = IntegerField(_l("Next word due within so many days"), validators=[Optional(), NumberRange(0, DAYS_MAX)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [(status.value, status.label) for status in Status if status not in ALONE]
        self.glyph.choices = [(key, _l("As for %(status)s", status=words[0])) for key, words in WORDS.items()]

    def values(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return what was filled in, as the tables keep it; words that are those of the beginning stay as they were."""
        words = WORDS[before["kind"]]
        own = before["key"] == before["kind"]
        label, meaning = self.label.data or "", self.meaning.data or ""
        same_hue = SAME_HUE.get(before["hue"], before["hue"]) == self.hue.data
        return {
            "label": "" if own and label == str(words[0]) else label,
            "meaning": "" if meaning == str(words[1]) else meaning,
            "hue": before["hue"] if same_hue else self.hue.data,
            "glyph": self.glyph.data,
            "votes": bool(self.votes.data),
            "comments": bool(self.comments.data),
            "comments_days": (self.comments_days.data or 0) if self.comments.data else 0,
            "edits": bool(self.edits.data),
            "days": self.days.data or 0,
        }

    def show(self, row: dict[str, Any]) -> None:
        """Fill the form with a row of the tables."""
        words = WORDS[row["kind"]]
        self.kind.data = row["kind"]
        self.label.data, self.meaning.data = row["label"] or str(words[0]), row["meaning"] or str(words[1])
        self.hue.data, self.glyph.data = SAME_HUE.get(row["hue"], row["hue"]), row["glyph"]
        self.votes.data, self.comments.data, self.edits.data = row["votes"], row["comments"], row["edits"]
        self.comments_days.data, self.days.data = row["comments_days"] or None, row["days"] or None


class MoveForm(ReasonForm):
    """One move: who may make it, what must be said with it, and who hears of it."""

    by = SelectField(_l("Who may make it"), choices=[SelectChoice(by.value, ROLES[by]) for by in By])
    news = SelectField(_l("What it is to people"), choices=[SelectChoice(news.value, NEWS[news]) for news in News])
    tells = SelectMultipleField(
        _l("Who hears of it"),
        choices=[SelectChoice(who, PEOPLE[who]) for who in EVERYBODY],
        option_widget=widgets.CheckboxInput(),
    )
    answer = SelectField(_l("Official answer"), choices=MODES)
    reason = SelectField(_l("Reason"), choices=MODES)
    alternative = SelectField(_l("What people can do today"), choices=MODES)
    reversal = SelectField(_l("What would change our mind"), choices=MODES)
    expected = SelectField(_l("When to expect it"), choices=MODES)
    link = SelectField(_l("Link"), choices=MODES)
    review_on = SelectField(_l("Day to look at it again"), choices=MODES)
    owner = SelectField(_l("Who looks at it"), choices=MODES)

    def values(self, merges: bool) -> dict[str, Any]:
        """Return what was filled in, as the tables keep it; a merge always asks for the main idea."""
        asked = {mode: [name for name in FIELDS if self[name].data == mode] for mode in ASKING}
        if merges:
            asked["demands"].insert(0, "into")
        tells = [who for who in EVERYBODY if who in (self.tells.data or ())]
        return {"by": self.by.data, "news": self.news.data, "tells": tells, **asked}

    def show(self, row: dict[str, Any]) -> None:
        """Fill the form with a row of the tables."""
        self.by.data, self.news.data, self.tells.data = row["by"], row["news"], row["tells"]
        for name in FIELDS:
            self[name].data = next((mode for mode in ASKING if name in row[mode]), "")
