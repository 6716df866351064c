"""Writing an idea down, saying it better, and taking it back."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.models import Person, User
from portal.accounts.roles import TRUSTED
from portal.boards.models import Board
from portal.boards.queries import find_board, list_boards
from portal.db import db, utcnow
from portal.demand import queries as demand
from portal.demand.models import Origin
from portal.errors import Refusal
from portal.extensions import limiter
from portal.ideas import queries, service
from portal.ideas.forms import IdeaForm, NewIdeaForm
from portal.ideas.models import Idea
from portal.ideas.views.reading import bp
from portal.ideas.workflow import Publication
from portal.links.models import Kind
from portal.links.service import spring_from
from portal.search.queries import guess_board, is_worth_comparing, similar_ideas
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.once import this_form
from portal.web.responses import fragment, go_to, page, swap
from portal.web.session import authorize, can, member, viewer


@bp.route("/ideas/new", methods=["GET", "POST"])
def new() -> Response:
    """Write an idea down, seeing similar ones; what another form sends here stands in this one again."""
    if viewer().is_signed_in and member().is_approved and not can("idea.submit"):
        authorize("idea.submit")  # whoever only reads learns it before they type
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
    """Post an idea; a guest whose words cannot be posted hears so before they are asked to sign in."""
    if not viewer().is_signed_in and list_boards(viewer()) and not IdeaForm().validate_on_submit():
        form = _new_form()
        form.validate()
        return _form_page(form, 422)
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


def _is_held(author: User, board: Board) -> bool:
    unknown = author.trusted_at is None and not author.is_one_of(TRUSTED, board.id)
    return bool(current_app.config["HOLD_FIRST_POST"]) and unknown
