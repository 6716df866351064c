"""Marker words in every text on every kind of board; then everybody reads all that they can reach.

Who may read which word is worked out here, from the product's words. The crawl follows each link and each form that
only asks, as a person would, and it has to find what may be found: a crawl that sees nothing proves nothing.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_string, policy
from html import unescape

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import ADMINS, DECIDERS, STAFF_READERS, TRIAGERS, Role
from portal.boards.models import Audience, Board
from portal.changelog import service as changelog
from portal.changelog.models import Kind
from portal.changelog.service import Words
from portal.comments import service as comments
from portal.db import db, insert_if_absent, on_sqlite, utcnow
from portal.feeds import service as feeds
from portal.ideas import moves, service
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.inbound import receiving
from portal.inbound.receiving import Outcome
from portal.labels import service as labels
from portal.live import journal
from portal.notifications import pushing
from portal.notifications.models import CaughtMail
from portal.options import decide
from portal.organisations import behalf, honesty, segments
from portal.organisations import service as organisations
from portal.promises.service import renew_promise
from portal.push import keys
from portal.push.handing_over import End, Ended
from portal.push.models import Subscription
from portal.roadmap import service as roadmap
from portal.roadmap.models import Horizon
from portal.roadmap.service import Spot
from portal.talk import drafts, scheduling, snippets
from portal.talk import service as team_notes
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_rules, make_user
from tests.inbound.letters import a_reply, address_for
from tests.support import HTMX, Browser, on_one_database, timeless
from tests.test_matrix import KINDS

pytestmark = pytest.mark.usefixtures("app")

MOST_ALIKE = 3  # addresses that differ only in what their arguments say
MOST_PAGES = 400
MARK = re.compile(r"zq[a-z]{14}")


@dataclass
class Somebody:
    """Who reads: the role that counts everywhere, and the rank on every board of the world."""

    name: str
    user: User | None
    role: Role | None = None
    rank: Role | None = None
    id: int = 0
    email: str = ""
    browser: Browser = field(init=False, repr=False)

    def ranks(self) -> set[Role | None]:
        return {self.role, self.rank or self.role}

    def knows(self, kind: str) -> bool:
        audience, _one_way = KINDS[kind]
        if self.role is None:
            return audience is Audience.PUBLIC
        return bool(
            self.role in ADMINS
            or audience in {Audience.PUBLIC, Audience.MEMBERS}
            or (audience is Audience.PRIVATE and self.rank)
            or (audience is Audience.STAFF and self.ranks() & STAFF_READERS)
        )

    def reads(self, kind: str) -> bool:
        return self.knows(kind) and (not KINDS[kind][1] or bool(self.ranks() & STAFF_READERS))

    def reads_own(self, kind: str) -> bool:
        return self.knows(kind) and self.role is not None

    def kinds(self) -> set[str]:
        """The kinds of boards on which they read what the author posted."""
        return {kind for kind in KINDS if self.reads(kind) or (self.name == "author" and self.reads_own(kind))}


May = Callable[[Somebody], bool]


@dataclass
class World:
    """What was planted, and who may read it."""

    words: dict[str, tuple[str, May]] = field(default_factory=dict)  # the word: where it stands, and for whom
    people: list[Somebody] = field(default_factory=list)
    begins: list[str] = field(default_factory=list)  # pages that are tried though nothing may lead there

    def mark(self, place: str, may: May) -> str:
        """Return a new word that stands in one place."""
        word = "zq" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(14))
        self.words[word] = (place, may)
        return word

    def may_read(self, person: Somebody) -> set[str]:
        """The words that this person may find."""
        return {word for word, (_place, may) in self.words.items() if may(person)}

    def idea(self, place: str) -> Idea:
        """Return the idea whose title holds the word of this place."""
        word = next(word for word, (where, _may) in self.words.items() if where == place)
        return db.session.scalars(select(Idea).where(Idea.title.contains(word))).one()

    def places(self, words: set[str]) -> list[str]:
        """Where these words stand."""
        return sorted(self.words[word][0] for word in words)


@pytest.fixture
def world(app, browse, monkeypatch, settle, once) -> World:
    monkeypatch.setattr(journal, "MOST_SINCE", 10_000)
    monkeypatch.setitem(app.config, "REPLY_TO", "ideas+{token}@reply.example")
    made = once("leaks", lambda: plant(settle))
    for person in made.people:
        person.browser = browse(person.user)
    return made


def plant(settle: Callable[[], None]) -> World:
    """Say something everywhere, in words of its own, on boards of each kind."""
    with transaction():
        decide("second_factor", [])
        decide("mails_a_day", 10_000)
    made = World()
    make_rules()
    nobody: May = lambda _person: False  # noqa: E731
    boards = {kind: _board(made, kind) for kind in KINDS}
    _people(made, boards)
    author, pm = _named(made, "author"), _named(made, "admin")
    for kind, board in boards.items():
        _fill(made, kind, board, author, pm)
        _plan_and_tell(made, kind, board, author, pm)
        _write_back(made, kind, author)
    _merge_across(made, boards, author, pm)
    draft = made.mark("the author's draft", lambda person: person.name == "author")
    with transaction():
        service.save_draft(author, title=f"Not ready {draft}", need=draft, proposal=draft, board="public")
        gone = make_idea(f"Taken back {made.mark('an idea taken back', nobody)}", author=author, board=boards["public"])
    with transaction():
        service.remove_idea(gone, author)
    settle()
    return made


SHOWN_NOWHERE = {"a deleted comment", "expected", "mail address of a voter", "sent back by mail"}
"""What was taken back, what a later move took away, what takes a reason and an entry in the log to be shown, and what
came in by mail and was refused: its writer has it back by mail, and nobody else."""


def _board(made: World, kind: str) -> Board:
    audience, one_way = KINDS[kind]
    word = made.mark(f"{kind}: name", lambda person: person.knows(kind))
    question = made.mark(f"{kind}: question", lambda person: person.knows(kind))
    inside = made.mark(f"{kind}: description and team", lambda person: person.role in ADMINS)
    board = make_board(f"{kind.title()} {word}", audience, one_way=one_way)
    with transaction(wake=False):
        board.question, board.description, board.team = f"What of {question}?", f"About {inside}", f"Team {inside}"
    return board


def _people(made: World, boards: dict[str, Board]) -> None:
    made.people.append(Somebody("visitor", None))
    for name, role, rank in (
        ("waiting", None, None), ("member", Role.MEMBER, None), ("author", Role.MEMBER, None),
        ("champion", Role.CHAMPION, None), ("observer", Role.OBSERVER, None), ("moderator", Role.MODERATOR, None),
        ("pm", Role.PM, None), ("admin", Role.ADMIN, None), ("owner", Role.OWNER, None),
        ("member of the boards", Role.MEMBER, Role.MEMBER), ("observer of the boards", Role.MEMBER, Role.OBSERVER),
        ("PM of the boards", Role.MEMBER, Role.PM),
    ):  # fmt: skip
        fields = {"approved_at": None} if role is None else {}
        email = made.mark(f"mail address of the {name}", lambda p, name=name: p.name == name or p.role in ADMINS)
        user = make_user(role or Role.MEMBER, email=f"{email}@example.org", **fields)
        for board in boards.values() if rank else ():
            make_place(board, user, rank)
        made.people.append(Somebody(name, user, role, rank, user.id, user.email))


def _fill(made: World, kind: str, board: Board, author: User, pm: User) -> None:
    """One idea with all that can be said about it; one that is held, one hidden, one that was joined to the first."""

    def of(place: str) -> str:
        return made.mark(f"{kind}: {place}", lambda p: p.reads(kind) or (p.name == "author" and p.reads_own(kind)))

    def of_team(place: str) -> str:
        own: May = lambda p: p.name == "author" and p.reads_own(kind)  # noqa: E731
        return made.mark(f"{kind}: {place}", lambda p: (p.knows(kind) and bool(p.ranks() & TRIAGERS)) or own(p))

    before = f"{of('title before')} opens before dawn"
    idea = make_idea(before, author=author, board=board, need=f"Today {of('need before')} stays shut.")
    _follow(made, idea)
    looks_after_people: May = lambda p: p.role in {Role.MODERATOR, *ADMINS}  # noqa: E731 - they see who is here
    voted: May = lambda p: (p.knows(kind) and bool(p.ranks() & STAFF_READERS)) or looks_after_people(p)  # noqa: E731
    voter = make_user(
        name=f"Voter {made.mark(f'{kind}: who voted', voted)}",
        email=f"{made.mark(f'{kind}: mail address of a voter', lambda p: p.role in ADMINS)}@example.org",
    )
    with transaction():
        insert_if_absent(Vote, idea_id=idea.id, voter_id=voter.id)
        idea.votes += 1
        service.edit_idea(
            idea,
            pm,
            title=f"{of('title')} opens at dawn",
            need=f"Shut: {of('need')}",
            proposal=f"Open: {of('proposal')}",
        )
        moves.set_tags(idea, [of("tag")], pm)
    with transaction():
        first = comments.post_comment(idea, pm, f"Comment {of('comment before')}")
        comments.edit_comment(first, f"Comment {of('comment')}")
        comments.post_comment(idea, author, f"Reply {of('reply')}", reply_to=first)
        gone = comments.post_comment(
            idea, pm, f"Said in haste {made.mark(f'{kind}: a deleted comment', lambda p: False)}"
        )
    with transaction():
        comments.delete_comment(gone, pm)
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
        moves.move_idea(idea, Status.PLANNED, pm, MoveDetails(
            answer=f"Answer {of('answer')}", reversal=f"Unless {of('reversal')}", expected=of("expected")))  # fmt: skip
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(reason=f"Because {of('reason')}"))
        link = f"https://example.org/{of('link')}"
        moves.answer_idea(
            idea,
            pm,
            MoveDetails(answer=f"More {of('second answer')}", alternative=f"Or {of('alternative')}", link=link),
        )
        renew_promise(idea, (utcnow() + timedelta(days=90)).date(), f"Until {of('why a day was put off')}", pm)
    _talk(made, kind, idea, pm)
    _weigh(made, kind, idea, pm)
    held = make_idea(f"Held {of_team('held title')}", author=author, board=board, need=f"Held {of_team('held need')}",
                     publication=Publication.HELD)  # fmt: skip
    hidden = make_idea(f"Hidden {of_team('hidden title')}", author=author, board=board)
    joined = make_idea(f"Joined {of('joined title')}", author=author, board=board, need=f"Joined {of('joined need')}")
    _follow(made, held, hidden, joined)
    with transaction():
        service.hide_idea(
            hidden,
            pm,
            f"For {made.mark(f'{kind}: why it was hidden', lambda p: p.name == 'author' and p.reads_own(kind))}",
        )
        board.one_way = False  # joined before members were kept apart
        moves.move_idea(joined, Status.MERGED, pm, MoveDetails(into=idea, reason=f"Same as {of('why joined')}"))
        board.one_way = KINDS[kind][1]


def _talk(made: World, kind: str, idea: Idea, pm: User) -> None:
    """What the team says among itself about the idea: a note, a draft, a word about it, wording for the board."""

    def of(place: str, roles: frozenset[Role]) -> str:
        return made.mark(f"{kind}: {place}", lambda p: p.knows(kind) and bool(p.ranks() & roles))

    drafted, kept = f"Perhaps {of('drafted answer', STAFF_READERS)}", of("kept wording", TRIAGERS)
    with transaction():
        team_notes.write_note(idea, pm, f"Between us: {of('note', STAFF_READERS)}")
        draft = drafts.save_draft(idea, pm, "answer", {"answer-answer": [drafted]}, {"Official answer": drafted})
        drafts.say(draft, pm, f"Too long: {of('word about a draft', STAFF_READERS)}")
        later = f"On that day {of('planned draft', STAFF_READERS)}"
        planned = drafts.save_draft(idea, pm, "answer", {"answer-answer": [later]}, {"Official answer": later})
        scheduling.plan(planned, pm, MoveDetails(answer=later), utcnow() + timedelta(days=300))
        snippets.save_snippet(pm, f"Warm {kept}", f"Thanks {kept}", shared=True, board_id=idea.board_id)


def _weigh(made: World, kind: str, idea: Idea, pm: User) -> None:
    """What only the team knows of who is behind the idea, and its own words for it."""

    def of(place: str, also: frozenset[Role] = frozenset()) -> str:
        may: May = lambda p: p.knows(kind) and bool(p.ranks() & STAFF_READERS)  # noqa: E731
        return made.mark(f"{kind}: {place}", lambda p: may(p) or p.role in also)

    made.begins.append(f"/ideas/{idea.id}/behind")
    works_here: May = lambda p: bool(p.ranks() & STAFF_READERS)  # noqa: E731
    group = made.mark(f"{kind}: organisation", works_here)
    part = made.mark(f"{kind}: segment", works_here)
    people = frozenset({Role.MODERATOR, *ADMINS})  # they see who is here
    with transaction():
        labels.set_labels(idea, [of("private label")], pm)
        tarn = organisations.make_organisation(pm, name=f"Tarn {group}")
        segments.make_segment(pm, f"Walkers {part}", segments.Rule(belongs="yes"))
        named = behalf.vote_for_named(
            idea, f"Jane {of('whom the team named', people)}", tarn, pm, f"On the phone: {of('how the team knows')}"
        )
        behalf.vote_for_organisation(idea, tarn, pm, f"At the fair: {of('why an organisation counts')}")
    voter_id = db.session.scalar(
        select(Vote.voter_id).where(Vote.idea_id == idea.id, Vote.voter_id != named.id).order_by(Vote.voter_id).limit(1)
    )
    with transaction():
        honesty.set_aside(idea, [voter_id], pm, f"Odd: {of('why a vote is set aside')}")


def _plan_and_tell(made: World, kind: str, board: Board, author: User, pm: User) -> None:
    """An idea on the roadmap in a theme of its own; an entry of the changelog that tells of it, and a draft."""
    own: May = lambda p: p.name == "author" and p.reads_own(kind)  # noqa: E731
    decides: May = lambda p: bool(p.ranks() & DECIDERS)  # noqa: E731
    theme_word = made.mark(f"{kind}: theme", lambda p: p.reads(kind) or own(p) or decides(p))
    idea_word = made.mark(f"{kind}: planned", lambda p: p.reads(kind) or own(p))
    entry_word = made.mark(f"{kind}: entry", lambda p: p.knows(kind))
    draft_word = made.mark(f"{kind}: draft of an entry", lambda p: p.knows(kind) and decides(p))
    idea = make_idea(f"Planned {idea_word}", author=author, board=board, status=Status.PLANNED)
    _follow(made, idea)
    with transaction():
        theme = roadmap.add_theme(f"Theme {theme_word}", f"About {theme_word}", pm)
        roadmap.place_idea(idea, Spot(theme.id, Horizon.NOW), pm)
        for word in (entry_word, draft_word):
            words = Words(f"Entry {word}", f"Now {word}.", Kind.NEW, board, [idea])
            entry = changelog.write_entry(words, pm)
            if word == entry_word:
                changelog.publish(entry, pm, [])


def _write_back(made: World, kind: str, author: User) -> None:
    """A mail from the author: a comment where they may see their idea, and else words that they alone get back."""
    may_read = _somebody(made, "author").reads_own(kind)
    place = "comment by mail" if may_read else "sent back by mail"
    word = made.mark(f"{kind}: {place}", lambda p: p.name == "author" or (may_read and p.reads(kind)))
    reply = a_reply(author.email, address_for(author, made.idea(f"{kind}: title")), f"On the way home {word}")
    assert receiving.receive(reply) is (Outcome.POSTED if may_read else Outcome.REFUSED)


def _merge_across(made: World, boards: dict[str, Board], author: User, pm: User) -> None:
    """An idea of a private board that stands under a public one, and the other way round."""
    for here, there in (("private", "public"), ("public", "private"), ("members", "public"), ("staff", "members")):

        def in_sight(kind: str) -> May:
            return lambda p: p.reads(kind)  # noqa: B023 - the kind is bound by the call

        words = [
            made.mark(f"{kind}: joined across, {part}", in_sight(kind))
            for kind, part in ((here, "idea"), (there, "main"))
        ]
        idea = make_idea(f"Across {words[0]}", author=author, board=boards[here], need=f"Across {words[0]}")
        main = make_idea(f"Across {words[1]}", author=author, board=boards[there], need=f"Across {words[1]}")
        _follow(made, idea, main)
        with transaction():
            moves.move_idea(idea, Status.MERGED, pm, MoveDetails(into=main))


def _follow(made: World, *ideas: Idea) -> None:
    """Have everybody follow these, also those who may not see them: what is told of them is where leaks would show."""
    with transaction(wake=False):
        for idea in ideas:
            for person in made.people:
                if person.user is not None:
                    insert_if_absent(Follow, idea_id=idea.id, user_id=person.id, by_choice=True)


def _named(made: World, name: str) -> User:
    return next(person.user for person in made.people if person.name == name and person.user)


# Reading


ON_BOTH = ("visitor", "author", "member of the boards", "owner")
"""Who reads everything on both databases; the others on one."""
BOTH_WAYS = {*ON_BOTH, "waiting", "member"}
"""Who asks for each page as a whole and once more by a script: those from whom something is kept, and who sees all."""


def crawl(person: Somebody, world: World) -> Iterator[tuple[str, str]]:
    """Yield what somebody can reach by links and by forms that only ask, as address and text.

    It begins at the front page, at what programs ask for by themselves, and at pages that few links lead to.
    """
    waiting = deque(["/", "/inbox", "/account", "/triage", "/triage/drafts?which=all", "/search",
                     "/changelog/drafts", "/admin/boards", "/admin/people", "/mail/health",
                     *world.begins, *_for_programs(person),
                     *(f"/people/{someone.id}" for someone in world.people if someone.user)])  # fmt: skip
    known, alike = set(waiting), Counter[str]()
    while waiting and len(known) < MOST_PAGES * 3:
        url = waiting.popleft()
        pattern = re.sub(r"=[^&]*", "=", url)
        alike[pattern] += 1
        if alike[pattern] > MOST_ALIKE:
            continue
        for headers in ({}, HTMX) if alike[pattern] == 1 and person.name in BOTH_WAYS else ({},):
            answer = person.browser.get(url, headers=headers)
            told = answer.text.replace("\r\n ", "") if answer.mimetype == "text/calendar" else answer.text
            text = unescape(told) + str(answer.headers)
            yield url, text
            for found in _leads_to(answer.text):
                if found not in known:
                    known.add(found)
                    waiting.append(found)


POLL = "/live/poll?after=0&on="


def _for_programs(person: Somebody) -> list[str]:
    """What changed since the beginning, and the calendars: one's own, of all boards, and of each."""
    ideas = db.session.scalars(select(Idea.id))
    topics = ["boards", "roadmap", "changelog", "triage", *(f"idea-{number}" for number in ideas)]
    boards = db.session.scalars(select(Board.slug).where(Board.audience != Audience.PUBLIC))
    found = [POLL + ",".join(topics), "/feeds/calendar.ics", *(f"/feeds/calendar.ics?board={slug}" for slug in boards)]
    if person.user is not None:
        with transaction(wake=False):
            token = feeds.token_of(feeds.make_address(db.session.get_one(User, person.id)))
        found.append(f"/feeds/private/{token}/calendar.ics")
    return found


