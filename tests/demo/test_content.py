"""The written community: it fits together, and its stories keep to the portal's own rules."""

import json
import shutil
from collections import Counter, defaultdict

import pytest

from portal.accounts.roles import DECIDERS, STAFF, TRIAGERS, Role
from portal.demo.content import FOLDER, ContentError, Idea, Step, load, page
from portal.ideas.workflow import By, Publication, Status
from tests.support.beginning import MOVES

COMMUNITY = load()
PEOPLE = {person.key: person for person in COMMUNITY.people}
IDEAS = {idea.key: idea for idea in COMMUNITY.ideas}
PUBLISHED = [idea for idea in COMMUNITY.ideas if idea.publication is Publication.PUBLISHED]


def test_there_is_enough_to_fill_every_page():
    assert len(COMMUNITY.people) >= 70
    assert len(PUBLISHED) >= 130
    assert len(COMMUNITY.comments) >= 450
    assert len(COMMUNITY.boards) == 5
    assert 20 <= len(COMMUNITY.tags) <= 30
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 600_000


def test_every_role_is_there():
    roles = Counter(person.role for person in COMMUNITY.people)

    assert roles.pop(Role.MEMBER) >= 60
    assert roles == {
        Role.CHAMPION: 2, Role.OBSERVER: 1, Role.MODERATOR: 2, Role.PM: 3, Role.ADMIN: 1, Role.OWNER: 1,
    }  # fmt: skip


@pytest.mark.parametrize("key", ["member", "moderator", "pm", "admin"])
def test_the_demo_accounts_are_called_what_they_are(key):
    assert PEOPLE[key].role == key


def test_each_board_belongs_to_a_team_that_can_decide():
    deciding = {person.team for person in COMMUNITY.people if person.role in DECIDERS}

    assert {board.team for board in COMMUNITY.boards} <= deciding
    assert all(person.team for person in COMMUNITY.people if person.role in STAFF)
    assert not any(person.team for person in COMMUNITY.people if person.role in {Role.MEMBER, Role.CHAMPION})


def test_ideas_stand_everywhere_in_the_workflow():
    share = Counter(idea.status for idea in PUBLISHED)

    assert set(share) == set(Status)
    assert 0.22 <= share[Status.NEW] / len(PUBLISHED) <= 0.35
    assert share[Status.MERGED] >= 18
    assert min(share.values()) >= 3


def test_no_two_texts_are_the_same():
    for texts in (
        [idea.title for idea in COMMUNITY.ideas],
        [idea.need for idea in COMMUNITY.ideas],
        [comment.body for comment in COMMUNITY.comments],
    ):
        assert [text for text, times in Counter(text.casefold() for text in texts).items() if times > 1] == []


@pytest.mark.parametrize("idea", COMMUNITY.ideas, ids=lambda idea: idea.key)
def test_each_story_takes_only_the_moves_that_are_allowed(idea):
    before = [Status.NEW, *(step.to for step in idea.path)]
    for number, step in enumerate(idea.path):
        if before[number] is Status.MERGED:
            assert step.to is before[number - 1]
            assert step.reason
            assert PEOPLE[step.by].role in TRIAGERS
            continue
        move = MOVES[before[number], step.to]
        assert may_make(step, move.by)
        assert all(is_given(step, field) for field in move.demands)
        assert not move.demands_one_of or any(is_given(step, field) for field in move.demands_one_of)


def may_make(step: Step, by: By) -> bool:
    if by is By.SYSTEM:
        return step.by is None
    return step.by is not None and PEOPLE[step.by].role in (DECIDERS if by is By.DECIDER else TRIAGERS)


def is_given(step: Step, field: str) -> bool:
    said = {"owner": step.by, "review_on": step.review_after_days}
    return bool(said[field] if field in said else getattr(step, field))


def test_official_words_come_from_the_team():
    spoken = [(idea, word) for idea in COMMUNITY.ideas for word in idea.updates]

    assert spoken
    assert all(PEOPLE[word.by].role in TRIAGERS for _idea, word in spoken)
    assert all(status_on(idea, word.after_days) is not Status.NEW for idea, word in spoken)


def test_people_comment_only_while_a_discussion_is_open():
    late = []
    for comment in COMMUNITY.comments:
        idea = IDEAS[comment.idea]
        status, since = standing(idea, comment.after_days)
        until = status.rule.comments_for
        if not status.rule.takes_comments or (until and comment.after_days - since >= until.days):
            late.append(comment.key)

    assert late == []


def test_observers_and_people_without_a_published_post_stay_silent():
    unseen = {idea.author for idea in COMMUNITY.ideas} - {idea.author for idea in PUBLISHED}
    mute = unseen | {person.key for person in COMMUNITY.people if person.role is Role.OBSERVER}

    assert not mute & {comment.author for comment in COMMUNITY.comments}
    assert not any(PEOPLE[idea.author].role is Role.OBSERVER for idea in COMMUNITY.ideas)


