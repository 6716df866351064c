"""What a person came for, when a page stands between."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.web import resume
from portal.web.responses import own_path

REASONS = {
    "ideas.vote": (_l("Sign in to vote. Your vote is kept."), _l("Vote")),
    "ideas.follow": (_l("Sign in to follow this idea. We remember which one."), _l("Follow this idea")),
    "ideas.create": (_l("Sign in to post your idea. What you wrote is kept."), _l("Post idea")),
    "comments.post": (_l("Sign in to comment. Your text is kept."), _l("Post comment")),
    "comments.mark_helpful": (_l("Sign in to say that this helps. We remember the comment."), _l("Mark as helpful")),
}
"""Why somebody is asked to sign in, and what the one button says for whoever is signed in already."""


def came_for() -> str:
    """Return the path that the person came from, or that of the ideas."""
    return own_path(request.args.get("next"), url_for("ideas.index"))


def asked_for() -> dict[str, Any]:
    """What a person came for, for the page that stands between: the reason, and links that keep it."""
    target, then = came_for(), request.args.get("then")
    act = resume.waiting(target, then)
    reason, button = REASONS.get(act or "", (_("Sign in to go on. What you began is kept."), _("Go on")))
    if not act:
        reason = _("Sign in to see the page you asked for.") if target != url_for("ideas.index") else ""
    keep = {key: value for key in ("next", "then") if (value := request.args.get(key))}
    return {"act": act, "reason": reason, "button": button, "keep": keep, "back": target}
