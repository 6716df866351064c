"""Saying whether it helped: on the idea's page, from a mail without signing in, and what came of it for all to read."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.models import User
from portal.db import db
from portal.errors import Refusal
from portal.extensions import limiter
from portal.ideas.queries import get_idea
from portal.notifications.links import read_verdict_token
from portal.transactions import transaction
from portal.verdicts import queries, service
from portal.verdicts.forms import RulesForm, VerdictForm
from portal.verdicts.models import Round, Says
from portal.verdicts.rules import current_rules, decide_rules
from portal.web.limits import LIMITS, per_person
from portal.web.paging import cursor, place
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer

bp = Blueprint("verdicts", __name__)


@bp.get("/outcomes")
def index() -> Response:
    """Read how often what came out solved the need."""
    me = viewer()
    return page(
        "verdicts/index.html",
        boards=queries.rates_by_board(me),
        teams=queries.rates_by_team(me),
        recent=queries.recent(me),
        rules=current_rules(),
    )


@bp.get("/ideas/<int:idea_id>/verdict")
def form(idea_id: int) -> Response:
    """Say whether it solves one's need, and read what the team may read of others' answers."""
    idea = get_idea(idea_id, viewer())
    authorize("verdict.give", idea)
    return _show(queries.get_asked(idea), member(), url_for(".give", idea_id=idea_id))


@bp.post("/ideas/<int:idea_id>/verdict")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def give(idea_id: int) -> Response:
    """Answer, or change one's answer."""
    idea = get_idea(idea_id, viewer())
    authorize("verdict.give", idea)
    here = url_for(".give", idea_id=idea_id)
    return _answer(queries.get_asked(idea), member(), here, url_for("ideas.show", idea_id=idea_id, _anchor="verdict"))


@bp.get("/mail/verdict/<token>")
def by_mail(token: str) -> Response:
    """Look at the question from the link in a mail; looking answers nothing."""
    asked, person = _of_mail(token)
    return _show(asked, person, url_for(".give_by_mail", token=token))


@bp.post("/mail/verdict/<token>")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def give_by_mail(token: str) -> Response:
    """Answer without signing in: the link can do this and nothing else."""
    asked, person = _of_mail(token)
    return _answer(asked, person, url_for(".give_by_mail", token=token), url_for(".by_mail", token=token))


@bp.get("/ideas/<int:idea_id>/verdicts")
def words(idea_id: int) -> Response:
    """Read what people said and why."""
    idea = get_idea(idea_id, viewer())
    authorize("verdict.read", idea)
    asked = queries.get_asked(idea)
    after = place(request.args.get("after"), (datetime, int))
    said = queries.words_on(asked, after)
    return page(
        "verdicts/words.html",
        idea=idea,
        round=asked,
        said=said.rows,
        older=url_for(".words", idea_id=idea_id, after=cursor(*said.older)) if said.older else None,
        first=url_for(".words", idea_id=idea_id) if after else None,
        rules=current_rules(),
    )


@bp.post("/ideas/<int:idea_id>/verdict/ask")
def ask(idea_id: int) -> Response:
    """Ask everybody behind the idea now, or nobody."""
    idea = get_idea(idea_id, viewer())
    authorize("verdict.steer", idea)
    planned = queries.get_asked(idea)
    with transaction():
        if request.form.get("do") == "call-off":
            service.call_off(planned)
            said = _("Nobody is asked.")
        else:
            said = _("Everybody behind it is asked now.") if service.ask(planned) else _("People were asked already.")
    return go_to(url_for("ideas.show", idea_id=idea_id, _anchor="verdict"), said)


@bp.route("/admin/verdicts", methods=["GET", "POST"])
def rules() -> Response:
    """Decide when people are asked, and what their answers decide."""
    authorize("verdict.rules")
    entered = RulesForm(obj=current_rules())
    if entered.validate_on_submit():
        with transaction():
            decide_rules(entered.rules())
        return go_to(url_for(".rules"), _("Saved."))
    return page("verdicts/rules.html", status=422 if entered.errors else 200, form=entered)


def _of_mail(token: str) -> tuple[Round, User]:
    read = read_verdict_token(token)
    user = db.session.get(User, read[0]) if read else None
    asked = queries.find_asked(read[1], user) if read and user else None
    if asked is None or user is None:
        abort(page("notifications/link_gone.html", status=404))
    return asked, user


def _show(asked: Round, person: User, action: str, entered: VerdictForm | None = None, sentence: str = "") -> Response:
    standing = queries.standing_of(asked.idea, person, may_take_part=True, reads_words=False)
    if entered is None:
        mine = standing.mine if standing else None
        says = request.args.get("says", "")
        chosen = mine.says.value if mine else says if says in set(Says) else None
        entered = VerdictForm(formdata=None, data={"says": chosen, "words": mine.words if mine else ""})
    refused = bool(sentence or entered.errors)
    return page(
        "verdicts/form.html",
        status=422 if refused else 200,
        idea=asked.idea,
        standing=standing,
        form=entered,
        action=action,
        sentence=sentence,
    )


def _answer(asked: Round, person: User, action: str, afterwards: str) -> Response:
    """Note the answer; what cannot be noted is said on the page, and nothing typed is lost."""
    entered = VerdictForm()
    if not entered.validate():
        return _show(asked, person, action, entered)
    try:
        with transaction():
            service.answer(asked, person, Says(entered.says.data), entered.words.data or "")
    except Refusal as refusal:
        return _show(asked, person, action, entered, refusal.message)
    return go_to(afterwards, _("Thank you. That helps everybody behind this idea."))
