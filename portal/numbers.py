"""Numbers as people type them: by the signs of their language, and never guessed at."""

from __future__ import annotations

import re

from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol
from flask_babel import get_locale

_SPACES = re.compile(r"(?<=\d)[ \u00a0\u202f'\u2019](?=\d{3}(?!\d))")
_PLAIN = "0." + "#" * 12


class NotClear(ValueError):
    """What was typed is no number, or could be two."""


def read_number(text: str, language: str | None = None) -> float:
    """Return the number that was typed; raise NotClear rather than take a thousand for one, or one for a thousand.

    The signs of the reader's language come first: in English ``1,000.5``, in German ``1.000,5``. With the other sign a
    number is taken only where it cannot be thousands: ``0,5`` is a half in English too, ``1,50`` as well.
    """
    decimal, group = (re.escape(sign) for sign in _signs(language))
    number = _SPACES.sub("", text.strip()) if len(text) <= 40 else ""
    if re.fullmatch(rf"[+-]?\d+({decimal}\d+)?", number, re.ASCII):
        return float(re.sub(decimal, ".", number))
    if re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}({group}\d{{3}})+({decimal}\d+)?", number, re.ASCII):
        return float(re.sub(decimal, ".", re.sub(group, "", number)))
    if re.fullmatch(rf"[+-]?(0{group}\d+|\d+{group}(\d{{1,2}}|\d{{4,}}))", number, re.ASCII):
        return float(re.sub(group, ".", number))
    raise NotClear(text)


def typed_as(number: float, language: str | None = None) -> str:
    """Return a number as its reader would type it: all its places, and nothing between thousands."""
    return str(format_decimal(number, _PLAIN, locale=_language(language)))


def _signs(language: str | None) -> tuple[str, str]:
    decimal, group = get_decimal_symbol(_language(language)), get_group_symbol(_language(language))
    return decimal, group if group in ".," else {",": ".", ".": ","}[decimal]


def _language(language: str | None) -> str:
    return language or str(get_locale() or "en")