def _leads_to(page: str) -> list[str]:
    links = re.findall(r'(?:href|hx-get)="(/[^"#]*)', page)
    asking = re.findall(r'<form(?![^>]*method="post")[^>]*action="(/[^"?]*)', page)
    found = [unescape(url) for url in [*links, *asking]]
    return [url for url in found if not url.startswith(("/assets", "/static", "/sign-out")) and len(url) < 400]


def test_s05_s06_everybody_reads_what_is_theirs_to_read_and_nothing_else(world):
    leaks: list[str] = []
    found: dict[str, set[str]] = {}
    pages = Counter[str]()
    people = world.people if on_sqlite() else [_somebody(world, name) for name in ON_BOTH]
    listed = Idea.publication != Publication.HIDDEN  # what is hidden stands in no list that could grow
    titles = dict(db.session.execute(select(Idea.id, Idea.title).where(listed)).all())
    for person in people:
        may, read, heard, dated = world.may_read(person), set(), set(), set()
        for url, text in crawl(person, world):
            if url.startswith(POLL):
                heard |= {int(number) for number in re.findall(r"idea[s/-]*(\d+)", text)}
            words = {word for word in MARK.findall(text) if word in world.words}
            pages[person.name] += 1
            leaks += [f"{person.name} at {url}: {place}" for place in world.places(words - may)]
            read |= words
            if "calendar.ics" in url:
                dated |= words
        found[person.name] = read
        assert heard == {number for number, title in titles.items() if may >= set(MARK.findall(title))}, person.name
        assert {kind for kind in KINDS if f"{kind}: title" in world.places(dated)} == person.kinds(), person.name

    assert not leaks, "\n" + "\n".join(leaks[:60])
    assert min(pages.values()) > 20
    for person in people:
        missed = world.places(world.may_read(person) - found[person.name])
        assert [place for place in missed if FOUND_BY_ALL.search(place)] == [], person.name
    parts = {place.partition(": ")[2] for place in world.places(set().union(*found.values()))}
    planted = {place.partition(": ")[2] for place, _may in world.words.values()}
    assert planted - parts == SHOWN_NOWHERE


