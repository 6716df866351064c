"""What the team fills in when it moves an idea: each move shows the fields that the workflow names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length, NumberRange, Optional

from portal.accounts.models import User
from portal.db import utcnow
from portal.decisions.models import REVERSIBLE, Decision
from portal.decisions.service import MOST_NEEDED
from portal.ideas.followers import REASONS, count_told
from portal.ideas.models import TEXT_MAX, Idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import ANSWER_LABELS, Move, News, Status, StatusRule, current
from portal.text import clean_line, clean_text
from portal.triage import records

LINK_MAX, EXPECTED_MAX = 500, 60

LABELS: dict[str, object] = {
    "answer": _l("Official answer"),
    "reason": _l("Reason"),
    "alternative": _l("What people can do today"),
    "reversal": _l("What would change our mind"),
    "expected": _l("When to expect it"),
    "link": _l("Link"),
    "review_on": _l("Look at it again on"),
    "owner": _l("Who looks at it"),
    **records.LABELS,
}

HINTS: dict[str, object] = {
    "expected": _l("As exact as you can promise: “June”, “this winter”."),
    "link": _l("An address that starts with https:// or http://."),
    "review_on": _l("On this day it comes back under review by itself."),
    "reason": _l("Stays in the history, for everybody to read."),
    **records.HINTS,
}


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


def _up_to(number: int) -> NumberRange:
    return NumberRange(1, number, _l("Give a number from 1 to %(max)s."))


class SaidForm(FlaskForm):
    """Everything that may be said with a move; ``seen`` is the status that the person had before their eyes."""

    seen = HiddenField()
    answer = TextAreaField(filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    reason = TextAreaField(filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    alternative = TextAreaField(filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    reversal = TextAreaField(filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    expected = StringField(filters=[clean_line], validators=[_at_most(EXPECTED_MAX)])
    link = StringField(filters=[clean_line], validators=[_at_most(LINK_MAX)])
    review_on = DateField(validators=[Optional()])
    owner = SelectField(coerce=int, validate_choice=False)
    target = SelectField(_l("Move to"), validate_choice=False)
    because = SelectField(validate_choice=False, choices=())
    evidence = TextAreaField(filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    people = IntegerField(validators=[Optional(), _up_to(MOST_NEEDED)])
    organisations = IntegerField(validators=[Optional(), _up_to(MOST_NEEDED)])
    back_on = DateField(validators=[Optional()])

    def validate_link(self, field: Any) -> None:
        """Take addresses of the web only, so that no link runs anything."""
        text = (field.data or "").strip()
        if text and not _is_web_address(text):
            raise ValidationError(_("Write the whole address, starting with https:// or http://."))

    def validate_review_on(self, field: Any) -> None:
        """Take days to come only."""
        if field.data and field.data <= utcnow().date():
            raise ValidationError(_("Choose a day in the future."))

    validate_back_on = validate_review_on


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be done with an idea, with the form for it and what of it must be given."""

    name: str
    form: SaidForm
    asks: tuple[str, ...]
    demands: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    target: Status | None = None
    goal: StatusRule | None = None
    told: int | None = None  # how many hear of it; None: everybody behind the idea
    quiet_too: bool = True  # whether those hear of it too who asked for decisions only

    @property
    def publishes(self) -> bool:
        """Whether it carries words that people read as the team's answer."""
        return "answer" in self.asks

    @property
    def tomorrow(self) -> str:
        """The first day that may be chosen."""
        return (utcnow().date() + timedelta(days=1)).isoformat()

    def label_of(self, field: str) -> str:
        """Return what the field is called here."""
        if field == "answer" and self.target in ANSWER_LABELS:
            return str(ANSWER_LABELS[self.target])
        return str(LABELS[field])

    def hint_of(self, field: str) -> str:
        """Return what helps to fill the field in."""
        if field in self.one_of:
            return _("A day, or what would change our mind: one of them is enough.")
        return str(HINTS.get(field, ""))

    def is_optional(self, field: str) -> bool:
        """Whether the field may stay empty."""
        if field == "because":
            return not records.needs_reason(self.goal.kind if self.goal else None)
        return field not in self.demands and field not in self.one_of

    def details(self, owner: User | None = None) -> MoveDetails:
        """Return what was filled in, of the fields that this form shows and no others."""
        form, asks = self.form, self.asks
        return MoveDetails(
            answer=form.answer.data or "" if "answer" in asks else "",
            reason=form.reason.data or "" if "reason" in asks else "",
            alternative=form.alternative.data or "" if "alternative" in asks else "",
            reversal=form.reversal.data or "" if "reversal" in asks else "",
            expected=form.expected.data or "" if "expected" in asks else "",
            link=form.link.data or "" if "link" in asks else "",
            review_on=form.review_on.data if "review_on" in asks else None,
            owner=owner if "owner" in asks else None,
            record=records.record_of(form, asks, self.goal.kind if self.goal else None),
        )

    def typed(self) -> list[tuple[str, str]]:
        """Return what was typed, with its labels, so that nothing is lost when the form is gone."""
        chosen = {"owner", "because"}
        kept = [
            (self.label_of(name), str(self.form[name].data or "").strip()) for name in self.asks if name not in chosen
        ]
        return [(label, text) for label, text in kept if text]


