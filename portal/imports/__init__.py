"""Imports: what people said elsewhere comes in, silently and once."""
