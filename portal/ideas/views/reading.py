"""Reading ideas: lists, one idea with all that belongs to it, and what happened to it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from portal.accounts.models import Person
from portal.boards.models import Board
from portal.boards.queries import BoardLine, board_lines, find_board, kind_of_reader
from portal.changelog import queries as changelog
from portal.comments import queries as comments
from portal.db import utcnow
from portal.decisions import page as decision_page
from portal.demand import queries as demand
from portal.ideas import followers, lists, merges, queries
from portal.ideas import page as idea_page
from portal.ideas.models import Idea
from portal.ideas.workflow import Category
from portal.links.queries import lineage_of
from portal.notifications.queries import news_for
from portal.promises import queries as promises
from portal.timeline.queries import public_timeline
from portal.verdicts import queries as verdicts
from portal.verdicts.service import ASKED_ABOUT
from portal.web.kept import kept, kept_while_unchanged
from portal.web.paging import cursor, place
from portal.web.responses import is_htmx, page
from portal.web.session import can, viewer

bp = Blueprint("ideas", __name__)


@bp.get("/")
def index() -> Response:
    """Read what people suggest, on all boards."""
    return _list(None)


@bp.get("/boards/<slug>")
def board(slug: str) -> Response:
    """Read what people suggest on one board."""
    return _list(find_board(slug, viewer()) or abort(404))


@bp.get("/ideas/<int:idea_id>")
def show(idea_id: int) -> Response:
    """Read an idea, where it stands, and what is said about it."""
    idea = queries.get_idea(idea_id, viewer())
    return page("ideas/show.html", **_page_of(idea))


@bp.get("/ideas/<int:idea_id>/history")
def history(idea_id: int) -> Response:
    """Read what happened to an idea, and what it said before it was edited."""
    idea = queries.get_idea(idea_id, viewer())
    told = public_timeline(idea, viewer())
    return page("ideas/history.html", idea=idea, happenings=told, revisions=queries.revisions(idea))


def _list(chosen: Board | None) -> Response:
    person = viewer()
    filters = lists.Filters.read(request.args, chosen.slug if chosen else "")
    after = place(request.args.get("after"), lists.KINDS[filters.sort])
    ideas = lists.list_ideas(person, filters, after)
    boards = _boards(person)
    address = url_for(".board", slug=chosen.slug) if chosen else url_for(".index")
    older = cursor(*ideas.next_place) if ideas.next_place else None
    return page(
        "ideas/index.html",
        "ideas/_idea_list.html",
        ideas=ideas,
        filters=filters,
        boards=boards,
        board=chosen,
        address=address,
        after=after,
        older=older,
        mine=lists.count_mine(person),
        choices=lists.Choices(address, filters, tuple(boards), tuple(_tags(boards))),
        total=_total(boards, chosen),
        facts=_facts(boards) | {"just_shipped": [] if is_htmx() else _just_shipped(boards, person)},
        news=None if is_htmx() else news_for(person),
    )


def _boards(person: Person) -> list[BoardLine]:
    return kept_while_unchanged(("boards", *kind_of_reader(person)), partial(board_lines, person))


def _just_shipped(boards: list[BoardLine], person: Person) -> list[lists.Shipped]:
    """Ask it once for all who read the same ideas; where some read only their own, for each of them."""
    if not all(line.is_open for line in boards):
        return lists.just_shipped(person)
    return kept_while_unchanged(("just shipped", *kind_of_reader(person)), partial(lists.just_shipped, person))


def _open(boards: list[BoardLine]) -> tuple[int, ...]:
    """The boards whose figures the viewer may know: what is kept of them is kept for whoever knows the same ones."""
    return tuple(sorted(line.id for line in boards if line.is_open))


def _total(boards: list[BoardLine], chosen: Board | None) -> int | None:
    """How many ideas there are to read; None where that is not the viewer's to know."""
    shown = [line.ideas for line in boards if chosen is None or line.id == chosen.id]
    return sum(number or 0 for number in shown) if any(number is not None for number in shown) else None


def _facts(boards: list[BoardLine]) -> dict[str, Any]:
    """What the home page counts of the portal as a whole; a minute old at most, so no idea is named here."""
    ids = _open(boards)
    return kept(
        ("home", *ids),
        timedelta(minutes=1),
        lambda: {
            "shipped": lists.count_shipped(ids),
            "days": queries.usual_days_to_answer(ids, utcnow() - timedelta(days=90)),
        },
    )


def _tags(boards: list[BoardLine]) -> list[str]:
    ids = _open(boards)
    tags: list[str] = kept(("tags", *ids), timedelta(minutes=1), lambda: queries.tags_in_use(ids))
    return tags


def _page_of(idea: Idea) -> dict[str, Any]:
    person = viewer()
    changes = queries.status_changes(idea, person)
    main = queries.main_of(idea, person)
    ballot, following = followers.ballot_and_following(idea, main or idea, person)
    joined = any(change.into_id == idea.id for change in changes)
    came_out = any(change.idea_id == idea.id and change.target in ASKED_ABOUT for change in changes)
    posted = bool(request.args.get("posted")) and idea.author_id == person.id
    records, standing = decision_page.of_page(idea, person, changes)
    return {
        "idea": idea,
        "main": main,
        "ballot": ballot,
        "following": following,
        "trail": idea_page.trail(idea, changes),
        "lineage": lineage_of(idea, person, votes=ballot.cast),
        "entry": changelog.entry_of(idea, person) if idea.status.category is Category.DONE else None,
        "records": records,
        "standing": standing,
        "promise": promises.standing_of(idea),
        "official": idea_page.official_answer(idea, queries.answers(idea)),
        "helped": _helped(idea, person) if came_out else None,
        "merged": merges.merged_ideas(idea, person) if joined else [],
        "consent": merges.consent_of(idea, person, main),
        "objections": merges.count_objections(idea.id) if idea.merged_into_id else 0,
        "discussion": comments.discussion(idea, person, changes, show_all=bool(request.args.get("all"))),
        "posted": posted,
        "receipts": demand.receipts_of(idea, person) if can("receipt.see", idea) else None,
        "backed": bool(request.args.get("backed")) and person.is_signed_in,
        "days": _facts(_boards(person))["days"] if posted else None,
    }


def _helped(idea: Idea, person: Person) -> verdicts.Standing | None:
    rights = {"may_take_part": can("verdict.give", idea), "reads_words": can("verdict.read", idea)}
    return verdicts.standing_of(idea, person, **rights)