FOUND_BY_ALL = re.compile(r": (title|need|proposal|comment( by mail)?|reply|answer|tag|name|joined title)$")
"""What everybody finds who may read it."""


def test_s05_searching_and_typing_answer_as_if_what_is_hidden_were_not_there(world):
    wrong: list[str] = []
    for person in (_somebody(world, name) for name in SEARCHING):
        may = world.may_read(person)
        nothing = {url: _said_without(person, url, "zqneverwasthere") for url in ASKING}
        for word, (place, _may) in world.words.items():
            if word in may or place.partition(": ")[2] not in SEARCHED:
                continue
            for url, said in nothing.items():
                if _said_without(person, url, word) != said:
                    wrong.append(f"{person.name} asks {url.format(word)} for {place}")
    reader = _somebody(world, "PM of the boards")
    hits = [word for word, (place, _may) in world.words.items() if place.endswith(": title")
            and "1 idea" in reader.browser.get(f"/search?q={word}").text]  # fmt: skip

    assert not wrong, "\n" + "\n".join(wrong[:60])
    assert len(hits) == len(KINDS)


SEARCHING = ("visitor", "waiting", "member", "author", "moderator", "member of the boards", "PM of the boards")
SEARCHED = {"note", "drafted answer", "private label",
            "title", "title before", "comment", "tag", "answer", "held title", "hidden title", "joined title",
            "comment before", "a deleted comment", "name", "joined across, idea", "joined across, main"}  # fmt: skip
