"""What made-up people write: sentences of the demo's voices, shuffled, with words that nobody else uses."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from portal.demo.content import FOLDER
from portal.ideas.models import TITLE_MAX
from portal.ideas.service import EXCERPT
from portal.text import plain, render_markdown

SYLLABLES = (
    "ba", "der", "fol", "gin", "hul", "jor", "kat", "lem", "mip", "nor", "pas", "quen", "rit", "sul", "tav", "vex",
    "wib", "yor", "zan", "chi", "pre", "sto",
)  # fmt: skip
RARE_WORDS = 40_000
PASSAGES = 3_000  # comments and answers repeat after so many
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Wording:
    """An idea in words, with what is shown of it."""

    title: str
    need: str
    need_html: str
    excerpt: str


class Writer:
    """Writes the same texts again for the same random numbers."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        ideas, comments = _demo("ideas-*"), _demo("comments-*")
        self._titles = [row["title"].split() for row in ideas]
        self._sentences = [
            sentence for row in ideas for sentence in _SENTENCE_END.split(row["need"]) if len(sentence) > 20
        ]
        bodies = [str(row["body"]) for row in comments]
        written = [f"{chance.choice(bodies)} {self._rare_word()}" for _ in range(PASSAGES)]
        self._passages = [(text, render_markdown(text)) for text in written]

    def idea(self) -> Wording:
        """Return a title from two others, and a need of a few sentences."""
        first, second = self._chance.sample(self._titles, 2)
        words = [*first[: len(first) // 2 + 1], *second[len(second) // 2 :], self._rare_word()]
        sentences = self._chance.sample(self._sentences, self._chance.randint(2, 6))
        sentences.insert(1, f"It is about {self._rare_word()}.")
        need = " ".join(sentences)
        return Wording(" ".join(words)[:TITLE_MAX].strip(), need, render_markdown(need), plain(need, EXCERPT))

    def passage(self) -> tuple[str, str]:
        """Return what somebody says in a discussion, and its HTML."""
        return self._chance.choice(self._passages)

    def _rare_word(self) -> str:
        number = int(RARE_WORDS ** self._chance.random())  # a few of them often, most of them rarely
        word = SYLLABLES[number % len(SYLLABLES)]
        while number := number // len(SYLLABLES):
            word += SYLLABLES[number % len(SYLLABLES)]
        return word


def _demo(files: str) -> list[dict[str, str]]:
    return list(_rows(files))


def _rows(files: str) -> Iterator[dict[str, str]]:
    for file in sorted(FOLDER.glob(f"{files}.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
