"""What can be done with accounts, and the refusals that raises."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.accounts import queries
from portal.accounts.events import (
    ConfirmationWanted,
    EmailConfirmed,
    MemberRegistered,
    PasswordChanged,
    RoleChanged,
    RulesAccepted,
    RulesPublished,
    SignedIn,
    SignedOut,
    SignInFailed,
)
from portal.accounts.models import PrivacyNotice, Rules, RulesAcceptance, User, name_key
from portal.accounts.passwords import check_strength, hash_password, is_dated, is_right
from portal.accounts.roles import Role
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.options import decide, option
from portal.security.log import note
from portal.text import clean_line

CONFIRM_WITHIN = 24 * 3600  # seconds
NAME_MIN, NAME_MAX, NAME_KEY_MAX = 2, 60, 120


class FieldRefused(Refusal):
    """One thing that was filled in cannot be taken; ``field`` names it."""

    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def register(*, email: str, name: str, password: str) -> User:
    """Open an account for a member who has agreed to the rules in force.

    Raises FieldRefused for an address or name that cannot be used, PasswordRefused for a weak password. The sentence
    about the address is the same for every address that cannot be used, so it does not say that there is an account.
    """
    address, shown = usable_address(email), clean_line(name)
    check_new_name(shown)
    check_strength(password, name=shown, email=address)
    return open_account(email=address, name=shown, password_hash=hash_password(password))


def open_account(
    *,
    email: str,
    name: str,
    password_hash: str | None,
    role: Role = Role.MEMBER,
    approved: bool = True,
    confirmed: bool = False,
    locale: str | None = None,
) -> User:
    """Open an account for somebody who has agreed to the rules in force; whether they may join was decided before.

    Raises FieldRefused for an address or name that cannot be used. The sentence about the address is the same for every
    address that cannot be used, so it does not say that there is an account.
    """
    address, shown, now = usable_address(email), clean_line(name), utcnow()
    check_new_name(shown)
    opened = insert_if_absent(
        User,
        email=address,
        name=shown,
        name_key=name_key(shown),
        role=role,
        password_hash=password_hash,
        confirmed_at=now if confirmed else None,
        approved_at=now if approved else None,
        locale=locale,
        created_at=now,
    )
    if not opened:
        check_name(shown)  # somebody may have taken it a moment ago
        raise FieldRefused("email", _unusable())
    user = queries.find_by_email(address)
    assert user is not None  # it was inserted in this transaction
    ensure_rules()
    accept_rules(user)
    emit(MemberRegistered(actor_id=user.id, user_id=user.id))
    return user


def check_new_name(name: str) -> None:
    """Raise FieldRefused for a name that nobody new can have."""
    check_name(clean_line(name))
    _check_not_the_portal(clean_line(name))


def create_user(*, email: str, name: str, role: Role, password: str | None, team: str | None = None) -> User:
    """Open an account on an operator's word: confirmed, with any role, and the rules accepted on their behalf not."""
    address, shown = normal_email(email), clean_line(name)
    check_name(shown)
    if queries.find_by_email(address):
        raise FieldRefused("email", _("There is an account with the address %(email)s already.", email=address))
    if password is not None:
        check_strength(password, name=shown, email=address)
    user = User(
        email=address,
        name=shown,
        name_key=name_key(shown),
        role=role,
        team=team,
        confirmed_at=utcnow(),
        trusted_at=utcnow(),
        password_hash=hash_password(password) if password else None,
    )
    db.session.add(user)
    db.session.flush()
    ensure_rules()
    emit(MemberRegistered(actor_id=None, user_id=user.id))
    return user


def find_by_password(email: str, password: str) -> User | None:
    """Return whose address and password these are; the answer takes as long when there is no such account."""
    user = queries.find_by_email(email)
    right = is_right(password, user.password_hash if user else None)
    return user if right and user and user.is_active else None


def note_sign_in(user: User, password: str = "") -> None:
    """Record that somebody signed in; a password that was right is kept by today's method from now on."""
    if password and user.password_hash and is_dated(user.password_hash):
        user.password_hash = hash_password(password)
    emit(SignedIn(actor_id=user.id))


