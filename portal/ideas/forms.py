"""What people fill in about ideas."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField, ValidationError, widgets

from portal.ideas.models import TEXT_MAX, TITLE_MAX, TITLE_MIN
from portal.text import clean_line, clean_text


class IdeaForm(FlaskForm):
    """An idea in its author's words."""

    title = StringField(
        _l("Your idea in one sentence"),
        widget=widgets.TextArea(),
        filters=[clean_line],
        render_kw={"maxlength": TITLE_MAX, "rows": 1},
    )
    need = TextAreaField(
        _l("What happens today, and what gets in the way?"), filters=[clean_text], render_kw={"rows": 4}
    )
    proposal = TextAreaField(_l("What would help?"), filters=[clean_text], render_kw={"rows": 2})

    def validate_title(self, field: StringField) -> None:
        """Ask for a sentence that fits."""
        if len(field.data) < TITLE_MIN:
            raise ValidationError(
                _("Say your idea in a short sentence of at least %(count)d letters.", count=TITLE_MIN)
            )
        if len(field.data) > TITLE_MAX:
            raise ValidationError(
                _(
                    "This is %(count)d letters long; the sentence holds %(max)d. Move the rest into the text below.",
                    count=len(field.data),
                    max=TITLE_MAX,
                )
            )

    def validate_need(self, field: TextAreaField) -> None:
        """Ask for the need, since a wish without one cannot be judged."""
        if len(field.data) < 10:
            raise ValidationError(_("Tell us what happens today. One real example is enough."))
        _check_length(field)

    def validate_proposal(self, field: TextAreaField) -> None:
        """Keep within the limit."""
        _check_length(field)


class NewIdeaForm(IdeaForm):
    """An idea that is to be posted."""

    board = SelectField(_l("Board"), choices=[])
    follow = BooleanField(_l("Tell me when this idea moves"), default=True)
    checked = HiddenField()  # the similar ideas were shown
    springs = HiddenField()  # what it answers or builds on: ``solves-12``

    def offer_boards(self, boards: list[tuple[str, str]]) -> None:
        """Offer these boards; without a choice the portal guesses from the words."""
        self.board.choices = [("", _("Guess from my words")), *boards] if len(boards) > 1 else boards


def _check_length(field: TextAreaField) -> None:
    if len(field.data) > TEXT_MAX:
        raise ValidationError(
            _("This is %(count)d letters long; at most %(max)d fit.", count=len(field.data), max=TEXT_MAX)
        )
