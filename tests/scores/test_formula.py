"""Formulas: what is worked out, and what is no formula; nothing that is typed is ever run."""

import math

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from portal.scores.formula import WrongFormula, read, work_out

PARTS = {"reach": 200.0, "impact": 2.0, "confidence": 80.0, "effort": 4.0, "zero": 0.0, "nothing": None}


@pytest.fixture(scope="module", autouse=True)
def _language():
    app = Flask(__name__)
    Babel(app)
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("reach * impact * confidence / 100 / effort", 80),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("--2 + -impact", 0),
        ("Reach × 2 ÷ 4 − 1", 99),
        ("max(1, min(reach, 50), impact) + sqrt(16) + log(1000) + round(2.4)", 59),
        ("max(impact) + min(zero)", 2),
        ("reach / zero", None),
        ("sqrt(0 - 1)", None),
        ("reach + nothing", None),
        ("log(0)", None),
    ],
)
def test_a_formula_comes_to(text, result):
    found = work_out(read(text), PARTS)

    assert found == (None if result is None else pytest.approx(result))


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "reach *", "* reach", "reach impact", "(reach", "reach)", "()", "2 ** 3", "reach // 2", "a.b"),
        *(
            "__import__('os')",
            "open(1)",
            "max()",
            "sqrt(1, 2)",
            "reach[0]",
            "lambda: 1",
            "1e9",
            "“1”",
            "reach; 1",
            "1,2",
        ),
        *("(" * 25 + "1" + ")" * 25, "1+" * 200 + "1", "$reach", "min(1,2,3,4,5,6,7,8,9,10)"),
    ],
)
def test_what_is_no_formula_is_refused_with_a_sentence(text):
    with pytest.raises(WrongFormula) as refusal:
        read(text)

    assert str(refusal.value.message).endswith((".", "”."))


@given(st.text(alphabet="ab1.+-*/(), minmax", max_size=60))
def test_whatever_is_typed_is_a_number_or_none_or_refused(text):
    try:
        found = work_out(read(text), {"a": 3.0, "b": 0.0})
    except WrongFormula:
        return

    assert found is None or math.isfinite(found)