ASKING = (
    "/search?q={}",
    "/search?q=zqnothing+author:{}",
    "/search?q=zqnothing+tag:{}",
    "/search?q=label:{}",
    "/search?q=zqnothing+-label:{}",
    "/search?q=zqnothing+board:{}",
    "/search/similar?title=Opens+at+dawn+before+others&need={}",
    "/?tag={}&status=all",
)


def _said_without(person: Somebody, url: str, word: str) -> str:
    text = person.browser.get(url.format(word)).text.replace(word, "WORD")
    if url.startswith("/search/similar"):  # what is offered; how alike it is hangs on all titles that were compared
        return str(sorted(set(re.findall(r"/ideas/\d+", text))))
    return timeless(text)


def test_s05_s09_no_mail_digest_or_message_to_a_browser_holds_what_its_reader_may_not_see(world, monkeypatch, settle):
    pushed: list[tuple[str, str]] = []

    def take(messages, _signer):
        pushed.extend((message.endpoint, f"{message.title} {message.body}") for message in messages.values())
        return {number: End(Ended.TAKEN) for number in messages}

    monkeypatch.setattr(pushing, "_hand_over_all", take)
    _decide_all(world)
    for later in (timedelta(), timedelta(hours=1), timedelta(days=8)):
        with time_machine.travel(utcnow() + later):
            settle()

    by_address = {person.email: person for person in filter(_has_account, world.people)}
    by_address |= {_endpoint(person): person for person in by_address.values()}
    caught = [(mail.recipient, "digest" if "<digest-" in mail.message_id else "mail", _text_of(mail))
              for mail in db.session.scalars(select(CaughtMail))]  # fmt: skip
    leaks = []
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for address, way, text in [*caught, *((endpoint, "push", text) for endpoint, text in pushed)]:
        if person := by_address.get(address):
            words = {word for word in MARK.findall(text) if word in world.words}
            leaks += [f"{way} to {person.name}: {place}" for place in world.places(words - world.may_read(person))]
            told[person.name, way] |= {world.words[word][0] for word in words}

    assert not leaks, "\n" + "\n".join(leaks[:60])
    assert {f"{kind}: answer" for kind in KINDS} <= set().union(*told.values())
    for person in filter(_has_account, world.people):
        waits, decided_it = person.role is None, person.name == "admin"  # nobody is told of what they did
        heard = {way: {kind for kind in KINDS if f"{kind}: title" in told[person.name, way]} for way in WAYS}
        assert heard["mail"] == person.kinds(), person.name
        assert heard["digest"] == person.kinds() or decided_it, person.name
        assert heard["push"] == (set() if waits or decided_it else person.kinds()), person.name


