"""Figures that may be a little old."""

from datetime import timedelta
from threading import Event, Thread

from portal.web.kept import kept

MINUTE = timedelta(minutes=1)


def test_a_figure_is_made_once_while_it_is_young(app):
    made = []

    for _ in range(3):
        kept(("ideas",), MINUTE, lambda: made.append(1) or len(made))

    assert made == [1]


def test_while_one_counts_anew_the_others_go_on_with_what_there_is(app):
    old, begun, finish = timedelta(), Event(), Event()
    kept(("ideas",), old, lambda: "before")

    def count_slowly():
        with app.app_context():
            kept(("ideas",), old, lambda: begun.set() or finish.wait(10) and "after")

    slow = Thread(target=count_slowly)
    slow.start()
    begun.wait(10)
    meanwhile = kept(("ideas",), old, lambda: "counted twice")
    finish.set()
    slow.join()

    assert meanwhile == "before"
    assert kept(("ideas",), MINUTE, lambda: "counted again") == "after"


def test_a_figure_that_failed_is_tried_again(app):
    def fail():
        raise ZeroDivisionError

    for attempt in (fail, fail):
        try:
            kept(("ideas",), MINUTE, attempt)
        except ZeroDivisionError:
            continue
        raise AssertionError("it was kept")

    assert kept(("ideas",), MINUTE, lambda: 5) == 5
