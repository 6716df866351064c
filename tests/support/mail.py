"""A mail server that keeps what it is handed, and can be told to refuse."""

import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


class MailServer:
    """A real SMTP server on a port of its own, or on the one that another has left."""

    def __init__(self, port: int | None = None, **more: Any) -> None:
        self.got: list[EmailMessage] = []
        self.refusals: list[str] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=port or free_port(), **more)
        self.controller.start()
        self.running = True
        self.url = f"smtp://127.0.0.1:{self.controller.port}"

    def refuse(self, answer: str, times: int = 1) -> None:
        """Answer the next mails with a refusal: ``451`` is for now, ``550`` for good."""
        self.refusals += [answer] * times

    def stop(self) -> None:
        """Close the port; twice is once."""
        if self.running:
            self.running = False
            self.controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a mail, or refuse it; the name is the protocol's."""
        if self.refusals:
            return self.refusals.pop(0)
        self.got.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=default))
        return "250 Kept"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
