"""What stands in each feed, from what its reader may see at the moment of reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import current_app
from flask_babel import gettext as _
from markupsafe import escape
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.boards.models import Board
from portal.changelog import queries as changelog
from portal.comments.models import Comment
from portal.db import db
from portal.ideas import queries as ideas
from portal.ideas.lists import Filters, list_ideas
from portal.ideas.models import Answer, Idea
from portal.ideas.queries import is_out_for
from portal.notifications import queries as notifications
from portal.notifications.links import absolute_url
from portal.notifications.stories import Story
from portal.notifications.telling import stories_of
from portal.quarters.letters import sentences
from portal.quarters.queries import quarters, report
from portal.roadmap import queries as roadmap
from portal.search import asking
from portal.search.results import ids_of
from portal.text import plain, render_markdown

ITEMS = 30
QUARTERS = 8
LOOKED_THROUGH = 500  # of what answers a search, for the newest
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # of a feed in which nothing stands yet


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened. ``key`` is its name for good, within this portal."""

    key: str
    url: str
    title: str
    html: str
    at: datetime
    edited_at: datetime | None = None
    author: str = ""
    labels: tuple[str, ...] = ()

    @property
    def updated_at(self) -> datetime:
        """When it last said something else."""
        return max(self.at, self.edited_at or self.at)


@dataclass(frozen=True, slots=True)
class Feed:
    """What a reader of feeds is given: at most ``ITEMS`` items, newest first. ``url`` is the page of the same."""

    key: str
    title: str
    url: str
    items: list[Item] = field(default_factory=list)

    @property
    def updated_at(self) -> datetime:
        """When something was last added or changed."""
        return max((item.updated_at for item in self.items), default=BEGINNING)


def ideas_feed(reader: Person, board: Board | None, status: str = "", tag: str = "") -> Feed:
    """Return the newest ideas, on one board or on all that the reader knows, in one status or in any."""
    filters = Filters.read(
        {"sort": "new", "status": status or "all", "tag": tag}, board.slug if board is not None else ""
    )
    rows = list_ideas(reader, filters, limit=ITEMS).rows
    shown = [
        *([filters.status] if filters.status != "all" else []),
        *([filters.tag] if filters.tag else []),
    ]
    title = _("New ideas: %(board)s", board=board.name) if board is not None else _("New ideas")
    page = absolute_url("ideas.board", slug=board.slug) if board is not None else absolute_url("ideas.index")
    where = f"boards/{board.id}" if board is not None else "ideas"
    return Feed("/".join([where, *shown]), title, page, _of_ideas(reader, [row.id for row in rows]))


def search_feed(reader: Person, line: str) -> Feed:
    """Return the newest ideas that answer a search."""
    asked = asking.read(line)
    ids = ids_of(reader, asked, LOOKED_THROUGH) if not asked.is_empty else []
    title = _("New ideas for “%(search)s”", search=str(asked)) if not asked.is_empty else _("New ideas for a search")
    return Feed(f"search/{asked}", title, absolute_url("search.index", q=str(asked)), _of_ideas(reader, ids))


def answers_feed(reader: Person, board: Board | None) -> Feed:
    """Return the newest official answers."""
    said = _answers().join(Idea, Idea.id == Answer.idea_id).where(is_out_for(reader))
    if board is not None:
        said = said.where(Idea.board_id == board.id)
    newest = db.session.scalars(said.order_by(Answer.at.desc(), Answer.id.desc()).limit(ITEMS))
    key = f"boards/{board.id}/answers" if board is not None else "answers"
    title = _("What the team said: %(board)s", board=board.name) if board is not None else _("What the team said")
    return Feed(key, title, absolute_url("ideas.index", sort="answered"), [_of_answer(answer) for answer in newest])


def idea_feed(reader: Person, idea_id: int) -> Feed:
    """Return what happens to one idea: answers, moves without one, and what is said; 404 if it is not the reader's."""
    idea = ideas.get_idea(idea_id, reader)
    answers = db.session.scalars(
        _answers().where(Answer.idea_id == idea.id).order_by(Answer.at.desc(), Answer.id.desc()).limit(ITEMS)
    ).all()
    told = {answer.change_id for answer in answers}
    said = select(Comment).where(Comment.idea_id == idea.id, Comment.deleted_at.is_(None))
    comments = db.session.scalars(
        said.options(joinedload(Comment.author)).order_by(Comment.at.desc(), Comment.id.desc()).limit(ITEMS)
    )
    page = absolute_url("ideas.show", idea_id=idea.id)
    happened = [
        *(_of_answer(answer) for answer in answers),
        *(
            Item(
                f"ideas/{idea.id}/moves/{change.id}",
                page,
                _("%(title)s: %(status)s", title=change.idea.title, status=change.led_to.label),
                str(render_markdown(change.reason)),
                change.at,
                author=change.actor.speaks_as if change.actor else "",
            )
            for change in ideas.status_changes(idea, reader)
            if change.id not in told
        ),
        *(_of_comment(comment, page) for comment in comments),
    ]
    return Feed(f"ideas/{idea.id}", idea.title, page, _newest(happened))


