"""Decisions as records: what was decided, why, what was weighed, and what would change the team's mind."""
