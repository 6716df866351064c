"""The first page of the portal's own rooms: what needs attention."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.membership import attention
from portal.membership.views.base import bp
from portal.notifications.mails import line
from portal.web.responses import page
from portal.web.session import authorize, can


@bp.get("/admin")
def overview() -> ResponseReturnValue:
    """See what needs somebody's hand, and how the portal stands."""
    authorize("people.see")
    needs = attention.needs(everything=can("options.decide"))
    way = line.state() if can("outbox.see") else None
    return page("membership/overview.html", needs=needs, facts=attention.facts(), line=way)
