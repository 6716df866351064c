"""Demand that never became a post: ideas backed instead of posted again, and searches without an answer."""
