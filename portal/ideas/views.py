"""Reading and posting ideas, and standing behind them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, abort, current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.accounts.models import Person, User
from portal.accounts.roles import TRUSTED
from portal.boards.models import Board
from portal.boards.queries import BoardLine, board_lines, find_board, kind_of_reader, list_boards
from portal.changelog import queries as changelog
from portal.comments import queries as comments
from portal.db import db, utcnow
from portal.decisions import page as decision_page
from portal.demand import queries as demand
from portal.demand.models import Origin
from portal.errors import Refusal
from portal.extensions import limiter
from portal.ideas import followers, lists, merges, queries, service, supporters
from portal.ideas import page as idea_page
from portal.ideas.forms import IdeaForm, NewIdeaForm
from portal.ideas.models import Idea
from portal.ideas.workflow import Category, Publication
from portal.links.models import Kind
from portal.links.queries import lineage_of
from portal.links.service import spring_from
from portal.notifications.queries import news_for
from portal.promises import queries as promises
from portal.search.queries import guess_board, is_worth_comparing, similar_ideas
from portal.text import clean_text
from portal.timeline.queries import public_timeline
from portal.transactions import transaction
from portal.verdicts import queries as verdicts
from portal.verdicts.service import ASKED_ABOUT
from portal.web.kept import kept, kept_while_unchanged
from portal.web.limits import LIMITS, per_person
from portal.web.paging import cursor, place
from portal.web.responses import fragment, go_to, is_htmx, page, swap
from portal.web.sent import this_form
from portal.web.session import authorize, can, member, viewer

bp = Blueprint("ideas", __name__)

VOTERS = 100  # on a page


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


@bp.route("/ideas/new", methods=["GET", "POST"])
def new() -> Response:
    """Write an idea down, seeing similar ones; what another form sends here stands in this one again."""
    form = _new_form()
    if request.method == "POST":
        return _form_page(form)
    title = request.args.get("title", "")
    source = _source(request.args.get("from"))
    if source:
        form.process(data=_springing(*source))
        return _form_page(form)
    draft = queries.draft_of(viewer())
    if draft and title.strip() in {"", draft.title.strip()}:
        form.process(
            data={
                "title": draft.title,
                "need": draft.need,
                "proposal": draft.proposal,
                "board": draft.board,
                "follow": True,
            }
        )
    else:
        form.process(data={"title": title[:1000], "board": request.args.get("board", ""), "follow": True})
    return _form_page(form, draft=draft)


@bp.post("/ideas")
@limiter.limit(LIMITS["ideas.create"], key_func=per_person)
def create() -> Response:
    """Post an idea."""
    authorize("idea.submit")
    form = _new_form()
    if not form.validate_on_submit():
        return _form_page(form, 422)
    similar = similar_ideas(viewer(), form.title.data, form.need.data)
    if similar and not form.checked.data:  # who types with scripts has seen them
        return _form_page(form, asked_first=True)
    author = member()
    chosen = find_board(form.board.data or guess_board(similar), author) or _boards_open_to(author)[0]
    authorize("idea.submit", chosen)
    with transaction():
        sent = this_form()
        idea = sent.earlier(Idea)
        if idea is None or idea.publication is Publication.REMOVED:
            idea = _submit(author, chosen, form)
            sent.made = idea.id
    return go_to(url_for(".show", idea_id=idea.id, posted=1))


@bp.post("/ideas/draft")
def save_draft() -> Response:
    """Keep what is in the form for later."""
    authorize("account.use")
    form = request.form
    with transaction(wake=False):
        service.save_draft(
            member(),
            title=form.get("title", ""),
            need=form.get("need", ""),
            proposal=form.get("proposal", ""),
            board=form.get("board", ""),
        )
    return swap(fragment("ideas/_draft_saved.html", at=utcnow()), otherwise=url_for(".new"))


@bp.post("/ideas/draft/discard")
def discard_draft() -> Response:
    """Throw the draft away."""
    authorize("account.use")
    with transaction(wake=False):
        service.discard_draft(member())
    return go_to(url_for(".new", fresh=1))


@bp.route("/ideas/<int:idea_id>/edit", methods=["GET", "POST"])
def edit(idea_id: int) -> Response:
    """Say an idea better; what stood there before is kept."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("idea.edit", idea)
    form = IdeaForm(obj=idea)
    if form.validate_on_submit():
        with transaction():
            service.edit_idea(idea, member(), title=form.title.data, need=form.need.data, proposal=form.proposal.data)
        return go_to(url_for(".show", idea_id=idea.id), notice=_("Saved. Earlier wording stays readable."))
    return page("ideas/edit.html", status=422 if form.errors else 200, form=form, idea=idea)


