"""What a member fills in who says that an idea exists already."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, ValidationError

from portal.duplicates.models import WHY_MAX
from portal.text import clean_line


class ProposalForm(FlaskForm):
    """Which idea says the same, and why."""

    other = HiddenField()
    why = StringField(_l("Why do you think so?"), filters=[clean_line])

    def validate_why(self, field: StringField) -> None:
        """Take a line that fits."""
        if len(field.data or "") > WHY_MAX:
            raise ValidationError(_("Use at most %(max)d characters.", max=WHY_MAX))
