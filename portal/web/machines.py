"""Telling machines that read pages from people, by what they say they are: enough to leave them out of counts."""

from __future__ import annotations

import re
from typing import Any

_SAYS_SO = re.compile(
    r"bot|crawl|spider|slurp|preview|fetch|scan|monitor|headless|curl|wget|python|java/|go-http", re.I
)


def is_machine(environ: dict[str, Any]) -> bool:
    """Whether whoever asks says that no person is reading, or says nothing; or a browser only reads ahead."""
    agent = environ.get("HTTP_USER_AGENT", "")
    ahead = "prefetch" in environ.get("HTTP_SEC_PURPOSE", environ.get("HTTP_PURPOSE", ""))
    return not agent or ahead or _SAYS_SO.search(agent) is not None
