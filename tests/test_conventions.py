"""The house rules, read from the sources: which way imports point, what templates may hold, what nobody may call."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import portal
from portal import permissions, reactions
from portal.config import SETTINGS
from portal.events import Event, name_of

ROOT = Path(__file__).parent.parent
PORTAL = ROOT / "portal"
TEMPLATES = ROOT / "templates"

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PORTAL.rglob("*.py"))
    if "versions" not in path.parts
}
PAGES = {str(path.relative_to(TEMPLATES)): path for path in sorted(TEMPLATES.rglob("*")) if path.is_file()}
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}

FEATURES = (
    "accounts",
    "boards",
    "teams",
    "ideas",
    "comments",
    "talk",
    "organisations",
    "scores",
    "links",
    "labels",
    "timeline",
    "roadmap",
    "changelog",
    "push",
    "notifications",
    "inbound",
    "promises",
    "search",
    "feeds",
    "decisions",
    "verdicts",
    "quarters",
    "demand",
    "duplicates",
    "workflows",
    "security",
    "membership",
    "credentials",
    "sso",
    "privacy",
    "triage",
    "bulk",
    "pages",
    "imports",
    "live",
    "demo",
    "bench",
)
BASE = {"accounts", "security"}
IDEAS = BASE | {"boards", "teams", "ideas", "comments"}
KNOWS = {
    "accounts": {"security"},
    "boards": BASE,
    "teams": BASE,
    "ideas": BASE | {"boards", "teams"},
    "comments": BASE | {"boards", "ideas"},
    "links": BASE | {"boards", "ideas"},
    "labels": BASE | {"boards", "ideas"},
    "timeline": BASE | {"boards", "ideas", "links"},
    "roadmap": BASE | {"boards", "ideas"},
    "changelog": BASE | {"boards", "ideas"},
    "talk": BASE | {"boards", "ideas"},
    "organisations": BASE | {"boards", "ideas"},
    "scores": BASE | {"boards", "ideas", "organisations"},
    "push": BASE,
    "notifications": IDEAS | {"push", "talk"},
    "inbound": IDEAS | {"notifications"},
    "promises": IDEAS | {"notifications"},
    "search": IDEAS | {"labels", "notifications"},
    "feeds": IDEAS | {"roadmap", "changelog", "notifications", "search", "quarters"},
    "decisions": IDEAS | {"search", "organisations"},
    "verdicts": IDEAS | {"notifications"},
    "quarters": IDEAS | {"notifications", "decisions", "verdicts"},
    "demand": IDEAS | {"search"},
    "security": {"accounts", "demand", "notifications", "push", "credentials", "inbound"},
    "duplicates": IDEAS | {"search"},
    "workflows": IDEAS | {"notifications"},
    "membership": IDEAS | {"notifications", "push", "search"},
    "credentials": BASE | {"notifications", "push", "membership"},
    "sso": BASE | {"notifications", "membership", "credentials"},
    "privacy": IDEAS
    | {
        "changelog",
        "decisions",
        "demand",
        "feeds",
        "notifications",
        "push",
        "search",
        "membership",
        "credentials",
        "triage",
        "sso",
        "duplicates",
        "links",
        "organisations",
        "scores",
        "bulk",
        "talk",
        "verdicts",
        "workflows",
    },
}
"""Whom each feature may know of below its views; those left out stand at the end and may know of all.

