"""Languages: German lacks no message, no words go past the catalogue, and people are answered in their own language."""

import gettext
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
import time_machine
from babel.messages.catalog import Catalog, Message
from click.testing import CliRunner
from flask import Flask
from flask_babel import force_locale
from jinja2 import Environment, nodes
from jinja2.lexer import TOKEN_DATA

from portal import worker
from portal.accounts.roles import Role
from portal.cli import portal as command
from portal.cli import translations
from portal.db import utcnow
from portal.ideas import moves
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.transactions import transaction
from portal.web import dates
from portal.web.context import LANGUAGES
from tests.factories import make_board, make_comment, make_idea, make_user, move_to
from tests.support import on_one_database
from tests.support.browser import HTMX

TEMPLATES = Path(__file__).parent.parent / "templates"
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}

each_language = pytest.mark.parametrize("language", TRANSLATED)


@pytest.fixture(scope="module")
def said() -> Catalog:
    """All that the portal says, as it stands in the sources."""
    return translations.gather()


def catalogue_of(language: str) -> Catalog:
    return translations.read_catalogue(file_of(language))


def file_of(language: str) -> Path:
    return translations.CATALOGUES / language / "LC_MESSAGES" / "messages.po"


def messages_in(catalogue: Catalog) -> dict[tuple[str, object], Message]:
    return {(message.context or "", message.id): message for message in catalogue if message.id}


# The catalogues


def test_every_language_that_can_be_chosen_has_a_catalogue_and_every_catalogue_can_be_chosen():
    assert [file.parts[-3] for file in translations.catalogue_files()] == TRANSLATED


@each_language
def test_the_catalogue_has_all_that_the_portal_says_and_nothing_else(said, language):
    """When this fails: ``portal translations update``, translate what is new, ``portal translations compile``."""
    there, known = messages_in(said), messages_in(catalogue_of(language))

    assert len(there) > 500
    assert {text for _context, text in there.keys() - known.keys()} == set()
    assert {text for _context, text in known.keys() - there.keys()} == set()


@each_language
def test_every_message_is_translated_and_none_by_guessing(language):
    messages = messages_in(catalogue_of(language)).values()

    assert [message.id for message in messages if not translations.is_translated(message)] == []
    assert [message.id for message in messages if message.fuzzy] == []


@each_language
def test_translations_keep_their_placeholders_and_have_all_plural_forms(language):
    catalogue = catalogue_of(language)

    wrong = [(message.id, str(problem)) for message in catalogue for problem in message.check(catalogue)]
    lost = [message.id for message in messages_in(catalogue).values() if not keeps_placeholders(message)]

    assert wrong == []
    assert lost == []


def keeps_placeholders(message: Message) -> bool:
    """Whether the last form of a translation names what the last form of the message does, and each form no more."""
    ids = [message.id] if isinstance(message.id, str) else message.id
    strings = [message.string] if isinstance(message.string, str) else message.string
    wanted = placeholders(ids[-1])
    return placeholders(strings[-1]) == wanted and all(placeholders(string) <= wanted for string in strings)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[a-z]|%%", text))


@each_language
def test_a_translation_begins_and_ends_as_the_message_does(language):
    messages = [m for m in messages_in(catalogue_of(language)).values() if isinstance(m.id, str)]

    assert [
        m.id for m in messages if m.string != m.string.strip() or (m.id[-1] in ".?…") != (m.string[-1] in ".?…")
    ] == []


@each_language
def test_the_compiled_catalogue_says_what_the_readable_one_says(language):
    with file_of(language).with_suffix(".mo").open("rb") as opened:
        compiled = gettext.GNUTranslations(opened)

    differ = {
        message.id
        for message in messages_in(catalogue_of(language)).values()
        if heard(compiled, message) != (message.string if isinstance(message.id, str) else tuple(message.string))
    }

    assert differ == set()


def heard(compiled: gettext.GNUTranslations, message: Message) -> object:
    """What a program hears that asks for a message."""
    if isinstance(message.id, str):
        return compiled.pgettext(message.context, message.id) if message.context else compiled.gettext(message.id)
    return tuple(compiled.ngettext(*message.id, number) for number in (1, 2))


def test_a_language_is_begun_by_the_command_and_what_is_translated_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(translations, "CATALOGUES", tmp_path)
    run = CliRunner()

    begun = run.invoke(command, ["translations", "update", "fr"])
    catalogue = catalogue_of("fr")
    catalogue["Vote"].string = "Voter"
    catalogue.add("Said no more", "Plus dit")
    with file_of("fr").open("wb") as out:
        translations.write_po(out, catalogue)
    again = run.invoke(command, ["translations", "update"])
    updated = file_of("fr").read_bytes()
    run.invoke(command, ["translations", "update"])
    compiled = run.invoke(command, ["translations", "compile"])

    assert file_of("fr").read_bytes() == updated
    assert re.fullmatch(r"fr: (\d+) messages, \1 without a translation\.\n", begun.output)
    assert re.fullmatch(r"fr: \d+ messages, \d+ without a translation\.\n", again.output)
    assert catalogue_of("fr")["Vote"].string == "Voter"
    assert "Said no more" not in catalogue_of("fr")
    assert compiled.output == "fr: compiled.\n"
    with file_of("fr").with_suffix(".mo").open("rb") as opened:
        assert gettext.GNUTranslations(opened).gettext("Vote") == "Voter"


