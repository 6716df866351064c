"""What we answer to a reply by mail that did not become a comment, or not whole."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal.accounts.models import User
from portal.comments.models import Comment
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.notifications import links
from portal.notifications.mails.letter import Letter, Quote, Suppressed
from portal.notifications.models import Mail

LETTER = "reply_by_mail"


def reply_letter(mail: Mail) -> Letter | Suppressed:
    """Say why a reply was not posted, with all its words; or that it was, without the files that came along."""
    user = mail.user
    if user is None or not user.is_active or user.is_former:
        return Suppressed("account gone")
    idea = db.session.scalar(ideas_visible_to(user).where(Idea.id == mail.data.get("idea")))
    return _posted(mail, user, idea) if mail.data.get("comment") else _refused(mail, idea)


def _refused(mail: Mail, idea: Idea | None) -> Letter:
    words = str(mail.data.get("words", ""))
    paragraphs = [" ".join(part.split()) for part in words.split("\n\n") if part.strip()]
    sentences = [str(mail.data.get("why", "")), *_about_files(int(mail.data.get("files", 0)))]
    return Letter(
        subject=_("Not posted: %(title)s", title=idea.title) if idea else _("Your reply was not posted"),
        lead=_("Your reply was not posted."),
        title=idea.title if idea else _("An idea that you wrote about"),
        sentences=[sentence for sentence in sentences if sentence],
        quotes=[Quote(paragraphs, heading=_("Your words, so that they are not lost"))] if paragraphs else [],
        button=_("Write it in the portal") if idea else _("See all ideas"),
        url=links.absolute_url("comments.new", idea_id=idea.id) if idea else links.absolute_url("ideas.index"),
        foot=_("You get this because you replied to a mail of ours."),
        thread=f"idea-{idea.id}" if idea else "",
    )


def _posted(mail: Mail, user: User, idea: Idea | None) -> Letter | Suppressed:
    there = select(Comment.id).where(Comment.id == mail.data["comment"], Comment.author_id == user.id)
    if idea is None or db.session.scalar(there.where(Comment.deleted_at.is_(None))) is None:
        return Suppressed("nothing to tell")
    return Letter(
        subject=_("Posted, without the files: %(title)s", title=idea.title),
        lead=_("Your reply was posted."),
        title=idea.title,
        sentences=_about_files(int(mail.data.get("files", 0))),
        button=_("See the comment"),
        url=links.absolute_url("ideas.show", idea_id=idea.id, all=1, _anchor=f"comment-{mail.data['comment']}-said"),
        foot=_("You get this because you replied to a mail of ours."),
        thread=f"idea-{idea.id}",
    )


def _about_files(number: int) -> list[str]:
    if not number:
        return []
    return [
        ngettext(
            "The file that came along was left out: discussions here hold text alone. A link to it works.",
            "The %(num)d files that came along were left out: discussions here hold text alone. Links to them work.",
            number,
        )
    ]
