"""Setting up: what `run` promises to people whose machine lacks something, and what the locks hold."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.mail import free_port

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted(ROOT.glob("*.lock"))
OLD_PYTHON = (
    "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = ['run']; runpy.run_path('run', run_name='__main__')"
)


@pytest.fixture
def copy(tmp_path):
    """A copy of what the set-up needs, without a set-up."""
    for path in [ROOT / "run", ROOT / "pyproject.toml", *LOCKS]:
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture
def script():
    """`run` as a module."""
    loader = SourceFileLoader("run_as_a_module", str(ROOT / "run"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def started(script, monkeypatch):
    """What `run` starts, written down instead of started; ``codes`` says how each ends."""
    seen = SimpleNamespace(commands=[], variables={}, codes={})

    def note(*command, **variables):
        seen.commands.append(" ".join(command))
        seen.variables |= variables
        return seen.codes.get(command[0], 0)

    monkeypatch.setattr(script, "module", note)
    return seen


def run(folder, *words, **variables):
    """Start `run` with this Python and bare surroundings."""
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    return subprocess.run(
        [sys.executable, "run", *words], cwd=folder, env=surroundings, capture_output=True, text=True, timeout=60
    )


def assert_one_sentence(answer, *parts):
    """It stopped with one sentence, which holds ``parts``, and not with a traceback."""
    assert answer.returncode == 1
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith("run: ")
    assert [part for part in parts if part not in last] == []
    assert "Traceback" not in answer.stderr


def test_without_a_word_it_says_what_there_is(copy):
    answer = run(copy)

    assert answer.returncode == 0
    assert "./run demo" in answer.stdout
    assert not (copy / ".venv").exists()


def test_an_old_python_is_told_so(copy):
    answer = subprocess.run([sys.executable, "-c", OLD_PYTHON], cwd=copy, capture_output=True, text=True)

    assert_one_sentence(answer, "Python 3.11 or newer is needed", "this is 3.9")


def test_a_folder_that_cannot_be_made_is_one_sentence(copy):
    (copy / "file").touch()

    answer = run(copy, "doctor", PORTAL_VENV=str(copy / "file" / "venv"))

    assert_one_sentence(answer, "cannot be made", "PORTAL_VENV")


def test_a_folder_that_is_not_writable_is_one_sentence(copy):
    root = os.geteuid() == 0
    if root and not shutil.which("setpriv"):
        pytest.skip("root may write anywhere, and there is no setpriv to be somebody else with")
    somebody = ["setpriv", "--reuid=65534", "--clear-groups"] if root else []
    surroundings = {name: value for name, value in os.environ.items() if name != "PORTAL_VENV"}

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(copy, folder, dirs_exist_ok=True)
        Path(folder).chmod(0o555)
        answer = subprocess.run(
            [*somebody, system_python(), "run", "doctor"], cwd=folder, env=surroundings, capture_output=True, text=True
        )
        named = subprocess.run(
            [*somebody, system_python(), "run", "doctor"],
            cwd=folder,
            env={**surroundings, "PORTAL_VENV": folder},
            capture_output=True,
            text=True,
        )

    assert_one_sentence(answer, "cannot be made", "PORTAL_VENV")
    assert_one_sentence(named, "is not writable", "PORTAL_VENV")


def test_a_folder_with_other_things_is_left_alone(copy):
    (copy / "letters").mkdir()
    (copy / "letters" / "dear-aunt.txt").touch()

    answer = run(copy, "doctor", PORTAL_VENV=str(copy / "letters"))

    assert_one_sentence(answer, "holds something else")
    assert [path.name for path in (copy / "letters").iterdir()] == ["dear-aunt.txt"]


def test_without_an_index_it_says_what_is_missing(copy):
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PORTAL_NO_UV": "1",
        "PIP_RETRIES": "0",
    }

    answer = run(copy, "doctor", **nowhere)

    assert_one_sentence(answer, "requirements.lock could not be installed", "PIP_INDEX_URL")
    assert not (copy / ".venv" / "installed-locks").exists()


def test_without_arguments_the_checks_come_before_the_tests_and_the_first_failure_counts(script, started):
    started.codes = {"mypy": 2, "pytest": 1}

    assert script.test([]) == 2
    assert started.commands == ["ruff check .", "ruff format --check .", "mypy", "pytest -n 2 --dist worksteal"]
    assert started.variables["PORTAL_FAILED_CHECKS"] == "mypy"


def test_with_arguments_only_those_tests_are_run(script, started):
    assert script.test(["tests/ideas", "-x"]) == 0
    assert started.commands == ["pytest tests/ideas -x"]


def test_the_path_stays_as_it_was(script, monkeypatch):
    monkeypatch.setenv("PATH", "/somewhere:/else")

    assert script.environment()["PATH"] == "/somewhere:/else"


def test_a_taken_port_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = demo("--port", port, "--instance", tmp_path / "instance")

    assert_complaint(answer, port, "--port")


def test_an_instance_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()

    answer = demo("--port", str(free_port()), "--instance", tmp_path / "file" / "instance")

    assert_complaint(answer, str(tmp_path / "file"), "--instance")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_every_package_by_hash_and_names_no_index(lock):
    text = lock.read_text()
    entries = re.findall(r"^\S.*?(?=^\S|\Z)", re.sub(r"^ *#.*\n", "", text, flags=re.M), flags=re.M | re.S)

    assert entries
    assert [entry for entry in entries if not re.match(r"[a-z0-9.-]+==\S+( ; .+)? \\\n +--hash=sha256:", entry)] == []
    assert re.search(r"://|--(extra-)?index|--find-links", text) is None


def test_the_test_lock_holds_the_runtime_lock():
    runtime, test = (set(pins(ROOT / name)) for name in ("requirements.lock", "requirements-test.lock"))

    assert runtime - test == set()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_what_pyproject_names(lock):
    pinned = {pin.partition("==")[0] for pin in pins(lock)}

    assert named_for(lock.name) - pinned == set()


def test_ci_runs_what_the_readme_names_and_nothing_else():
    script = (ROOT / ".ci" / "run").read_text()
    lines = [line for line in script.splitlines() if line and not line.startswith("#")]

    assert lines == [
        "set -eu",
        'cd "$(dirname "$0")/.."',
        "PORTAL_TEST_REQUIRE=chromium,postgres,valkey,smtp,openid ./run test",
    ]
    assert "./run test" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_the_scripts_can_be_started(script):
    assert os.access(ROOT / script, os.X_OK)


def demo(*words):
    """Start the demo, which is expected to stop at once."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "portal.cli", "demo", *words]
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=60)


def assert_complaint(answer, *parts):
    """It failed, and all that it said on stderr is one line that holds ``parts``."""
    (line,) = answer.stderr.strip().splitlines()
    assert answer.returncode != 0
    assert [part for part in parts if part not in line] == []


def pins(lock):
    """The packages of a lock with their versions."""
    return re.findall(r"^([a-z0-9.-]+==[^ \n]+)", lock.read_text(), flags=re.M)


def named_for(lock):
    """The packages that pyproject.toml wants in a lock."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups, project = pyproject["dependency-groups"], pyproject["project"]
    runtime = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    wanted = {
        "requirements-uv.lock": groups["setup"],
        "requirements.lock": runtime,
        "requirements-test.lock": runtime + groups["test"],
    }
    return {re.match(r"[a-z0-9-]+", name).group() for name in wanted[lock]}


def system_python():
    """A Python that others than us may start."""
    return shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
