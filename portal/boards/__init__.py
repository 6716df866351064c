"""Boards: where ideas of one kind are collected."""
