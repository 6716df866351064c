"""The letters that tell of an idea, from its story, and the one that asks whose an address is."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from portal.accounts.models import User
from portal.accounts.service import confirmation_token
from portal.ideas.workflow import Status
from portal.notifications import links
from portal.notifications.mails import coming_back
from portal.notifications.mails.letter import Letter, Quote, Suppressed, paragraphs
from portal.notifications.models import Mail
from portal.notifications.policy import PERSONAL_KINDS, Kind, Reason
from portal.notifications.stories import Story


def letter_of(story: Story, reader: User, before: Sequence[Story] = ()) -> Letter:
    """Write down a story for its reader, with what happened to the same idea shortly before."""
    token = links.stop_token(reader.id, story.idea.id, story.kind)
    verdict = _verdict_token(story, reader)
    reply_to = coming_back.reply_address(story, reader)
    objection = links.objection_token(reader.id, story.change.id) if story.change and story.objectable_until else ""
    return Letter(
        subject=subject_of(story),
        lead=whole(story.why),
        title=story.idea.title,
        source=next((earlier.source for earlier in [*before, story] if earlier.source), None),
        target=next((later.target for later in [story, *reversed(before)] if later.target), None),
        quotes=[*_quotes(story), *(quote for earlier in reversed(before) for quote in _quotes(earlier))],
        sentences=[*story.sentences, *_shortly_before(before), *_company(story), *_reply_hint(reply_to)],
        button=_button(story),
        url=address_of(story, reader),
        also=_("Only partly, or no") if verdict else _("This is not what I meant") if objection else "",
        also_url=_also_at(verdict, objection),
        foot=story.because,
        stop_label=_("Stop for this idea"),
        stop_url=links.absolute_url("notifications.stop", token=token),
        quieter_url=_quieter_at(story, token),
        settings_url=links.absolute_url("notifications.preferences"),
        thread=f"idea-{story.idea.id}",
        reply_to=reply_to,
    )


def whole(words: str) -> str:
    """Return a sentence with its end; a question has one."""
    return words if words.endswith(("?", "…", ".")) else f"{words}."


def _quieter_at(story: Story, token: str) -> str:
    """Return where somebody who is told as one of an audience can ask for decisions only; empty for the others."""
    if story.kind in PERSONAL_KINDS or story.kind is Kind.VERDICT_ASKED:
        return ""
    return links.absolute_url("notifications.stop", token=token, _anchor="stop-idea")


def _also_at(verdict: str, objection: str) -> str:
    if verdict:
        return links.absolute_url("verdicts.by_mail", token=verdict, says="partly")
    return links.absolute_url("notifications.objection_by_mail", token=objection) if objection else ""


def address_of(story: Story, reader: User) -> str:
    """Return where its reader finds what a story tells of, or answers it."""
    verdict = _verdict_token(story, reader)
    if story.kind is Kind.CREDITED:
        return links.absolute_url("changelog.credit", entry_id=story.entry_id)
    if verdict:
        return links.absolute_url("verdicts.by_mail", token=verdict, says="yes")
    if story.team:
        endpoint, values = story.team.place
        return links.absolute_url(endpoint, **values)
    idea = story.main if story.kind is Kind.MERGED and story.main else story.idea
    return links.absolute_url("ideas.show", idea_id=idea.id, _anchor=story.place)


def _verdict_token(story: Story, reader: User) -> str:
    return links.verdict_token(reader.id, story.round_id) if story.round_id else ""


def _button(story: Story) -> str:
    if story.team:
        return _("Read the draft") if story.team.draft else _("Read and answer")
    if story.kind is Kind.CREDITED:
        return _("Say yes or no")
    if story.kind is Kind.VERDICT_ASKED:
        return _("Yes, it does")
    return _("Read and answer") if story.asks_for_words else _("See the idea")


def confirmation_letter(mail: Mail) -> Letter | Suppressed:
    """Ask somebody to show that the address is theirs."""
    user = mail.user
    if user is None or not user.is_active:
        return Suppressed("account suspended")
    if user.confirmed_at and not user.mail_stopped_at:
        return Suppressed("address confirmed")
    return Letter(
        subject=_("Confirm your address"),
        lead=_("Is this address yours, %(name)s?", name=user.name),
        title=_("Confirm your address"),
        sentences=[
            _("Confirm it, and we can tell you by mail what becomes of your ideas. The link works for 24 hours."),
            _("If you did not open an account with us, ignore this mail. Nothing else will come."),
        ],
        button=_("Confirm my address"),
        url=links.absolute_url("accounts.confirm", token=confirmation_token(user)),
        foot=_("You get this because somebody gave this address when opening an account."),
    )


def subject_of(story: Story) -> str:
    """Return what a story is called in the lists of mail programs."""
    title = story.idea.title
    match story.kind:
        case Kind.DECIDED | Kind.PROGRESSED if story.target:
            return f"{story.target.label}: {title}"
        case Kind.NEEDS_INFO | Kind.QUESTION_REMINDER:
            return _("A question about: %(title)s", title=title)
        case Kind.ANSWERED:
            return _("Answered: %(title)s", title=title)
        case Kind.REPLIED:
            return _("%(who)s replied to you: %(title)s", who=story.who, title=title)
        case Kind.MENTIONED:
            return _("%(who)s mentions you: %(title)s", who=story.who, title=title)
        case Kind.MERGED:
            return _("Joined with another idea: %(title)s", title=title)
        case Kind.MOVE_UNDONE:
            return _("Taken back: %(title)s", title=title)
        case Kind.MERGE_UNDONE:
            return _("On its own again: %(title)s", title=title)
        case Kind.RECEIVED:
            return _("Received: %(title)s", title=title)
        case Kind.PUBLISHED:
            return _("Published: %(title)s", title=title)
        case Kind.HIDDEN:
            return _("Hidden: %(title)s", title=title)
        case Kind.VERDICT_ASKED:
            return _("Does it solve your need? %(title)s", title=title)
        case Kind.CREDITED:
            return _("May we name you? It came out: %(title)s", title=title)
        case Kind.SPOKEN_FOR:
            return _("We gave a vote for you: %(title)s", title=title)
        case Kind.COMMENTED:
            return _("%(who)s commented: %(title)s", who=story.who, title=title)
        case Kind.MERGE_OBJECTED:
            return _("“This is not what I meant”: %(title)s", title=title)
        case Kind.PROMISE_LATE:
            return _("A promise is late: %(title)s", title=title)
        case Kind.ASSIGNED:
            return _("Yours to look after: %(title)s", title=title)
    return f"{story.why}: {title}"


def _quotes(story: Story) -> list[Quote]:
    answer = story.answer
    quotes = [Quote(paragraphs(story.quote), by=story.quoted)]
    if answer:
        quotes.append(Quote(paragraphs(answer.alternative), heading=_("What you can do today")))
        quotes.append(Quote(paragraphs(answer.reversal), heading=_("What would change our mind")))
        quotes.append(Quote([answer.link] if answer.link else [], heading=_("Where to find it")))
    return [quote for quote in quotes if quote.paragraphs]


def _shortly_before(before: Sequence[Story]) -> list[str]:
    moves = [str(story.target.label) for story in before if story.target]
    return [_("Shortly before it was moved to %(statuses)s.", statuses=", ".join(moves))] if moves else []


def _company(story: Story) -> list[str]:
    behind_it = story.reason in {Reason.AUTHOR, Reason.VOTER} and story.idea.votes > 1
    if story.kind is not Kind.DECIDED or not behind_it:
        return []
    if story.target and story.target.kind is Status.SHIPPED:
        return [_("Thank you for asking for it.")]
    return [_("You are one of %(number)s people who asked for this.", number=story.idea.votes)]


def _reply_hint(reply_to: str) -> list[str]:
    """Say where the words of a reply will stand, before somebody writes one."""
    hint = _("Reply to this mail, and your words join the discussion, where everybody who sees the idea reads them.")
    return [hint] if reply_to else []
