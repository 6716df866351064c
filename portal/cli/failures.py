"""Failures that a person can do something about, each as one sentence instead of a traceback."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from alembic.util import CommandError
from limits.errors import ConfigurationError as LimitsError
from sqlalchemy.exc import ArgumentError, DBAPIError

from portal.config import ConfigurationError
from portal.errors import Refusal
from portal.search.engine import Busy, NeedsRebuild

EXTRAS = {"psycopg": "postgres", "redis": "redis"}


class OneSentence(click.Group):
    """A group whose commands fail with one sentence on stderr and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with in_words():
            return super().invoke(ctx)


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what goes wrong outside the portal, or against its rules, into a sentence."""
    try:
        yield
    except ConfigurationError as problem:
        raise click.ClickException(str(problem)) from None
    except Refusal as problem:
        raise click.ClickException(problem.message) from None
    except DBAPIError as problem:
        raise click.ClickException(_about_database(problem)) from None
    except ArgumentError:
        raise click.ClickException(
            "PORTAL_DATABASE_URL is no address of a database; it should be like postgresql://user:password@host/name."
        ) from None
    except LimitsError as problem:
        raise click.ClickException(f"PORTAL_LIMITS_STORAGE cannot be used: {_first_line(problem)}") from None
    except ModuleNotFoundError as problem:
        if problem.name not in EXTRAS:
            raise
        raise click.ClickException(f"This needs a package: pip install 'idea-portal[{EXTRAS[problem.name]}]'") from None
    except CommandError as problem:
        raise click.ClickException(f"The database cannot be migrated: {_first_line(problem)}") from None
    except NeedsRebuild as problem:
        raise click.ClickException(f"{problem} Run: portal search rebuild") from None
    except Busy as problem:
        raise click.ClickException(f"{problem} Try again in a minute.") from None
    except OSError as problem:
        if problem.errno == errno.EPIPE:
            raise
        raise click.ClickException(_about_system(problem)) from None


def _about_database(problem: DBAPIError) -> str:
    said = _first_line(problem.orig or problem)
    if "no such table" in said or "UndefinedTable" in type(problem.orig).__name__:
        return "The database has no tables yet. Run: portal db upgrade"
    if "locked" in said or "LockNotAvailable" in type(problem.orig).__name__:
        return f"Another process holds the database ({said}). Wait until it is done, and try again."
    return f"The database does not do what it is asked ({said}). Is PORTAL_DATABASE_URL right, and does the server run?"


def _about_system(problem: OSError) -> str:
    what = problem.strerror or str(problem) or type(problem).__name__
    return f"{problem.filename}: {what}." if problem.filename else f"{what}."


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
