"""A line to a mail server that breaks as it is told: what really happens between two machines, on real sockets."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

ENDING = b"\r\n.\r\n"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, ``times`` conversations long, at a step: connect, ehlo, mail, rcpt, data, text or taken."""

    at: str
    answer: bytes = b""  # what the server is made to say there instead; nothing: the line is cut, or hangs
    hangs: bool = False


class BrokenLine:
    """A port that leads to a real mail server; ``break_with`` says what goes wrong with the next conversations."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.server = (parts.hostname or "127.0.0.1", parts.port or 25)
        self.faults: list[Fault] = []
        self.conversations = 0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def break_with(self, fault: Fault, times: int = 1) -> None:
        """Let the next conversations go wrong."""
        self.faults += [fault] * times

    def stop(self) -> None:
        """Close the port and every conversation."""
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.conversations += 1
            fault = self.faults.pop(0) if self.faults else None
            thread = threading.Thread(target=self._converse, args=(client, fault), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, client: socket.socket, fault: Fault | None) -> None:
        client.settimeout(10)
        with client, suppress(OSError):
            with socket.create_connection(self.server, timeout=10) as server:
                Conversation(client, server, fault, self._over.wait).hold()
            hang_up(client)


def hang_up(client: socket.socket) -> None:
    """Say that nothing more comes, and hear the client out: to what was said and not heard a machine sends a reset."""
    client.shutdown(socket.SHUT_WR)
    client.settimeout(1)
    while client.recv(4096):
        pass


class Conversation:
    """One client speaking to the real server through us, a command at a time."""

    def __init__(
        self, client: socket.socket, server: socket.socket, fault: Fault | None, wait: Callable[[float], bool]
    ) -> None:
        self.client, self.server, self.fault, self.wait = client, server, fault, wait
        self.from_client, self.from_server = client.makefile("rb"), server.makefile("rb")

    def hold(self) -> None:
        """Pass on what both say until one hangs up, or the fault comes."""
        with self.from_client, self.from_server:
            greeting = self._answer()
            if self._breaks("connect"):
                return
            self.client.sendall(greeting)
            while command := self.from_client.readline():
                step = command.split()[0].decode("ascii", "replace").lower() if command.split() else ""
                if self._breaks(step):
                    if not self.fault.answer or step == "starttls":
                        return
                    continue
                self.server.sendall(command)
                answer = self._answer()
                if step == "ehlo" and self._is("starttls"):
                    answer = answer.replace(b"\r\n", b"\r\n250-STARTTLS\r\n", 1)  # after the name
                self.client.sendall(answer)
                if step == "data" and answer.startswith(b"354") and not self._text():
                    return

    def _text(self) -> bool:
        """Pass a mail on, or half of it, or all of it without an answer; say whether the conversation goes on."""
        text = b""
        while not text.endswith(ENDING):
            line = self.from_client.readline()
            if not line:
                return False
            text += line
            if self._is("text") and len(text) > 200:
                self.server.sendall(text)
                self._breaks("text")
                return False
        self.server.sendall(text)
        answer = self._answer()
        if self._breaks("taken"):
            return bool(self.fault.answer)
        self.client.sendall(answer)
        return True

    def _breaks(self, step: str) -> bool:
        """Whether this is where it goes wrong; what the server is made to say then is said."""
        if not self._is(step):
            return False
        if self.fault.hangs:
            self.wait(5)
        if self.fault.answer:
            self.client.sendall(self.fault.answer)
        return True

    def _is(self, step: str) -> bool:
        return self.fault is not None and self.fault.at == step

    def _answer(self) -> bytes:
        whole = b""
        while line := self.from_server.readline():
            whole += line
            if line[3:4] == b" ":
                break
        return whole
