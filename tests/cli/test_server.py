"""The servers as people start them: as processes on a port, stopped by signals."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.mail import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds, on a machine that has other things to do
FORM = b"POST /ideas HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
GREETED = re.compile(r"is up|The worker is up")


def surroundings(**variables):
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "FLASK_"))}
    return {**bare, "PYTHONPATH": str(ROOT), **variables}


def first_idea(database):
    """Return when the oldest idea was posted: a community that is built anew is counted from another moment."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT min(published_at), max(id) FROM ideas").fetchone()


def portal(*words, **variables):
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", *words],
        env=surroundings(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd="/",
    )


@contextmanager
def running(*words, **variables):
    """Start a command, and have it stopped at the end; yields the process with ``said``, what it printed so far."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "portal.cli", *words],
        env=surroundings(**variables),
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        process.said = ""
        for line in process.stdout:
            process.said += line
            if GREETED.search(line):
                break
        yield process
    finally:
        process.kill() if process.poll() is None else None
        process.said += process.stdout.read()
        process.stdout.close()
        process.wait(PATIENCE)


def get(port, path="/healthz", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def wait_until_answered(port):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return get(port)[0]
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nobody answers")


def children(pid):
    """The processes that this one started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except OSError:
            continue  # it ended while we looked
    return found


def is_alive(pid):
    return Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text()


def stop(process, number=signal.SIGTERM):
    """End it as an operator does; return its exit code and how long it took."""
    began = time.monotonic()
    process.send_signal(number)
    return process.wait(PATIENCE), time.monotonic() - began


def test_the_demo_is_built_once_served_stopped_and_used_again(tmp_path):
    port, instance = free_port(), tmp_path / "demo"
    words = ("demo", "--port", str(port), "--instance", str(instance))

    with running(*words) as demo:
        wait_until_answered(port)
        workers = children(demo.pid)
        status, page = get(port, "/")
        searched = get(port, "/search?q=woolly+rhinoceros")[0]
        second = portal(*words)
        fresh = portal("demo", "--port", str(free_port()), "--instance", str(instance), "--fresh")
        code, seconds = stop(demo)

    assert f"http://127.0.0.1:{port}" in demo.said
    roles = ("member", "observer", "moderator", "pm", "admin")
    assert [f"{role}@fellside.example" in demo.said for role in roles] == [True] * 5
    assert "/mail-catcher" in demo.said
    assert (status, "Fellside" in page) == (200, True)
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: Port {port} of 127.0.0.1 cannot be used")
    assert fresh.returncode == 1
    assert "Another demo runs" in fresh.stderr
    assert code == 0
    assert seconds < 15
    assert workers
    assert [pid for pid in workers if is_alive(pid)] == []

    database = instance / "portal.db"
    with closing(sqlite3.connect(database)) as connection:
        kept = connection.execute("SELECT count(*) FROM noted_searches WHERE words = 'woolly rhinoceros'").fetchone()
    assert (searched, kept) == (200, (1,))  # it was kept in memory, for the minute was not full
    before = first_idea(database)
    with running(*words) as again:
        wait_until_answered(port)
        assert stop(again, signal.SIGINT)[0] == 0
    assert first_idea(database) == before
    assert portal("doctor", PORTAL_INSTANCE=str(instance), PORTAL_DEMO="true", PORTAL_MAIL_URL="catch:").returncode == 0


def test_the_demo_leaves_a_portal_that_is_no_demo_alone(tmp_path):
    instance = tmp_path / "real"
    assert portal("db", "upgrade", PORTAL_INSTANCE=str(instance)).returncode == 0
    assert (
        portal("user", "create", "--email", "a@example.org", "--name", "Ann", PORTAL_INSTANCE=str(instance)).returncode
        == 0
    )

    for extra in ([], ["--fresh"]):
        answer = portal("demo", "--port", str(free_port()), "--instance", str(instance), *extra)
        assert answer.returncode == 1
        assert "holds a portal that is no demo" in answer.stderr
        assert "Traceback" not in answer.stderr
    assert (
        "b@example.org"
        in portal("user", "create", "--email", "b@example.org", "--name", "Bea", PORTAL_INSTANCE=str(instance)).stdout
    )


