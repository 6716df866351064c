"""The browser that a session belongs to, in words its owner recognises."""

from __future__ import annotations

from flask_babel import gettext as _

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def in_words(user_agent: str) -> str:
    """Return ``Firefox on Linux``; what the browser does not tell is left out."""
    browser = next((name for mark, name in BROWSERS if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return str(_("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(_("A browser we do not know"))


def way_in_words(way: str, second: bool) -> str:
    """Return how somebody signed in: ``with a password and a second step``."""
    words = {
        "password": _("with your password"),
        "link": _("with a mailed link"),
        "passkey": _("with a passkey"),
        "handover": _("through another product"),
    }
    said = words.get(way) or (_("through a linked sign-in") if way.startswith("sso:") else _("in another way"))
    if second and way != "passkey":
        return str(_("%(way)s and a second step", way=said))
    return str(said)
