"""Letters that come by turns: what was news since the last one, at an hour of their reader's own clock."""