def test_a_language_that_nobody_speaks_is_not_begun(monkeypatch, tmp_path):
    monkeypatch.setattr(translations, "CATALOGUES", tmp_path)

    answer = CliRunner().invoke(command, ["translations", "update", "../xx"])

    assert answer.exit_code == 1
    assert "'../xx' is no language" in answer.stderr
    assert list(tmp_path.iterdir()) == []


# Words in templates

NO_WORDS = {"Ctrl", "Enter", "Esc", "Shift", "iCalendar"}
"""What is the same in every language: the names of keys and formats."""

WITHIN_TAGS = "|".join(
    [
        *("body_attributes", "body_class", "density", "html_attributes", "main_attributes", "main_class"),
        *("title_attributes", "topbar_width"),
    ]
)
"""Blocks that stand inside a tag of the layout: what fills them is not read by people."""

SHOWN_ATTRIBUTES = {"alt", "aria-label", "label", "placeholder", "title"}
MARKS = {"_", "gettext", "ngettext", "pgettext"}
PAGES = sorted(
    str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file() and path.suffix != ".css"
)


class Words(HTMLParser):
    """Gathers what people would see of a template, without what it fills in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SHOWN_ATTRIBUTES:
                self.note(value or "")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:  # neither script nor style
            self.note(data)

    def note(self, text: str) -> None:
        words = [word for word in re.findall(r"[^\W\d_]{2,}", text) if word not in NO_WORDS]
        if words:
            self.found.append(text.strip())


def words_past_the_catalogue(environment: Environment, source: str) -> list[str]:
    """The words that a template writes as they are: in its HTML, or as text in its expressions."""
    parser = Words()
    visible = without_blocks_within_tags(source)
    parser.feed("".join(value for _line, kind, value in environment.lex(visible) if kind == TOKEN_DATA))
    parser.close()
    return parser.found + list(sentences_in(environment.parse(source)))


def without_blocks_within_tags(source: str) -> str:
    block = re.compile(rf"{{% block (?:{WITHIN_TAGS}) %}}(?:(?!{{% block ).)*?{{% endblock %}}", re.DOTALL)
    while source != (source := block.sub("", source)):
        pass
    return source


def sentences_in(node: nodes.Node) -> Iterator[str]:
    """Texts in expressions that begin as words for people do, with a capital letter."""
    marked = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in MARKS
    if marked or isinstance(node, nodes.Compare):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        if re.match(r"[A-Z][a-z]+( |$)", node.value) and node.value not in NO_WORDS:
            yield node.value
        return
    for child in node.iter_child_nodes():
        yield from sentences_in(child)


@pytest.mark.parametrize("page", PAGES)
def test_a_template_says_nothing_past_the_catalogue(translated_environment, page):
    source = (TEMPLATES / page).read_text(encoding="utf-8")

    assert words_past_the_catalogue(translated_environment, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Some words</p>",
        "{% if x %}Yes{% endif %}",
        '<input placeholder="Search">',
        '<a aria-label="More of {{ x }}">{{ x }}</a>',
        '{{ "Hidden" if x else _("Shown") }}',
        '{{ button(label="Send it") }}',
    ],
)
def test_words_in_a_template_are_found(translated_environment, source):
    assert len(words_past_the_catalogue(translated_environment, source)) == 1


@pytest.fixture(scope="module")
def translated_environment() -> Environment:
    return Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - nothing is rendered


# What people get


@pytest.mark.parametrize(
    ("asked", "language", "heading"),
    [
        ("de", "de", "So entscheiden wir"),
        ("de-AT,de;q=0.9,en;q=0.5", "de", "So entscheiden wir"),
        ("fr,de;q=0.7,en;q=0.3", "de", "So entscheiden wir"),
        ("en-GB,en;q=0.9,de;q=0.8", "en", "How we decide"),
        ("fr", "en", "How we decide"),
        ("", "en", "How we decide"),
    ],
)
@on_one_database
def test_a_browser_gets_the_language_it_likes_best_of_those_there_are(browse, asked, language, heading):
    answer = browse().get("/how-we-decide", headers={"Accept-Language": asked})

    assert f'<html lang="{language}" dir="ltr"' in answer.text
    assert f"<h1>{heading}</h1>" in re.sub(r"<h1[^>]*>\s*", "<h1>", answer.text).replace(" </h1>", "</h1>")


@pytest.mark.settings(DEFAULT_LOCALE="de")
def test_a_portal_speaks_its_own_language_to_browsers_that_ask_for_none_it_has(browse):
    assert '<html lang="de"' in browse().get("/rules", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en"' in browse().get("/rules", headers={"Accept-Language": "en"}).text


def test_what_a_member_chose_wins_over_the_browser(browse):
    german, british = browse(make_user(locale="de")), browse(make_user(locale="en"))

    assert "Dein Profil" in german.get("/account", headers={"Accept-Language": "en"}).text
    assert "Your profile" in british.get("/account", headers=GERMAN).text


def test_a_member_chooses_german_on_the_page_and_has_it_everywhere(browse):
    user = make_user()

    answer = browse(user).post("/appearance", data={"theme": "", "language": "de"}, follow_redirects=True)

    assert '<html lang="de"' in answer.text
    assert "Gespeichert." in answer.text
    assert '<html lang="de"' in browse(user).get("/").text


def test_a_guest_chooses_for_this_browser(browse):
    guest = browse()

    guest.post("/appearance", data={"theme": "", "language": "de"})

    assert '<html lang="de"' in guest.get("/rules", headers={"Accept-Language": "en"}).text


def test_people_of_both_languages_read_the_same_list_each_in_theirs(browse):
    move_to(make_idea("A stile for dogs"), Status.PLANNED)

    english, german = browse().get("/").text, browse().get("/", headers=GERMAN).text

    assert "Planned" in english and "Geplant" not in english
    assert "Geplant" in german and "Planned" not in german


@pytest.mark.parametrize("headers", [HTMX | GERMAN, GERMAN], ids=["htmx", "plain"])
def test_refusals_and_errors_are_german_too(browse, headers):
    make_board()
    member = browse(make_user())

    missing = member.get("/ideas/999999", headers=headers)
    empty = member.post("/ideas", data={"title": "", "need": ""}, headers=headers)

    assert (missing.status_code, empty.status_code) == (404, 422)
    assert "Unter dieser Adresse gibt es nichts." in missing.text
    assert "vorher noch zu richten" in empty.text


@each_language
def test_the_privacy_page_is_there_in_every_language(browse, language):
    own, british = (browse().get("/privacy", headers={"Accept-Language": asked}).text for asked in (language, "en"))

    assert "What we keep" in british
    assert "What we keep" not in own
    assert own.count("<h2") == british.count("<h2")
    assert own.count("<li>") == british.count("<li>")


WORKING_DAY = "2026-03-05T09:00:00+00:00"


def test_dates_and_spans_of_time_are_written_as_germans_write_them(app: Flask):
    with time_machine.travel(WORKING_DAY, tick=False), force_locale("de"):
        now = utcnow()

        assert dates.day(date(2026, 3, 3)) == "3. März"
        assert dates.day(date(2025, 12, 24)) == "24. Dezember 2025"
        assert dates.absolute(now) == "5. März 2026, 09:00 UTC"
        assert dates.reltime(now - timedelta(hours=3)) == "vor 3 Stunden"
        assert dates.reltime(now + timedelta(days=2)) == "in 2 Tagen"
        assert dates.reltime(now) == "gerade eben"
        assert dates.reltime(now - timedelta(seconds=63)) == "vor 1 Minute"


def test_dates_stay_british_in_english(app: Flask):
    with time_machine.travel(WORKING_DAY, tick=False), force_locale("en"):
        assert dates.day(date(2026, 3, 3)) == "3 March"
        assert dates.absolute(date(2025, 12, 24)) == "24 December 2025"


@pytest.mark.parametrize(("votes", "words"), [(1, "1 Person will das"), (2, "2 Personen wollen das")])
def test_numbers_take_their_german_plural(browse, votes, words):
    idea = make_idea("A stile for dogs")
    for _number in range(votes - idea.votes):
        browse(make_user()).post(f"/ideas/{idea.id}/vote")

    assert words in browse().get(f"/ideas/{idea.id}", headers=GERMAN).text


def test_every_page_of_the_team_opens_in_german(browse):
    idea = make_idea("A stile for dogs")
    make_comment(idea)
    manager = browse(make_user(Role.PM, locale="de"))

    desk = f"/triage/first-look/{idea.id}"
    pages = [desk, f"/triage/merge/{idea.id}", f"/ideas/{idea.id}", "/inbox", "/search?q=dogs"]
    shown = {page: manager.get(page) for page in pages}

    assert {page: answer.status_code for page, answer in shown.items()} == dict.fromkeys(pages, 200)
    assert all('<html lang="de"' in answer.text for answer in shown.values())
    assert "Sichtung" in shown[desk].text


def test_a_mail_is_german_for_a_german_reader(app: Flask, smtp):
    idea = make_idea("A stile for dogs", author=make_user(locale="de"))
    move_to(idea, Status.UNDER_REVIEW)
    with transaction():
        details = MoveDetails(answer="We build it.", expected="June")
        moves.move_idea(idea, Status.PLANNED, make_user(Role.PM), details)

    worker.settle()

    planned = next(mail for mail in smtp.got if mail["Subject"] == "Geplant: A stile for dogs")
    text = planned.get_body(("plain",)).get_content()
    assert "Neues zu deiner Idee." in text
    assert "Du bekommst das, weil es deine Idee ist." in text
    assert "Ändern, was dich erreicht" in text
    assert '<html lang="de"' in planned.get_body(("html",)).get_content()