def roadmap_feed(reader: Person, board: Board | None) -> Feed:
    """Return what came onto the roadmap or moved on it; a move makes a new item."""
    shown = roadmap.roadmap_for(reader, board=board, tag="", by_board=False, only_voted=False)
    found = [item for row in shown.rows for cell in row.cells.values() for item in cell]
    items = [
        Item(
            f"roadmap/{item.id}/{item.status}/{item.status_since:%Y%m%dT%H%M%SZ}",
            absolute_url("ideas.show", idea_id=item.id),
            _("%(title)s: %(status)s", title=item.title, status=item.rule.label),
            f"<p>{escape(_('Expected: %(when)s', when=item.expected))}</p>" if item.expected else "",
            item.status_since,
            labels=(item.board_name,),
        )
        for item in found
    ]
    title = _("Roadmap: %(board)s", board=board.name) if board is not None else _("Roadmap")
    return Feed(_key_of("roadmap", board), title, absolute_url("roadmap.index"), _newest(items))


def changelog_feed(reader: Person, board: Board | None) -> Feed:
    """Return what came out."""
    told = changelog.list_entries(reader, board).tellings
    items = [
        Item(
            f"changelog/{telling.id}",
            absolute_url("changelog.show", entry_id=telling.id),
            telling.entry.title,
            telling.entry.body_html + _began_as(telling.ideas),
            telling.entry.published_at,
            telling.entry.edited_at,
            labels=(telling.entry.kind.label,),
        )
        for telling in told
        if telling.entry.published_at
    ]
    title = _("Changelog: %(board)s", board=board.name) if board is not None else _("Changelog")
    return Feed(_key_of("changelog", board), title, absolute_url("changelog.index"), items)


def quarters_feed(reader: Person) -> Feed:
    """Return the quarters that are over, each with what became of it in numbers."""
    items = [
        Item(
            f"quarters/{quarter.name}",
            absolute_url("quarters.show", name=quarter.name),
            _("You said, we did: %(quarter)s", quarter=quarter.label),
            "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences(report(quarter, reader))),
            quarter.ends,
        )
        for quarter in quarters(reader)[1 : 1 + QUARTERS]
    ]
    return Feed("quarters", _("You said, we did"), absolute_url("quarters.index"), items)


def inbox_feed(reader: User) -> Feed:
    """Return what the reader was told, as their inbox has it."""
    newest = notifications.newest_for(reader, ITEMS)
    # An address that asks for no password is no place for what the team says among itself.
    items = [_of_story(story) for story in stories_of(newest, reader) if story.team is None]
    return Feed(f"inbox/{reader.id}", _("Inbox"), absolute_url("notifications.inbox"), items)


def _answers() -> Select[Answer]:
    standing = select(Answer).where(Answer.taken_back_at.is_(None))
    return standing.options(joinedload(Answer.idea), joinedload(Answer.author))


def _of_ideas(reader: Person, ids: Sequence[int]) -> list[Item]:
    """Return these ideas as far as the reader may see them published, newest first."""
    shown = select(Idea).where(is_out_for(reader), Idea.id.in_(ids))
    newest = shown.order_by(Idea.published_at.desc(), Idea.id.desc()).limit(ITEMS)
    loaded = newest.options(joinedload(Idea.author), joinedload(Idea.board))
    return [
        Item(
            f"ideas/{idea.id}",
            absolute_url("ideas.show", idea_id=idea.id),
            idea.title,
            idea.need_html + idea.proposal_html,
            idea.published_at,
            idea.edited_at,
            idea.author.shown_name if idea.author else "",
            (idea.board.name,),
        )
        for idea in db.session.scalars(loaded)
    ]


def _of_answer(answer: Answer) -> Item:
    return Item(
        f"answers/{answer.id}",
        absolute_url("ideas.show", idea_id=answer.idea_id, _anchor="answer-h"),
        _("%(title)s: %(status)s", title=answer.idea.title, status=answer.said_at.label),
        answer.body_html,
        answer.at,
        author=answer.author.speaks_as if answer.author else "",
    )


def _of_comment(comment: Comment, page: str) -> Item:
    return Item(
        f"comments/{comment.id}",
        f"{page}#comment-{comment.id}",
        plain(comment.body, 80),
        with_whole_addresses(comment.body_html),
        comment.at,
        comment.edited_at,
        comment.author.shown_name if comment.author else "",
    )


def with_whole_addresses(html: str) -> str:
    """Return HTML of ours whose links lead here from anywhere."""
    return html.replace('<a href="/', f'<a href="{escape(current_app.config["BASE_URL"])}/')


def _of_story(story: Story) -> Item:
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in story.sentences)
    quote = f"<blockquote>{render_markdown(story.quote)}</blockquote>" if story.quote else ""
    return Item(
        f"inbox/{story.notification.id}",
        absolute_url("ideas.show", idea_id=story.idea.id, _anchor=story.place),
        f"{story.why}: {story.idea.title}",
        quote + words,
        story.notification.at,
        author=story.quoted,
    )


def _began_as(found: Iterable[Idea]) -> str:
    links = [
        f'<li><a href="{escape(absolute_url("ideas.show", idea_id=idea.id))}">{escape(idea.title)}</a></li>'
        for idea in found
    ]
    return f"<p>{escape(_('Began as:'))}</p><ul>{''.join(links)}</ul>" if links else ""


def _newest(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.at, item.key), reverse=True)[:ITEMS]


def _key_of(name: str, board: Board | None) -> str:
    return f"boards/{board.id}/{name}" if board is not None else name
