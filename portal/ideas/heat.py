"""Rising ideas: votes that fade by half each week, kept in one number that sorts rightly at any time.

All votes fade alike, so their order never changes by waiting. It is enough to keep the logarithm (base 2) of the sum of
2^(moment / half-life): a new vote adds to the sum, nothing has to be recomputed as time passes.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

HALF_LIFE = timedelta(days=7)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
COLD = 0.0


def with_vote(heat: float, at: datetime) -> float:
    """Return the heat after one more vote cast then."""
    weight = (at - EPOCH) / HALF_LIFE
    if heat == COLD:
        return weight
    high, low = max(heat, weight), min(heat, weight)
    return high + math.log2(1 + 2 ** (low - high))


def without_vote(heat: float, at: datetime) -> float:
    """Return the heat as if the vote cast then had not been."""
    rest = 1 - 2 ** ((at - EPOCH) / HALF_LIFE - heat)
    return heat + math.log2(rest) if rest > 1e-9 else COLD
