"""The portal asks other servers by one guarded way only."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import pytest

from portal import outgoing
from portal.outgoing import BAD_ANSWER, LONGEST, NO_ANSWER, NOT_ALLOWED, OutgoingFailed
from tests.support.certificates import make_certificate, serving

HERE = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def database(sqlite_database):
    """None of this depends on the kind of database."""
    sqlite_database.renew()
    return sqlite_database


here_allowed = pytest.mark.settings(OUTGOING_ALLOW=HERE)


@contextmanager
def answering(answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[Any]:
    """A server that treats each connection as ``answer`` says; yields its port and what it was sent."""
    listening = socket.create_server((HERE, 0))
    listening.settimeout(0.05)
    over, asked = threading.Event(), []

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _peer = listening.accept()
            except TimeoutError:
                continue
            try:
                connection.settimeout(5)
                with context.wrap_socket(connection, server_side=True) if context else connection as held:
                    asked.append(held.recv(65536))
                    answer(held)
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1], asked
    finally:
        over.set()
        thread.join()
        listening.close()


def why(url: str) -> str:
    with pytest.raises(OutgoingFailed) as failed:
        outgoing.get(url)
    return failed.value.why


FORBIDDEN = [
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
    "https://localhost/", "https://0.0.0.0/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::a00:1]/",
    "https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/", "https://[2002:a00:1::1]/", "https://[fe80::1]/",
    "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[fec0::1]/", "https://[ff02::1]/", "https://10.0.0.1/",
    "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/",
    "https://192.0.0.1/", "https://198.18.0.1/", "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/",
    "http://1.1.1.1/", "http://127.0.0.1/", "ftp://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/", "data:,x",
    "https://user:word@1.1.1.1/", "https:///nothing", "//1.1.1.1/", "unix:/run/docker.sock",
]  # fmt: skip


@pytest.mark.parametrize("url", FORBIDDEN)
def test_s50_nothing_is_asked_of(url, monkeypatch):
    def refuse(*_arguments: Any, **_more: Any) -> Any:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", refuse)

    with pytest.raises((OutgoingFailed, ValueError)) as failed:
        outgoing.get(url)
    if isinstance(failed.value, OutgoingFailed):
        assert failed.value.why in NOT_ALLOWED


def test_s50_a_name_is_refused_when_any_of_its_addresses_is_not_public(monkeypatch):
    monkeypatch.setattr(outgoing, "_resolve", lambda host, port: ["93.184.216.34", "10.0.0.7"])

    assert why("https://rebinding.example/") == "address"


@here_allowed
def test_s50_a_name_is_resolved_once_and_that_address_is_connected_to(monkeypatch):
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return [HERE] if len(asked) == 1 else ["10.9.9.9"]

    monkeypatch.setattr(outgoing, "_resolve", resolve)
    with answering(lambda c: c.sendall(OK + b"Content-Length: 2\r\n\r\nhi")) as (port, got):
        answer = outgoing.get(f"http://moving.example:{port}/x?y=z")

    assert (answer.status_code, answer.text, asked) == (200, "hi", ["moving.example"])
    assert got[0].startswith(b"GET /x?y=z HTTP/1.1\r\n") and f"Host: moving.example:{port}".encode() in got[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@here_allowed
def test_s50_no_redirect_is_followed(status):
    to = f"HTTP/1.1 {status} There\r\nLocation: http://{HERE}:1/\r\nContent-Length: 0\r\n\r\n".encode()
    with answering(lambda c: c.sendall(to)) as (port, got):
        assert why(f"http://{HERE}:{port}/") == "redirect"
    assert len(got) == 1


@here_allowed
def test_s50_sixty_four_kibibytes_are_read_and_no_more():
    def send(size: int) -> Callable[[socket.socket], None]:
        return lambda c: c.sendall(OK + f"Content-Length: {size}\r\n\r\n".encode() + b"x" * size)

    with answering(send(LONGEST)) as (port, _got):
        assert len(outgoing.get(f"http://{HERE}:{port}/").content) == LONGEST
    with answering(send(LONGEST + 1)) as (port, _got):
        assert why(f"http://{HERE}:{port}/") == "too long"


@here_allowed
def test_s50_an_endless_answer_is_cut():
    def for_ever(connection: socket.socket) -> None:
        connection.sendall(OK + b"\r\n")
        while True:
            connection.sendall(b"x" * 4096)

    with answering(for_ever) as (port, _got):
        assert why(f"http://{HERE}:{port}/") == "too long"


@here_allowed
def test_s50_a_packed_answer_is_not_unpacked():
    with answering(lambda c: c.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx")) as (port, _got):
        assert why(f"http://{HERE}:{port}/") == "encoding"


@pytest.mark.parametrize("part", ["headers", "body"])
@here_allowed
def test_s50_an_answer_that_drips_is_cut_when_the_time_is_over(monkeypatch, part):
    monkeypatch.setattr(outgoing, "ANSWER_WITHIN", 0.6)

    def drip(connection: socket.socket) -> None:
        connection.sendall(OK if part == "headers" else OK + b"Content-Length: 9999\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    with answering(drip) as (port, _got):
        began = time.monotonic()
        assert why(f"http://{HERE}:{port}/") == "too slow"
        assert time.monotonic() - began < 3


@here_allowed
def test_s50_a_server_that_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(outgoing, "ANSWER_WITHIN", 0.4)

    with answering(lambda c: time.sleep(1)) as (port, _got):
        assert why(f"http://{HERE}:{port}/") == "too slow"


def test_s50_a_resolver_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(outgoing, "CONNECT_WITHIN", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(0.6) or [])

    assert why("https://slow.example/") == "too slow"


@here_allowed
def test_s50_nobody_there_is_told_apart_from_nonsense():
    with answering(lambda c: c.sendall(b"what?\r\n\r\n")) as (port, _got):
        assert why(f"http://{HERE}:{port}/") in BAD_ANSWER

    assert why(f"http://{HERE}:{port}/") in NO_ANSWER
    assert why("https://no-such-name.invalid/") == "unknown host"


@here_allowed
def test_s50_a_certificate_must_be_trusted_and_name_the_host(monkeypatch, tmp_path):
    mine, other = make_certificate(tmp_path, "good.example"), make_certificate(tmp_path, "other.example")
    monkeypatch.setattr(outgoing, "_resolve", lambda host, port: [HERE])
    hello: Callable[[Any], None] = lambda c: c.sendall(OK + b"Content-Length: 2\r\n\r\nhi")  # noqa: E731

    with answering(hello, serving(mine)) as (port, _got):
        assert why(f"https://good.example:{port}/") == "certificate"  # nobody we know signed it
        monkeypatch.setattr(outgoing, "_trust", lambda: ssl.create_default_context(cafile=mine))
        assert outgoing.get(f"https://good.example:{port}/").text == "hi"
        assert why(f"https://bad.example:{port}/") == "certificate"
    with answering(hello, serving(other)) as (port, _got):
        assert why(f"https://good.example:{port}/") == "certificate"


@here_allowed
def test_s50_no_proxy_of_the_environment_is_asked(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(lambda c: c.sendall(OK + b"Content-Length: 2\r\n\r\nhi")) as (port, _got):
        assert outgoing.get(f"http://{HERE}:{port}/").text == "hi"


@pytest.mark.settings(OUTGOING_ALLOW="10.1.0.0/16, login.internal fd00:1::/32")
def test_s50_the_operator_lists_what_else_may_be_asked(monkeypatch):
    def reached(host: str, address: str, scheme: str = "https") -> bool:
        monkeypatch.setattr(outgoing, "_resolve", lambda *_: [address])
        return why(f"{scheme}://{host}/") in NO_ANSWER

    monkeypatch.setattr(outgoing, "_connect", lambda *_: (_ for _ in ()).throw(ConnectionRefusedError()))

    assert reached("x.example", "10.1.2.3") and reached("x.example", "10.1.2.3", "http")
    assert reached("x.example", "fd00:1::5") and reached("Login.Internal", "192.168.7.7", "http")
    assert not reached("x.example", "10.2.0.1") and not reached("x.example", "fd00:2::5")
    assert reached("x.example", "93.184.216.34") and not reached("x.example", "93.184.216.34", "http")


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"])
def test_s50_public_addresses_are_known(address):
    assert outgoing.is_public(ip_address(address))