def offer_move(move: Move, idea: Idea, staff: Sequence[User], me: User, *, blank: bool = False) -> Offer:
    """Return the form of one move of the workflow, filled with what was posted unless ``blank``."""
    form = _form(move.name, idea, blank)
    form.owner.choices = [(person.id, person.name) for person in staff]
    if form.owner.data is None:
        form.owner.data = idea.owner_id or me.id
    asks = records.fields_of(move)
    if "because" in asks:
        form.because.choices = records.choices_for(move.target)
    quiet_too = move.news is not News.STEP
    told = None if set(move.tells) >= set(REASONS) else count_told(idea, me.id, move.tells, also_quiet=quiet_too)
    return Offer(move.name, form, asks, move.demands, move.demands_one_of, move.target, move.goal, told, quiet_too)


def offer_answer(idea: Idea, *, blank: bool = False) -> Offer:
    """Return the form for a word without a move."""
    return Offer(
        "answer",
        _form("answer", idea, blank),
        ("answer", "alternative", "reversal", "link"),
        ("answer",),
        quiet_too=False,
    )


def offer_record(idea: Idea, given: Decision | None, *, blank: bool = False) -> Offer:
    """Return the form that puts the record of the decision right by which the idea stands."""
    form = _form("record", idea, blank)
    form.because.choices = records.choices_for(idea.status, given)
    if blank:
        form.back_on.data = given.day_back if given else idea.review_on
    if blank and given is not None:
        form.because.data, form.evidence.data = str(given.reason_id or ""), given.evidence
        form.people.data, form.organisations.data = given.people, given.organisations
    asks = records.RECORD if idea.status in REVERSIBLE else records.RECORD[:2]
    return Offer("record", form, asks, goal=idea.rule)


def offer_override(idea: Idea, *, blank: bool = False) -> Offer:
    """Return the form for a move that the workflow does not offer."""
    form = _form("override", idea, blank)
    tables, here = current(), idea.rule
    apart = [rule for rule in tables.rules.values() if rule.kind is not Status.MERGED and rule.key != here.key]
    form.target.choices = [(rule.key, str(rule.label)) for rule in apart if tables.move(here, rule) is None]
    return Offer("override", form, ("reason", "answer"), ("reason",))


def _form(prefix: str, idea: Idea, blank: bool) -> SaidForm:
    form = SaidForm(formdata=None, prefix=f"{prefix}-") if blank else SaidForm(prefix=f"{prefix}-")
    if form.seen.data is None or blank:
        form.seen.data = idea.rule.key
    return form


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(c.isspace() for c in text)
