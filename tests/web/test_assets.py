"""What the browser fetches beside the page."""

import gzip
import re
import tomllib
from base64 import b64encode
from hashlib import sha384
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from portal.web import assets
from tests.factories import make_user

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if path.parent.name != "emails")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, text in {
        "css/00-layers.css": '@layer base, pages; /* first */\n@font-face { src: url("../fonts/sans.woff2"); }\n',
        "css/board.css": "@layer pages {\n  .board { color: red; }\n}\n",
        "fonts/sans.woff2": "letters",
        "js/toasts.js": "toasts();\n",
        "vendor/htmx.js": "var htmx;\n",
        "icons.svg": "<svg/>",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def serving(static: Path, *, debug: bool = False) -> FlaskClient:
    app = Flask("portal", static_folder=static, static_url_path="/static")
    app.debug = debug
    assets.init_app(app)
    app.add_url_rule("/page", "page", lambda: render_template_string("{{ asset_url('portal.css') }}"))
    return app.test_client()


def headers(client: FlaskClient, url: str) -> Headers:
    with client.get(url) as answer:
        assert answer.status_code == 200
        return answer.headers


def address(client: FlaskClient, name: str) -> str:
    with client.application.test_request_context():
        return client.application.jinja_env.globals["asset_url"](name)


def test_styles_are_joined_in_the_order_of_their_names(sources):
    client = serving(sources)

    styles = client.get(address(client, "portal.css")).text

    assert styles.startswith("@layer base,pages;")
    assert styles.endswith("@layer pages{.board{color:red}}")


def test_the_library_comes_before_what_builds_on_it(sources):
    client = serving(sources)

    script = client.get(address(client, "portal.js"))

    assert script.text.split() == ["var", "htmx;", "toasts();"]
    assert script.mimetype == "text/javascript"


def test_an_address_changes_with_the_content_and_only_then(sources):
    before = {name: address(serving(sources), name) for name in ("portal.css", "portal.js", "fonts/sans.woff2")}

    (sources / "css/board.css").write_text("@layer pages { .board { color: blue; } }")

    after = {name: address(serving(sources), name) for name in before}
    assert after["portal.css"] != before["portal.css"]
    assert after["portal.js"] == before["portal.js"]
    assert after["fonts/sans.woff2"] == before["fonts/sans.woff2"]


def test_a_bundle_may_be_kept_for_good(sources):
    client = serving(sources)

    answer = client.get(address(client, "portal.css"))

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Accept-Encoding" in answer.vary


def test_a_bundle_is_sent_packed_to_whoever_accepts_that(sources):
    client = serving(sources)
    url = address(client, "portal.css")

    packed = client.get(url, headers={"Accept-Encoding": "gzip, br"})
    plain = client.get(url, headers={"Accept-Encoding": "br, gzip;q=0"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data


def test_an_earlier_version_is_gone(sources):
    client = serving(sources)

    assert client.get("/assets/portal-000000000000.css").status_code == 404


def test_a_static_file_is_kept_only_by_who_asked_for_this_content(sources):
    client = serving(sources)

    asked = headers(client, address(client, "fonts/sans.woff2"))
    outdated = headers(client, "/static/fonts/sans.woff2?v=000000000000")

    assert "immutable" in asked["Cache-Control"]
    assert outdated["Cache-Control"] == "no-cache"


def test_a_portal_below_another_address_names_its_files_there(sources):
    client = serving(sources)

    page = client.get("/page", base_url="http://example.org/ideas")

    assert page.text.startswith("/ideas/assets/portal-")


def test_while_developing_a_change_is_seen_at_once(sources):
    client = serving(sources, debug=True)
    before = client.get("/page").text

    (sources / "css/board.css").write_text("@layer pages { .board { color: blue; } }")

    assert client.get("/page").text != before


# What is really shipped


def test_every_file_the_styles_name_can_be_fetched():
    client = serving(STATIC)
    url = address(client, "portal.css")

    named = re.findall(r'url\("([^"]+)"\)', client.get(url).text)

    assert len(named) == 3
    for name in named:
        assert "immutable" in headers(client, name.replace("..", "", 1))["Cache-Control"]


def test_the_order_of_the_layers_is_declared_first_and_once():
    client = serving(STATIC)

    styles = client.get(address(client, "portal.css")).text

    assert styles.startswith("@layer reset,tokens,base,layout,components,pages,utilities;")
    assert len(re.findall(r"@layer [a-z,]+;", styles)) == 1
    assert styles.count("{") == styles.count("}")


@pytest.mark.parametrize(("sheet", "budget"), [("portal.css", 15_000), ("team.css", 8_000)])
def test_the_styles_stay_within_their_budget(sheet, budget):
    client = serving(STATIC)

    answer = client.get(address(client, sheet))

    assert 500 < len(gzip.compress(answer.data)) <= budget


def test_our_scripts_stay_within_their_budget():
    joined = b"".join(path.read_bytes() for path in sorted(STATIC.glob("js/*.js")))

    assert len(gzip.compress(joined)) <= 9_000


def test_what_others_wrote_is_listed_with_its_licence_and_its_checksum():
    listed = tomllib.loads((STATIC / "vendor/manifest.toml").read_text())["file"]

    for entry in listed:
        content = (STATIC / "vendor" / entry["file"]).read_bytes()
        assert (STATIC / "vendor" / entry["licence_file"]).stat().st_size > 300, entry["file"]
        assert entry.get("sha384", "") in {"", b64encode(sha384(content).digest()).decode()}, entry["file"]
    assert {path.name for path in STATIC.glob("vendor/*.js")} <= {entry["file"] for entry in listed}


def test_every_icon_that_a_template_names_is_in_the_set():
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))

    named = {
        (path.name, name)
        for path in TEMPLATES
        for name in re.findall(r"""(?:icon\(|icons\.svg'\) }}#)["']?([a-z0-9-]+[a-z0-9])["'"]""", path.read_text())
    }

    assert {entry for entry in named if entry[1] not in drawn} == set()


def test_no_template_needs_what_the_content_security_policy_forbids():
    forbidden = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|(?:src|href)=[\"']https?:|javascript:")

    assert [path.name for path in TEMPLATES if forbidden.search(path.read_text())] == []


def test_signing_in_fetches_nothing_anew(browse):
    page = browse(make_user()).get("/rules").text
    visitor = browse()

    named = set(re.findall(r'(?:href|src)="(/(?:assets|static)/[^"#]+)"', page))

    assert len(named) >= 5
    for url in named:
        assert "Cookie" not in headers(visitor, url).get("Vary", ""), url


def test_a_file_that_adds_to_two_layers_keeps_its_place_in_both(sources):
    (sources / "css/board.css").write_text("@layer base { .a { top: 0; } }\n@layer pages { .b { top: 1px; } }\n")
    (sources / "css/chart.css").write_text("@layer pages { @media print { .c { top: 2px; } } }\n")
    client = serving(sources)

    styles = client.get(address(client, "portal.css")).text

    assert "@layer base{.a{top:0}}" in styles
    assert ".b{top:1px}@media print{.c{top:2px}}" in styles
