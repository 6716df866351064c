"""What people may call themselves, and which addresses they may give."""

import pytest

from portal.accounts import service
from portal.accounts.models import name_key
from portal.accounts.roles import Role
from portal.accounts.service import FieldRefused
from portal.db import db
from portal.text import clean_line
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support import on_one_database

GOOD = [
    ("two letters", "Al", "Al"),
    ("at the limit", "n" * 60, "n" * 60),
    ("composed on the way in", "Zoe\u0308", "Zo\u00eb"),
    ("an emoji beside letters", "Robin 🥾", "Robin 🥾"),
    ("a family of emoji, joined", "Kim 👩\u200d👧", "Kim 👩\u200d👧"),
    ("right to left", "نورة", "نورة"),
    ("two alphabets in two words", "Анна Miller", "Анна Miller"),
    ("spaces at the ends", "  Robin   Hale ", "Robin Hale"),
    ("a direction mark goes", "Ro\u202ebin", "Robin"),
    ("a zero-width space goes", "Ro\u200bbin", "Robin"),
    ("a NUL goes", "Ro\0bin", "Robin"),
    ("half a surrogate goes", "Ro\ud800bin", "Robin"),
]
BAD = [
    ("empty", ""),
    ("one letter", "A"),
    ("one over the limit", "n" * 61),
    ("10,000 characters", "n" * 10_000),
    ("only spaces", "   "),
    ("only a NUL", "\0\0\0"),
    ("only direction marks", "\u202e\u202d\u200f"),
    ("only fillers", "\u3164\u3164\u3164"),
    ("only blanks of Braille", "\u2800\u2800"),
    ("only joiners", "\u200d\u200d\u200d"),
    ("only emoji", "🥾🥾🥾"),
    ("an address", "robin@example.org"),
    ("a link", "https://example.org"),
    ("Latin with a Cyrillic a", "M\u0430ra"),
    ("Latin with a Greek o", "R\u03bfbin"),
    ("swells when folded", "\ufdfa" * 20),
]
SAME = [
    ("case", "ROBIN HALE"),
    ("width", "\uff32\uff4f\uff42\uff49\uff4e Hale"),
    ("a ligature", "Robin Hale".replace("R", "\U0001d411")),
    ("a no-break space", "Robin\u00a0Hale"),
    ("a joiner inside", "Rob\u200din Hale"),
    ("a non-joiner inside", "Rob\u200cin Hale"),
    ("a variation selector", "Robin\ufe0f Hale"),
    ("a filler at the end", "Robin Hale\u3164"),
    ("a combining joiner", "Ro\u034fbin Hale"),
    ("a direction mark", "\u202eRobin Hale"),
    ("a soft hyphen", "Ro\u00adbin Hale"),
]


@pytest.mark.parametrize(("typed", "kept"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
def test_s38_names_are_made_clean(app, typed, kept):
    with transaction():
        user = service.register(email="robin@example.org", name=typed, password=PASSWORD)

    assert user.name == kept


@pytest.mark.parametrize("typed", [case[1] for case in BAD], ids=[case[0] for case in BAD])
@on_one_database
def test_s38_names_that_nobody_can_read_are_refused(app, typed):
    with pytest.raises(FieldRefused) as refused, transaction():
        service.register(email="robin@example.org", name=typed, password=PASSWORD)

    assert refused.value.field == "name"


@pytest.mark.parametrize("typed", [case[1] for case in SAME], ids=[case[0] for case in SAME])
def test_s39_a_name_cannot_pass_for_another(app, typed):
    make_user(Role.PM, name="Robin Hale")

    with pytest.raises(FieldRefused, match="already"), transaction():
        service.register(email="other@example.org", name=typed, password=PASSWORD)

    assert name_key(clean_line(typed)) == name_key("Robin Hale")


@pytest.mark.parametrize("typed", ["Maps team", "MAPS TEAM", "Maps\u200d team", "Ｍaps team"])
def test_s39_a_name_cannot_pass_for_a_team(app, typed):
    make_user(Role.PM, name="Tomos", team="Maps team")

    with pytest.raises(FieldRefused, match="already"), transaction():
        service.register(email="other@example.org", name=typed, password=PASSWORD)


@pytest.mark.parametrize("typed", ["Admin", "MODERATOR", "Support", "Fellside", "fellside team"])
@pytest.mark.settings(NAME="Fellside")
def test_s39_a_member_cannot_pass_for_the_portal(app, typed):
    with pytest.raises(FieldRefused, match="team"), transaction():
        service.register(email="other@example.org", name=typed, password=PASSWORD)


def test_keeping_ones_own_name_is_no_clash(app):
    user = make_user(name="Robin Hale")

    with transaction():
        service.rename(user, "robin hale")

    assert user.name == "robin hale"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "robin",
        "robin@",
        "@example.org",
        "robin@example",
        "a b@example.org",
        "robin@exa\0mple.org",
        "robin@example.org, other@example.org",
        "robin@example.org\nBcc: x@example.org",
        "r" * 250 + "@example.org",
        "robin@-example.org",
        "robin@example..org",
    ],
)
@on_one_database
def test_s38_addresses_that_cannot_be_right_are_refused(app, typed):
    with pytest.raises(FieldRefused) as refused, transaction():
        service.register(email=typed, name="Robin", password=PASSWORD)

    assert refused.value.field == "email"
    assert refused.value.message.startswith("We cannot open an account with this address.")


def test_an_address_is_one_in_whatever_case(app):
    with transaction():
        service.register(email="Robin@Example.ORG ", name="Robin", password=PASSWORD)

    with pytest.raises(FieldRefused), transaction():
        service.register(email="robin@example.org", name="Other", password=PASSWORD)
    db.session.rollback()


@pytest.mark.parametrize(
    "address", ["a\0b@example.org", "\ud800@example.org", "x" * 100_000, "", "'; DROP TABLE users"]
)
def test_s38_odd_addresses_at_sign_in_are_only_wrong(browse, address):
    answer = browse().post("/sign-in", data={"email": address.encode("utf-8", "replace"), "password": PASSWORD})

    assert answer.status_code == 422
