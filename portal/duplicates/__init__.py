"""Duplicates: pairs of ideas that may say the same, what was decided on them, and how well they were guessed."""
