"""What two versions of the workflow differ in, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext, pgettext

from portal.ideas.workflow import By, Move, News, StatusRule, Workflow, read
from portal.workflows.checks import say_way
from portal.workflows.drafting import Document

ROLES: dict[By, object] = {
    By.TRIAGER: _l("Moderators and product managers"),
    By.DECIDER: _l("Product managers"),
    By.ADMIN: _l("Admins"),
    By.SYSTEM: _l("The portal itself, and nobody else"),
}
NEWS: dict[News, object] = {
    News.STEP: _l("A step on the way: the author by mail, others in their inbox"),
    News.DECISION: _l("A decision: by mail for everybody"),
    News.QUESTION: _l("A question: the author by mail, others in their inbox"),
}
ASKED: dict[str, object] = {
    "answer": _l("Official answer"),
    "reason": _l("Reason"),
    "alternative": _l("What people can do today"),
    "reversal": _l("What would change our mind"),
    "expected": _l("When to expect it"),
    "link": _l("Link"),
    "review_on": _l("Day to look at it again"),
    "owner": _l("Who looks at it"),
    "into": _l("Main idea"),
}
PEOPLE: dict[str, object] = {
    "author": _l("The author"),
    "voter": _l("Voters"),
    "commenter": _l("Commenters"),
    "follower": _l("Followers"),
}


def differences(before: Document, after: Document) -> list[str]:
    """Return what changes, statuses first."""
    old, new = read(before), read(after)
    return [*_statuses(old, new), *_moves(old, new)]


def effects(before: Document, after: Document, ideas: Mapping[str, int], promised: Mapping[str, int]) -> list[str]:
    """Return what the change means for the ideas of today: ``ideas`` and ``promised`` count them by key."""
    old, new = read(before), read(after)
    return [sentence for key in new.rules for sentence in _effects_at(key, old, new, ideas, promised)]


def _statuses(old: Workflow, new: Workflow) -> Iterator[str]:
    for key, rule in old.rules.items():
        if key not in new.rules:
            yield _("%(status)s goes.", status=rule.label)
    for key, rule in new.rules.items():
        was = old.rules.get(key)
        if was is None:
            yield _("%(status)s is new, of the kind %(kind)s.", status=rule.label, kind=rule.kind.label)
        elif was != rule:
            yield from _rule_changes(was, rule)


def _rule_changes(was: StatusRule, rule: StatusRule) -> Iterator[str]:
    if str(was.label) != str(rule.label):
        yield _("%(before)s is called %(after)s.", before=was.label, after=rule.label)
    name = {"status": rule.label}
    if str(was.meaning) != str(rule.meaning):
        yield _("%(status)s means: %(meaning)s", meaning=rule.meaning, **name)
    if (was.hue, was.glyph) != (rule.hue, rule.glyph):
        yield _("%(status)s looks different.", **name)
    if was.takes_votes != rule.takes_votes:
        yield (
            _("%(status)s takes votes.", **name)
            if rule.takes_votes
            else _("%(status)s takes no votes any more.", **name)
        )
    if (was.takes_comments, was.comments_for) != (rule.takes_comments, rule.comments_for):
        yield _(
            "%(status)s: comments %(before)s, from now on %(after)s.",
            before=_comments(was),
            after=_comments(rule),
            **name,
        )
    if was.takes_edits != rule.takes_edits:
        yield (
            _("In %(status)s authors may change their words.", **name)
            if rule.takes_edits
            else _("In %(status)s authors may not change their words any more.", **name)
        )
    if was.next_word_within != rule.next_word_within:
        before, after = say_days(was.next_word_within), say_days(rule.next_word_within)
        yield _(
            "%(status)s: the next word is due %(before)s, from now on %(after)s.", before=before, after=after, **name
        )


def _moves(old: Workflow, new: Workflow) -> Iterator[str]:
    for ends, move in old.moves.items():
        if ends not in new.moves and set(ends) <= set(new.rules):
            yield _("%(way)s is no longer allowed.", way=say_way(old, move))
    for ends, move in new.moves.items():
        was = old.moves.get(ends)
        if was is None:
            yield _("%(way)s is allowed. %(who)s.", way=say_way(new, move), who=ROLES[move.by])
        elif was != move:
            yield from (f"{say_way(new, move)}: {sentence}" for sentence in _move_changes(was, move))


def _move_changes(was: Move, move: Move) -> Iterator[str]:
    if was.by is not move.by:
        yield _("%(before)s could do this, from now on %(after)s.", before=ROLES[was.by], after=ROLES[move.by])
    if set(was.demands) != set(move.demands):
        yield _("must be given: %(fields)s.", fields=_list(move.demands))
    if set(was.demands_one_of) != set(move.demands_one_of):
        yield _("one of these must be given: %(fields)s.", fields=_list(move.demands_one_of))
    if set(was.offers) != set(move.offers):
        yield _("may be given: %(fields)s.", fields=_list(move.offers))
    if set(was.tells) != set(move.tells):
        yield _("is told to: %(people)s.", people=", ".join(str(PEOPLE[who]) for who in move.tells) or _("nobody"))
    if was.news is not move.news:
        yield str(NEWS[move.news]) + "."


def _effects_at(
    key: str, old: Workflow, new: Workflow, ideas: Mapping[str, int], promised: Mapping[str, int]
) -> Iterator[str]:
    was, rule, count = old.rules.get(key), new.rules[key], ideas.get(key, 0)
    if was is None or not count:
        return
    if was.takes_votes and not rule.takes_votes:
        yield ngettext("Votes close on %(num)d idea.", "Votes close on %(num)d ideas.", count)
    if rule.takes_votes and not was.takes_votes:
        yield ngettext("Votes open on %(num)d idea.", "Votes open on %(num)d ideas.", count)
    if (was.takes_comments, was.comments_for) != (rule.takes_comments, rule.comments_for):
        yield ngettext(
            "The discussion of %(num)d idea follows the new rule at once.",
            "The discussions of %(num)d ideas follow the new rule at once.",
            count,
        )
    if was.takes_edits and not rule.takes_edits:
        yield ngettext(
            "The author of %(num)d idea may not change the words any more.",
            "The authors of %(num)d ideas may not change their words any more.",
            count,
        )
    if was.next_word_within != rule.next_word_within:
        yield ngettext(
            "%(num)d idea keeps the day that was promised for its next word; after it the new clock counts.",
            "%(num)d ideas keep the days that were promised for their next word; after them the new clock counts.",
            promised.get(key, 0),
        )
    if len(old.moves_from(was)) > len(new.moves_from(rule)):
        yield ngettext("%(num)d idea has fewer ways to go on.", "%(num)d ideas have fewer ways to go on.", count)


def say_days(within: timedelta | None) -> str:
    """Return a clock in words."""
    if within is None:
        return _("at no date")
    return ngettext("within %(num)d day", "within %(num)d days", within.days)


def _comments(rule: StatusRule) -> str:
    if not rule.takes_comments:
        return _("closed")
    if rule.comments_for is None:
        return pgettext("votes, comments", "open")
    return ngettext("open for %(num)d day", "open for %(num)d days", rule.comments_for.days)


def _list(fields: tuple[str, ...]) -> str:
    return ", ".join(str(ASKED.get(field, field)) for field in fields) or _("nothing")
