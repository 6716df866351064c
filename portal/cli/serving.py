"""Commands that run until they are stopped: demo, serve, worker."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Any

import click

from portal import server, worker
from portal.cli.progress import progress
from portal.demo import instance as demos
from portal.membership import setting_up
from portal.opening import opened
from portal.options import option
from portal.security.log import write_lines

ONE_PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--port", type=ONE_PORT, default=8000, show_default=True, help="Where to listen, on this machine only.")
@click.option(
    "--instance",
    type=click.Path(path_type=Path),
    default=Path("instance/demo"),
    show_default=True,
    help="The folder for everything the demo keeps.",
)
@click.option("--fresh", is_flag=True, help="Throw away what an earlier demo kept there, and begin anew.")
def demo(port: int, instance: Path, fresh: bool) -> None:
    """Start the portal with a community to click through.

    The first start builds it, later ones go on with what is there. Mails are kept in the portal and go nowhere. Nothing
    else is needed: no server, no key, no settings. Stop it with Ctrl-C.
    """
    _log_plainly()
    server.check_port("127.0.0.1", port)
    settings = demos.settings(instance, port)
    demos.set_up(settings, fresh=fresh, progress=progress)
    server.serve(
        settings, host="127.0.0.1", port=port, processes=1, threads=8, access_log=False, greeting=demos.greeting(port)
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=ONE_PORT, default=8000, show_default=True, envvar="PORT", help="The port to listen on.")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes answer."
)
@click.option("--threads", type=click.IntRange(1, 256), default=8, show_default=True, help="How many threads in each.")
@click.option("--access-log", is_flag=True, help="Write one line for each request to stdout.")
def serve(host: str, port: int, processes: int, threads: int, access_log: bool) -> None:
    """Answer requests: the server for production.

    It refuses to start on unsafe settings and on a database that needs `portal db upgrade`. With PORTAL_WORKER=inside
    one of its processes also sends mails and keeps the search index; with PORTAL_WORKER=off, start `portal worker` for
    that. SIGTERM and Ctrl-C stop it after the requests under way.
    """
    _log_plainly()
    with opened() as app:
        base, storage, limits = app.config["BASE_URL"], app.config["LIMITS_STORAGE"], app.config["LIMITS"]
        name = option("name")
        code = setting_up.print_code(app) if setting_up.is_needed() else ""
    if processes > 1 and limits and storage.startswith("memory:"):
        click.echo(
            f"Rate limits are counted in each of the {processes} processes for itself; "
            "PORTAL_LIMITS_STORAGE=redis://… counts them together.",
            err=True,
        )
    shown = f"[{host}]" if ":" in host else host
    at = f"http://{shown}:{port}"
    greeting = f"{name} is up at {at}" + ("" if base == at else f", for people at {base}")
    if code:
        greeting += f"\n\nNobody has an account here yet. Open {base}/set-up and type this code:\n\n  {code}\n"
    server.serve(
        {}, host=host, port=port, processes=processes, threads=threads, access_log=access_log, greeting=greeting
    )


@click.command(name="worker")
def work() -> None:
    """Carry out what follows: notifications, mails, the search index, reminders.

    For set-ups with PORTAL_WORKER=off; several may run side by side on PostgreSQL. SIGTERM and Ctrl-C stop it after the
    work in hand.
    """
    _log_plainly()
    stop = threading.Event()

    def end(_number: int, _frame: Any) -> None:
        stop.set()
        worker.wake()

    with opened() as app:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        click.echo("The worker is up.")
        worker.run(app, stop)


def _log_plainly() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    write_lines()
