"""What people fill in when they back an idea that exists."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField, ValidationError

from portal.comments.models import BODY_MAX
from portal.demand.models import DIFFERS_MAX, TYPED_MAX, Origin
from portal.text import clean_line, clean_text


class DifferenceForm(FlaskForm):
    """How one's own idea differs, in a line that only the team reads."""

    differs = StringField(_l("Mine differs because …"), filters=[clean_line], render_kw={"maxlength": DIFFERS_MAX})

    def validate_differs(self, field: StringField) -> None:
        """Keep within the limit."""
        if len(field.data) > DIFFERS_MAX:
            raise ValidationError(
                _("This is %(count)d letters long; at most %(max)d fit.", count=len(field.data), max=DIFFERS_MAX)
            )


class BackingForm(DifferenceForm):
    """One's own words, looked over before they go to an idea that exists."""

    title = HiddenField(filters=[lambda typed: clean_line(typed)[:TYPED_MAX]])
    need = HiddenField(filters=[clean_text])
    proposal = HiddenField(filters=[clean_text])
    board = HiddenField()
    origin = HiddenField(filters=[lambda name: name if name in set(Origin) else Origin.TYPED.value])
    body = TextAreaField(_l("Your words as a comment"), filters=[clean_text], render_kw={"rows": 4})

    def validate_body(self, field: TextAreaField) -> None:
        """Ask for words that fit; none are fine."""
        if len(field.data) > BODY_MAX:
            raise ValidationError(
                _("This is %(count)d letters long; at most %(max)d fit.", count=len(field.data), max=BODY_MAX)
            )

    @property
    def words(self) -> str:
        """What was typed for a new idea, as one text."""
        return "\n\n".join(part for part in (self.title.data, self.need.data, self.proposal.data) if part)
