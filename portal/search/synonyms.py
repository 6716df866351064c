"""Words that mean the same: learned from ideas that were joined, decided by the team, used in every search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import aliased

from portal.accounts.models import User
from portal.boards.models import Audience, Board
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication
from portal.options import decide
from portal.search import words
from portal.search.events import SynonymDecided
from portal.search.models import Synonym

LOOKED_AT = 5_000  # merges, the newest first
INDEPENDENT = 2  # main ideas into which others were merged, before two words are proposed
ASSOCIATED = 0.2
MOST_INSTEAD = 4  # words that one title has and the other has not; of more, nobody knows which stands in for which
LONGEST = 40

Titles = tuple[int, str, str]
"""The number of a main idea, its title, and the title of one that was merged into it."""


class NotTwoWords(Refusal):
    """A synonym is one word for another."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two words, and how often one stood where the other did in the titles of ideas that were joined."""

    one: str
    other: str
    one_spelt: str
    other_spelt: str
    merges: int = 0
    association: float = 0.0
    by_hand: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Its stems."""
        return self.one, self.other


def learn(titles: Iterable[Titles]) -> dict[tuple[str, str], Pair]:
    """Return the words that stood in for each other, with the share of times that they did so (Dice)."""
    together: dict[tuple[str, str], set[int]] = defaultdict(set)
    alone: dict[str, set[int]] = defaultdict(set)
    spelt: dict[str, str] = {}
    for main_id, title, merged in titles:
        mine, theirs = _spellings(title), _spellings(merged)
        ours = [stem for stem in mine if stem not in theirs]
        others = [stem for stem in theirs if stem not in mine]
        spelt |= mine | theirs
        for stem in (*ours, *others):
            alone[stem].add(main_id)
        if max(len(ours), len(others)) <= MOST_INSTEAD:
            for one in ours:
                for other in others:
                    together[min(one, other), max(one, other)].add(main_id)
    return {
        (one, other): Pair(
            one, other, spelt[one], spelt[other], len(ids), 2 * len(ids) / (len(alone[one]) + len(alone[other]))
        )
        for (one, other), ids in together.items()
    }


def proposed() -> list[Pair]:
    """Return what nobody has decided yet, the most certain first."""
    decided = {(row.one, row.other) for row in db.session.scalars(select(Synonym))}
    found = [
        pair
        for pair in learn(_joined()).values()
        if pair.key not in decided and pair.merges >= INDEPENDENT and pair.association >= ASSOCIATED
    ]
    return sorted(found, key=lambda pair: (-pair.merges, -pair.association, pair.key))


def decided(accepted: bool) -> list[Pair]:
    """Return what was accepted, or refused, with what speaks for it today."""
    learned = learn(_joined())
    rows = db.session.scalars(select(Synonym).where(Synonym.accepted.is_(accepted)).order_by(Synonym.one_spelt))
    none = Pair("", "", "", "")
    return [
        Pair(row.one, row.other, row.one_spelt, row.other_spelt, known.merges, known.association, row.by_hand)
        for row in rows
        for known in [learned.get((row.one, row.other), none)]
    ]


def decide_on(one: str, other: str, accepted: bool, actor: User, by_hand: bool = False) -> None:
    """Have two words stand in for each other from now on, or never be proposed again."""
    stems = words.stems(one), words.stems(other)
    if [len(found) for found in stems] != [1, 1] or stems[0] == stems[1] or max(len(one), len(other)) > LONGEST:
        raise NotTwoWords(_("Give two different words, each of them one word that says something."))
    pairs = sorted([(stems[0][0], one.lower()), (stems[1][0], other.lower())])
    row = db.session.get(Synonym, (pairs[0][0], pairs[1][0])) or Synonym(one=pairs[0][0], other=pairs[1][0])
    row.one_spelt, row.other_spelt, row.accepted, row.decided_at = pairs[0][1], pairs[1][1], accepted, utcnow()
    row.by_hand = by_hand or bool(row.by_hand)
    db.session.add(row)
    _put_in_use()
    emit(SynonymDecided(actor_id=actor.id, one=row.one, other=row.other, accepted=accepted))


def take_back(one: str, other: str, actor: User) -> None:
    """Forget what was decided on two words, given by their stems."""
    db.session.execute(delete(Synonym).where(Synonym.one == one, Synonym.other == other))
    _put_in_use()
    emit(SynonymDecided(actor_id=actor.id, one=one, other=other, accepted=None))


def _put_in_use() -> None:
    """Every process asks by these words within seconds, without a new index."""
    db.session.flush()
    instead: dict[str, list[str]] = defaultdict(list)
    for row in db.session.scalars(select(Synonym).where(Synonym.accepted)):
        instead[row.one].append(row.other)
        instead[row.other].append(row.one)
    decide("synonyms", dict(instead))


def _joined() -> Iterator[Titles]:
    """Yield the titles of ideas that are joined now and that everybody may read: an undone merge teaches nothing."""
    main, place, main_place = aliased(Idea), aliased(Board), aliased(Board)
    open_to_all = [
        condition for board in (place, main_place) for condition in (board.audience == Audience.PUBLIC, ~board.one_way)
    ]
    rows = db.session.execute(
        select(main.id, main.title, Idea.title)
        .join(main, main.id == Idea.merged_into_id)
        .join(place, place.id == Idea.board_id)
        .join(main_place, main_place.id == main.board_id)
        .where(Idea.publication == Publication.PUBLISHED, main.publication == Publication.PUBLISHED, *open_to_all)
        .order_by(Idea.id.desc())
        .limit(LOOKED_AT)
    )
    yield from map(tuple, rows)


def _spellings(title: str) -> dict[str, str]:
    """The words of a title by their stems, numbers left out."""
    return {
        words.stems(word)[-1]: word.lower()
        for _, _, word in words.single_words(title)
        if word.isalpha() and len(word) <= LONGEST
    }
