"""What those who run the portal fill in about reasons."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField, widgets
from wtforms.validators import InputRequired, Length

from portal.decisions.models import ABOUT_MAX, DECIDED, REASON_MAX
from portal.ideas.workflow import rule_of
from portal.text import clean_line


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


class ReasonForm(FlaskForm):
    """A reason in words, and the decisions it can be given for."""

    label = StringField(
        _l("Reason"),
        filters=[clean_line],
        validators=[InputRequired(_l("Give the reason a name.")), _at_most(REASON_MAX)],
        render_kw={"maxlength": REASON_MAX},
    )
    about = StringField(_l("What it means"), filters=[clean_line], validators=[_at_most(ABOUT_MAX)])
    kinds = SelectMultipleField(
        _l("Given for"),
        validators=[InputRequired(_l("Say for which decisions it can be given."))],
        option_widget=widgets.CheckboxInput(),
    )

    def offer(self) -> ReasonForm:
        """Let people choose among the decisions there are, by the names they have now."""
        self.kinds.choices = [(status.value, str(rule_of(status).label)) for status in DECIDED]
        return self
