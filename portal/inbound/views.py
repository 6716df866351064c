"""Where another server posts mails that came in."""

from __future__ import annotations

import hmac
import time
from datetime import datetime, timedelta

from flask import Blueprint, abort, current_app, request
from werkzeug.wrappers import Response

from portal.extensions import csrf, limiter
from portal.inbound import queries, receiving
from portal.web.kept import kept
from portal.web.limits import LIMITS, per_address
from portal.web.security import FROM_OUTSIDE

bp = Blueprint("inbound", __name__)

FRESH_FOR = 5 * 60  # seconds for which a signature counts

FROM_OUTSIDE.add("inbound.receive")


@bp.post("/mail/inbound")
@csrf.exempt
@limiter.limit(LIMITS["mail.inbound"], key_func=per_address)
def receive() -> Response:
    """Take in a mail that another server received for us, whole and as it came (RFC 5322)."""
    secrets = str(current_app.config["INBOUND_SECRET"]).split()
    if not secrets:
        abort(404)
    request.max_content_length = current_app.config["LARGEST_UPLOAD"]
    if (request.content_length or 0) > request.max_content_length:
        abort(413)
    raw = request.get_data(cache=False)
    if not _is_signed(raw, secrets):
        abort(403)
    receiving.receive(raw)
    return current_app.response_class(status=204)


@bp.app_template_global()
def no_replies_since() -> datetime | None:
    """Return since when no reply by mail comes in, as it was half a minute ago at most; None when they do."""
    return kept(("no replies since",), timedelta(seconds=30), queries.stuck_since)


def _is_signed(raw: bytes, secrets: list[str]) -> bool:
    """Whether somebody who knows a secret signed this mail, with the moment, in the last five minutes."""
    moment = request.headers.get("X-Portal-Timestamp", "")
    said = request.headers.get("X-Portal-Signature", "").removeprefix("sha256=").lower()
    if not (moment.isascii() and moment.isdecimal() and len(moment) <= 12):
        return False
    signed = [hmac.digest(secret.encode(), moment.encode() + b"." + raw, "sha256").hex() for secret in secrets]
    right = [hmac.compare_digest(one.encode(), said.encode()) for one in signed]
    return any(right) and abs(time.time() - int(moment)) <= FRESH_FOR
