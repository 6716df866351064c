"""Knowing a form again that was sent before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import sqlalchemy as sa
from flask import request

from portal.db import db
from portal.once import SentForm, Thing, claim
from portal.web.session import viewer


def this_form() -> SentForm:
    """Return what came of this very form when this person sent it here before; the view notes in it what comes of it.

    A page's token tells one showing of a form from the next, so that whoever says the same again on purpose is heard.
    What comes without one is never known again. Called in the transaction in which the form does its work.
    """
    if not request.form.get("csrf_token"):
        return SentForm()
    fields = sorted(request.form.items(multi=True))
    sent = json.dumps([viewer().id, request.full_path, fields])
    return claim(hashlib.sha256(sent.encode()).hexdigest())


def made_once(kind: type[Thing], make: Callable[[], Thing]) -> Thing:
    """Return what this very form made when it came before, as long as it is there; else what it makes now."""
    sent = this_form()
    thing = sent.earlier(kind)
    if thing is None or getattr(thing, "user_id", viewer().id) != viewer().id:  # SQLite gives numbers anew
        thing = make()
        db.session.flush()
        (sent.made,) = sa.inspect(thing).identity or (None,)
    return thing
