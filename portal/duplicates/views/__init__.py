"""Pages and actions."""

from __future__ import annotations

from portal.duplicates.views.proposing import propose
from portal.duplicates.views.queue import bp
from portal.duplicates.views.reporting import report
from portal.duplicates.views.together import join
from portal.duplicates.views.workbench import pair

__all__ = ["bp", "join", "pair", "propose", "report"]
