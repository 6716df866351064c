"""Who gets the page of each quarter by mail."""

from __future__ import annotations

from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import TextAreaField, ValidationError

MOST = 50


class ReadersForm(FlaskForm):
    """Addresses, one on each line."""

    addresses = TextAreaField(_l("Mail addresses, one on each line"), render_kw={"rows": 6, "maxlength": 8000})

    @property
    def lines(self) -> list[str]:
        """What was entered: each address once, in the order given."""
        typed = (line.strip() for line in (self.addresses.data or "")[:8000].splitlines())
        return list(dict.fromkeys(line for line in typed if line))

    def validate_addresses(self, _field: Any) -> None:
        """Take whole addresses only, and not too many."""
        if len(self.lines) > MOST:
            raise ValidationError(_("At most %(max)d addresses fit.", max=MOST))
        for line in self.lines:
            try:
                validate_email(line, check_deliverability=False)
            except EmailNotValidError:
                raise ValidationError(_("“%(line)s” is no mail address.", line=line[:80])) from None
