"""What people fill in to comment."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField, ValidationError

from portal.comments.models import BODY_MAX
from portal.text import clean_text


class CommentForm(FlaskForm):
    """Something to say about an idea."""

    body = TextAreaField(_l("Add to the discussion"), filters=[clean_text], render_kw={"rows": 4})
    reply_to = HiddenField()

    def validate_body(self, field: TextAreaField) -> None:
        """Ask for words that fit."""
        if len(field.data) < 2:
            raise ValidationError(_("Write something first."))
        if len(field.data) > BODY_MAX:
            raise ValidationError(
                _("This is %(count)d letters long; at most %(max)d fit.", count=len(field.data), max=BODY_MAX)
            )