Everybody writes into the security log; what security does beside it (notices, known browsers) stands further down."""

COMPOSING = {"views", "page", "desk", "forms", "visits", "fragments", "messages"}
"""The modules that make pages, or ask for them: they know what a request says, and may ask any feature."""

DEAF = {
    "models",
    "queries",
    "service",
    "policy",
    "events",
    "moves",
    "steps",
    "merging",
    "merges",
    "objections",
    "lists",
    "mentions",
    "drafts",
    "snippets",
    "workflow",
    "clocks",
    "heat",
    "reactions",
    "mail",
}
"""The modules that never see a request, so that a page, a command and a test call the same function."""

TELLS_DATES = {
    "portal.notifications.reasons",
    "portal.notifications.stories",
    "portal.notifications.portal_news",
    "portal.notifications.digests.letters",
    "portal.membership.attention",
} | {
    f"portal.{feature}.letters"
    for feature in ("notifications", "membership", "privacy", "promises", "security", "triage")
}
"""They write moments as the pages do, by the one module of portal.web that needs no request."""


def imports_of(module: str) -> Iterator[tuple[str, str]]:
    """Each name that a module imports, as the module it comes from and the name."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by dots"
            yield from ((node.module or "", alias.name) for alias in node.names)


def modules_imported_by(module: str) -> set[str]:
    """The modules of the portal that a module imports; ``from portal.ideas import views`` is portal.ideas.views."""
    found = set()
    for source, name in imports_of(module):
        whole = f"{source}.{name}"
        if source.partition(".")[0] == "portal":
            found.add(whole if whole in MODULES else source)
    return found


def feature_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FEATURES else None


def kind_of(module: str) -> str:
    return (module.split(".") + ["", ""])[2]


# Imports


def test_below_the_views_a_feature_knows_only_those_before_it():
    too_much = {
        (module, other)
        for module in MODULES
        if feature_of(module) in KNOWS and kind_of(module) not in COMPOSING
        for other in modules_imported_by(module)
        if feature_of(other) not in {None, feature_of(module)} | KNOWS[feature_of(module)]
    }

    assert too_much == set()


def test_nobody_uses_the_views_or_forms_of_another_feature():
    others = {
        (module, other)
        for module in MODULES
        if feature_of(module)
        for other in modules_imported_by(module)
        if kind_of(other) in {"views", "forms"} and feature_of(other) not in {None, feature_of(module)}
    }

    assert others == set()


def test_what_holds_the_rules_never_sees_a_request():
    seen = {
        (module, f"{source}.{name}")
        for module in MODULES
        if feature_of(module) and kind_of(module) in DEAF
        for source, name in imports_of(module)
        if (source == "flask" and name in {"request", "session", "g"})
        or source.startswith(("portal.web", "flask_login", "htmx_flask"))
        or (source, name) == ("portal", "web")
    }

    assert seen == set()


def test_only_what_makes_pages_uses_portal_web():
    using = {
        module
        for module in MODULES
        if feature_of(module)
        and kind_of(module) not in COMPOSING
        and any(other.startswith("portal.web") for other in modules_imported_by(module))
    }

    assert using - TELLS_DATES == set()
    assert all(
        {other for other in modules_imported_by(module) if other.startswith("portal.web")} <= {"portal.web.dates"}
        for module in using
    )


def test_the_ground_floor_knows_no_feature():
    floor = {"db", "transactions", "leases", "events", "outbox", "worker", "text"}
    imported = {(name, other) for name in floor for other in modules_imported_by(f"portal.{name}")}

    assert {(name, other) for name, other in imported if feature_of(other)} == set()


def test_no_modules_import_each_other_in_a_circle():
    """Nor inside a function, nor for types alone: which way a change reaches further is plain."""
    imports = {module: modules_imported_by(module) & set(MODULES) - {module} for module in MODULES}

    left = set(MODULES)
    while ends := {one for one in left if not imports[one] & left or not any(one in imports[other] for other in left)}:
        left -= ends  # they import nothing that is left, or nothing that is left imports them

    assert {module: imports[module] & left for module in left} == {}