@pytest.fixture
def set_up(tmp_path):
    """The variables of a portal with tables and nothing in them."""
    variables = {"PORTAL_INSTANCE": str(tmp_path / "instance"), "PORTAL_MAIL_URL": "catch:"}
    assert portal("db", "upgrade", **variables).returncode == 0
    return variables


def test_the_server_goes_when_its_parent_was_killed(set_up):
    port = free_port()
    with running("serve", "--port", str(port), **set_up) as server:
        wait_until_answered(port)
        workers = children(server.pid)
        server.kill()
        server.wait(PATIENCE)
        until = time.monotonic() + 20
        while any(map(is_alive, workers)) and time.monotonic() < until:
            time.sleep(0.1)

    assert workers
    assert [pid for pid in workers if is_alive(pid)] == []


def test_several_processes_answer_and_one_of_them_works(set_up):
    port = free_port()
    with running("serve", "--port", str(port), "--processes", "2", "--access-log", **set_up) as server:
        wait_until_answered(port)
        assert len(children(server.pid)) == 2
        assert {get(port)[0] for _request in range(20)} == {200}
        code, seconds = stop(server)

    assert code == 0
    assert seconds < 15
    assert '"GET /healthz" 200' in server.said


def test_slow_senders_hold_up_nobody(set_up):
    port = free_port()
    head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
    body = FORM + b"Content-Length: 5000\r\n\r\na="
    with running("serve", "--port", str(port), "--threads", "2", **set_up) as server:
        wait_until_answered(port)
        slow = [socket.create_connection(("127.0.0.1", port)) for _sender in range(200)]
        for number, sender in enumerate(slow):
            sender.sendall(head if number % 2 else body)
        time.sleep(0.5)
        began = time.monotonic()
        statuses = [get(port)[0] for _request in range(5)]
        seconds = time.monotonic() - began
        for sender in slow:
            sender.close()
        stop(server)

    assert statuses == [200] * 5
    assert seconds < 10


def send(port, data):
    """Send bytes as they are and return the answer's status line."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sender:
        sender.sendall(data)
        return sender.makefile("rb").readline().decode()


def test_a_request_reaches_the_portal_as_it_was_sent_and_no_larger_than_it_takes(set_up):
    port = free_port()
    large = FORM + b"Content-Length: 3000000\r\n\r\n"
    chunks = FORM + b"Transfer-Encoding: chunked\r\n\r\n"
    with running("serve", "--port", str(port), **set_up) as server:
        wait_until_answered(port)
        answers = {
            "large": send(port, large),
            "chunked": send(port, chunks + b"210000\r\n" + b"a" * 0x210000 + b"\r\n" + b"10\r\n" + b"a" * 16 + b"\r\n"),
            "another host": send(port, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
            "head": send(port, b"HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
            "odd path": send(port, b"GET /%ff%00/%C3%A9 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        }
        stop(server)

    assert {name: line.split()[1] for name, line in answers.items()} == {
        "large": "413",
        "chunked": "413",
        "another host": "400",
        "head": "200",
        "odd path": "404",
    }


def test_the_worker_stops_when_it_is_told_to(set_up):
    with running("worker", **set_up) as worker:
        code, seconds = stop(worker)

    assert code == 0
    assert seconds < 15


def test_a_command_does_not_take_itself_apart_before_it_ends():
    """Python visits every object twice before it lets go of them: a second, for each command and each stop."""
    program = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count())); from portal.cli import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "--help"],
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd="/",
    )

    assert int(ended.stdout.splitlines()[-1]) > 10_000
