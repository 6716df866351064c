"""The commands that do their work and end: what they promise, say and refuse."""

import io
import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

import portal
from portal.accounts.models import User
from portal.accounts.passwords import is_right
from portal.accounts.roles import Role
from portal.cli import COMMANDS
from portal.cli import portal as command
from portal.credentials.models import Authenticator
from portal.db import db
from portal.security.models import SecurityEntry
from tests.support.databases import forget
from tests.support.factors import add_app

GOOD_SECRET = "0123456789abcdef" * 2


@pytest.fixture
def settings(database, tmp_path):
    """What the commands of a test are told about their portal."""
    return {
        "PORTAL_DATABASE_URL": database.url,
        "PORTAL_INSTANCE": str(tmp_path / "instance"),
        "PORTAL_PASSWORD_COST": "test",
    }


@pytest.fixture
def run(settings):
    """Run a command of the portal: ``run("db", "current", PORTAL_NAME="…")``."""

    def invoke(*words, stdin=None, **variables):
        return CliRunner().invoke(command, words, input=stdin, env=settings | variables, prog_name="portal")

    return invoke


@pytest.fixture
def empty(tmp_path):
    """Settings of a portal that nobody has set up yet."""
    return {"PORTAL_DATABASE_URL": "", "PORTAL_INSTANCE": str(tmp_path / "fresh")}


def assert_one_sentence(answer, *parts, code=1):
    """The command ended with one sentence that holds ``parts``, and no traceback."""
    assert answer.exit_code == code, answer.output
    assert isinstance(answer.exception, SystemExit)
    last = answer.stderr.strip().splitlines()[-1]
    assert [part for part in parts if part not in last] == []


def look(settings, question):
    """Ask the database that a command has written to."""
    app = portal.create_app(
        {"SQLALCHEMY_DATABASE_URI": settings["PORTAL_DATABASE_URL"], "INSTANCE": settings["PORTAL_INSTANCE"]}
    )
    with app.app_context():
        answer = question()
        forget(db)
    return answer


# Help


def every_command(group, words=()):
    """Yield the words of a group and of all below it."""
    yield words
    for name in group.list_commands(None) if hasattr(group, "list_commands") else ():
        yield from every_command(group.get_command(None, name), (*words, name))


ALL = [words for words in every_command(command) if words[:1] != ("bench",)]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_says_what_happens(words):
    answer = CliRunner().invoke(command, [*words, "--help"], prog_name="portal")

    assert answer.exit_code == 0
    assert answer.output.startswith(f"Usage: {' '.join(('portal', *words))}")
    assert len(answer.output.splitlines()[2]) > 15


def test_the_commands_are_those_that_are_promised():
    assert {"demo", "serve", "worker", "db", "user", "search", "import", "doctor"} <= {
        words[0] for words in ALL if words
    }
    assert set(COMMANDS) >= {words[0] for words in ALL if words}


# Refusals

UNSAFE = {
    "no secret": ({}, "PORTAL_SECRET_KEY must be set"),
    "a short secret": ({"PORTAL_SECRET_KEY": "short"}, "at least 32 characters"),
    "debug": ({"PORTAL_SECRET_KEY": GOOD_SECRET, "PORTAL_DEBUG": "true"}, "Debug mode must be off"),
    "no TLS": (
        {"PORTAL_SECRET_KEY": GOOD_SECRET, "PORTAL_BASE_URL": "http://x.example", "PORTAL_PRODUCTION": "true"},
        "https:",
    ),
    "the demo": ({"PORTAL_SECRET_KEY": GOOD_SECRET, "PORTAL_DEMO": "true"}, "cannot be used in production"),
    "no address": ({"PORTAL_BASE_URL": "ideas.example.org"}, "must be an address"),
}


@pytest.mark.parametrize("words", [("serve",), ("worker",), ("doctor",), ("db", "upgrade")], ids=" ".join)
@pytest.mark.parametrize(("variables", "reason"), UNSAFE.values(), ids=UNSAFE.keys())
def test_unsafe_settings_refuse_to_start_and_say_why(empty, words, variables, reason):
    settings = empty | {"PORTAL_BASE_URL": "https://x.example"} | variables

    answer = CliRunner().invoke(command, [*words], env=settings)

    assert_one_sentence(answer, reason)


