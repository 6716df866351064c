"""Triage: the workspace where the team sorts, answers and decides."""
