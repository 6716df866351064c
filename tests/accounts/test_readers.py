"""Statements built once for all who may read the same give each reader what is theirs."""

from itertools import product

import pytest
from sqlalchemy import Select, select

from portal.accounts.models import Guest, Person
from portal.accounts.readers import built_once, like
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.boards.queries import audiences_of, is_known_to, is_worked_on_by, keeps_apart
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import is_out_for, is_seen_by
from portal.ideas.workflow import Publication
from portal.notifications.models import Notification
from portal.notifications.portal_news import is_about_portal_for
from portal.notifications.team import is_told_to
from portal.options import decide
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support.databases import on_one_database

RULES = [
    (Board, is_known_to),
    (Board, is_worked_on_by),
    (Board, keeps_apart),
    (Idea, is_seen_by),
    (Idea, is_out_for),
    (Notification, is_told_to),
    (Notification, is_about_portal_for),
]
"""Who may read what: all that statements ask a person for."""


@on_one_database
@pytest.mark.parametrize("reading", ["public", "members"])
def test_a_statement_built_for_all_alike_says_what_one_built_for_the_person_says(app, reading):
    with transaction(wake=False):
        decide("reading", reading)
        people: list[Person] = [Guest(), make_user(approved_at=None), *map(make_user, Role)]
        for role, rank in product((Role.MEMBER, Role.MODERATOR), Role):
            person = make_user(role)
            make_place(make_board(), person, rank)
            people.append(person)

    for (table, allows), person in product(RULES, people):
        own, of_all = (select(table.id).where(allows(each)) for each in (person, like(person)))
        words = [
            str(each.compile(compile_kwargs={"literal_binds": True}))
            for each in (own, of_all.params(viewer_id=person.id))
        ]
        assert words[0] == words[1], (allows, person.role, person.board_roles)


@built_once
def own_ideas(viewer: Person, *, publication: Publication) -> Select[str]:
    own = select(Idea.title).where(is_seen_by(viewer), Idea.author_id == viewer.id)
    return own.where(Idea.publication == publication).order_by(Idea.id)


def test_people_with_the_same_rights_share_a_statement_and_read_their_own(app):
    with transaction():
        ann, ben = make_user(), make_user()
        make_idea(author=ann, title="More shelves")
        make_idea(author=ben, title="Fewer shelves")
        make_idea(author=ben, title="No shelves", publication=Publication.HELD)

    (of_ann, its), (of_ben, others) = (own_ideas(each, publication=Publication.PUBLISHED) for each in (ann, ben))

    assert of_ann is of_ben and its != others
    assert db.session.scalars(of_ann, its).all() == ["More shelves"]
    assert db.session.scalars(of_ben, others).all() == ["Fewer shelves"]
    assert db.session.scalars(*own_ideas(ben, publication=Publication.HELD)).all() == ["No shelves"]


def test_what_somebody_becomes_is_another_statement_at_once(app):
    with transaction():
        board, ann = make_board(audience=Audience.PRIVATE), make_user()
        idea = make_idea(board=board, author=ann)
    before, asked = own_ideas(ann, publication=Publication.PUBLISHED)
    assert db.session.scalars(before, asked).all() == []

    with transaction():
        make_place(board, ann)

    after, asked = own_ideas(ann, publication=Publication.PUBLISHED)
    assert db.session.scalars(after, asked).all() == [idea.title]
    with pytest.raises(TypeError):
        like(ann).board_roles  # noqa: B018 - reading it is the mistake


@on_one_database
def test_a_statement_is_built_for_the_reader_it_is_kept_for_though_the_portal_closes_meanwhile(app):
    reader = like(Guest())

    with transaction(wake=False):
        decide("reading", "members")

    assert audiences_of(reader) == [Audience.PUBLIC]
    assert like(Guest()) != reader
    assert audiences_of(Guest()) == audiences_of(like(Guest())) == []
