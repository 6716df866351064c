"""Proving once more who one is, before dangerous acts."""
