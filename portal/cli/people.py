"""Commands about accounts."""

from __future__ import annotations

import secrets
import sys

import click

from portal.accounts import queries, service
from portal.accounts.passwords import LONGEST, SHORTEST
from portal.accounts.roles import Role
from portal.credentials import factors
from portal.opening import opened
from portal.security.log import note
from portal.transactions import transaction


@click.group()
def user() -> None:
    """Make accounts, and mend them."""


@user.command()
@click.option("--email", required=True, help="The address to sign in with.")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="member", show_default=True)
@click.option("--team", help="The team whose name stands over official answers.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
def create(email: str, name: str, role: str, team: str | None, password_stdin: bool) -> None:
    """Make an account with any role, its address taken as confirmed.

    Asks for a password of at least 15 characters without showing it. With an empty one, or where nobody can be asked, a
    password is made up and printed, once. The rules are for the person to agree to at the first sign-in.
    """
    with opened():
        chosen = _read_password() if password_stdin else _ask_for_password()
        password = chosen or secrets.token_urlsafe(18)
        with transaction():
            made = service.create_user(email=email, name=name, role=Role(role), team=team, password=password)
            shown = f"{made.name} ({made.role.label}) can sign in as {made.email}."
    click.echo(shown)
    if not chosen:
        click.echo(f"Password: {password}")


@user.command("remove-second-step")
@click.option("--email", required=True, help="The address of the account.")
def remove_second_step(email: str) -> None:
    """Take all passkeys, apps and recovery codes from somebody who lost them.

    Their sessions end and a mail tells them. Make sure before that it is really they who ask.
    """
    with opened():
        found = queries.find_by_email(email)
        if found is None:
            raise click.UsageError(f"There is no account with the address {email}.")
        with transaction():
            factors.remove_all(found, None)
            shown = f"{found.name} signs in without a second step now."
    click.echo(shown)


@user.command("role")
@click.option("--email", required=True, help="The address of the account.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What it is from now on.")
def give_role(email: str, role: str) -> None:
    """Give an account another role, an owner's too: in the portal nobody acts on their own rank.

    It holds with the next request of every browser. The last owner stays one.
    """
    with opened():
        found = queries.find_by_email(email)
        if found is None:
            raise click.UsageError(f"There is no account with the address {email}.")
        with transaction():
            service.set_role(found, Role(role), None)
            note("role.changed", user=found, after=role, by="operator")
            shown = f"{found.name} is now: {found.role.label}."
    click.echo(shown)


def _read_password() -> str:
    password = sys.stdin.readline(LONGEST + 2).rstrip("\r\n")
    if not password:
        raise click.UsageError("There is no password on stdin.")
    return password


def _ask_for_password() -> str:
    if not sys.stdin.isatty():
        return ""
    asked = f"Password, at least {SHORTEST} characters (empty: make one up)"
    password: str = click.prompt(
        asked, hide_input=True, confirmation_prompt="The same again", default="", show_default=False
    )
    return password