@pytest.mark.parametrize("words", [("serve",), ("worker",), ("search", "rebuild"), ("db", "check")], ids=" ".join)
def test_a_database_without_tables_is_one_sentence_that_names_the_command(empty, words):
    assert_one_sentence(CliRunner().invoke(command, [*words], env=empty), "portal db upgrade")


def test_an_instance_that_is_a_file_is_one_sentence(tmp_path):
    file = tmp_path / "file"
    file.touch()

    answer = CliRunner().invoke(command, ["doctor"], env={"PORTAL_INSTANCE": str(file)})

    assert_one_sentence(answer, str(file), "cannot be written", "--instance")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("nonsense", "PORTAL_DATABASE_URL is no address"),
        ("postgresql://nobody@127.0.0.1:1/none", "does the server run?"),
    ],
)
def test_a_database_that_is_not_there_is_one_sentence(tmp_path, url, part):
    answer = CliRunner().invoke(
        command, ["search", "rebuild"], env={"PORTAL_INSTANCE": str(tmp_path / "i"), "PORTAL_DATABASE_URL": url}
    )

    assert_one_sentence(answer, part)


# The database


def test_the_schema_goes_up_and_down_and_says_where_it_is(empty):
    def db_(*words):
        return CliRunner().invoke(command, ["db", *words], env=empty).output.strip()

    newest = db_("upgrade").removeprefix("The database is at ").rstrip(".")
    assert db_("upgrade") == f"The database is at {newest}."
    assert db_("current") == newest
    assert db_("downgrade", "base", "--yes").endswith("The database is at nothing.")
    assert db_("current") == f"nothing (newest: {newest})"
    db_("upgrade")
    assert CliRunner().invoke(command, ["db", "check"], env=empty).exit_code == 0


def test_a_downgrade_asks_first(empty):
    CliRunner().invoke(command, ["db", "upgrade"], env=empty)
    before = CliRunner().invoke(command, ["db", "current"], env=empty).output

    answer = CliRunner().invoke(command, ["db", "downgrade", "base"], env=empty, input="n\n")

    assert answer.exit_code == 1
    assert CliRunner().invoke(command, ["db", "current"], env=empty).output == before


def test_a_revision_that_there_is_not_is_one_sentence(empty):
    CliRunner().invoke(command, ["db", "upgrade"], env=empty)

    assert CliRunner().invoke(command, ["db", "upgrade", "9999"], env=empty).exit_code == 1


# Accounts


def test_an_account_is_made_with_a_password_from_stdin(run, settings):
    answer = run(
        "user",
        "create",
        "--email",
        "Nia@Example.org",
        "--name",
        "Nia F",
        "--role",
        "admin",
        "--team",
        "Support",
        "--password-stdin",
        stdin="seven quiet sheep on a hill\n",
    )

    assert answer.output == "Nia F (Admin) can sign in as nia@example.org.\n"
    made = look(settings, lambda: db.session.scalars(select(User)).one())
    assert (made.role, made.team, made.confirmed_at is None) == (Role.ADMIN, "Support", False)
    assert look(settings, lambda: is_right("seven quiet sheep on a hill", made.password_hash))


def test_a_password_is_made_up_and_printed_where_nobody_can_be_asked(run, settings):
    answer = run("user", "create", "--email", "a@example.org", "--name", "Ann")

    password = answer.output.strip().rpartition("Password: ")[2]
    assert len(password) >= 20
    assert look(settings, lambda: is_right(password, db.session.scalars(select(User)).one().password_hash))


@pytest.mark.parametrize(
    ("words", "stdin", "part"),
    [
        (["--email", "nonsense", "--name", "Ann"], None, "e-mail address"),
        (["--email", "a@example.org", "--name", "A"], None, "between 2 and 60"),
        (["--email", "a@example.org", "--name", "Ann", "--password-stdin"], "short\n", "at least 15"),
    ],
)
def test_an_account_that_cannot_be_made_is_one_sentence(run, words, stdin, part):
    assert_one_sentence(run("user", "create", *words, stdin=stdin), part)


