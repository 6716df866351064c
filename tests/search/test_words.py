import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.search.words import MAX_TERMS, mark, misspellings, parts, read, sequence, snippet, stems, unfinished


def joined(pieces):
    return "".join(text for text, _ in pieces)


def marked(pieces):
    return [text for text, found in pieces if found]


@pytest.mark.parametrize("written", ["dark-mode", "darkMode", "dark_mode", "dark.mode", "DarkMode"])
def test_a_joined_word_is_its_parts_and_the_whole(written):
    assert stems(written) == ["dark", "mode", "darkmod"]


def test_grammar_accents_and_apostrophes_make_no_difference():
    assert stems("Exporting cafés’ reports") == stems("export café report")
    assert stems("The idea's author") == stems("idea author")
    assert stems("don't") == stems("don’t") == ["dont"]


def test_noise_is_left_out_but_what_turns_the_meaning_stays():
    assert stems("what is it to be in the way of us") == ["wai"]
    assert stems("not without no") == ["not", "without", "no"]


def test_other_scripts_are_words_too():
    assert stems("Тёмная тема") == stems("тёмная тема")
    assert len(stems("Тёмная тема")) == 2


def test_absurdly_long_words_are_not_indexed():
    assert stems("x" * 41 + " short") == ["short"]
    assert stems("-".join(["part"] * 5000)) == []


def test_a_sequence_keeps_order_and_tells_noise_from_what_is_stemmed_alike():
    assert sequence("To-do lists") == " ~to ~do list "
    assert sequence("Use us") == " us ~us "
    assert parts("To-do lists use") == ["list", "us"]


def test_a_misspelt_word_is_one_letter_away_from_the_right_one():
    for typed in ["ofline", "offlinee", "offlibe", "offilne"]:
        assert "offline" in misspellings(typed)
    assert misspellings("abc") == misspellings("2026") == misspellings("x" * 30) == []


def test_only_a_last_word_without_anything_after_it_is_unfinished():
    assert unfinished("show notif") == "notif"
    assert unfinished("show notif ") == unfinished("show notif.") == unfinished("a pi") == ""


def test_a_search_is_words_and_quoted_phrases():
    query = read('export "dark mode" csv')

    assert query.words == (("export",), ("csv",))
    assert query.phrases == (("dark", "mode"),)


@pytest.mark.parametrize(
    "hostile",
    ['"', '""', '"""', "AND OR NOT", "title:*", "a* ?? [a TO z]", "((((", "\x00\ud800", "~5^10", "'' - . _", "%s {0}"],
)
def test_nothing_but_words_and_phrases_means_anything(hostile):
    query = read(hostile)

    assert all(word.isalnum() for ways in query.words for word in ways)
    assert all(word.lstrip("~").isalnum() for phrase in query.phrases for word in phrase)


@pytest.mark.parametrize("text", ["word{} ", '"phrase{}" ', "Joined-Word{} "])
def test_a_search_has_at_most_sixteen_terms(text):
    query = read("".join(text.format(number) for number in range(100)))

    assert sum(map(len, query.words)) + sum(map(len, query.phrases)) == MAX_TERMS


def test_what_lies_beyond_two_hundred_characters_is_not_searched_for():
    assert read("word " + " " * 195 + "beyond").words == (("word",),)


def test_marks_are_pieces_that_add_up_to_the_text():
    text = "The dark-mode & <b>HTTPClient</b> of Darkon, Exports"
    pieces = mark(text, {"dark", "client", "export"})

    assert joined(pieces) == text
    assert marked(pieces) == ["dark", "Client", "Exports"]


def test_a_joined_word_is_marked_whole_when_it_was_found_whole():
    assert marked(mark("our dark-mode toggle", {"darkmod"})) == ["dark-mode"]


def test_a_text_without_the_words_is_one_piece():
    assert mark("nothing here", {"dark"}) == [("nothing here", False)]
    assert mark("", {"dark"}) == []


def test_a_snippet_shows_the_passage_with_most_of_the_words():
    text = "One mention of dark. " + "Filler. " * 60 + "Here dark mode is asked for. " + "More filler. " * 60
    pieces = snippet(text, {"dark", "mode"}, length=100)

    assert marked(pieces) == ["dark", "mode"]
    assert joined(pieces).startswith("… ") and joined(pieces).endswith(" …")
    assert len(joined(pieces)) <= 104


@pytest.mark.parametrize("length", [10, 40, 200, 1000])
@pytest.mark.parametrize("text", ["", "dark", "dark " * 100, "x" * 500, "mode " * 50 + "dark", "a\n\n b " * 90])
def test_a_snippet_is_never_longer_than_it_may_be(text, length):
    pieces = snippet(text, {"dark"}, length)
    shown = joined(pieces).removeprefix("… ").removesuffix(" …")

    assert len(shown) <= length
    assert shown in " ".join(text.split())
    assert ("dark" in text) is bool(marked(pieces))


@given(st.text(max_size=400), st.text(max_size=60), st.integers(1, 120))
def test_whatever_people_write_is_shown_unchanged(text, query, length):
    words = {stem for ways in read(query).words for stem in ways} | set(stems(text[:20]))

    assert joined(mark(text, words)) == text
    assert len(joined(snippet(text, words, length))) <= length + 4
    assert sequence(text).strip(" ").count("  ") == 0