ENDS_TRANSACTIONS = {
    "portal.transactions": "the one place that commits",
    "portal.db": "write_lock ends what was only read, so that it is read again under the lock",
    "portal.web.errors": "a request that failed lets go of the database before it explains itself",
    "portal.web.resume": "the same, for an act that was done for somebody after signing in",
    "portal.search.index": "the index is written without holding the database",
    "portal.search.watching": "texts are compared without holding the database",
    "portal.pages.health": "a check that failed must not keep the next ones from asking",
    "portal.imports.ideas": "a dry run, and rows that were only read to see what is known",
    "portal.demo.builder": "as the import",
    "portal.bench.measure": "each measurement begins without what the one before had read",
    "portal.doctor": "a check that failed must not keep the next ones from asking",
}
ROLLS_BACK_ONLY = set(ENDS_TRANSACTIONS) - {"portal.transactions", "portal.db"}


def test_only_the_transaction_commits():
    ends: dict[str, set[str]] = {}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                whose, what = ast.unparse(node.func.value), node.func.attr
                if what in {"commit", "rollback"} and "session" in whose:
                    ends.setdefault(module, set()).add(what)

    assert set(ends) <= set(ENDS_TRANSACTIONS)
    assert all("commit" not in ends.get(module, ()) for module in ROLLS_BACK_ONLY)


def test_services_open_no_transactions_of_their_own():
    opening = {
        module
        for module in MODULES
        if kind_of(module) in {"service", "moves", "queries", "policy", "models"}
        and ("portal.transactions", "transaction") in set(imports_of(module))
    }

    assert opening == set()


# Templates


def macros_in(text: str) -> list[str]:
    return re.findall(r"\{%-?\s*macro\s+(\w+)\(", text)


CALLED_OTHERWISE = {"_time.html": "moment"}  # a macro named time would hide what `time` means in a fragment


def test_a_fragment_holds_the_macro_it_is_named_after():
    without = {
        page
        for page, path in PAGES.items()
        if (name := path.name).startswith("_")
        and CALLED_OTHERWISE.get(name, name[1:].removesuffix(".html")) not in macros_in(path.read_text())
    }

    assert without == set()


def test_a_template_imports_only_what_it_uses():
    texts = {page: path.read_text() for page, path in PAGES.items()}
    imported = [
        (page, said.split(" as ")[-1].strip())
        for page, text in texts.items()
        for names in re.findall(r'\{%-? from "[^"]+" import (.+?)(?: with context)? -?%\}', text)
        for said in names.split(",")
    ]

    assert len(imported) > 200
    assert [(page, name) for page, name in imported if len(re.findall(rf"\b{name}\b", texts[page])) < 2] == []


def asked_in_templates() -> set[str]:
    return {name for path in PAGES.values() for name in re.findall(r'\bcan\(\s*["\']([^"\']+)["\']', path.read_text())}


def asked_in_code() -> set[str]:
    found = set()
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in {
                "can",
                "authorize",
            }:
                found |= {
                    arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
    return found


def test_only_permissions_that_exist_are_asked_and_each_is_asked_somewhere():
    asked = asked_in_templates() | asked_in_code()

    assert asked - set(permissions.PERMISSIONS) == set()
    assert set(permissions.PERMISSIONS) - asked == set()


def test_pages_lead_only_to_addresses_that_exist(whole_app):
    named = {
        (page, name)
        for page, path in PAGES.items()
        for call in re.findall(r"url_for\(([^)]*)\)", path.read_text())
        for name in re.findall(r'["\']((?:\w+)?\.\w+|static)["\']', call.partition(",")[0])
    }

    endpoints = {rule.endpoint for rule in whole_app.url_map.iter_rules()}
    assert len(named) > 50
    assert {(page, name) for page, name in named if name not in endpoints} == set()


INLINE = {
    "a script": re.compile(r"<script(?![^>]*\bsrc=)", re.I),
    "a style element": re.compile(r"<style", re.I),
    "a style attribute": re.compile(r"\sstyle\s*=", re.I),
    "a handler": re.compile(r"\son[a-z]+\s*=", re.I),
    "htmx that evaluates": re.compile(r"hx-on|hx-vals=.js:|javascript:|hx-vars", re.I),
    "a foreign address": re.compile(r"(?:src|href|action)=\"(?:https?:)?//", re.I),
    "text taken as it is": re.compile(r"\|\s*safe\b|autoescape\s+false", re.I),
}


@pytest.mark.parametrize("what", list(INLINE))
def test_no_page_holds(what):
    pages = {page: path.read_text() for page, path in PAGES.items() if not page.startswith("emails/")}

    found = {(page, held[0]) for page, text in pages.items() if (held := INLINE[what].search(text))}

    assert found == set()


def test_mails_take_no_text_as_it_is_and_run_nothing():
    for page in (name for name in PAGES if name.startswith("emails/") and name.endswith(".html")):
        text = PAGES[page].read_text()
        assert not INLINE["text taken as it is"].search(text)
        assert not INLINE["a handler"].search(text)
        assert "<script" not in text


def test_each_form_that_changes_something_carries_the_token():
    without = {
        page
        for page, path in PAGES.items()
        for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.S | re.I)
        if not re.search(r"csrf", form)
    }

    assert without <= {"notifications/stop.html"}, "only the stop link of a mail works without a session"


