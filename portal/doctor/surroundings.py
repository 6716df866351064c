"""What the portal stands on: settings, the secret key, where limits are counted, the database."""

from __future__ import annotations

import stat
from collections.abc import Generator
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import DBAPIError

from portal.db import on_sqlite
from portal.doctor.findings import Finding, Findings, attention, broken, ok
from portal.extensions import limiter
from portal.schema import read_schema


def settings() -> Findings:
    """What the portal is set up for, and where it keeps things."""
    config = current_app.config
    if config["PRODUCTION"]:
        yield ok(f"Settings are fit for production at {config['BASE_URL']}.")
    elif config["DEMO"]:
        yield attention("This is a demo: everybody may read all mails and sign in to the demo accounts.")
    else:
        yield attention(
            f"Settings are for trying out at {config['BASE_URL']}. For real use, set PORTAL_BASE_URL to an https: one."
        )
    yield ok(f"The instance folder {config['INSTANCE']} can be written.")


def secret() -> Findings:
    """Whether the secret key is secret."""
    file = Path(current_app.config["INSTANCE"]) / "secret_key"
    if not file.exists():
        yield ok("The secret key comes from the settings.")
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        yield attention(
            f"The secret key can be read by other users of this machine (mode {mode:o}). Run: chmod 600 {file}"
        )
    else:
        yield ok("The secret key is readable by its owner only.")


def limits() -> Findings:
    """Whether requests are counted, and where."""
    where = current_app.config["LIMITS_STORAGE"].partition("?")[0].rpartition("@")[2]
    if not current_app.config["LIMITS"]:
        yield attention("Rate limits are off (PORTAL_LIMITS).")
    elif limiter.storage.check():
        yield ok(f"Rate limits are counted in {where}.")
    else:
        yield attention(
            f"Rate limits cannot be counted in {where}; each process counts for itself. Does that server run?"
        )


def database() -> Generator[Finding, None, bool]:
    """Look at the database; the generator returns whether there is one to look at further."""
    kind = "SQLite" if on_sqlite() else "PostgreSQL"
    try:
        schema = read_schema()
    except DBAPIError as problem:
        said = str(problem.orig or problem).strip().splitlines()[0]
        yield broken(f"{kind} cannot be reached ({said}). Check PORTAL_DATABASE_URL.")
        return False
    if not schema.is_newest:
        yield broken(
            f"The database is at {schema.current or 'nothing'}, this version needs {schema.newest}. "
            "Run: portal db upgrade"
        )
        return False
    yield ok(f"{kind} answers, and its tables are those of this version ({schema.current}).")
    return True