def note_wrong_password(email: str) -> None:
    """Record that a password was wrong."""
    user = queries.find_by_email(email)
    emit(SignInFailed(user_id=user.id if user else None))
    note("sign_in.failed", user=user, way="password")


def note_sign_out(user: User) -> None:
    """Record that somebody signed out."""
    emit(SignedOut(actor_id=user.id))
    note("sign_out", user=user)


def rename(user: User, name: str) -> None:
    """Show another name from now on."""
    shown = clean_line(name)
    check_name(shown, own=user)
    if not user.is_staff:
        _check_not_the_portal(shown)
    user.name, user.name_key = shown, name_key(shown)


def ask_for_confirmation(user: User) -> None:
    """Have the link that confirms the address sent once more; a confirmed address needs none."""
    if not user.confirmed_at or user.mail_stopped_at:
        emit(ConfirmationWanted(actor_id=user.id, user_id=user.id))


def change_password(user: User, old: str, new: str) -> None:
    """Choose another password; the caller ends the other sessions."""
    if user.password_hash and not is_right(old, user.password_hash):
        raise FieldRefused("old", _("This is not your present password."))
    check_strength(new, name=user.name, email=user.email)
    user.password_hash = hash_password(new)
    emit(PasswordChanged(actor_id=user.id))


def accept_rules(user: User) -> None:
    """Record that the user agreed to the version in force, and which privacy notice there was; twice is once."""
    rules, notice = queries.rules_in_force(), queries.privacy_in_force()
    if rules and insert_if_absent(
        RulesAcceptance,
        user_id=user.id,
        version=rules.version,
        accepted_at=utcnow(),
        privacy_version=notice.version if notice else None,
    ):
        emit(RulesAccepted(actor_id=user.id, version=rules.version))


def ensure_rules(body: str = "") -> Rules:
    """Put the first version of the rules in force unless there is one: ``body``, or the text we bring along.

    Opening an account does this by itself. Whoever fills a portal (a demo, an import) calls it first, with its text.
    """
    return queries.rules_in_force() or publish_rules(body or default_rules().body)


def rules_to_show() -> Rules:
    """Return the rules in force, or those we bring along."""
    return queries.rules_in_force() or default_rules()


def default_rules() -> Rules:
    """Return the rules we bring along, in force nowhere yet."""
    text = (Path(__file__).parent / "rules.md").read_text(encoding="utf-8")
    body = text.replace("{portal}", option("name"))
    return Rules(version=1, body=body, changes="", published_at=utcnow())


def publish_rules(body: str, changes: str = "", grace: timedelta | None = None) -> Rules:
    """Put a new version of the rules in force; everybody is asked to agree, at the latest after the time of grace."""
    newest = db.session.scalar(sa.select(sa.func.max(Rules.version))) or 0
    until = utcnow() + grace if grace and newest else None
    rules = Rules(version=newest + 1, body=body, changes=changes, grace_until=until)
    db.session.add(rules)
    db.session.flush()
    decide("rules_grace", until.isoformat() if until else "")
    emit(RulesPublished(version=rules.version))
    return rules


def publish_privacy(body: str, changes: str = "") -> PrivacyNotice:
    """Put a new version of the privacy notice in force; it is read, not agreed to."""
    newest = db.session.scalar(sa.select(sa.func.max(PrivacyNotice.version))) or 0
    notice = PrivacyNotice(version=newest + 1, body=body, changes=changes)
    db.session.add(notice)
    db.session.flush()
    return notice


def set_role(user: User, role: Role, actor: User | None) -> None:
    """Give somebody a role; the last owner stays one."""
    if user.role is role:
        return
    keep_an_owner(user)
    user.role = role
    emit(RoleChanged(actor_id=actor.id if actor else None, user_id=user.id, role=role))


def keep_an_owner(user: User) -> None:
    """Raise Refusal if the portal would have no owner left without this one: before a suspension, an erasure, a role.

    An owner who is suspended, or about to leave, is no help. The owners are locked until the transaction ends, so that
    two of them cannot go at the same moment.
    """
    if user.role is not Role.OWNER:
        return
    owners = db.session.scalars(sa.select(User).where(User.role == Role.OWNER).with_for_update()).all()
    if not any(owner.is_active and not owner.is_leaving for owner in owners if owner.id != user.id):
        raise Refusal(_("The last owner stays an owner. Name another one first."))