REVIEWED_MARKUP = {
    "portal.web.context": "rich(): shows HTML that portal.text cleaned when it was saved",
    "portal.web.responses": "joins fragments that are Markup already, by a line break",
    "portal.triage.views.pages": "the same",
    "portal.web.remembered": "gives back what a macro made, with this person's own token in its gap",
}


def test_markup_is_made_only_in_reviewed_places():
    making = {
        module
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Markup"
    }

    assert making <= set(REVIEWED_MARKUP)


def test_only_cleaned_html_is_shown_as_html():
    shown = {
        (page, what.strip())
        for page, path in PAGES.items()
        for what in re.findall(r"\{\{\s*([^{}|]+)\|\s*rich\b", path.read_text())
    }

    assert {what for _page, what in shown if not what.endswith("_html")} <= {
        "text",  # pages/privacy.html: render_markdown of our own text
        "shown.html",  # Rules.html renders on reading
        "old.html",  # comments.queries.Earlier renders on reading
        "rules.html",
        "typed.preview",  # triage: render_markdown of what was typed
        "workspace.desk.typed.preview",
        "desk.typed.preview",
        "preview",
    }


# What nobody may call

FORBIDDEN = {"eval", "exec", "compile", "__import__", "render_template_string", "from_string"}
FORBIDDEN_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "yaml",
    "xml",
    "lxml",
    "urllib.request",
    "httpx",
    "telnetlib",
}


def test_nothing_from_outside_is_run_or_unpickled():
    calls = {
        (module, ast.unparse(node.func))
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            getattr(node.func, "id", "") in FORBIDDEN
            or (isinstance(node.func, ast.Attribute) and node.func.attr in {"render_template_string", "from_string"})
            or ast.unparse(node.func) in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
            or any(word.arg == "shell" for word in node.keywords)
        )
    }
    imported = {(module, source) for module in MODULES for source, _name in imports_of(module)}

    assert calls == set()
    assert {pair for pair in imported if {pair[1], pair[1].split(".")[0]} & FORBIDDEN_MODULES} == set()


def test_sql_is_never_put_together_from_text():
    made = {
        f"{module}: {ast.unparse(node)}"
        for module, tree in TREES.items()
        if not module.startswith("portal.migrations")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"sa.text", "text", "db.text"}
        and not all(isinstance(arg, ast.Constant) for arg in node.args)
    }

    assert made == set()


def test_only_portal_db_knows_which_database_it_is():
    words = re.compile(r"dialect\.name|PRAGMA|on_conflict|BEGIN IMMEDIATE|skip_locked\s*=")

    knowing = {module for module, path in MODULES.items() if words.search(path.read_text())}

    assert knowing <= {"portal.db", "portal.migrations.env", "portal.bench.inside"}  # the last only counts statements


