"""Commands for those who translate: gather what the portal says, and compile what was translated."""

from __future__ import annotations

from pathlib import Path

import click
from babel import localedata
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import portal

CHECKOUT = portal.ROOT.parent
CATALOGUES = portal.ROOT / "translations"
KEYWORDS = {name: DEFAULT_KEYWORDS[name] for name in ("_", "gettext", "ngettext", "pgettext")} | {
    "_l": None,
    "lazy_gettext": None,
    "lazy_pgettext": DEFAULT_KEYWORDS["pgettext"],
}


@click.group()
def translations() -> None:
    """Keep the languages of the portal up to date. Needs a checkout."""


@translations.command()
@click.argument("languages", nargs=-1)
def update(languages: tuple[str, ...]) -> None:
    """Bring the catalogues of LANGUAGES, by default all there are, up to date with the code.

    What is new is added without a translation, what is gone is dropped. A language that is not there yet is begun.
    """
    said = gather()
    for language in languages:
        if not localedata.exists(language):
            raise click.ClickException(f"{language!r} is no language that we know of; it should be like de or pt_BR.")
    for language in languages or [file.parts[-3] for file in catalogue_files()]:
        file = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
        catalogue = read_catalogue(file) if file.exists() else Catalog(locale=language, fuzzy=False)
        for message in catalogue:
            message.locations.clear()  # they say where it stood; updating would add where it stands now
        catalogue.update(said, no_fuzzy_matching=True, update_creation_date=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            write_po(out, catalogue, width=120, include_lineno=False, ignore_obsolete=True, sort_by_file=True)
        missing = sum(bool(message.id) and not is_translated(message) for message in catalogue)
        click.echo(f"{language}: {len(catalogue)} messages, {missing} without a translation.")


@translations.command(name="compile")
def compile_catalogues() -> None:
    """Compile all catalogues to what the portal reads when it starts."""
    for file in catalogue_files():
        with file.with_suffix(".mo").open("wb") as out:
            write_mo(out, read_catalogue(file))
        click.echo(f"{file.parts[-3]}: compiled.")


def gather() -> Catalog:
    """Return a catalogue of all that the portal says, untranslated."""
    mapping = CHECKOUT / "babel.cfg"
    if not mapping.exists():
        raise click.ClickException(f"This needs a checkout of the portal: there is no {mapping}.")
    with mapping.open() as opened:
        methods, options = parse_mapping_cfg(opened)  # type: ignore[no-untyped-call]
    said = Catalog(fuzzy=False)
    for name, line, message, _comments, context in extract_from_dir(CHECKOUT, methods, options, KEYWORDS):
        said.add(message, locations=[(name, line)], context=context)
    return said


def catalogue_files() -> list[Path]:
    """Return the catalogues there are, one a language."""
    return sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po"))


def read_catalogue(file: Path) -> Catalog:
    """Return what a file translates."""
    with file.open("rb") as opened:
        return read_po(opened, locale=file.parts[-3])


def is_translated(message: Message) -> bool:
    """Whether a message has a translation in each of its forms."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)