@bp.get("/ideas/<int:idea_id>/history")
def history(idea_id: int) -> Response:
    """Read what happened to an idea, and what it said before it was edited."""
    idea = queries.get_idea(idea_id, viewer())
    told = public_timeline(idea, viewer())
    return page("ideas/history.html", idea=idea, happenings=told, revisions=queries.revisions(idea))


@bp.route("/ideas/<int:idea_id>/remove", methods=["GET", "POST"])
def remove(idea_id: int) -> Response:
    """Take one's own idea back."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("idea.remove", idea)
    if request.method != "POST":
        return page("ideas/remove.html", idea=idea)
    with transaction():
        service.remove_idea(idea, member())
    return go_to(url_for(".index"), notice=_("Your idea is gone."))


@bp.post("/ideas/<int:idea_id>/vote")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def vote(idea_id: int) -> Response:
    """Back an idea."""
    idea = _idea_behind(idea_id)
    authorize("idea.vote", idea)
    with transaction():
        service.cast_vote(idea, member())
    return _show_ballot(idea, _("Voted."))


@bp.post("/ideas/<int:idea_id>/vote/withdraw")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def withdraw_vote(idea_id: int) -> Response:
    """Take one's vote back."""
    idea = _idea_behind(idea_id)
    authorize("idea.vote", idea)
    with transaction():
        service.withdraw_vote(idea, member())
    return _show_ballot(idea, _("Vote taken back."))


@bp.post("/ideas/<int:idea_id>/follow")
def follow(idea_id: int) -> Response:
    """Be told of changes."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("idea.follow", idea)
    with transaction():
        service.follow(idea, member())
    return _show_following(idea, _("You will hear when this idea moves."))


@bp.post("/ideas/<int:idea_id>/unfollow")
def unfollow(idea_id: int) -> Response:
    """Be told no more."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("idea.follow", idea)
    with transaction():
        service.unfollow(idea, member())
    return _show_following(idea, _("You will hear no more of this idea."))


