"""Commands that look after suggested duplicates."""

from __future__ import annotations

import click

from portal.cli.progress import progress
from portal.duplicates import scan as scanning
from portal.opening import opened


@click.group()
def duplicates() -> None:
    """Look after the queue of possible duplicates."""


@duplicates.command()
def scan() -> None:
    """Look through all ideas for pairs that may be one, from the start.

    The worker does this by itself, once; what the team decided stays decided.
    """
    with opened():
        with progress("Comparing") as at:
            count = scanning.scan_all(at)
        click.echo(f"{count} ideas compared.")
