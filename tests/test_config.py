"""Settings mean what people write, and what means nothing is refused when the portal starts."""

import pytest
from flask import Flask

from portal.config import ConfigurationError, configure


def configured(tmp_path, **settings):
    """The configuration of an app with these settings."""
    app = Flask("settings")
    configure(app, {"INSTANCE": str(tmp_path), **settings})
    return app.config


@pytest.mark.parametrize(
    ("name", "value"),
    [("WORKER", "outside"), ("WORKER", "Off "), ("DEMO", "maybe"), ("PROXIES", "one"), ("PROXIES", -1)],
)
def test_a_value_that_means_nothing_is_refused_by_name(tmp_path, name, value):
    with pytest.raises(ConfigurationError, match=f"PORTAL_{name} must be .*, not"):
        configured(tmp_path, **{name: value})


@pytest.mark.parametrize(
    ("words", "meant"), [("False", False), ("off", False), ("no", False), ("yes", True), ("1", True)]
)
def test_yes_and_no_are_understood_as_people_write_them(tmp_path, monkeypatch, words, meant):
    monkeypatch.setenv("PORTAL_DEMO", words)

    assert configured(tmp_path)["DEMO"] is meant


def test_what_is_left_empty_is_the_default(tmp_path):
    config = configured(tmp_path, WORKER="", DEMO="", PROXIES="")

    assert (config["WORKER"], config["DEMO"], config["PROXIES"]) == ("inside", False, 0)


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://Straße.example:8000/ideas", "http://xn--strae-oqa.example:8000/ideas"),
        ("https://ideas.example.org", "https://ideas.example.org"),
    ],
)
def test_the_host_is_named_as_browsers_and_headers_of_mails_name_it(tmp_path, written, known):
    assert configured(tmp_path, BASE_URL=written, SECRET_KEY="k" * 40)["BASE_URL"] == known


def test_an_address_that_no_header_can_name_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="PORTAL_BASE_URL must be an address"):
        configured(tmp_path, BASE_URL="https://ideas.example.org/bücher", SECRET_KEY="k" * 40)


def test_a_name_of_digits_is_a_name(tmp_path, monkeypatch):
    monkeypatch.setenv("PORTAL_NAME", "2027")

    assert configured(tmp_path)["NAME"] == "2027"


def test_the_instance_is_the_same_whatever_folder_one_is_in(tmp_path, monkeypatch):
    monkeypatch.setattr("portal.config.__file__", str(tmp_path / "code" / "portal" / "config.py"))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "pyproject.toml").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    assert configured(tmp_path, INSTANCE="")["INSTANCE"] == str(tmp_path / "code" / "instance")
    assert configured(tmp_path, INSTANCE="mine")["INSTANCE"] == str(elsewhere / "mine")
