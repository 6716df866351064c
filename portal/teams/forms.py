"""What is filled in about teams."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from portal.teams.models import ABOUT_MAX, NAME_MAX
from portal.text import clean_line


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


class TeamForm(FlaskForm):
    """A team in words."""

    name = StringField(
        _l("Name of the team"),
        filters=[clean_line],
        validators=[InputRequired(_l("Give the team a name.")), _at_most(NAME_MAX)],
        render_kw={"maxlength": NAME_MAX},
    )
    about = StringField(_l("What it looks after"), filters=[clean_line], validators=[_at_most(ABOUT_MAX)])


class MemberForm(FlaskForm):
    """Who becomes part of a team."""

    who = StringField(
        _l("Name or mail address"),
        filters=[clean_line],
        validators=[InputRequired(_l("Say who.")), _at_most(254)],
        render_kw={"maxlength": 254},
    )
