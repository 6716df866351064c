"""The ``portal`` command."""

from __future__ import annotations

import atexit
import gc
from importlib import import_module
from importlib.util import find_spec

import click

from portal.cli.failures import OneSentence

COMMANDS = {
    "demo": "portal.cli.serving:demo",
    "serve": "portal.cli.serving:serve",
    "worker": "portal.cli.serving:work",
    "db": "portal.cli.upkeep:database",
    "search": "portal.cli.upkeep:search",
    "duplicates": "portal.cli.duplicates:duplicates",
    "doctor": "portal.cli.upkeep:examine",
    "user": "portal.cli.people:user",
    "import": "portal.cli.importing:import_",
    "translations": "portal.cli.translations:translations",
    "bench": "portal.bench.cli:bench",
}
"""Where each command is; its module is read when the command is used or listed."""


class Portal(OneSentence):
    """The commands of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        return [name for name in COMMANDS if self._is_there(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Read the module of a command."""
        if cmd_name not in COMMANDS or not self._is_there(cmd_name):
            return None
        module, _colon, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def _is_there(self, name: str) -> bool:
        module = COMMANDS[name].partition(":")[0]
        return find_spec(module.rpartition(".")[0]) is not None and find_spec(module) is not None


@click.group(cls=Portal, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def portal() -> None:
    """An idea-and-feedback portal: members suggest, staff decide, everyone hears what became of it.

    Settings come from PORTAL_* variables; the README lists them.
    """


def main() -> None:
    """Run the command line."""
    atexit.register(gc.freeze)  # taking everything apart at the end would cost a second of processor time
    portal(prog_name="portal")