HTTP_CLIENTS = ("requests", "urllib3", "urllib.request", "http.client", "httpx", "aiohttp", "pycurl", "smtplib")
MAY_ASK = {
    "portal.outgoing": {"requests", "urllib3"},
    "portal.notifications.mails.transport": {"smtplib"},
    "portal.notifications.mails.proof": {"smtplib"},  # the test mail, by the same conversation
    "portal.doctor.post": {"smtplib"},  # the same for operators
    "portal.bench.processes": {"http.client"},  # it asks only the portal that it measures
    "portal.bench.streams": {"http.client"},  # the same
    "portal.bench.freshness": {"http.client"},  # the same
    "portal.bench.loop": {"http.client"},  # the same
    "portal.bench.mailed": {"smtplib"},  # it asks the mail server of its own that counts
}


def test_s50_only_the_guarded_helper_asks_other_servers():
    asking: dict[str, set[str]] = {}
    for module in MODULES:
        for source, name in imports_of(module):
            for client in HTTP_CLIENTS:
                if f"{source}.{name}.".startswith(f"{client}."):
                    asking.setdefault(module, set()).add(client)
    authlib = {
        module
        for module in MODULES
        if any(source.startswith("authlib.integrations") for source, _ in imports_of(module))
    }

    assert {module: clients - MAY_ASK.get(module, set()) for module, clients in asking.items()} == dict.fromkeys(
        asking, set()
    )
    assert authlib == {"portal.sso.openid"}
    assert "guard(OAuth2Session(" in MODULES["portal.sso.openid"].read_text()


# Events, reactions, settings

NEEDS_NO_REACTION = {
    "bulk.carried_out": "what was done with each idea has reactions of its own; a chore tells people in one mail",
    "bulk.undone": "the same",
    "verdict.given": "what the answers decide is decided in the same transaction",
    "verdict.ended": "where it moves the idea, that is told",
    "talk.note_edited": "nobody is told again",
    "talk.note_restored": "for the journal; whoever brings it back sees it",
    "talk.draft_saved": "the draft tells nobody until somebody is asked to look",
    "talk.draft_planned": "it goes out at its moment, and then whoever is behind the idea hears of it",
    "talk.draft_unplanned": "for the journal; whoever planned it sees it on the desk",
    "talk.draft_dropped": "for the journal; it can be taken up again",
    "talk.draft_reopened": "for the journal",
    "talk.snippets_changed": "for the journal",
    "idea.imported": "imports are silent; the importer indexes by itself",
    "idea.backed_instead": "the receipt itself is the point",
    "receipt.hidden": "for the journal; its author sees it",
    "receipt.shown": "for the journal",
    "idea.need_taken_back": "demand is counted when it is asked for",
    "decision.revised": "the record says that it was put right",
    "decision.reasons_changed": "for the journal; it is offered at once",
    "searches.set_aside": "for the journal",
    "searches.brought_back": "for the journal",
    "synonyms.decided": "every search asks by them at once",
    "idea.followed": "concerns only who did it",
    "idea.unfollowed": "concerns only who did it",
    "comment.found_helpful": "shown beside the comment",
    "comment.thanks_taken_back": "the same",
    "changelog.published": "the ideas it moves have reactions of their own; an entry alone tells nobody",
    "changelog.edited": "the entry says that it was edited",
    "changelog.withdrawn": "what was told cannot be untold",
    "changelog.credit_answered": "the entry shows it",
    "roadmap.idea_placed": "its status is as before, so nobody is told",
    "roadmap.themes_changed": "the record itself is the point",
    "organisation.changed": "pages count by it at once",
    "organisation.belonging_changed": "the page of the person says it",
    "segment.changed": "pages count by it at once",
    "idea.vote_on_behalf_taken_back": "what was told cannot be untold",
    "idea.votes_set_aside": "the page that counts them says it to whom they belong",
    "idea.scored": "the desk shows it",
    "score.formula_changed": "scores are counted again by the clock",
    "idea.team_assigned": "the queue of the team shows it",
    "idea.linked": "both pages show it",
    "idea.unlinked": "neither page shows it",
    "idea.nature_said": "the page shows it",
    "idea.need_backed": "concerns only who did it, and is counted as it is read",
    "idea.need_unbacked": "the same",
    "label.renamed": "the same",
    "label.removed": "the same",
    "team.changed": "for the security log",
    "team.joined": "the record itself is the point",
    "team.left": "the record itself is the point",
    "board.made": "the record itself is the point",
    "calendar.decided": "what is promised from now on is counted by it",
    "board.removed": "nothing was ever posted there",
    "board.place_given": "for the security log; what it opens is read anew at each request",
    "board.place_taken": "what followed from it goes in the same transaction",
    "idea.address_revealed": "the record itself is the point",
    "idea.pair_refused": "the pair is closed with it",
    "idea.pair_reopened": "the pair is open again with it",
    "duplicate.proposed": "it joins the queue with it",
    "member.signed_in": "for the security log",
    "member.signed_out": "for the security log",
    "member.sign_in_failed": "for the security log",
    "member.email_confirmed": "for the security log",
    "member.password_changed": "for the security log",
    "member.rules_accepted": "the record itself is the point",
    "member.approved": "the letter is queued with it",
    "member.declined": "the letter is queued with it",
    "member.suspended": "the letter is queued with it",
    "member.suspension_lifted": "the letter is queued with it",
}


