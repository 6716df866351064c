"""What differs between two versions of a text, in words that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

_MARKUP = re.compile(r"^[ \t]*(?:#{1,6}|[-*]|\d+\.)\s+|\*\*|(?<!\w)[*_]|[*_](?!\w)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a changed paragraph: ``kind`` is same, ins or del."""

    kind: str
    words: str


def changes(old: str, new: str) -> list[list[Piece]]:
    """Return the paragraphs that changed, each as pieces that stayed, went or came."""
    before, after = _paragraphs(old), _paragraphs(new)
    found = []
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            for was, now in zip_longest(before[i:j], after[k:m], fillvalue=""):
                found.append(list(_pieces(was.split(), now.split())))
    return found


def _pieces(old: list[str], new: list[str]) -> Iterator[Piece]:
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("same", " ".join(old[i:j]))
            continue
        if i < j:
            yield Piece("del", " ".join(old[i:j]))
        if k < m:
            yield Piece("ins", " ".join(new[k:m]))


def _paragraphs(text: str) -> list[str]:
    plain = _MARKUP.sub("", text.replace("\r\n", "\n"))
    return [" ".join(block.split()) for block in re.split(r"\n", plain) if block.strip()]
