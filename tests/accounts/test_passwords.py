"""Which passwords are taken, and how they are kept."""

import re
import threading
import time

import pytest
from argon2 import PasswordHasher

from portal.accounts import passwords, service
from portal.accounts.passwords import PasswordRefused, check_strength, hash_password, is_right
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support import on_one_database

LONG = "".join(chr(0x3041 + i % 80) for i in range(256))


@pytest.mark.parametrize(
    "password",
    [
        "quiet sheep hil",  # 15 characters
        LONG,
        "a sentence, with all: spaces & marks!",
        " spaces at both ends count ",
        "пятнадцать слов про овец",
        "🥾🏔️🐑🌧️🧭🗺️🎒🔥⛺🌙✨🦊🐻🐺🦉",
        "nul\0in the middle of it",
    ],
)
@on_one_database
def test_s11_any_characters_of_fair_number_are_taken_as_typed(app, password):
    check_strength(password, name="Robin", email="robin@example.org")

    kept = hash_password(password)

    assert is_right(password, kept)
    assert not is_right(password[:-1], kept)
    assert not is_right(password[:-1] + "x", kept)
    assert not is_right(password.strip() if password != password.strip() else f"{password} ", kept)


@pytest.mark.parametrize("password", ["", "short", "fourteen chars", "x" * 14, LONG + "x"])
@on_one_database
def test_s11_too_short_and_too_long_are_refused_and_never_cut(app, password):
    with pytest.raises(PasswordRefused, match="at (least|most)"):
        check_strength(password, name="Robin", email="robin@example.org")


def test_s11_forms_leave_passwords_to_password_managers(browse):
    for path, fields in (("/sign-in", ["current-password"]), ("/sign-up", ["new-password"])):
        page = browse().get(path).text
        for field in fields:
            assert f'autocomplete="{field}"' in page
        assert "onpaste" not in page
        assert re.search(r'autocomplete="username( webauthn)?"', page)


def test_s12_fifty_of_the_passwords_that_attackers_try_first_are_refused(app):
    known = [word for word in sorted(passwords._common()) if len(word) >= passwords.SHORTEST - 3]
    tried = [word if len(word) >= passwords.SHORTEST else f"{word}123" for word in known][:50]

    assert len(tried) == 50
    for password in tried:
        with pytest.raises(PasswordRefused):
            check_strength(password, name="Robin", email="robin@example.org")


@pytest.mark.settings(NAME="Fellside walkers")
@pytest.mark.parametrize(
    "password", ["RobinHale1234567", "robin hale 12345", "robinrobinrobin!", "fellsidewalkers1", "aaaaaaaaaaaaaaaaaaa"]
)
@on_one_database
def test_s12_ones_own_words_are_refused(app, password):
    with pytest.raises(PasswordRefused, match="name|lists"):
        check_strength(password, name="Robin Hale", email="robin@example.org")


@pytest.mark.settings(PASSWORD_COST="real")
def test_s13_passwords_are_kept_by_argon2id_with_19_mib_and_2_passes(app):
    assert hash_password(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_s13_a_password_kept_by_an_older_method_is_kept_anew_at_sign_in(app, browse):
    user = make_user(password_hash=PasswordHasher(time_cost=3, memory_cost=16, parallelism=1).hash(PASSWORD))
    old = user.password_hash

    browse().post("/sign-in", data={"email": user.email, "password": PASSWORD})

    with transaction():
        assert user.password_hash != old
        assert service.find_by_password(user.email, PASSWORD) == user


def test_s13_no_more_passwords_are_worked_on_at_once_than_there_are_cores(app, monkeypatch):
    at_once, most, lock = 0, 0, threading.Lock()

    class Slow:
        def verify(self, kept, password):
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.01)
            with lock:
                at_once -= 1
            return True

    monkeypatch.setattr(passwords, "_hasher", Slow)
    threads = [threading.Thread(target=is_right, args=(PASSWORD, "kept")) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 <= most <= (passwords.os.cpu_count() or 1)
