"""A real IMAP server with one mailbox, in a process of its own."""

import contextlib
import imaplib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.mail import free_port


class MailboxServer:
    """An IMAP server on a port of its own; mails are put into its mailbox and looked for in its folders."""

    def __init__(self, password: str = "demopass") -> None:
        self.port = free_port()
        program = Path(sys.executable).parent / "pymap"
        command = [str(program), "--no-service", "admin", "--host", "127.0.0.1", "--port", str(self.port), "--no-tls"]
        self.process = subprocess.Popen(
            [*command, "dict", "--demo-password", password], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.password = password
        self.url = f"imap://demouser:{password}@127.0.0.1:{self.port}/INBOX?done=Taken%20in"
        self._wait()

    def put(self, raw: bytes) -> None:
        """Let a mail arrive."""
        with self._opened() as box:
            said, words = box.append("INBOX", None, None, raw)
            assert said == "OK", words

    def lie_in(self, folder: str) -> list[bytes]:
        """The mails in a folder."""
        with self._opened() as box:
            if box.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            numbers = box.uid("SEARCH", "UNDELETED")[1][0] or b""
            return [box.uid("FETCH", number.decode(), "(BODY.PEEK[])")[1][0][1] for number in numbers.split()]

    def empty(self) -> None:
        """Throw away what lies in it, so that the next test finds it new."""
        with self._opened() as box:
            for folder in ("INBOX", "Taken in"):
                if box.select(f'"{folder}"')[0] == "OK":
                    box.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
                    box.expunge()

    def stop(self) -> None:
        """End the process; twice is once."""
        self.process.terminate()
        self.process.wait(10)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[imaplib.IMAP4]:
        box = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        try:
            box.login("demouser", self.password)
            yield box
        finally:
            box.logout()

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                with self._opened():
                    return
            except (OSError, imaplib.IMAP4.error):
                assert self.process.poll() is None, "the IMAP server did not start"
                assert time.monotonic() < until, "the IMAP server does not answer"
                time.sleep(0.1)
