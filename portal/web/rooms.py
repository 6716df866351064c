"""The rooms of those who run the portal, by what they are about; and which of them a page is in."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.web.session import can


@dataclass(frozen=True, slots=True)
class Room:
    """One room: where it is, what it is called, what one does there, and who may."""

    endpoint: str
    label: LazyString
    words: LazyString
    permission: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rooms that are about one thing."""

    label: LazyString
    rooms: tuple[Room, ...]


GROUPS = (
    Group(
        _l("People"),
        (
            Room(
                "membership.people", _l("People"), _l("Find somebody, change a role, suspend or let in."), "people.see"
            ),
            Room("membership.invitations", _l("Invitations"), _l("Ask people in by mail."), "invitation.send"),
            Room("teams.index", _l("Teams"), _l("Who owns which ideas together."), "team.manage"),
            Room(
                "organisations.index",
                _l("Organisations"),
                _l("Customers, and who belongs to them."),
                "organisation.manage",
            ),
            Room(
                "organisations.list_segments",
                _l("Segments"),
                _l("Groups of people whose votes are counted."),
                "organisation.manage",
            ),
        ),
    ),
    Group(
        _l("Coming in"),
        (
            Room("membership.membership", _l("Membership"), _l("Who may read, and who may join."), "options.decide"),
            Room("credentials.signing_in", _l("Signing in"), _l("Who must prove a second factor."), "sign_in.decide"),
            Room(
                "sso.list_providers",
                _l("Sign-on providers"),
                _l("Signing in with an account from elsewhere."),
                "sso.manage",
            ),
        ),
    ),
    Group(
        _l("The portal"),
        (
            Room(
                "membership.portal",
                _l("Name and question"),
                _l("What the portal is called and asks."),
                "options.decide",
            ),
            Room("boards.index", _l("Boards"), _l("What ideas are about, and who sees them."), "board.manage"),
            Room("membership.rules", _l("Community rules"), _l("What everybody agrees to."), "rules.publish"),
            Room("membership.privacy", _l("Privacy notice"), _l("What is kept of people, and why."), "rules.publish"),
        ),
    ),
    Group(
        _l("Workflow"),
        (
            Room("workflows.index", _l("Workflow"), _l("Statuses, moves, and who hears of them."), "workflow.propose"),
            Room(
                "promises.days",
                _l("Working days and clocks"),
                _l("When boards work, and how long they may take."),
                "board.manage",
            ),
            Room(
                "decisions.reasons",
                _l("Reasons for decisions"),
                _l("What the team picks from when it decides."),
                "options.decide",
            ),
            Room(
                "verdicts.rules",
                _l("Asking whether it helped"),
                _l("When people are asked, and what follows."),
                "verdict.rules",
            ),
        ),
    ),
    Group(
        _l("Ideas"),
        (
            Room("scores.index", _l("Ideas by score"), _l("What is worth doing first."), "triage.read"),
            Room("scores.formula", _l("Score"), _l("What the score is made of."), "options.decide"),
            Room(
                "demand.searched",
                _l("What people looked for"),
                _l("Searches, and those that found nothing."),
                "search.staff",
            ),
            Room(
                "synonyms.list_synonyms",
                _l("Words that mean the same"),
                _l("So that one word finds the other."),
                "options.decide",
            ),
        ),
    ),
    Group(
        _l("Mail"),
        (
            Room("notifications.mails", _l("Mails"), _l("What was sent, waits, or did not get through."), "outbox.see"),
            Room(
                "notifications.health",
                _l("Mail and outbox"),
                _l("Whether mail goes out, and what was set aside."),
                "outbox.see",
            ),
            Room(
                "membership.mail_test", _l("Test the mail"), _l("Send one to yourself, step by step."), "options.decide"
            ),
            Room(
                "quarters.readers",
                _l("The quarter by mail"),
                _l("Who gets the figures of each quarter."),
                "options.decide",
            ),
        ),
    ),
    Group(
        _l("Security"),
        (
            Room("security.index", _l("Security log"), _l("Who did what to accounts and settings."), "security.see"),
            Room("security.limits", _l("Limits"), _l("How much one person or network may do."), "security.see"),
        ),
    ),
)


def init_app(app: Flask) -> None:
    """Let the pages of those who run the portal list the rooms."""
    app.jinja_env.globals.update(room_groups=groups, room_here=here)


def groups() -> list[Group]:
    """Return the groups with the rooms that the viewer may enter; none is empty."""
    entered = (Group(group.label, tuple(room for room in group.rooms if can(room.permission))) for group in GROUPS)
    return [group for group in entered if group.rooms]


def here() -> Room | None:
    """Return the room that the page is in: its own page, or one below it."""
    for room in (room for group in GROUPS for room in group.rooms):
        address = url_for(room.endpoint)
        if request.path == address or request.path.startswith(f"{address}/"):
            return room
    return None
