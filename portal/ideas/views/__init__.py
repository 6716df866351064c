"""Ideas: reading them, writing them, and standing behind them."""

from portal.ideas.views import backing, writing
from portal.ideas.views.reading import bp

__all__ = ["backing", "bp", "writing"]
