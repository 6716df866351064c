"""Nobody is named in the changelog who has not agreed."""

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.changelog import service
from portal.changelog.models import Choice, Credit, Kind, Part
from portal.changelog.service import Words
from portal.db import db, utcnow
from portal.ideas.moves import move_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Mail, Notification
from portal.privacy import service as privacy
from portal.transactions import transaction
from tests.changelog.entries import let_out, told_of, write
from tests.factories import make_board, make_idea, make_user

pytestmark = pytest.mark.usefixtures("app")


def test_nobody_is_named_who_has_not_agreed_and_each_is_asked_once(browse, settle, app):
    author, twin, tester = make_user(name="Ann Author"), make_user(name="Tom Twin"), make_user(name="Tess Tester")
    main, same = (make_idea(author=who, status=Status.PLANNED) for who in (author, twin))
    pm = make_user(Role.PM)
    with transaction(wake=False):
        move_idea(same, Status.MERGED, pm, MoveDetails(into=main))
    entry = write(main)
    with transaction(wake=False):
        service.name_person(entry, tester, main, Part.TESTED, pm)
    let_out(entry, main, actor=pm)
    with transaction(wake=False):
        service.change_entry(entry, Words("Said better", "Yes.", Kind.NEW, None, [main]), pm, 1)
    before, entry_id = told_of(entry), entry.id
    people = {author.id, twin.id, tester.id}
    member = browse(author)
    question = member.get(f"/changelog/{entry_id}/credit").text
    yes = member.post(f"/changelog/{entry_id}/credit", data={"answer": "yes"})
    browse(twin).post(f"/changelog/{entry_id}/credit", data={"answer": "no"})
    browse(tester).post(f"/changelog/{entry_id}/credit", data={"answer": "always"})
    page = browse().get(f"/changelog/{entry_id}").text

    assert (before.thanks, before.unnamed) == ([], 3)
    assert "May we name you?" in question
    assert yes.status_code == 303
    assert "Ann Author" in page and "suggested it" in page
    assert "Tess Tester" in page and "tested it" in page
    assert "Tom Twin" not in page and "and a member" in page
    settle()
    asked = db.session.scalars(select(Notification.user_id).where(Notification.kind == "credited")).all()
    assert sorted(asked) == sorted(people)
    assert len(db.session.scalars(select(Mail.id).where(Mail.kind == "credited")).all()) == 3


def test_whoever_chose_is_not_asked(settle):
    always, never = make_user(name="Always"), make_user(name="Never")
    ideas = [make_idea(author=who, status=Status.SHIPPED) for who in (always, never)]
    with transaction(wake=False):
        service.choose(always, Choice.ALWAYS)
        service.choose(never, Choice.NEVER)
    entry = write(*ideas)

    let_out(entry)

    shown = told_of(entry)
    assert ([thanks.user.name for thanks in shown.thanks], shown.unnamed) == (["Always"], 1)
    settle()
    assert db.session.scalars(select(Notification.id).where(Notification.kind == "credited")).all() == []


@pytest.mark.parametrize("how", ["never", "suspended", "leaving", "erased"])
def test_a_name_goes_with_its_person(browse, how):
    author = make_user(name="Ann Author")
    idea = make_idea(author=author, status=Status.SHIPPED)
    entry = write(idea)
    let_out(entry)
    with transaction(wake=False):
        service.answer_credit(db.session.get(Credit, (entry.id, author.id)), True)
    named = [
        browse().get(page).text.count("Ann Author") for page in ("/changelog", f"/changelog/{entry.id}", "/roadmap")
    ]
    with transaction(wake=False):
        author = db.session.get_one(User, author.id)
        match how:
            case "never":
                service.choose(author, Choice.NEVER)
            case "suspended":
                author.suspended_at = utcnow()
            case "leaving":
                privacy.leave(author)
            case "erased":
                privacy.erase(author)

    unnamed = [
        browse().get(page).text.count("Ann Author") for page in ("/changelog", f"/changelog/{entry.id}", "/roadmap")
    ]

    assert named == [1, 1, 1]
    assert unnamed == [0, 0, 0]


def test_only_whoever_knows_the_idea_can_have_had_a_part():
    inside = make_board("Inside", Audience.STAFF)
    idea, stranger = make_idea(board=inside, status=Status.PLANNED), make_user(name="Stranger")
    entry = write(idea, board=inside, author=make_user(Role.OWNER))

    with pytest.raises(Exception, match="does not know of this idea"), transaction(wake=False):
        service.name_person(entry, stranger, idea, Part.TESTED, make_user(Role.OWNER))