def confirmation_token(user: User) -> str:
    """Return the token of the link that confirms this address; void once confirmed or changed."""
    return str(_serializer().dumps([user.id, user.email]))


def confirm_email(token: str) -> User | None:
    """Confirm the address that the link was sent to; None for a link that is too old or not ours."""
    user = whose_confirmation(token)
    if user:
        confirm_address(user)
    return user


def confirm_address(user: User) -> None:
    """Note that mail to this address reaches its owner, also again after it did not; twice is once."""
    if not user.confirmed_at or user.mail_stopped_at:
        user.confirmed_at, user.mail_stopped_at, user.mail_stopped_why = utcnow(), None, ""
        emit(EmailConfirmed(actor_id=user.id))


def whose_confirmation(token: str) -> User | None:
    """Return whose address the link confirms; None for a link that is too old or not ours."""
    try:
        (user_id, email), made_at = _serializer().loads(token, max_age=CONFIRM_WITHIN, return_timestamp=True)
    except (BadSignature, ValueError, TypeError):
        return None
    user = queries.find_user(user_id)
    if user is None or user.email != email:
        return None
    stopped_after = user.mail_stopped_at is not None and made_at < user.mail_stopped_at.replace(microsecond=0)
    return None if stopped_after else user  # a link of before proves nothing of now


def normal_email(email: str) -> str:
    """Return the address in lower case; raise FieldRefused with the reason for one that cannot be right."""
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=_is_test()).normalized.lower()
    except EmailNotValidError:
        raise FieldRefused(
            "email", _("This does not look like an e-mail address. It should be like name@example.org.")
        ) from None


def usable_address(email: str) -> str:
    """Return the address as accounts keep it; raise FieldRefused, without the reason, for one that cannot be used."""
    try:
        return normal_email(email)
    except FieldRefused:
        raise FieldRefused("email", _unusable()) from None


def check_name(name: str, own: User | None = None) -> None:
    """Raise FieldRefused for a display name that is too short, too long, or could pass for somebody else's."""
    check_name_is_readable(name)
    key, own_id = name_key(name), own.id if own else None
    taken = db.session.scalar(sa.select(User.id).where(User.name_key == key))
    teams = {name_key(team) for team in queries.team_names()}
    if taken not in {None, own_id} or key in teams:
        raise FieldRefused("name", _("Somebody here has this name already. Add something to yours."))


def check_name_is_readable(name: str) -> None:
    """Raise FieldRefused for a display name that is no name, whoever else has it."""
    if not NAME_MIN <= len(name) <= NAME_MAX:
        raise FieldRefused("name", _("A name has between %(min)d and %(max)d characters.", min=NAME_MIN, max=NAME_MAX))
    if "@" in name or "://" in name:
        raise FieldRefused("name", _("Use a name, not an address."))
    key = name_key(name)
    if not any(c.isalnum() for c in key) or len(key) > NAME_KEY_MAX or _mixes_alphabets(key):
        raise FieldRefused("name", _("Use letters of one alphabet, so that others can read and find your name."))


def _check_not_the_portal(name: str) -> None:
    """Raise FieldRefused for a member's name that sounds like the team's."""
    portal = name_key(option("name"))
    if name_key(name) in {portal, f"{portal} team", "admin", "administrator", "moderator", "staff", "support", "team"}:
        raise FieldRefused("name", _("This sounds like the team. Choose a name of your own."))


def _mixes_alphabets(key: str) -> bool:
    """Whether a word mixes letters that are drawn alike in several alphabets, as a forged name does."""
    for word in key.split():
        found = {unicodedata.name(c, "").partition(" ")[0] for c in word if c.isalpha()}
        if len(found & {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE"}) > 1:
            return True
    return False


def _unusable() -> str:
    sentence = _("We cannot open an account with this address. Look for a slip. If you have been here before, sign in.")
    return str(sentence)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="confirm-address")


def _is_test() -> bool:
    return bool(current_app.config["TESTING"] or current_app.config["DEMO"])