@bp.get("/ideas/<int:idea_id>/voters")
def voters(idea_id: int) -> Response:
    """See who is behind an idea."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("votes.see_names", idea)
    after = place(request.args.get("after"), (datetime, int))
    found = supporters.voters(idea, after, VOTERS + 1)
    last = found[VOTERS - 1] if len(found) > VOTERS else None
    older = cursor(last.cast_at, last.user.id) if last else None
    return page("ideas/voters.html", idea=idea, voters=found[:VOTERS], older=older, is_first=after is None)


@bp.route("/ideas/<int:idea_id>/voters/<int:user_id>/address", methods=["GET", "POST"])
def address(idea_id: int, user_id: int) -> Response:
    """Read the mail address of somebody behind an idea, for a reason that is written down."""
    idea = queries.get_idea(idea_id, viewer())
    authorize("votes.reveal_mail", idea)
    person = supporters.get_voter(idea, user_id)
    if person.is_former:
        abort(404)
    reason, shown = clean_text(request.form.get("reason"))[:500], ""
    if request.method == "POST" and len(reason) >= 10:
        with transaction():
            shown = service.reveal_address(idea, person, member(), reason)
    refused = request.method == "POST" and not shown
    return page("ideas/address.html", status=422 if refused else 200, idea=idea, person=person, reason=reason,
                shown=shown, refused=refused)  # fmt: skip


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
        tags=_tags(boards),
        total=_total(boards, chosen),
        facts=_facts(boards) | {"just_shipped": [] if is_htmx() else lists.just_shipped(person)},
        news=None if is_htmx() else news_for(person),
    )


def _boards(person: Person) -> list[BoardLine]:
    return kept_while_unchanged(("boards", *kind_of_reader(person)), partial(board_lines, person))


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


def _boards_open_to(person: Person) -> list[Board]:
    boards = list_boards(person)
    if not boards:
        raise Refusal(_("There is no board for ideas yet. An admin has to open one first."))
    return [board for board in boards if can("idea.submit", board)] or boards


def _new_form() -> NewIdeaForm:
    form = NewIdeaForm()
    form.offer_boards([(board.slug, board.name) for board in _boards_open_to(viewer())])
    return form


def _form_page(form: NewIdeaForm, status: int = 200, *, draft: Any = None, asked_first: bool = False) -> Response:
    title, need = form.title.data or "", form.need.data or ""
    looked = is_worth_comparing(title)
    ideas = similar_ideas(viewer(), title, need) if looked else []
    guessed = not form.board.data and looked and len(form.board.choices) > 1
    if guessed:
        form.board.data = guess_board(ideas)
    return page(
        "ideas/new.html",
        status=status,
        form=form,
        ideas=ideas,
        backings=demand.backings(
            [idea.row.ballot for idea in ideas], viewer(), title, Origin.STEP if asked_first else Origin.TYPED, True
        ),
        looked=looked,
        draft=draft,
        source=_source(form.springs.data),
        asked_first=asked_first,
        guessed=guessed and bool(form.board.data),
    )


def _submit(author: User, chosen: Board, form: NewIdeaForm) -> Idea:
    words = {"title": form.title.data, "need": form.need.data, "proposal": form.proposal.data}
    idea = service.submit_idea(author, chosen, held=_is_held(author, chosen), **words)
    if not form.follow.data:
        service.unfollow(idea, author)
    if source := _source(form.springs.data):
        spring_from(idea, source[1], source[0], author)
    service.discard_draft(author)
    return idea


def _source(springs: str | None) -> tuple[Kind, Idea] | None:
    """Return what a new idea answers or builds on, if its author may know of it: ``solves-12``."""
    kind, _dash, number = (springs or "").rpartition("-")
    if kind not in {Kind.SOLVES, Kind.BUILDS_ON} or queries.number_in(number) is None:
        return None
    found = queries.ideas_visible_to(viewer()).where(Idea.id == queries.number_in(number))
    source = db.session.scalar(found.where(Idea.merged_into_id.is_(None)))
    return (Kind(kind), source) if source and not source.board.one_way else None


def _springing(kind: Kind, source: Idea) -> dict[str, Any]:
    """Return what the form of such an idea begins with: where it builds on another one, the words of that."""
    words = {"title": source.title, "need": source.need, "proposal": source.proposal}
    begun: dict[str, Any] = {"springs": f"{kind}-{source.id}", "board": source.board.slug, "follow": True}
    return begun | (words if kind is Kind.BUILDS_ON else {})


def _idea_behind(idea_id: int) -> Idea:
    """Return the idea for which a vote counts, of a merged one the main idea, or answer 404."""
    idea = queries.get_idea(idea_id, viewer())
    return queries.get_idea(idea.merged_into_id, viewer()) if idea.merged_into_id else idea


def _is_held(author: User, board: Board) -> bool:
    unknown = author.trusted_at is None and not author.is_one_of(TRUSTED, board.id)
    return bool(current_app.config["HOLD_FIRST_POST"]) and unknown


def _show_ballot(idea: Idea, done: str) -> Response:
    ballot = supporters.ballot(idea, viewer())
    votes = ngettext("%(num)d vote.", "%(num)d votes.", ballot.votes)
    large, mini = request.args.get("large") == "1", request.args.get("in") == "line"
    return swap(
        fragment("ideas/_vote_button.html", ballot=ballot, large=large, mini=mini),
        *(_beside_the_vote(idea, ballot) if large else []),
        otherwise=url_for(".show", idea_id=idea.id),
        trigger="idea:votes-changed",
        said=f"{done} {votes}",
    )


def _beside_the_vote(idea: Idea, ballot: supporters.Ballot) -> list[Markup]:
    """What else on the page of the idea a vote changes."""
    following = followers.following(idea, viewer())
    return [
        fragment("ideas/_follow_button.html", following=following, oob=True),
        fragment("ideas/_backers.html", ballot=ballot, oob=True),
        fragment(
            "ideas/_action_bar.html", ballot=ballot, following=following, open=idea.takes_comments(utcnow()), oob=True
        ),
    ]


def _show_following(idea: Idea, done: str) -> Response:
    return swap(
        fragment("ideas/_follow_button.html", following=followers.following(idea, viewer())),
        otherwise=url_for(".show", idea_id=idea.id),
        notice=done,
    )
