"""What people fill in to join by invitation, to invite, to look after people, and to set the portal up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    StopValidation,
    ValidationError,
)

from portal.accounts import service as accounts
from portal.accounts.passwords import LONGEST, check_strength
from portal.accounts.roles import BOARD_ROLES, Role
from portal.accounts.service import NAME_MAX
from portal.boards.models import Board
from portal.errors import Refusal
from portal.membership.invitations import MOST_CHARACTERS, NOTE_MAX
from portal.membership.people import WORDS_MAX
from portal.text import clean_line, clean_text

BODY_MAX, CHANGES_MAX, GRACE_MAX, GRACE = 40_000, 4_000, 90, 14
EMAIL_MAX, PORTAL_MAX, QUESTION_MAX, BOARD_MAX = 254, 60, 140, 60
DOMAINS_MAX = 100
MEMBERSHIP = ("open", "domains", "approval", "invitation")
DAYS = (1, 3, 7, 30, 90)


def _line(text: str | None) -> str:
    return clean_line(text)


def _text(text: str | None) -> str:
    return clean_text(text)


def _whole(form: FlaskForm, field: PasswordField) -> None:
    """Refuse a password that is too long before any work is done on it; never cut it."""
    if len(field.data or "") > LONGEST:
        raise StopValidation(_l("Use at most %(count)d characters.", count=LONGEST))


def _say(check: Callable[..., object], *values: object, **more: object) -> None:
    try:
        check(*values, **more)
    except Refusal as refusal:
        raise ValidationError(refusal.message) from None


class AcceptForm(FlaskForm):
    """Joining by invitation: the address is known, a name and a password are to be chosen."""

    version = HiddenField()
    name = StringField(
        _l("Display name"), [InputRequired(_l("Choose a display name")), Length(max=NAME_MAX)], filters=[_line]
    )
    password = PasswordField(_l("Password"), [InputRequired(_l("Choose a password")), _whole])
    agreed = BooleanField(
        _l("I have read the community rules"), [InputRequired(_l("Read the community rules and tick the box"))]
    )

    def __init__(self, email: str, **options: Any) -> None:
        super().__init__(**options)
        self._email = email

    def validate_name(self, field: StringField) -> None:
        """Refuse what is no name."""
        _say(accounts.check_name_is_readable, field.data)

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what others would guess."""
        _say(check_strength, field.data, name=self.name.data or "", email=self._email)


class InviteForm(FlaskForm):
    """Inviting people."""

    addresses = TextAreaField(_l("E-mail addresses"), [Length(max=MOST_CHARACTERS)], filters=[_text])
    file = FileField(_l("Or a CSV file with addresses"))
    role = SelectField(_l("They will be"))
    board = SelectField(_l("Where"))
    note = TextAreaField(_l("A few words from you"), [Length(max=NOTE_MAX)], filters=[_text])

    def __init__(self, roles: list[Role], boards: list[Board], **options: Any) -> None:
        super().__init__(**options)
        self.role.choices = [SelectChoice(role.value, role.label) for role in roles]
        self.board.choices = [
            SelectChoice("", _("In the whole portal")),
            *(SelectChoice(str(board.id), _("Only on “%(board)s”", board=board.name)) for board in boards),
        ]

    def validate_role(self, field: SelectField) -> None:
        """Some roles are for the portal as a whole."""
        if self.board.data and Role(field.data) not in BOARD_ROLES:
            raise ValidationError(_("This role cannot be given for one board alone."))


class MembershipForm(FlaskForm):
    """Who may read, who may join, who may invite."""

    reading = RadioField(_l("Who may read public boards"), choices=["public", "members"])
    membership = RadioField(_l("Who may join"), choices=list(MEMBERSHIP))
    domains = TextAreaField(_l("Mail domains"), [Length(max=5_000)], filters=[_text])
    members_invite = BooleanField(_l("Members may invite others"))

    @property
    def listed(self) -> list[str]:
        """The domains, each once, in lower case and without the sign in front."""
        words = (self.domains.data or "").replace(",", " ").split()
        return list(dict.fromkeys(word.lower().strip("@.") for word in words if word.strip("@.")))

    def validate_domains(self, field: TextAreaField) -> None:
        """Refuse what is no domain, and a choice of domains that names none."""
        if self.membership.data == "domains" and not self.listed:
            raise ValidationError(_("Name at least one domain, such as example.org, or choose another way to join."))
        if len(self.listed) > DOMAINS_MAX:
            raise ValidationError(_("Name at most %(count)d domains.", count=DOMAINS_MAX))
        for domain in self.listed:
            try:
                accounts.normal_email(f"a@{domain}")
            except Refusal:
                raise ValidationError(
                    _("“%(domain)s” is no mail domain. Write them like example.org.", domain=domain[:100])
                ) from None


