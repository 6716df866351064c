"""The folder of exports: files with names of our own, readable by the portal only."""

from __future__ import annotations

import os
import secrets
import time
from email import message_from_string, policy
from pathlib import Path
from typing import IO

from flask import current_app

from portal.privacy.models import Export

LEFT_OVER = 3600  # seconds after which a file that no export names is removed


def folder() -> Path:
    """Return the folder of exports, made on first use."""
    exports = Path(current_app.config["INSTANCE"]) / "exports"
    exports.mkdir(mode=0o700, exist_ok=True)
    return exports


def create() -> tuple[str, IO[bytes]]:
    """Open a new file for writing; return its name and the file."""
    name = f"{secrets.token_hex(16)}.zip"
    opened = os.open(folder() / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return name, os.fdopen(opened, "wb")


def path_of(export: Export) -> Path | None:
    """Return where the export lies; None where it is gone."""
    path = folder() / export.file if export.file else None
    return path if path and path.is_file() else None


def remove(export: Export) -> None:
    """Delete the file of an export; one that is gone already is fine."""
    if export.file:
        (folder() / export.file).unlink(missing_ok=True)
        export.file = None


def remove_left_over(named: set[str]) -> int:
    """Delete files that no export names and nobody writes any more; return how many."""
    old = time.time() - LEFT_OVER
    left = [path for path in folder().iterdir() if path.name not in named and path.stat().st_mtime < old]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def text_of(raw: str) -> str:
    """Return what a mail says, its headers and its parts, without the encoding that hides words."""
    message = message_from_string(raw, policy=policy.default)
    parts = [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in message.items()), *parts])