def test_the_same_address_twice_is_refused(run):
    run("user", "create", "--email", "a@example.org", "--name", "Ann")

    assert_one_sentence(run("user", "create", "--email", "A@example.org", "--name", "Bea"), "There is an account")


def test_s14_the_operator_takes_the_second_step_from_an_owner_who_lost_it(run, settings):
    run("user", "create", "--email", "a@example.org", "--name", "Ann", "--role", "owner")
    look(settings, lambda: add_app(db.session.scalars(select(User)).one()))

    answer = run("user", "remove-second-step", "--email", "A@example.org")

    assert answer.output == "Ann signs in without a second step now.\n"
    assert look(settings, lambda: db.session.scalars(select(Authenticator)).all()) == []
    entry = look(settings, lambda: db.session.scalars(select(SecurityEntry)).all()[-1])
    assert (entry.kind, entry.data) == ("factor.all_removed", {"by": "operator"})
    assert_one_sentence(run("user", "remove-second-step", "--email", "b@example.org"), "no account", code=2)


def test_s08_the_operator_changes_roles_but_never_the_last_owners(run, settings):
    run("user", "create", "--email", "a@example.org", "--name", "Ann", "--role", "owner")
    assert_one_sentence(run("user", "role", "--email", "a@example.org", "--role", "member"), "last owner")
    run("user", "create", "--email", "b@example.org", "--name", "Bea")

    assert run("user", "role", "--email", "b@example.org", "--role", "owner").output == "Bea is now: Owner.\n"
    assert run("user", "role", "--email", "a@example.org", "--role", "member").output == "Ann is now: Member.\n"
    assert look(settings, lambda: db.session.scalars(select(User.role).order_by(User.id)).all()) == ["member", "owner"]
    assert_one_sentence(run("user", "role", "--email", "c@example.org", "--role", "pm"), "no account", code=2)


def test_a_role_that_there_is_not_is_a_mistake_in_the_command(run):
    assert_one_sentence(
        run("user", "create", "--email", "a@example.org", "--name", "Ann", "--role", "king"), "king", code=2
    )


# Search and import


def test_an_import_is_counted_found_and_not_doubled(run, tmp_path):
    file = tmp_path / "wishes.jsonl"
    file.write_text(
        "".join(json.dumps({"id": n, "title": f"Wish number {n}", "colour": "red"}) + "\n" for n in range(5)) + "{\n"
    )

    dry = run("import", "ideas", str(file), "--dry-run")
    first = run("import", "ideas", str(file))
    again = run("import", "ideas", str(file))

    assert "wishes: 6 rows read; 5 ideas would be added to Product ideas" in dry.stdout
    assert "nothing was written" in dry.stdout
    assert "5 ideas added to Product ideas, 0 were there already" in first.stdout
    assert "0 ideas added to Product ideas, 5 were there already" in again.stdout
    assert "line 6: not JSON" in first.stderr
    assert "Left out these columns: colour." in first.stderr
    assert "5 ideas can be found." in run("search", "rebuild").output
    assert "5 ideas can be found." in run("doctor").output


def test_an_import_reads_stdin(run):
    answer = run("import", "ideas", "-", "--source", "old", stdin=io.BytesIO(b"title;body\nOne;x\n"))

    assert "old: 1 rows read; 1 ideas added" in answer.stdout


def test_a_file_that_is_not_there_is_a_mistake_in_the_command(run):
    assert_one_sentence(run("import", "ideas", "/nowhere/at/all.csv"), "/nowhere/at/all.csv", code=2)


# The doctor


def test_the_doctor_finds_a_fresh_portal_well_but_for_the_index(run):
    run("search", "rebuild")

    answer = run("doctor")

    assert answer.exit_code == 0
    assert {line.split()[0] for line in answer.output.splitlines()} == {"ok", "attention"}


def test_the_doctor_ends_with_1_when_something_is_broken(empty):
    answer = CliRunner().invoke(command, ["doctor"], env=empty)

    assert answer.exit_code == 1
    assert "broken    The database is at nothing" in answer.output