def kinds_of_event() -> list[type[Event]]:
    def below(kind: type[Event]) -> Iterator[type[Event]]:
        for sub in kind.__subclasses__():
            if sub.__module__.startswith("portal."):
                yield sub
                yield from below(sub)

    return list(below(Event))


def test_each_event_has_a_reaction_or_stands_in_the_list_of_those_that_need_none():
    heard = set(reactions.REACTIONS)

    silent = {kind.name for kind in kinds_of_event() if not heard & set(kind.__mro__)}

    assert silent == set(NEEDS_NO_REACTION)


def test_each_event_is_named_in_the_journal_by_thing_and_past():
    names = [kind.name for kind in kinds_of_event()]

    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+\.[a-z_]+", name)] == []


def test_the_outbox_can_tell_all_reactions_apart():
    different = {reaction for listed in reactions.REACTIONS.values() for reaction in listed}

    assert len({name_of(reaction) for reaction in different}) == len(different)


def test_no_reaction_stands_twice_under_one_event():
    assert all(len(set(listed)) == len(listed) for listed in reactions.REACTIONS.values())


def test_the_readme_says_of_every_setting_what_the_code_says():
    rows = dict(re.findall(r"^\| `PORTAL_([A-Z_]+)` \|[^|]*\| (.*?) \|$", (ROOT / "README.md").read_text(), re.M))

    assert rows == {setting.name: setting.meaning for setting in SETTINGS}


def test_every_module_says_in_one_line_what_it_is_for():
    assert [module for module, tree in TREES.items() if not ast.get_docstring(tree)] == []


OF_ACCOUNTS = (8, *range(11, 25), 26, 35, 36, 38, 39, 54, *range(66, 70))
"""Lines of the security checklist that are about accounts."""


def test_every_line_of_the_checklist_about_accounts_has_a_test_that_says_so():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = {int(number) for number in re.findall(r"^ *def test_s(\d\d)_", tests, re.M)}

    assert [f"S{number:02}" for number in OF_ACCOUNTS if number not in named] == []


@pytest.fixture(scope="module")
def whole_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The portal with all its addresses; nothing is asked of its database."""
    folder = tmp_path_factory.mktemp("conventions")
    return portal.create_app(
        {
            "INSTANCE": str(folder),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/none.db",
            "WORKER": "off",
            "TESTING": True,
        }
    )
