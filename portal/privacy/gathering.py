"""Gathering everything about one person into one file, in steps, in the background."""

from __future__ import annotations

import json
import logging
import zipfile
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from portal import leases
from portal.accounts.models import Picture, User
from portal.boards.queries import list_boards
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.notifications.links import absolute_url
from portal.notifications.mails.letter import in_language_of
from portal.notifications.service import queue_letter
from portal.options import option
from portal.privacy import files
from portal.privacy.holdings import HOLDINGS, NEVER, Holding
from portal.privacy.models import Export
from portal.privacy.service import EXPORT_LETTER
from portal.transactions import transaction

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=7)
ATTEMPTS = 3
STEPS = len(HOLDINGS) + 2  # one for each kind of thing, one for the account itself, one to close the file
PARTS = 500  # ids in one question


def make_exports() -> int:
    """Gather what was asked for; return how many exports were tried."""
    waits = (Export.done_at.is_(None), Export.given_up_at.is_(None), Export.available_at <= utcnow())
    if db.session.scalar(select(Export.id).where(*waits).limit(1)) is None:
        return 0
    ids = leases.claim(Export, 1)
    if ids:
        named = db.session.scalars(select(Export.file).where(Export.file.is_not(None)))
        files.remove_left_over({name for name in named if name})
    for export_id in ids:
        try:
            _gather(export_id)
        except Exception as error:
            log.exception("export %s failed", export_id)
            with transaction(wake=False):
                export = db.session.get(Export, export_id)
                if export is not None:
                    export.put_back(f"{type(error).__name__}: {error}", ATTEMPTS)
    return len(ids)


def remove_old_exports() -> int:
    """Delete the files of exports that were kept for a week; return how many."""
    done, old = 0, select(Export.id).where(Export.file.is_not(None), Export.expires_at <= utcnow())
    for export_id in list(db.session.scalars(old)):
        with transaction(wake=False):
            export = db.session.get(Export, export_id)
            if export is not None:
                files.remove(export)
                done += 1
    return done


def _gather(export_id: int) -> None:
    user = db.session.get_one(Export, export_id).user
    if user.is_former:  # left after asking
        with transaction(wake=False):
            db.session.delete(db.session.get_one(Export, export_id))
        return
    name, opened = files.create()
    try:
        with opened, zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as pack, in_language_of(user):
            pack.writestr("account.json", _written([_account(user)]))
            _step(export_id, 1)
            for number, holding in enumerate(HOLDINGS, start=2):
                rows = _rows(holding, user)
                if rows:
                    pack.writestr(f"{holding.section}.json", _written(rows))
                _step(export_id, number)
            if picture := db.session.get(Picture, user.id):
                pack.writestr("picture.webp", picture.image)
            pack.writestr("README.txt", _readme([*pack.namelist(), "README.txt"]))
        with transaction():
            _finish(export_id, name)
    except BaseException:
        (files.folder() / name).unlink(missing_ok=True)
        raise


def _step(export_id: int, done: int) -> None:
    """Note how far it is, and hold the work a little longer."""
    with transaction(wake=False):
        export = db.session.get_one(Export, export_id)
        export.steps, export.steps_done, export.locked_until = STEPS, done, utcnow() + leases.LEASE


def _finish(export_id: int, name: str) -> None:
    export = db.session.get_one(Export, export_id)
    export.steps_done, export.file = STEPS, name
    export.size = (files.folder() / name).stat().st_size
    export.done_at = utcnow()
    export.expires_at = export.done_at + KEPT_FOR
    export.locked_until = export.locked_by = export.error = None
    user = export.user
    queue_letter(EXPORT_LETTER, to=user.email, user=user, data={"export": export.id}, rationed=False)


def _account(user: User) -> dict[str, Any]:
    return {column.key: getattr(user, column.key) for column in User.__table__.columns if column.key not in NEVER}