def test_what_is_held_or_hidden_has_no_story_and_is_its_authors_only_post():
    unpublished = [idea for idea in COMMUNITY.ideas if idea.publication is not Publication.PUBLISHED]

    assert Counter(idea.publication for idea in unpublished) == {Publication.HELD: 3, Publication.HIDDEN: 1}
    assert not any(idea.path or idea.updates for idea in unpublished)
    assert not {idea.author for idea in unpublished} & {idea.author for idea in PUBLISHED}
    assert not {idea.key for idea in unpublished} & {comment.idea for comment in COMMUNITY.comments}


def test_ideas_are_joined_with_one_that_is_there_to_be_joined_with():
    for idea in PUBLISHED:
        for step in idea.path:
            if step.to is Status.MERGED:
                main = IDEAS[step.into]
                on_that_day = main.age - (idea.age - step.after_days)
                assert on_that_day > 0, f"{main.key} was not posted when {idea.key} was joined with it"
                assert status_on(main, on_that_day) not in {Status.MERGED, Status.SHIPPED, Status.CONFIRMED}
                assert main.merged_into is None
                assert not any(other.merged_into == idea.key for other in PUBLISHED)


def test_there_are_likenesses_nobody_has_found_yet():
    alike = [idea for idea in PUBLISHED if idea.status is Status.NEW and idea.similar_to]

    assert len(alike) >= 15
    assert not any(IDEAS[key].similar_to for idea in alike for key in idea.similar_to)


def test_some_ideas_wait_beyond_the_first_promise_and_most_do_not():
    waited = [idea.path[0].after_days if idea.path else idea.age for idea in PUBLISHED]

    assert 10 <= sum(days > 10 for days in waited) <= len(waited) / 3


def test_a_release_came_out_on_one_day():
    days = defaultdict(set)
    for idea in PUBLISHED:
        for step in idea.path:
            if step.to is Status.SHIPPED:
                days[step.link].add(idea.age - step.after_days)

    assert all(len(found) == 1 for found in days.values()), days


def test_every_portal_can_begin_with_these_texts():
    for name in ("rules", "rules-2", "rules-2-changes", "privacy", "how-we-decide"):
        text = page(name, "The Workshop")

        assert text.strip()
        assert "{" not in text
        assert "Fellside" not in text
    assert "The Workshop" in page("rules", "The Workshop")
    assert page("rules", "x") != page("rules-2", "x")


@pytest.mark.parametrize(
    ("file", "key", "change", "complaint"),
    [
        ("ideas-safety.jsonl", "live-position", {"author": "nobody"}, "live-position: nothing is called nobody"),
        ("ideas-safety.jsonl", "live-position", {"key": "steepness"}, "steepness: this idea is there twice"),
        ("ideas-safety.jsonl", "live-position", {"title": "Help"}, "title of live-position: not between 5 and 120"),
        ("ideas-safety.jsonl", "live-position", {"title": "a" * 121}, "title of live-position: not between 5 and 120"),
        ("ideas-safety.jsonl", "live-position", {"age": 9}, "live-position: a day out of range"),
        ("ideas-safety.jsonl", "live-position", {"tags": ["sunshine"]}, "live-position: nothing is called sunshine"),
        (
            "ideas-safety.jsonl",
            "live-position",
            {"publication": "sold"},
            r"ideas-safety.jsonl:\d+: 'sold' is not a valid",
        ),
        ("ideas-safety.jsonl", "live-position", {"colour": "red"}, r"ideas-safety.jsonl:\d+: .*colour"),
        ("people.jsonl", "elin", {"name": "jo  WHITELAW"}, "jo whitelaw: this name is there twice"),
        (
            "comments-safety.jsonl",
            "live-position-1",
            {"reply_to": "live-position-3"},
            "live-position-1: a reply before what it answers",
        ),
        (
            "comments-safety.jsonl",
            "live-position-1",
            {"reply_to": "tides-1"},
            "live-position-1: a reply to a comment on another idea",
        ),
        ("comments-safety.jsonl", "live-position-1", {"body": ""}, "live-position-1: not between 1 and"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, file, key, change, complaint):
    folder = shutil.copytree(FOLDER, tmp_path / "community")
    records = [json.loads(line) for line in (folder / file).read_text(encoding="utf-8").splitlines()]
    lines = [json.dumps(record | change if record["key"] == key else record) for record in records]
    (folder / file).write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(ContentError, match=complaint):
        load(folder)


def standing(idea: Idea, day: int) -> tuple[Status, int]:
    """Where the idea stood on that day, and since when; a move counts for what is said later that day."""
    past = [(step.to, step.after_days) for step in idea.path if step.after_days <= day]
    return past[-1] if past else (Status.NEW, 0)


def status_on(idea: Idea, day: int) -> Status:
    return standing(idea, day)[0]
