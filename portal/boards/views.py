"""Making boards, and deciding who may know of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.models import User
from portal.accounts.queries import find_by_name_or_email
from portal.accounts.roles import BOARD_ROLES, Role
from portal.boards import queries, service
from portal.boards.forms import AUDIENCES, BoardForm, PlaceForm
from portal.boards.models import Board
from portal.boards.service import AddressTaken, narrows
from portal.changelog.queries import speaks_of
from portal.errors import Refusal
from portal.ideas.queries import holds_ideas
from portal.notifications import leaving
from portal.transactions import transaction
from portal.web.once import made_once
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer

bp = Blueprint("boards", __name__, url_prefix="/admin/boards")


@bp.get("")
def index() -> Response:
    """See all boards, and who may know of each."""
    authorize("board.manage")
    return page("boards/index.html", boards=queries.list_boards(viewer()), audiences=AUDIENCES)


@bp.get("/new")
def new() -> Response:
    """Plan a board."""
    authorize("board.manage")
    return page("boards/edit.html", form=BoardForm(formdata=None), board=None, warnings=[])


@bp.post("")
def create() -> Response:
    """Open a board."""
    authorize("board.manage")
    form = BoardForm()
    if form.validate_on_submit():
        try:
            with transaction():
                board = made_once(Board, lambda: service.make_board(form.details(), member()))
            return go_to(url_for(".index"), notice=_("The board %(name)s is open.", name=board.name))
        except AddressTaken as taken:
            form.slug.errors = [taken.message]
    return page("boards/edit.html", status=422, form=form, board=None, warnings=[])


@bp.route("/<int:board_id>", methods=["GET", "POST"])
def edit(board_id: int) -> Response:
    """Change a board; whoever would lose sight of it is spoken of first."""
    authorize("board.manage")
    board = _board(board_id)
    form = BoardForm(obj=board)
    if request.method == "GET":
        form.audience.data = board.audience.value
    if form.validate_on_submit():
        details = form.details()
        read_for = f"{details.audience.value} {details.one_way}"
        if narrows(board.audience, board.one_way, details.audience, details.one_way) and form.sure.data != read_for:
            form.sure.data = read_for
            return page("boards/edit.html", form=form, board=board, warnings=_warnings(board, details))
        try:
            with transaction():
                service.edit_board(board, details, member())
            return go_to(url_for(".index"), notice=_("Saved. It holds from this moment on."))
        except AddressTaken as taken:
            form.slug.errors = [taken.message]
    return page("boards/edit.html", status=422 if form.errors else 200, form=form, board=board, warnings=[])


@bp.route("/<int:board_id>/delete", methods=["GET", "POST"])
def delete(board_id: int) -> Response:
    """Take an empty board away."""
    authorize("board.manage")
    board = _board(board_id)
    if request.method != "POST":
        return page("boards/delete.html", board=board, empty=not holds_ideas(board) and not speaks_of(board))
    with transaction():
        if holds_ideas(board):
            raise Refusal(_("Ideas were posted on this board, so it stays. You can make it private instead."))
        if speaks_of(board):
            raise Refusal(_("The changelog speaks of this board, so it stays. You can make it private instead."))
        service.remove_board(board, member())
    return go_to(url_for(".index"), notice=_("The board is gone."))


@bp.get("/<int:board_id>/people")
def people(board_id: int) -> Response:
    """See who is on a board's list, and what they are there."""
    authorize("board.people")
    prove_again()
    return _people_page(_board(board_id), PlaceForm(formdata=None))


@bp.post("/<int:board_id>/people")
def add(board_id: int) -> Response:
    """Put somebody who has an account on the list."""
    authorize("board.people")
    prove_again()
    board, form = _board(board_id), PlaceForm()
    if not form.validate_on_submit():
        return _people_page(board, form, 422)
    user = find_by_name_or_email(form.who.data)
    if user is None:
        form.who.errors = [_("Nobody with this name or address has an account. Invite them first.")]
        return _people_page(board, form, 422)
    authorize("board.rank", form.rank)
    with transaction():
        service.give_place(board, user, form.rank, member())
    return go_to(url_for(".people", board_id=board.id), notice=_("%(name)s is on the list.", name=user.name))


@bp.post("/<int:board_id>/people/<int:user_id>")
def rank(board_id: int, user_id: int) -> Response:
    """Give somebody on the list another rank there."""
    authorize("board.people")
    prove_again()
    board, user = _place(board_id, user_id)
    name = request.form.get("role", "")
    role = Role(name) if name in set(Role) else abort(400)
    authorize("board.rank", role)
    with transaction():
        service.give_place(board, user, role, member())
        leaving.hand_back(board, user, member())
        leaving.forget_what_is_out_of_reach(user)
    done = _("%(name)s is %(role)s on this board now.", name=user.name, role=role.label)
    return go_to(url_for(".people", board_id=board.id), notice=done)


@bp.post("/<int:board_id>/people/<int:user_id>/remove")
def remove(board_id: int, user_id: int) -> Response:
    """Take somebody off the list."""
    authorize("board.people")
    prove_again()
    board, user = _place(board_id, user_id)
    with transaction():
        leaving.take_off(board, user, member())
    return go_to(url_for(".people", board_id=board.id), notice=_("%(name)s is off the list.", name=user.name))


def _board(board_id: int) -> Board:
    return queries.get_board(board_id, viewer()) or abort(404)


def _place(board_id: int, user_id: int) -> tuple[Board, User]:
    board = _board(board_id)
    place = queries.find_place(board, user_id) or abort(404)
    return board, place.user


def _people_page(board: Board, form: PlaceForm, status: int = 200) -> Response:
    roles = [(role, role.label) for role in BOARD_ROLES]
    shown: dict[str, Any] = {"board": board, "form": form, "roles": roles, "people": queries.people_of(board)}
    return page("boards/people.html", status=status, audiences=AUDIENCES, **shown)


def _warnings(board: Board, details: service.BoardDetails) -> list[str]:
    """Say in words what happens to those who read the board now."""
    said = []
    if details.audience is not board.audience:
        said.append(
            _(
                "From now on only these people know of the board: %(who)s. For everybody else its ideas, with their "
                "votes and comments, are gone from lists, search, inboxes and mails at once, also for their authors.",
                who=AUDIENCES[details.audience],
            )
        )
    if details.one_way and not board.one_way:
        said.append(
            _(
                "From now on members see only what they wrote themselves on this board. They lose sight of ideas of "
                "others that they voted for, follow or commented on."
            )
        )
    return [*said, _("Nothing is deleted. If you open the board again, everything is back.")]