def _rows(holding: Holding, user: User) -> list[dict[str, Any]]:
    """Return the rows that refer to the user, each with the names of what its numbers stand for."""
    table = holding.model.__table__
    keys = [column.key for column in table.columns if column.key in holding.only] if holding.only else _all(holding)
    order = list(table.primary_key.columns)
    found = db.session.execute(
        select(*(table.c[key] for key in keys)).where(holding.column == user.id).order_by(*order)
    )
    rows = [dict(row._mapping) for row in found]
    if holding.section == "security_log":
        _hide_other_hands(rows, user)
    return _named(rows, user, own_ideas=holding.model is Idea)


def _all(holding: Holding) -> list[str]:
    out = {*NEVER, *holding.leaves_out, holding.column.key}
    kept = [column.key for column in holding.model.__table__.columns if column.key not in out]
    return [key for key in kept if not key.endswith("_html")]


def _hide_other_hands(rows: list[dict[str, Any]], user: User) -> None:
    """Keep back where others were when they did something to this account."""
    for row in rows:
        row["by"] = _("you") if row["actor_id"] == user.id else _("the portal or its team")
        if row.pop("actor_id") != user.id:
            row["address"] = row["browser"] = ""


def _named(rows: list[dict[str, Any]], user: User, own_ideas: bool) -> list[dict[str, Any]]:
    """Add titles and addresses of ideas the user may see, and names of boards."""
    key = "id" if own_ideas else "idea_id"
    wanted = sorted({row[key] for row in rows if row.get(key)})
    titles: dict[int, str] = {}
    for begin in range(0, len(wanted), PARTS):
        part = ideas_visible_to(user).where(Idea.id.in_(wanted[begin : begin + PARTS]))
        titles |= {idea.id: idea.title for idea in db.session.scalars(part)}
    boards: dict[int, str] = {}
    if rows and "board_id" in rows[0]:
        boards = {board.id: board.name for board in list_boards(user)}
    for row in rows:
        if row.get(key) in titles:
            row["idea"] = titles[row[key]]
            row["web_address"] = absolute_url("ideas.show", idea_id=row[key])
        if row.get("board_id") in boards:
            row["board"] = boards[row["board_id"]]
    return rows


def _written(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=1, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"no {type(value).__name__} goes into an export")


def _readme(names: list[str]) -> str:
    """Say in plain words what is in the file."""
    about = sections()
    lines = [
        _("Everything %(portal)s holds about you", portal=option("name")),
        "",
        _("Each file holds one kind of thing, in a form that people and programs can read (JSON)."),
        _("Times are in UTC. What is not here is not held, or is a secret that proves who you are."),
        "",
        *(f"{name}: {about.get(name.partition('.')[0], '')}".rstrip(": ") for name in sorted(names)),
    ]
    return "\r\n".join(str(line) for line in lines) + "\r\n"


