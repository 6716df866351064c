"""What the browser fetches beside the page: one stylesheet, one script and one set of icons, named by their content."""

import gzip
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, abort, current_app, request

FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Something joined at start-up and served from memory; ``file`` is its name and changes with its content."""

    file: str
    mimetype: str
    plain: bytes
    zipped: bytes


def init_app(app: Flask) -> None:
    """Join and serve the bundles, and let templates ask for the address of anything static."""
    static = Path(app.static_folder or "static")
    app.extensions["assets"] = join(static)
    app.add_url_rule("/assets/<file>", "assets", serve)
    app.jinja_env.globals["asset_url"] = asset_url
    app.after_request(keep_named_files)
    if app.debug:
        app.before_request(lambda: app.extensions.update(assets=join(static)))


def asset_url(name: str) -> str:
    """The address of ``portal.css``, ``portal.js``, ``icons.svg`` or a file below ``static/``; it changes with the content."""
    if bundle := _bundles().get(name):
        return f"{request.script_root}/assets/{bundle.file}"
    return f"{request.script_root}{current_app.static_url_path}/{name}?v={_digest(_static() / name)}"


def serve(file: str) -> Response:
    """Fetch a bundle by its present name."""
    bundle = next((bundle for bundle in _bundles().values() if bundle.file == file), None)
    if bundle is None:
        abort(404)
    zipped = "gzip" in request.accept_encodings
    answer = Response(bundle.zipped if zipped else bundle.plain, mimetype=bundle.mimetype)
    answer.headers["Cache-Control"] = FOR_EVER
    answer.vary.add("Accept-Encoding")
    if zipped:
        answer.content_encoding = "gzip"
    return answer


def keep_named_files(answer: Response) -> Response:
    """Let browsers keep a static file for good when they asked for exactly this content."""
    if request.endpoint == "static" and answer.status_code in {200, 304} and request.view_args:
        if request.args.get("v") == _digest(_static() / request.view_args["filename"]):
            answer.headers["Cache-Control"] = FOR_EVER
    return answer


def join(static: Path) -> dict[str, Bundle]:
    """Read the sources as they are now; styles may name their fonts as seen from their own folder."""
    _digest.cache_clear()
    styles = "".join(path.read_text() for path in sorted((static / "css").glob("*.css")))
    styles = re.sub(r"/\*.*?\*/\s*", "", styles, flags=re.DOTALL)
    styles = re.sub(
        r'url\("\.\./(.+?)"\)', lambda url: f'url("../static/{url[1]}?v={_digest(static / url[1])}")', styles
    )
    scripts = sorted((static / "vendor").glob("*.js")) + sorted((static / "js").glob("*.js"))
    script = "\n".join(path.read_text() for path in scripts)
    return {
        "portal.css": _bundle("portal.css", "text/css", re.sub(r"\n\s+", "\n", styles)),
        "portal.js": _bundle("portal.js", "text/javascript", script),
        "icons.svg": _bundle("icons.svg", "image/svg+xml", (static / "icons.svg").read_text()),
    }


def _bundle(name: str, mimetype: str, text: str) -> Bundle:
    plain = text.encode()
    stem, _, ending = name.partition(".")
    file = f"{stem}-{sha256(plain).hexdigest()[:12]}.{ending}"
    return Bundle(file, mimetype, plain, gzip.compress(plain, mtime=0))


@cache
def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]


def _bundles() -> dict[str, Bundle]:
    bundles: dict[str, Bundle] = current_app.extensions["assets"]
    return bundles


def _static() -> Path:
    return Path(current_app.static_folder or "static")
