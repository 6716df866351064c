"""What people type into the search: words, "quoted phrases", what is not wanted, operators as ``status:planned``.

Reading never fails. What is no operator is a word, and what would be too much is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from portal.search.words import MAX_QUERY
from portal.text import clean_line

MOST_LETTERS = 400
MOST_TERMS = 16
MOST_OPERATORS = 12
LONGEST_VALUE = 60

FIELDS = ("status", "board", "author", "tag", "year", "before", "after", "votes", "is")
TEAM_FIELDS = ("label",)
"""What only those may type who work here; from others it is a word like any other."""

_QUOTES = dict.fromkeys(map(ord, "“”„‟«»＂"), '"')
_TOKEN = re.compile(
    r"""
    (?P<minus>(?<!-)-*+|)
    (?: (?P<field>[A-Za-z]{2,10}) : (?: "(?P<quoted>[^"]*)" | (?P<bare>[^\s"]+) )
    |   "(?P<phrase>[^"]*)"
    |   (?P<word>[^\s"-][^\s"]*)
    )""",
    re.VERBOSE,
)
_FOREIGN = re.compile(r"([^\W\d_]{2,20}):(?!//)\S")


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase that is to be found, or with a minus that is not to be there."""

    text: str
    phrase: bool = False
    minus: bool = False

    def __str__(self) -> str:
        """Return it as it is typed."""
        return f"{'-' if self.minus else ''}{_quoted(self.text) if self.phrase else self.text}"


@dataclass(frozen=True, slots=True)
class Operator:
    """One limit: ``status:planned``, or with a minus what is not wanted."""

    field: str
    value: str
    minus: bool = False

    def __str__(self) -> str:
        """Return it as it is typed."""
        plain = re.fullmatch(r'[^\s",]+', self.value)
        return f"{'-' if self.minus else ''}{self.field}:{self.value if plain else _quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody searches for; ``str()`` of it is what they could have typed, and reads as the same again."""

    terms: tuple[Term, ...] = ()
    operators: tuple[Operator, ...] = ()

    def __str__(self) -> str:
        """Return it as it is typed: first what is to be found, then the limits."""
        return " ".join(map(str, (*self.terms, *self.operators)))

    @property
    def words(self) -> str:
        """The part that the index is asked for."""
        return " ".join(map(str, self.terms))

    @property
    def wanted(self) -> str:
        """The words and phrases that are to be found."""
        return " ".join(str(term) for term in self.terms if not term.minus)

    @property
    def said(self) -> str:
        """The same without quotation marks, as it is told back."""
        return " ".join(term.text for term in self.terms if not term.minus)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked."""
        return not (self.terms or self.operators)

    def values(self, field: str, minus: bool = False) -> list[str]:
        """Return what was said of a field, or what of it is not wanted."""
        return [one.value for one in self.operators if one.field == field and one.minus == minus]

    def narrowed(self, field: str, value: str) -> Asked:
        """Return the same with this as the only choice of the field; without a value with none."""
        others = tuple(one for one in self.operators if one.field != field or one.minus)
        return replace(self, operators=(*others, Operator(field, value)) if value else others)

    def without(self, operator: Operator) -> Asked:
        """Return the same without one of its limits."""
        return replace(self, operators=tuple(one for one in self.operators if one != operator))

    @property
    def of_team(self) -> Asked:
        """The limits that only the team may set, alone."""
        return Asked(operators=tuple(one for one in self.operators if one.field in TEAM_FIELDS))

    def saying(self, words: str) -> Asked:
        """Return the same limits around other words."""
        return replace(self, terms=read(words).terms)

    @property
    def word_for_word(self) -> Asked:
        """The same with each word taken as it stands: in quotes nothing is guessed."""
        return replace(self, terms=tuple(replace(term, phrase=True) for term in self.terms))


def read(text: str | None, works_here: bool = False) -> Asked:
    """Understand a search, whatever it is, by somebody who works here or not."""
    fields = fields_for(works_here)
    terms: dict[Term, None] = {}
    operators: dict[Operator, None] = {}
    room, for_words = MOST_LETTERS, MAX_QUERY
    for item in _items(clean_line((text or "")[: 4 * MOST_LETTERS].translate(_QUOTES))[:MOST_LETTERS], fields):
        length = len(str(item)) + 1
        if length > room + 1:
            continue
        if isinstance(item, Operator):
            if item in operators or len(operators) == MOST_OPERATORS:
                continue
            operators[item] = None
        else:
            if item in terms or len(terms) == MOST_TERMS or length > for_words + 1:
                continue
            terms[item] = None
            for_words -= length
        room -= length
    return Asked(tuple(terms), tuple(operators))


def fields_for(works_here: bool) -> tuple[str, ...]:
    """Return the operators that there are for somebody."""
    return FIELDS + TEAM_FIELDS if works_here else FIELDS


def unknown_fields(asked: Asked) -> list[str]:
    """Return what looks like an operator but is none, and is looked for as words."""
    found = (_FOREIGN.match(term.text) for term in asked.terms if looks_like_operator(term))
    return list(dict.fromkeys(match[1] for match in found if match))


def looks_like_operator(term: Term) -> bool:
    """Whether a word is written as an operator would be that does not exist."""
    match = _FOREIGN.match(term.text)
    return match is not None and not term.phrase and match[1].casefold() not in FIELDS


def _items(text: str, fields: Collection[str]) -> Iterator[Term | Operator]:
    for found in _TOKEN.finditer(text):
        minus = bool(found["minus"])
        field = (found["field"] or "").lower()
        if field in fields:
            values = [found["quoted"]] if found["quoted"] is not None else found["bare"].split(",")
            yield from (Operator(field, value, minus) for value in map(_value, values) if value)
        elif found["phrase"] is not None:
            if _says_something(phrase := found["phrase"].strip()):
                yield Term(phrase, phrase=True, minus=minus)
        else:
            yield from _plain(found, minus)


def _plain(found: re.Match[str], minus: bool) -> Iterator[Term]:
    """Read what is neither an operator nor a phrase; a field that does not exist is a word like others."""
    if found["field"] and found["quoted"] is not None:
        yield Term(found["field"], minus=minus)
        if _says_something(quoted := found["quoted"].strip()):
            yield Term(quoted, phrase=True, minus=minus)
        return
    word = f"{found['field']}:{found['bare']}" if found["field"] else found["word"]
    if _says_something(word):
        yield Term(word, minus=minus)


def _says_something(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _value(text: str) -> str:
    return text.strip()[:LONGEST_VALUE].strip()


def _quoted(text: str) -> str:
    return f'"{text}"'
