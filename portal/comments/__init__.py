"""Comments: the discussion under an idea."""
