"""What can be done with accounts, and the refusals that raises."""

from __future__ import annotations

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.accounts import queries
from portal.accounts.events import (
    EmailConfirmed,
    MemberRegistered,
    PasswordChanged,
    RoleChanged,
    RulesAccepted,
    SignInFailed,
)
from portal.accounts.models import Rules, RulesAcceptance, User, name_key
from portal.accounts.passwords import check_strength, hash_password, is_dated, is_right
from portal.accounts.roles import Role
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.text import clean_line

CONFIRM_WITHIN = 24 * 3600  # seconds
NAME_MIN, NAME_MAX = 2, 60


class FieldRefused(Refusal):
    """One thing that was filled in cannot be taken; ``field`` names it."""

    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def register(*, email: str, name: str, password: str) -> User:
    """Open an account for a member who has agreed to the rules in force.

    Raises FieldRefused for an address or name that cannot be used, PasswordRefused for a weak password.
    """
    address, shown = normal_email(email), clean_line(name)
    check_name(shown)
    check_strength(password, name=shown, email=address)
    user = User(email=address, name=shown, name_key=name_key(shown), password_hash=hash_password(password))
    if queries.find_by_email(address):
        raise FieldRefused("email", _("This address cannot be used for a new account. If it is yours, sign in instead."))
    db.session.add(user)
    db.session.flush()
    accept_rules(user)
    emit(MemberRegistered(actor_id=user.id, user_id=user.id))
    return user


def create_user(*, email: str, name: str, role: Role, password: str | None, team: str | None = None) -> User:
    """Open an account on an operator's word: confirmed, with any role, and the rules accepted on their behalf not."""
    address, shown = normal_email(email), clean_line(name)
    check_name(shown)
    if queries.find_by_email(address):
        raise FieldRefused("email", _("There is an account with the address %(email)s already.", email=address))
    if password is not None:
        check_strength(password, name=shown, email=address)
    user = User(
        email=address, name=shown, name_key=name_key(shown), role=role, team=team, confirmed_at=utcnow(), trusted_at=utcnow(),
        password_hash=hash_password(password) if password else None,
    )
    db.session.add(user)
    db.session.flush()
    emit(MemberRegistered(actor_id=None, user_id=user.id))
    return user


def authenticate(email: str, password: str) -> User | None:
    """Return whose address and password these are; the answer takes as long when there is no such account."""
    user = queries.find_by_email(email)
    if is_right(password, user.password_hash if user else None) and user and user.is_active:
        if user.password_hash and is_dated(user.password_hash):
            user.password_hash = hash_password(password)
        return user
    emit(SignInFailed(user_id=user.id if user else None))
    return None


def change_password(user: User, old: str, new: str) -> None:
    """Choose another password; the caller ends the other sessions."""
    if user.password_hash and not is_right(old, user.password_hash):
        raise FieldRefused("old", _("This is not your present password."))
    check_strength(new, name=user.name, email=user.email)
    user.password_hash = hash_password(new)
    emit(PasswordChanged(actor_id=user.id))


def accept_rules(user: User) -> None:
    """Record that the user agreed to the version in force; agreeing twice is agreeing once."""
    rules = queries.rules_in_force()
    if rules and insert_if_absent(RulesAcceptance, user_id=user.id, version=rules.version, accepted_at=utcnow()):
        emit(RulesAccepted(actor_id=user.id, version=rules.version))


def publish_rules(body: str, changes: str = "") -> Rules:
    """Put a new version of the rules in force; everybody is asked to agree before their next act."""
    newest = db.session.scalar(sa.select(sa.func.max(Rules.version))) or 0
    rules = Rules(version=newest + 1, body=body, changes=changes)
    db.session.add(rules)
    db.session.flush()
    return rules


def set_role(user: User, role: Role, actor: User | None) -> None:
    """Give somebody a role; the last owner stays one."""
    if user.role is role:
        return
    if user.role is Role.OWNER:
        owners = db.session.scalar(sa.select(sa.func.count()).where(User.role == Role.OWNER, User.suspended_at.is_(None)))
        if (owners or 0) <= 1:
            raise Refusal(_("The last owner stays an owner. Name another one first."))
    user.role = role
    emit(RoleChanged(actor_id=actor.id if actor else None, user_id=user.id, role=role))


def confirmation_token(user: User) -> str:
    """Return the token of the link that confirms this address; void once confirmed or changed."""
    return str(_serializer().dumps([user.id, user.email]))


def confirm_email(token: str) -> User | None:
    """Confirm the address that the link was sent to; None for a link that is too old or not ours."""
    user = whose_confirmation(token)
    if user and not user.confirmed_at:
        user.confirmed_at = utcnow()
        emit(EmailConfirmed(actor_id=user.id))
    return user


def whose_confirmation(token: str) -> User | None:
    """Return whose address the link confirms; None for a link that is too old or not ours."""
    try:
        user_id, email = _serializer().loads(token, max_age=CONFIRM_WITHIN)
    except (BadSignature, ValueError, TypeError):
        return None
    user = queries.find_user(user_id)
    return user if user and user.email == email else None


def normal_email(email: str) -> str:
    """Return the address in lower case; raise FieldRefused with the reason for one that cannot be right."""
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=_is_test()).normalized.lower()
    except EmailNotValidError:
        raise FieldRefused("email", _("This does not look like an e-mail address. It should be like name@example.org.")) from None


def check_name(name: str, own: User | None = None) -> None:
    """Raise FieldRefused for a display name that is too short, too long, or could pass for somebody else's."""
    if not NAME_MIN <= len(name) <= NAME_MAX:
        raise FieldRefused("name", _("Use between %(min)d and %(max)d characters.", min=NAME_MIN, max=NAME_MAX))
    if "@" in name or "://" in name:
        raise FieldRefused("name", _("Use a name, not an address."))
    taken = sa.select(User.id).where(User.name_key == name_key(name))
    team = sa.select(User.id).where(sa.func.lower(User.team) == name.lower())
    own_id = own.id if own else None
    if any(found != own_id for found in db.session.scalars(sa.union(taken, team))):
        raise FieldRefused("name", _("Somebody here has this name already. Add something to yours."))


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="confirm-address")


def _is_test() -> bool:
    return bool(current_app.config["TESTING"] or current_app.config["DEMO"])