class WordsForm(FlaskForm):
    """A few words to somebody who waits."""

    words = TextAreaField(_l("A few words to this person"), [Length(max=WORDS_MAX)], filters=[_text])


class RoleForm(FlaskForm):
    """Giving somebody another role."""

    role = RadioField(_l("Role"))

    def __init__(self, roles: list[Role], **options: Any) -> None:
        super().__init__(**options)
        self.role.choices = [SelectChoice(role.value, role.label) for role in roles]


class SuspendForm(FlaskForm):
    """Shutting an account for a time."""

    reason = TextAreaField(
        _l("The reason"),
        [DataRequired(_l("Give the reason. The person will read it.")), Length(max=WORDS_MAX)],
        filters=[_text],
    )
    days = RadioField(_l("For how long"))

    def __init__(self, longest: int | None, **options: Any) -> None:
        super().__init__(**options)
        self.days.choices = [
            SelectChoice(str(days), _("1 day") if days == 1 else _("%(num)d days", num=days))
            for days in DAYS
            if longest is None or days <= longest
        ]
        if longest is None:
            self.days.choices.append(SelectChoice("", _("Until somebody lifts it")))


class PublishForm(FlaskForm):
    """A new version of the rules or of the privacy notice."""

    seen = HiddenField()
    body = TextAreaField(_l("The text"), [DataRequired(_l("Write the text")), Length(max=BODY_MAX)], filters=[_text])
    changes = TextAreaField(_l("What is new, in short"), [Length(max=CHANGES_MAX)], filters=[_text])
    grace = IntegerField(
        _l("Days until everybody must have agreed"),
        [Optional(), NumberRange(0, GRACE_MAX, _l("Choose between 0 and %(count)d days.", count=GRACE_MAX))],
    )


class PortalForm(FlaskForm):
    """What the portal is called, and what it asks."""

    portal = StringField(
        _l("What the portal is called"), [DataRequired(_l("Name the portal")), Length(max=PORTAL_MAX)], filters=[_line]
    )
    question = StringField(
        _l("The question on the home page"),
        [DataRequired(_l("Ask a question")), Length(max=QUESTION_MAX)],
        filters=[_line],
    )


class SetUpForm(PortalForm):
    """The first account, and what the portal is called."""

    code = StringField(
        _l("Set-up code"), [InputRequired(_l("Type the code that the portal printed when it started"))], filters=[_line]
    )
    name = StringField(
        _l("Your display name"), [InputRequired(_l("Choose a display name")), Length(max=NAME_MAX)], filters=[_line]
    )
    email = EmailField(
        _l("Your e-mail address"),
        [InputRequired(_l("Give your e-mail address")), Length(max=EMAIL_MAX)],
        filters=[_line],
    )
    password = PasswordField(_l("Password"), [InputRequired(_l("Choose a password")), _whole])
    board = StringField(
        _l("The first board"), [DataRequired(_l("Name the first board")), Length(max=BOARD_MAX)], filters=[_line]
    )

    def validate_name(self, field: StringField) -> None:
        """Refuse what is no name."""
        _say(accounts.check_name_is_readable, field.data)

    def validate_email(self, field: EmailField) -> None:
        """Refuse what is no address."""
        _say(accounts.normal_email, field.data)

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what others would guess."""
        _say(check_strength, field.data, name=self.name.data or "", email=self.email.data or "")


class MailTestForm(FlaskForm):
    """Where the test mail goes."""

    to = EmailField(
        _l("Send a test mail to"), [InputRequired(_l("Give an e-mail address")), Length(max=EMAIL_MAX)], filters=[_line]
    )

    def validate_to(self, field: EmailField) -> None:
        """Refuse what is no address."""
        _say(accounts.normal_email, field.data)
