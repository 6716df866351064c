"""What the browser fetches beside the page, named by its content: style sheets, one script, one set of icons."""

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, abort, request

FOR_EVER = "public, max-age=31536000, immutable"


def init_app(app: Flask) -> None:
    """Join and serve the bundles, and let templates ask for the address of anything static."""
    assets = Assets(Path(app.static_folder or "static"), app.static_url_path or "/static")
    app.add_url_rule("/assets/<file>", "assets", assets.serve)
    app.jinja_env.globals["asset_url"] = assets.url
    app.after_request(assets.keep)
    if app.debug:
        app.before_request(assets.join_again)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Something served from memory; the name of its file changes with its content."""

    file: str
    mimetype: str
    plain: bytes
    zipped: bytes


class Assets:
    """The static files of one app, and what they are joined to when it starts."""

    def __init__(self, static: Path, static_url: str) -> None:
        self.static, self.static_url = static, static_url
        self.join_again()

    def url(self, name: str) -> str:
        """The address of ``portal.css``, ``team.css``, ``portal.js``, ``icons.svg``, or of a file below ``static/``."""
        if bundle := self.bundles.get(name):
            return f"{request.script_root}/assets/{bundle.file}"
        return request.script_root + self._below(name)

    def serve(self, file: str) -> Response:
        """Fetch a bundle by its present name."""
        bundle = next((bundle for bundle in self.bundles.values() if bundle.file == file), None) or abort(404)
        zipped = request.accept_encodings["gzip"] > 0
        answer = Response(bundle.zipped if zipped else bundle.plain, mimetype=bundle.mimetype)
        answer.headers["Cache-Control"] = FOR_EVER
        answer.vary.add("Accept-Encoding")
        if zipped:
            answer.content_encoding = "gzip"
        return answer

    def keep(self, answer: Response) -> Response:
        """Let browsers keep a static file for good if they asked for exactly this content."""
        if request.endpoint == "static" and request.view_args and answer.status_code in {200, 304}:
            now = _digest(self.static / request.view_args["filename"])
            answer.headers["Cache-Control"] = FOR_EVER if request.args.get("v") == now else "no-cache"
        return answer

    def join_again(self) -> None:
        """Take the sources as they are now; styles name their fonts as seen from their own folder."""
        _digest.cache_clear()
        styles = _joined(sorted(self.static.glob("css/*.css")))
        styles = re.sub(r'(?<=url\(")\.\./([^"]+)', lambda url: ".." + self._below(url[1]), styles)
        team = _joined(sorted(self.static.glob("css/team/*.css")))
        scripts = [path.read_text() for of in ("vendor", "js") for path in sorted(self.static.glob(f"{of}/*.js"))]
        self.bundles = {
            "portal.css": _bundle("portal-{}.css", "text/css", styles),
            "team.css": _bundle("team-{}.css", "text/css", team),
            "portal.js": _bundle("portal-{}.js", "text/javascript", "\n".join(scripts)),
            "icons.svg": _bundle("icons-{}.svg", "image/svg+xml", (self.static / "icons.svg").read_text()),
        }

    def _below(self, name: str) -> str:
        return f"{self.static_url}/{name}?v={_digest(self.static / name)}"


def _joined(files: Iterable[Path]) -> str:
    """Return all style sheets as one, without comments, each layer once, and without the blanks only people need."""
    layers: dict[str, str] = {"": ""}
    for path in files:
        rules = _COMMENT.sub(lambda found: found[1] or "", path.read_text())
        rules = _AIR.sub(lambda found: found[1] or found[2] or (":" if found[0][0] == ":" else " "), rules)
        for layer, body in _blocks(rules.strip().replace(";}", "}")):
            layers[layer] = layers.get(layer, "") + body
    return layers.pop("") + "".join(f"@layer {name}{{{rules}}}" for name, rules in layers.items())


def _blocks(rules: str) -> Iterator[tuple[str, str]]:
    """Part a style sheet into what each layer holds, in order; what is in no layer has the name ""."""
    while begin := _LAYER.search(rules):
        yield "", rules[: begin.start()]
        depth, end = 1, begin.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(rules[end], 0)
            end += 1
        yield begin[1], rules[begin.end() : end - 1]
        rules = rules[end:]
    yield "", rules


_LAYER = re.compile(r"@layer (\w+)\{")
_COMMENT = re.compile(r'("[^"]*")|/\*.*?\*/', re.DOTALL)
_AIR = re.compile(r'("[^"]*")|\s*([{};,>])\s*|(?<=[a-z]):\s+|\s+')


def _bundle(name: str, mimetype: str, text: str) -> Bundle:
    plain = text.encode()
    return Bundle(name.format(sha256(plain).hexdigest()[:12]), mimetype, plain, gzip.compress(plain, mtime=0))


@cache
def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]
