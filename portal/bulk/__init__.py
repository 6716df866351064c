"""Doing one thing with many ideas: tried out first, carried out in parts, and taken back with one act."""