WAYS = ("mail", "digest", "push")


def _has_account(person: Somebody) -> bool:
    return person.user is not None


def _decide_all(world: World) -> None:
    """Have the team decide on every board, and say a word more, when everybody is told in a browser, too."""
    pm = db.session.get_one(User, _somebody(world, "admin").id)
    with transaction():
        keys.make_keys()
        for person in filter(_has_account, world.people):
            to = _endpoint(person)
            there = {"endpoint": to, "endpoint_hash": to, "public_key": "-", "auth_secret": "-"}
            db.session.add(Subscription(user_id=person.id, **there))
        for kind in KINDS:
            idea = world.idea(f"{kind}: title")
            moves.move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="It comes.", reversal="Unless it snows."))
            comments.post_comment(idea, pm, "And one word more.")


def _endpoint(person: Somebody) -> str:
    return f"https://push.example/{person.id}"


def _text_of(caught: CaughtMail) -> str:
    message = message_from_string(caught.raw, policy=policy.default)
    texts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return " ".join([caught.subject, *texts])


@on_one_database
def test_s04_s05_errors_name_nothing(world):
    """What is refused, missing or sent wrongly is answered without a word of what stands there."""
    leaks: list[str] = []
    refused = 0
    ideas = list(db.session.scalars(select(Idea.id)))
    for person in (_somebody(world, name) for name in ("visitor", "member", "observer", "PM of the boards")):
        may = world.may_read(person)
        for idea_id in ideas:
            for path in ("vote", "comments", "remove"):
                answer = person.browser.post(f"/ideas/{idea_id}/{path}", data={"reply_to": "1", "vote": "1"})
                if answer.status_code >= 400:
                    refused += 1
                    words = {word for word in MARK.findall(unescape(answer.text)) if word in world.words}
                    leaks += [f"{person.name} at {idea_id}/{path}: {place}" for place in world.places(words - may)]

    assert leaks == []
    assert refused > 100


def _somebody(world: World, name: str) -> Somebody:
    return next(person for person in world.people if person.name == name)