def sections() -> dict[str, str]:
    """Return what each file of an export holds, in words."""
    return {
        "account": _("your name, address, preferences and dates"),
        "ideas": _("the ideas you posted"),
        "ideas_before_edits": _("what ideas said before you changed them"),
        "comments": _("what you wrote in discussions"),
        "comments_before_edits": _("what your comments said before you changed them"),
        "votes": _("what you voted for, and when"),
        "votes_given_for_others": _("when you voted for somebody else, for the team"),
        "votes_not_counted": _("votes of yours that do not count for now"),
        "votes_set_aside": _("votes of others that you set aside, and why"),
        "belonging": _("whether you count for an organisation, and how that came about"),
        "belonging_decided": _("when you said for which organisation others count"),
        "organisations_spoken_for": _("when you put an organisation behind an idea, and how you knew"),
        "segments": _("groups that the team put you in by hand"),
        "scores_given": _("when you gave ideas a score for the team"),
        "merges_objected_to": _("where you said “this is not what I meant”, and your words"),
        "still_needed": _("what was declined and you still need, and your words"),
        "decisions": _("decisions you made for the team, and what you weighed"),
        "comments_that_name_you": _("comments that call you by name"),
        "edited_comments_that_named_you": _("how comments called you before they were changed"),
        "found_helpful": _("comments that you marked as helpful"),
        "follows": _("ideas you follow, and why"),
        "backed_instead_of_posting": _("ideas you backed instead of posting, and how yours differ"),
        "draft": _("an idea you began and have not posted"),
        "inbox": _("what the portal told you"),
        "when_you_are_reached": _(
            "how often a digest comes, how many mails a day, your quiet hours, and whether you asked for a pause"
        ),
        "next_digest": _("when your next digest is due"),
        "digests": _("when digests were made for you"),
        "unwanted_letters": _("letters that come by turns and that you do not want"),
        "what_reaches_you": _("which news come to you by mail, at once or in the digest"),
        "what_reaches_you_from_boards": _("where you chose otherwise for single boards"),
        "kept_searches": _("searches you keep"),
        "private_feeds": _("when you made the address of your own feeds"),
        "browsers_told_at_once": _("browsers in which the portal tells you things at once"),
        "told_at_once": _("messages to these browsers: when, and of what kind"),
        "verdicts": _("what you said of things that came out: whether they solved your need, and why"),
        "ideas_put_aside": _("ideas you snoozed in triage or were done with"),
        "idea_looked_at": _("the idea you looked at last in triage"),
        "mails": _("which mails were sent to you, and when"),
        "mails_you_sent_us": _("when you replied to a mail, and what became of that"),
        "signed_in_devices": _("browsers in which you are signed in"),
        "known_browsers": _("when browsers you have used before were last seen"),
        "linked_sign_ins": _("accounts elsewhere that you sign in with"),
        "passkeys": _("the names of your passkeys, and when they were used"),
        "authenticator": _("when you set up codes from an app"),
        "recovery_codes": _("when your recovery codes were made and used"),
        "mailed_links": _("links that were mailed to you, without what made them work"),
        "agreements": _("the versions of the rules you agreed to"),
        "security_log": _("what happened to your account, from which address and browser"),
        "acts_on_other_accounts": _("what you did that concerned accounts"),
        "places_on_boards": _("boards you were added to"),
        "places_given_to_others": _("when you added others to boards"),
        "invitations_sent": _("whom you invited"),
        "invitation_accepted": _("the invitation you came by"),
        "parts_in_what_came_out": _("what you had a part in, and whether it may name you"),
        "being_named": _("what you want done with your name in the changelog"),
        "changelog_entries": _("entries of the changelog that you began"),
        "changelog_scheduled": _("entries of the changelog that come out at a moment you chose"),
        "exports": _("when you asked for files like this one"),
        "picture": _("your picture, and when it was made"),
        "official_answers": _("answers you gave for the team"),
        "status_changes": _("ideas whose status you changed"),
        "workflows": _("statuses and moves that you changed or proposed to change, and why"),
        "teams": _("teams you are part of"),
        "ideas_tied_together": _("links between ideas that you made"),
        "needs_backed": _("needs you stand behind, while you want another solution"),
        "acts_on_many_ideas": _("what you did for the team with many ideas at once"),
        "ideas_looked_after": _("ideas you look after for the team"),
        "lines_hidden": _("when you hid what somebody wrote to the team"),
        "searches_set_aside": _("what you decided about searches for the team"),
        "duplicates_proposed": _("ideas you proposed as duplicates, and why"),
        "pairs_decided": _("pairs of ideas you decided on"),
        "verdicts_on_duplicates": _("what you said of pairs of ideas, or to a merge"),
        "notes_for_the_team": _("notes you left for colleagues on ideas"),
        "notes_that_name_you": _("how notes for the team call you"),
        "answers_drafted": _("answers you drafted for the team"),
        "drafts_edited": _("drafts of answers that you worked on"),
        "drafts_to_look_at": _("drafts you were asked to look at"),
        "drafts_planned": _("drafts you planned to go out at a moment"),
        "words_about_drafts": _("what you said about drafts of colleagues"),
        "wording_kept": _("wording you keep for answers"),
        "comments_removed": _("when you removed comments"),
        "journal": _("the portal's record of what you did"),
        "README": _("this file"),
    }
