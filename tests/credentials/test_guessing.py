"""Guessing is slowed, and nobody is locked out by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from portal.credentials import guessing
from portal.credentials.models import Guesses
from portal.db import db, utcnow
from portal.limits import TooMuch
from portal.transactions import transaction

pytestmark = [pytest.mark.usefixtures("app"), pytest.mark.settings(LIMITS=True)]

EMAIL, HERE, THERE = "robin@example.org", "192.0.2.7", "198.51.100.1"


def guess(email=EMAIL, address=HERE, times=1):
    """Guess wrongly and return how long one was told to wait, each time."""
    waits = []
    for _ in range(times):
        try:
            with transaction(wake=False):
                guessing.begin(email, address)
            waits.append(0)
        except TooMuch as refusal:
            waits.append(refusal.seconds)
    return waits


def test_s15_the_wait_grows_from_30_seconds_to_15_minutes():
    now, waits = utcnow(), []
    with time_machine.travel(now, tick=False):
        assert guess(times=5) == [0] * 5
    for _ in range(7):
        with time_machine.travel(now, tick=False):
            [wait] = guess()
        with time_machine.travel(now + timedelta(seconds=wait - 1), tick=False):
            assert guess() == [1]
        now += timedelta(seconds=wait)
        with time_machine.travel(now, tick=False):
            assert guess() == [0]
        waits.append(wait)

    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_s15_an_address_guesses_twenty_times_an_hour():
    now = utcnow()
    with time_machine.travel(now, tick=False):
        assert guess(email="one@example.org", times=4) == [0] * 4
        assert [guess(email=f"{n}@example.org")[0] for n in range(16)] == [0] * 16
        assert guess(email="next@example.org") == [3600]
        assert guess(email="next@example.org", address=THERE) == [0]
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        assert guess(email="next@example.org") == [0]


def test_s15_slow_mistakes_never_add_up_to_a_wait():
    now = utcnow()
    for number in range(60):
        with time_machine.travel(now + timedelta(minutes=16 * number), tick=False):
            assert guess() == [0]


def test_s15_the_right_password_takes_back_what_it_cost_and_no_more():
    for _ in range(30):
        with transaction(wake=False):
            guessing.begin(EMAIL, HERE)
            guessing.was_right(EMAIL, HERE)
    assert not guessing.takes_a_link(EMAIL)
    for number in range(50):
        guess(address=f"10.0.{number}.1")
    assert guessing.takes_a_link(EMAIL)

    with transaction(wake=False):
        guessing.begin(EMAIL, HERE)
        guessing.was_right(EMAIL, HERE)

    assert guessing.takes_a_link(EMAIL)
    assert guessing.takes_a_link(" ROBIN@example.org ")
    assert not guessing.takes_a_link("somebody.else@example.org")


def test_s15_a_day_later_a_password_alone_suffices_again():
    for number in range(50):
        guess(address=f"10.0.{number}.1")

    with time_machine.travel(utcnow() + timedelta(hours=25)):
        assert not guessing.takes_a_link(EMAIL)


def test_s15_any_code_can_be_guarded_the_same_way():
    for _ in range(5):
        with transaction(wake=False):
            guessing.check("app code", 7)
            guessing.fail("app code", 7)
    with pytest.raises(TooMuch) as refused:
        guessing.check("app code", 7)
    guessing.check("app code", 8)

    with transaction(wake=False):
        guessing.clear("app code", 7)

    assert 28 <= refused.value.seconds <= 30
    assert "30 seconds" in refused.value.message or "29 seconds" in refused.value.message
    guessing.check("app code", 7)


def test_no_address_can_be_read_from_what_is_kept_and_it_is_dropped_after_two_days():
    guess()
    rows = db.session.scalars(db.select(Guesses)).all()
    assert len(rows) == 3
    assert all(len(row.key) == 64 for row in rows)
    assert EMAIL not in str([vars(row) for row in rows])

    with time_machine.travel(utcnow() + timedelta(hours=49)), transaction(wake=False):
        assert guessing.forget_old() == 3
