"""Every address of the portal in one table, and what must hold for all of them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_bytes
from typing import Any

import pytest
import sqlalchemy as sa
from flask import url_for

from portal.accounts import pictures
from portal.accounts.models import AuthSession, User
from portal.accounts.passwords import hash_password
from portal.accounts.roles import ADMINS, DECIDERS, MODERATORS, STAFF_READERS, TRIAGERS, Role
from portal.accounts.service import confirmation_token
from portal.boards.models import Audience
from portal.bulk import service as bulk
from portal.bulk.models import Step
from portal.credentials import links
from portal.credentials.models import MailedLink, Passkey, Purpose
from portal.db import Model, db, utcnow
from portal.decisions.models import Reason
from portal.demand.models import NotedSearch, Reach, Receipt, Searcher, SetAside, Verdict
from portal.events import EventRecord
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.merges import merge_of
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication, Status
from portal.membership import invitations
from portal.membership.models import Invitation
from portal.notifications.links import objection_token, stop_token, verdict_token
from portal.notifications.models import CaughtMail, Mail, Notification
from portal.privacy import files
from portal.privacy import service as privacy
from portal.privacy.models import Export
from portal.push.models import Push
from portal.quarters.calendar import Quarter
from portal.search import index
from portal.search.models import SavedSearch
from portal.transactions import transaction
from tests.factories import (
    PASSWORD,
    link_identity,
    make_board,
    make_comment,
    make_idea,
    make_place,
    make_product,
    make_provider,
    make_rules,
    make_user,
    move_to,
)
from tests.support import HTMX, Browser, timeless
from tests.support.databases import on_one_database
from tests.support.images import picture
from tests.support.workflows import added_status, proposed_workflow

pytestmark = pytest.mark.usefixtures("app")

EVERYBODY = frozenset({None, *Role})
MEMBERS = frozenset(Role)
PARTICIPANTS = MEMBERS - {Role.OBSERVER}
AUTHOR: frozenset[Role | None] = frozenset()  # nobody by role: whose it is decides

INVENTED = 987_654
TO_SIGN_IN = {"credentials.sign_in_by_passkey", "privacy.come_back"}  # they may, and sign in next
OWN = {
    "notification",
    "identity",
    "passkey",
    "invitation sent",
    "invitation to oneself",
    "export",
    "session of one's own",
    "note of one's own",
    "credit",
    "receipt of one's own",
    "kept search",
    "act on many",
    "act on many that is done",
    "move just made",
    "answer just given",
    "idea just hidden",
    "idea just let through",
    "browser told at once",
    "test mail",
}  # what only its owner can know of


@dataclass(frozen=True)
class Row:
    """One method of one address: who may use it, what it is about, and a form with which it works."""

    method: str
    endpoint: str
    may: frozenset[Role | None]
    about: str = ""
    form: dict[str, str] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)
    author_may: bool = False
    status: Status = Status.NEW
    publication: Publication = Publication.PUBLISHED
    demo: bool = False
    no_session: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint} {self.args or ''}".strip()


def get(endpoint: str, may: frozenset[Role | None], about: str = "", **more: Any) -> Row:
    return Row("GET", endpoint, may, about, **more)


def post(endpoint: str, may: frozenset[Role | None], about: str = "", form: Any = None, **more: Any) -> Row:
    return Row("POST", endpoint, may, about, form or {}, **more)


RULES = {
    "after_shipping": "9",
    "after_available": "5",
    "open_for": "20",
    "least": "2",
    "confirms": "60",
    "reopens": "30",
}
BROWSER = {
    "endpoint": "https://push.example/to/a/browser",
    "public_key": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth_secret": "BTBZMqHH6r4Tts7J_aSIgg",
}
"""The browser of RFC 8291, appendix A."""
DISCOVERED = {
    "metadata": {
        "issuer": "https://provider.example",
        "authorization_endpoint": "https://provider.example/authorize",
        "token_endpoint": "https://provider.example/token",
        "jwks_uri": "https://provider.example/keys",
    }
}
WORDS = {"title": "Let me name my routes", "need": "Today they have numbers, and I forget which is which.", "board": ""}
QUEUE = {"queue": "first-look"}

TABLE = (
    # Reading
    get("ideas.index", EVERYBODY),
    get("ideas.board", EVERYBODY, "board"),
    get("ideas.show", EVERYBODY, "idea"),
    get("ideas.history", EVERYBODY, "idea"),
    get("ideas.new", EVERYBODY - {Role.OBSERVER}),
    post("ideas.new", EVERYBODY - {Role.OBSERVER}, form=WORDS),
    get("search.index", EVERYBODY),
    get("search.similar", EVERYBODY),
    get("search.saved", STAFF_READERS),
    post("search.save", STAFF_READERS, form={"q": "maps", "name": "{new slug}", "alert": "inbox"}),
    get("search.open_saved", STAFF_READERS, "kept search"),
    post("search.change_saved", STAFF_READERS, "kept search", {"name": "{new slug}", "alert": "none"}),
    post("search.delete_saved", STAFF_READERS, "kept search"),
    get("accounts.profile", EVERYBODY, "person"),
    get("accounts.sign_in", EVERYBODY),
    get("accounts.sign_up", EVERYBODY),
    get("accounts.confirm", EVERYBODY, "confirmation"),
    get("pages.rules", EVERYBODY),
    get("pages.privacy", EVERYBODY),
    get("pages.decide", EVERYBODY),
    get("pages.appearance", EVERYBODY),
    get("live.stream", EVERYBODY),
    get("live.poll", EVERYBODY),
    get("pages.healthz", EVERYBODY),
    get("pages.readyz", EVERYBODY),
    get("pages.robots", EVERYBODY),
    get("pages.security", EVERYBODY),
    get("pages.change_password", EVERYBODY),
    get("assets", EVERYBODY, "asset"),
    get("static", EVERYBODY, args={"filename": "icons.svg"}),
    get("notifications.stop", EVERYBODY, "stop link"),
    # Taking part
    post("ideas.create", PARTICIPANTS, form=WORDS | {"checked": "1"}),
    post("ideas.save_draft", MEMBERS, form=WORDS),
    post("ideas.discard_draft", MEMBERS),
    get("ideas.edit", MODERATORS, "idea", author_may=True),
    post("ideas.edit", MODERATORS, "idea", WORDS, author_may=True),
    get("ideas.remove", AUTHOR, "idea", author_may=True),
    post("ideas.remove", AUTHOR, "idea", author_may=True),
    post("ideas.vote", PARTICIPANTS, "idea"),
    post("ideas.withdraw_vote", PARTICIPANTS, "idea"),
    post("ideas.follow", PARTICIPANTS, "idea"),
    get("notifications.objection", PARTICIPANTS, "merged idea"),
    post(
        "notifications.object_to_merge", PARTICIPANTS, "merged idea", {"words": "I meant the other."}, author_may=True
    ),
    get("notifications.objection_by_mail", EVERYBODY, "objection link"),
    post("notifications.object_by_mail", EVERYBODY, "objection link", {"choice": "object"}),
    post("ideas.unfollow", PARTICIPANTS, "idea"),
    get("duplicates.propose", PARTICIPANTS, "idea"),
    post("duplicates.send_proposal", PARTICIPANTS, "idea", {"other": "{main}"}),
    get("comments.new", PARTICIPANTS, "idea"),
    post("comments.post", PARTICIPANTS, "idea", {"body": "That would help me too."}),
    get("demand.review", PARTICIPANTS | {None}, "idea"),
    post("demand.review", PARTICIPANTS | {None}, "idea", WORDS),
    post("demand.back", PARTICIPANTS, "idea", WORDS),
    post("demand.withdraw", PARTICIPANTS, "idea", WORDS),
    get("demand.mine", MEMBERS),
    get("demand.differs", MEMBERS, "receipt of one's own"),
    post("demand.differs", MEMBERS, "receipt of one's own", {"differs": "Mine is about winter."}),
    post("demand.forget", MEMBERS, "receipt of one's own"),
    get("comments.edit", AUTHOR, "comment", author_may=True),
    post("comments.edit", AUTHOR, "comment", {"body": "Said better."}, author_may=True),
    get("comments.history", EVERYBODY, "comment"),
    get("comments.delete", MODERATORS, "comment", author_may=True),
    post("comments.delete", MODERATORS, "comment", author_may=True),
    post("comments.mark_helpful", PARTICIPANTS, "comment"),
    post("comments.unmark_helpful", PARTICIPANTS, "comment"),
    # One's own account
    post("accounts.sign_in", EVERYBODY, form={"email": "nobody@example.org", "password": "not this one at all"}),
    post("accounts.sign_up", EVERYBODY),
    post("accounts.sign_in_as", EVERYBODY, demo=True),
    post("accounts.sign_out", EVERYBODY),
    get("credentials.ask_for_link", EVERYBODY),
    post("credentials.ask_for_link", EVERYBODY, form={"email": "nobody@example.org"}),
    get("credentials.forgot", EVERYBODY),
    post("credentials.forgot", EVERYBODY, form={"email": "nobody@example.org"}),
    get("credentials.look", EVERYBODY),
    post("credentials.look", EVERYBODY, form={"code": "000000"}),
    post("credentials.send_again", EVERYBODY),
    post("credentials.send_elsewhere", EVERYBODY, form={"email": "nobody@example.org"}),
    get("credentials.confirm_sign_up", EVERYBODY, "link to open an account"),
    post("credentials.confirm_sign_up", EVERYBODY, "link to open an account", {"password": PASSWORD}),
    get("credentials.sign_in_by_link", EVERYBODY, "link to sign in"),
    post("credentials.sign_in_by_link", EVERYBODY, "link to sign in"),
    get("credentials.choose_password", EVERYBODY, "link to a password"),
    post("credentials.choose_password", EVERYBODY, "link to a password", {"password": "another long password"}),
    get("credentials.agree_to_address", EVERYBODY, "link to an address"),
    post("credentials.agree_to_address", EVERYBODY, "link to an address"),
    get("credentials.address", MEMBERS),
    post("credentials.address", MEMBERS, form={"email": "elsewhere@example.org"}),
    post("credentials.withdraw_address", MEMBERS),
    post("accounts.confirm", EVERYBODY, "confirmation"),
    get("accounts.agree", MEMBERS),
    post("accounts.agree", MEMBERS),
    get("accounts.show", MEMBERS),
    post("accounts.rename", MEMBERS, form={"name": "Somebody Else"}),
    post("accounts.prefer", MEMBERS, form={"theme": "light", "language": "", "timezone": "Europe/Paris"}),
    post("accounts.ask_for_confirmation", MEMBERS),
    post("accounts.change_password", MEMBERS),
    post("accounts.end_other_sessions", MEMBERS),
    post("accounts.end_one_session", MEMBERS, "session of one's own"),
    get("accounts.prefer", MEMBERS),
    get("accounts.security", MEMBERS),
    get("accounts.picture", EVERYBODY, "picture"),
    post("accounts.change_picture", MEMBERS),
    post("accounts.remove_picture", MEMBERS),
    get("privacy.data", MEMBERS),
    get("privacy.export", MEMBERS),
    post("privacy.export", MEMBERS),
    get("privacy.download", MEMBERS, "export"),
    get("privacy.leave", MEMBERS),
    post("privacy.leave", MEMBERS),
    get("privacy.stay_or_go", MEMBERS),
    post("privacy.stay_or_go", MEMBERS),
    get("privacy.come_back", EVERYBODY, "link to stay"),
    post("privacy.come_back", EVERYBODY, "link to stay"),
    get("security.mine", MEMBERS),
    get("security.index", ADMINS),
    get("security.limits", ADMINS),
    get("security.not_me", EVERYBODY, "link to deny"),
    post("security.not_me", EVERYBODY, "link to deny"),
    get("credentials.prove", MEMBERS),
    post("credentials.prove", MEMBERS, form={"by": "password", "password": "not this one at all"}),
    post("credentials.mail_proof", MEMBERS),
    post("credentials.passkey_options", EVERYBODY, form={"for": "sign-in"}),
    post("credentials.sign_in_by_passkey", EVERYBODY, form={"credential": "no answer"}),
    get("credentials.second_step", MEMBERS),
    post("credentials.second_step", MEMBERS, form={"by": "code", "code": "000000"}),
    get("credentials.two_step", MEMBERS),
    post("credentials.add_passkey", MEMBERS, form={"credential": "no answer", "name": "Blue key"}),
    post("credentials.rename_passkey", MEMBERS, "passkey", {"name": "Green key"}),
    post("credentials.remove_passkey", MEMBERS, "passkey"),
    get("credentials.add_authenticator", MEMBERS),
    post("credentials.add_authenticator", MEMBERS, form={"code": "000000"}),
    post("credentials.remove_authenticator", MEMBERS),
    post("credentials.renew_recovery_codes", MEMBERS),
    post("credentials.go_on_after_set_up", MEMBERS),
    get("credentials.signing_in", ADMINS),
    post("credentials.signing_in", ADMINS, form={"roles": "pm"}),
    post("pages.appearance", EVERYBODY, form={"theme": "dark", "language": ""}),
    # The inbox
    get("notifications.inbox", MEMBERS),
    post("notifications.open", MEMBERS, "notification"),
    post("notifications.read", MEMBERS, "notification"),
    post("notifications.read_all", MEMBERS),
    post("notifications.mute", MEMBERS, "notification"),
    post("notifications.unmute", MEMBERS, "notification"),
    post("notifications.choose_mail", MEMBERS, form={"wants_mail": "1"}),
    get("notifications.why", MEMBERS, "notification"),
    post("notifications.quieter", MEMBERS, "notification"),
    post("notifications.choose_level", MEMBERS, "notification", {"choice": "mute"}),
    get("notifications.preferences", MEMBERS),
    post("notifications.choose_topics", MEMBERS, form={"mail-comments": "inbox"}),
    get("notifications.board_preferences", MEMBERS, "board"),
    post("notifications.choose_for_board", MEMBERS, "board", {"mail-comments": "inbox"}),
    post("notifications.choose_digest", MEMBERS, form={"digest": "daily", "hour": "7", "weekday": "0"}),
    post("notifications.choose_ceiling", MEMBERS, form={"most": "3"}),
    post("notifications.choose_quiet_hours", MEMBERS, form={"from": "22", "until": "7"}),
    post("notifications.pause", MEMBERS),
    post("notifications.resume", MEMBERS),
    post("notifications.forget_links", MEMBERS),
    get("notifications.following", MEMBERS),
    post("notifications.tidy_up", MEMBERS, form={"choice": "quiet"}),
    post("notifications.confirm_again", MEMBERS),
    post("notifications.stop_now", EVERYBODY, "stop link", {"choice": "none"}, no_session=True),
    get("notifications.caught", EVERYBODY, demo=True),
    get("notifications.caught_mail", EVERYBODY, "caught mail", demo=True),
    get("notifications.caught_html", EVERYBODY, "caught mail", demo=True),
    get("notifications.health", ADMINS),
    post("notifications.choose_usual_ceiling", ADMINS, form={"most": "10"}),
    get("notifications.mails", ADMINS),
    get("notifications.pushes", ADMINS),
    post("notifications.push_again", ADMINS, "message to a browser"),
    post("notifications.push_all_again", ADMINS),
    get("notifications.mail", ADMINS, "mail"),
    post("notifications.send_again", ADMINS, "mail"),
    post("notifications.send_all_again", ADMINS),
    post("notifications.try_again", ADMINS, "mail set aside"),
    post("notifications.try_all_again", ADMINS),
    # Signing in by another service's word
    post("sso.start", EVERYBODY, "provider"),
    get("sso.back", EVERYBODY, "provider"),
    get("sso.new", EVERYBODY),
    post("sso.new", EVERYBODY),
    get("sso.mailed", EVERYBODY),
    get("sso.confirm", EVERYBODY, "vouched link"),
    post("sso.confirm", EVERYBODY, "vouched link"),
    get("sso.link", EVERYBODY),
    post("sso.link", EVERYBODY),
    get("sso.unlink", MEMBERS, "identity"),
    post("sso.unlink", MEMBERS, "identity"),
    get("sso.look", EVERYBODY),
    post("sso.bring", EVERYBODY, no_session=True),
    post("inbound.receive", EVERYBODY, no_session=True),
    post("sso.go_on", EVERYBODY),
    get("sso.list_providers", ADMINS),
    get("sso.add", ADMINS, args={"kind": "openid"}),
    post("sso.add", ADMINS, form={"name": "Another", "issuer": "https://another.example"}, args={"kind": "openid"}),
    get("sso.provider", ADMINS, "provider row"),
    post("sso.provider", ADMINS, "provider row", {"name": "Renamed", "issuer": "{issuer}"}),
    post("sso.test", ADMINS, "provider row"),
    post("sso.switch", ADMINS, "provider row"),
    get("sso.remove", ADMINS, "provider row"),
    post("sso.remove", ADMINS, "provider row"),
    post("sso.make_key", ADMINS, "product"),
    post("sso.remove_key", ADMINS, "key of a product"),
    # The team
    get("triage.index", STAFF_READERS),
    get("triage.queue", STAFF_READERS, args=QUEUE),
    get("triage.desk", STAFF_READERS, "idea", args=QUEUE),
    post("triage.shortcuts", STAFF_READERS, form={"on": "1"}),
    post(
        "triage.move",
        TRIAGERS,
        "idea",
        {"under_review-seen": "new", "under_review-owner": "{staff}"},
        args=QUEUE | {"target": "under_review"},
    ),
    post(
        "triage.move",
        DECIDERS,
        "idea",
        {"planned-seen": "under_review", "planned-answer": "We build it."},
        args=QUEUE | {"target": "planned"},
        status=Status.UNDER_REVIEW,
    ),
    post(
        "triage.answer",
        TRIAGERS,
        "idea",
        {"answer-seen": "new", "answer-answer": "We look at it next week."},
        args=QUEUE,
    ),
    post(
        "triage.override",
        ADMINS,
        "idea",
        {"override-seen": "new", "override-target": "shipped", "override-reason": "It went out last week."},
        args=QUEUE,
    ),
    post("triage.owner", TRIAGERS, "idea", {"me": "1"}, args=QUEUE),
    post("triage.board", TRIAGERS, "idea", {"onto": "{other board}"}, args=QUEUE),
    post("triage.tags", TRIAGERS, "idea", {"tags": "maps, routes"}, args=QUEUE),
    post("triage.done", TRIAGERS, "idea", args=QUEUE),
    post("triage.undone", TRIAGERS, "idea put aside", args=QUEUE),
    post("triage.snooze", TRIAGERS, "idea", {"day": "{soon}"}, args=QUEUE),
    post("triage.here", STAFF_READERS, "idea", args=QUEUE),
    post("triage.save_queue", STAFF_READERS, form={"q": "status:new", "name": "Young"}),
    post("triage.change_queue", STAFF_READERS, "kept search", {"name": "Other"}),
    post("triage.delete_queue", STAFF_READERS, "kept search"),
    post("triage.promise", TRIAGERS, "idea", {"until": "{soon}", "reason": "It takes longer."}, args=QUEUE),
    post("triage.write_note", TRIAGERS, "idea", {"note": "Support hears this often."}, args=QUEUE),
    get("triage.edit_note", TRIAGERS, "note of one's own", args=QUEUE),
    post("triage.edit_note", TRIAGERS, "note of one's own", {"body": "Support hears this daily."}, args=QUEUE),
    post("triage.delete_note", MODERATORS, "note", args=QUEUE),
    post("triage.restore_note", MODERATORS, "deleted note", args=QUEUE),
    get("triage.notes", STAFF_READERS),
    get("triage.drafts", STAFF_READERS),
    get("triage.draft", STAFF_READERS, "answer draft"),
    get("triage.recipients_of", STAFF_READERS, "recipients of an answer"),
    get("triage.sent", STAFF_READERS, "idea"),
    post("triage.ask_review", TRIAGERS, "answer draft", {"reviewer": "{staff}"}),
    post("triage.review_draft", TRIAGERS, "answer draft", {"verdict": "approved", "version": "1"}),
    post("triage.say_of_draft", TRIAGERS, "answer draft", {"words": "Shorter."}),
    post("triage.drop_draft", TRIAGERS, "answer draft"),
    post("triage.reopen_draft", TRIAGERS, "dropped draft"),
    post("triage.unplan_draft", TRIAGERS, "answer draft"),
    get("triage.snippets", TRIAGERS),
    post("triage.add_snippet", TRIAGERS, form={"name": "Thanks", "body": "Thank you, {author}."}),
    get("triage.edit_snippet", DECIDERS, "snippet"),
    post("triage.edit_snippet", DECIDERS, "snippet", {"name": "Thanks", "body": "Thanks.", "whose": "everywhere"}),
    post("triage.delete_snippet", DECIDERS, "snippet"),
    post("triage.hide", TRIAGERS, "idea", {"reason": "It names a person."}, args=QUEUE),
    post("triage.undo_move", TRIAGERS, "move just made", args=QUEUE),
    post("triage.undo_answer", TRIAGERS, "answer just given", args=QUEUE),
    post("triage.undo_hiding", TRIAGERS, "idea just hidden", args=QUEUE, publication=Publication.HIDDEN),
    post("triage.undo_publishing", MODERATORS, "idea just let through", args=QUEUE),
    get("bulk.index", DECIDERS),
    get("bulk.new", DECIDERS),
    post("bulk.plan", DECIDERS, form={"act": "add_tags", "tags": "maps", "idea": "{main}"}),
    get("bulk.show", DECIDERS, "act on many"),
    post("bulk.carry_out", DECIDERS, "act on many"),
    post("bulk.undo", DECIDERS, "act on many that is done"),
    post("triage.publish", MODERATORS, "idea", args={"queue": "held"}, publication=Publication.HELD),
    post(
        "triage.undo_merge", TRIAGERS, "merged idea", {"reason": "They are not the same."}, args={"queue": "first-look"}
    ),
    get("triage.merge", TRIAGERS, "idea"),
    post("triage.join", TRIAGERS, "idea", {"into": "{main}", "seen": "{seen}"}),
    get("synonyms.list_synonyms", ADMINS),
    post("synonyms.decide_synonyms", ADMINS, form={"one": "dark", "other": "night"}),
    post("synonyms.take_back_synonyms", ADMINS, form={"one": "dark", "other": "night"}),
    get("demand.searched", STAFF_READERS),
    get("demand.searched_table", STAFF_READERS),
    post("demand.set_searches_aside", TRIAGERS, "searches", {"stems": "{searched}", "verdict": "noise"}),
    post("demand.bring_searches_back", TRIAGERS, "searches", {"stems": "{searched}"}),
    post("demand.hide", TRIAGERS, "receipt"),
    post("demand.show", TRIAGERS, "hidden receipt"),
    get("duplicates.index", STAFF_READERS),
    get("duplicates.report", STAFF_READERS),
    get("duplicates.pair", STAFF_READERS, "pair"),
    post("duplicates.refuse", TRIAGERS, "pair"),
    post("duplicates.keep_apart", TRIAGERS, "pair"),
    post("duplicates.reopen", TRIAGERS, "refused pair"),
    get("duplicates.together", STAFF_READERS, "idea"),
    post("duplicates.join", TRIAGERS, "two ideas", {"tick": "{second}"}),
    post("duplicates.undo", TRIAGERS, "joined ideas"),
    get("ideas.voters", STAFF_READERS, "idea"),
    get("ideas.address", DECIDERS, "voter"),
    post("ideas.address", DECIDERS, "voter", {"reason": "They asked us to call them about it."}),
    # Decisions
    get("decisions.index", STAFF_READERS),
    get("decisions.precedents_of", STAFF_READERS, "idea"),
    post("decisions.say_need", PARTICIPANTS, "idea", {"words": "For the winter."}, status=Status.DECLINED),
    post("decisions.withdraw_need", PARTICIPANTS, "idea", status=Status.DECLINED),
    post(
        "triage.record",
        DECIDERS,
        "idea",
        {"record-seen": "planned", "record-evidence": "Talks."},
        args=QUEUE,
        status=Status.PLANNED,
    ),
    get("decisions.reasons", ADMINS),
    post("decisions.reasons", ADMINS, form={"label": "Not on our land", "kinds": "declined"}),
    get("decisions.reason", ADMINS, "reason"),
    post("decisions.reason", ADMINS, "reason", {"label": "Not on our land", "kinds": "declined"}),
    post("decisions.order_reason", ADMINS, "reason", {"to": "up"}),
    # The roadmap
    get("promises.index", EVERYBODY),
    get("roadmap.index", EVERYBODY),
    get("roadmap.move", DECIDERS, "idea", status=Status.PLANNED),
    post("roadmap.move", DECIDERS, "idea", {"theme": "", "horizon": "off"}, status=Status.PLANNED),
    post("roadmap.place", DECIDERS, "idea", {"theme": "", "horizon": "off"}, status=Status.PLANNED),
    get("roadmap.more", DECIDERS),
    get("roadmap.themes", DECIDERS),
    post("roadmap.themes", DECIDERS, form={"name": "Out of signal"}),
    get("roadmap.theme", DECIDERS, "theme"),
    post("roadmap.theme", DECIDERS, "theme", {"name": "Home safe"}),
    post("roadmap.order", DECIDERS, "theme", {"to": "up"}),
    # Whether it helped
    get("verdicts.index", EVERYBODY),
    get("verdicts.form", PARTICIPANTS, "idea people are asked about"),
    post("verdicts.give", PARTICIPANTS, "idea people are asked about", {"says": "yes"}),
    get("verdicts.by_mail", EVERYBODY, "link to a verdict"),
    post("verdicts.give_by_mail", EVERYBODY, "link to a verdict", {"says": "no"}),
    get("verdicts.words", STAFF_READERS, "idea people are asked about"),
    post("verdicts.ask", DECIDERS, "idea people will be asked about"),
    get("verdicts.rules", ADMINS),
    post("verdicts.rules", ADMINS, form=RULES),
    # Quarters
    get("quarters.index", EVERYBODY),
    get("quarters.show", EVERYBODY, args={"name": Quarter.of(utcnow().date()).name}),
    get("quarters.readers", ADMINS),
    post("quarters.readers", ADMINS, form={"addresses": "board@example.org"}),
    # Browsers that are told at once
    get("push.worker", EVERYBODY),
    get("push.index", MEMBERS),
    post("push.subscribe", MEMBERS, form=BROWSER),
    post("push.remove", MEMBERS, "browser told at once"),
    post("push.test", MEMBERS, "browser told at once"),
    # Feeds
    get("feeds.index", EVERYBODY),
    get("feeds.public", EVERYBODY, args={"name": "ideas", "written_as": "atom"}),
    get("feeds.idea", EVERYBODY, "idea that everybody may see", args={"written_as": "json"}),
    get("feeds.private", EVERYBODY, "private feeds", args={"name": "inbox", "written_as": "atom"}),
    get("feeds.private_idea", EVERYBODY, "idea in private feeds", args={"written_as": "json"}),
    get("feeds.calendar", EVERYBODY),
    get("feeds.private_calendar", EVERYBODY, "private feeds"),
    post("feeds.make_address", MEMBERS),
    post("feeds.give_up_address", MEMBERS),
    # The changelog
    get("changelog.index", EVERYBODY),
    get("changelog.show", EVERYBODY, "entry"),
    get("changelog.drafts", DECIDERS),
    get("changelog.new", DECIDERS),
    post("changelog.new", DECIDERS, form={"title": "Routes offline", "body": "Now.", "kind": "new", "board": ""}),
    get("changelog.edit", DECIDERS, "entry"),
    post("changelog.edit", DECIDERS, "entry", {"seen": "1", "title": "New", "body": "N.", "kind": "new", "board": ""}),
    get("changelog.publish", DECIDERS, "draft"),
    post("changelog.publish", DECIDERS, "draft", {"do": "now"}),
    post("changelog.withdraw", DECIDERS, "entry"),
    post("changelog.remove", DECIDERS, "draft"),
    get("changelog.people", DECIDERS, "entry"),
    post("changelog.people", DECIDERS, "entry", {"who": "The Helper", "part": "tested", "idea": "{main}"}),
    post("changelog.remove_person", DECIDERS, "credit of somebody"),
    get("changelog.credit", MEMBERS, "credit"),
    post("changelog.credit", MEMBERS, "credit", {"answer": "yes"}),
    get("changelog.credits", MEMBERS),
    post("changelog.credits", MEMBERS, form={"choice": "never"}),
    # Boards
    get("workflows.index", DECIDERS),
    get("workflows.status", DECIDERS, args={"key": "planned"}),
    post(
        "workflows.status",
        DECIDERS,
        form={"label": "Planned", "hue": "planned", "glyph": "planned"},
        args={"key": "planned"},
    ),
    get("workflows.new_status", DECIDERS),
    post(
        "workflows.new_status",
        DECIDERS,
        form={"kind": "planned", "label": "On the list", "hue": "planned", "glyph": "planned"},
    ),
    get("workflows.way", DECIDERS, args={"source": "new", "target": "planned"}),
    get("workflows.move", DECIDERS, args={"source": "new", "target": "planned"}),
    post(
        "workflows.move", DECIDERS, form={"by": "decider", "news": "step"}, args={"source": "new", "target": "planned"}
    ),
    get("workflows.remove_move", DECIDERS, args={"source": "under_review", "target": "planned"}),
    post("workflows.remove_move", DECIDERS, args={"source": "under_review", "target": "planned"}),
    get("workflows.remove_status", DECIDERS, "added status"),
    post("workflows.remove_status", DECIDERS, "added status"),
    get("workflows.versions", DECIDERS),
    get("workflows.restore", DECIDERS, args={"version_id": 0}),
    post("workflows.restore", DECIDERS, args={"version_id": 0}),
    get("workflows.proposal", DECIDERS, "proposed workflow"),
    post("workflows.accept", ADMINS, "proposed workflow"),
    post("workflows.refuse", ADMINS, "proposed workflow", {"why": "Not before the summer."}),
    get("boards.index", ADMINS),
    get("boards.new", ADMINS),
    post("boards.create", ADMINS, form={"name": "Winter", "audience": "members"}),
    get("boards.edit", ADMINS, "empty board"),
    post("boards.edit", ADMINS, "empty board", {"name": "Renamed", "slug": "{new slug}", "audience": "public"}),
    get("boards.delete", ADMINS, "empty board"),
    post("boards.delete", ADMINS, "empty board"),
    get("boards.people", ADMINS, "empty board"),
    post("boards.add", ADMINS, "empty board", {"who": "The Author", "role": "pm"}),
    post("boards.rank", ADMINS, "place", {"role": "moderator"}),
    post("boards.remove", ADMINS, "place"),
    get("promises.days", ADMINS),
    post("promises.raising", ADMINS, form={"days": "5"}),
    get("promises.edit_days", ADMINS, "empty board"),
    post("promises.edit_days", ADMINS, "empty board", {"clock_new": "5", "weekend": "6"}),
    # Teams, labels and links
    get("teams.index", ADMINS),
    post("teams.index", ADMINS, form={"name": "{new slug}"}),
    get("teams.team", ADMINS, "team"),
    post("teams.team", ADMINS, "team", {"name": "{new slug}"}),
    post("teams.add", ADMINS, "team", {"who": "{colleague}"}),
    post("teams.remove", ADMINS, "somebody in a team"),
    post("teams.delete", ADMINS, "team"),
    get("organisations.index", ADMINS),
    post("organisations.index", ADMINS, form={"name": "{new slug}"}),
    get("organisations.organisation", ADMINS, "organisation"),
    post("organisations.organisation", ADMINS, "organisation", {"name": "{new slug}"}),
    post("organisations.add_person", ADMINS, "organisation", {"who": "The Helper"}),
    post("organisations.remove_person", ADMINS, "somebody of an organisation"),
    post("organisations.lift", ADMINS, "somebody taken out of an organisation"),
    post("organisations.delete", ADMINS, "organisation", {"sure": "1"}),
    get("organisations.list_segments", ADMINS),
    post("organisations.list_segments", ADMINS, form={"name": "{new slug}"}),
    get("organisations.segment", ADMINS, "segment"),
    post("organisations.segment", ADMINS, "segment", {"name": "{new slug}"}),
    post("organisations.put_in", ADMINS, "segment", {"who": "The Helper"}),
    post("organisations.take_out", ADMINS, "somebody in a segment"),
    post("organisations.delete_segment", ADMINS, "segment"),
    get("organisations.belonging", MEMBERS),
    post("organisations.belonging", MEMBERS, form={"alone": "1"}),
    get("organisations.count", EVERYBODY, "idea"),
    get("organisations.behind", STAFF_READERS, "idea"),
    post("organisations.give_vote", DECIDERS, "idea", {"kind": "named", "who": "Jane", "note": "At the fair"}),
    post("organisations.take_vote_back", DECIDERS, "idea with a vote for somebody", {"voter": "{second}"}),
    post("organisations.set_votes_aside", TRIAGERS, "idea with a voter", {"person": "{second}", "reason": "At once"}),
    post("organisations.give_votes_back", TRIAGERS, "idea with a vote set aside", {"person": "{second}"}),
    get("scores.index", STAFF_READERS),
    get("scores.score", STAFF_READERS, "idea"),
    post("scores.score", TRIAGERS, "idea", {"reach": "3"}),
    get("scores.formula", ADMINS),
    post("scores.formula", ADMINS, form={"formula": "votes * 2"}),
    get("labels.index", STAFF_READERS),
    get("labels.label", STAFF_READERS, "label"),
    post("labels.rename", DECIDERS, "label", {"name": "{new slug}"}),
    post("labels.remove", DECIDERS, "label"),
    post("triage.team", TRIAGERS, "idea", {"team": ""}, args=QUEUE),
    post("triage.labels", TRIAGERS, "idea", {"labels": "q3, legal"}, args=QUEUE),
    post("triage.nature", TRIAGERS, "idea", {"nature": "need"}, args=QUEUE),
    get("triage.links", TRIAGERS, "idea", args=QUEUE),
    post("triage.link", TRIAGERS, "idea", {"kind": "relates", "other": "{main}"}, args=QUEUE),
    post("triage.unlink", TRIAGERS, "tie", args=QUEUE),
    post("links.back_need", PARTICIPANTS, "need and solution"),
    post("links.unback_need", PARTICIPANTS, "idea"),
    # Membership, and running the portal
    get("membership.set_up", EVERYBODY),
    post("membership.set_up", EVERYBODY),
    get("membership.accept", EVERYBODY, "invitation"),
    post("membership.accept", EVERYBODY, "invitation"),
    post("membership.use_invitation", MEMBERS, "invitation to oneself"),
    get("membership.waiting", MEMBERS),
    get("membership.invitations", MODERATORS),
    post("membership.invite", MODERATORS, form={"addresses": "{new address}", "role": "member", "do": "send"}),
    post("membership.resend_invitation", MODERATORS, "invitation sent"),
    post("membership.withdraw_invitation", MODERATORS, "invitation sent"),
    get("membership.overview", MODERATORS),
    get("membership.people", MODERATORS),
    get("membership.person", MODERATORS, "somebody"),
    post("membership.reveal_address", ADMINS, "somebody"),
    post("membership.approve_person", MODERATORS, "somebody who waits"),
    post("membership.decline_person", MODERATORS, "somebody who waits"),
    get("membership.change_role", ADMINS, "somebody"),
    post("membership.change_role", ADMINS, "somebody", {"role": "champion"}),
    get("membership.suspend_person", MODERATORS, "somebody"),
    post("membership.suspend_person", MODERATORS, "somebody", {"reason": "Rule 3.", "days": "7"}),
    post("membership.lift_suspension", MODERATORS, "somebody suspended"),
    post("membership.sign_out_person", ADMINS, "somebody"),
    get("membership.remove_second_factors", ADMINS, "somebody"),
    post("membership.remove_second_factors", ADMINS, "somebody"),
    get("membership.begin", ADMINS),
    get("membership.mail_test", ADMINS),
    post("membership.mail_test", ADMINS, form={"to": "postmaster@example.org"}),
    post("membership.test_bounce", ADMINS),
    get("membership.show_mail_test", ADMINS, "test mail"),
    get("membership.mail_test_news", ADMINS, "test mail"),
    post("membership.fill_samples", ADMINS),
    post("membership.clear_samples", ADMINS),
    get("membership.portal", ADMINS),
    post("membership.portal", ADMINS, form={"portal": "Fellside", "question": "What is missing?"}),
    get("membership.membership", ADMINS),
    post("membership.membership", ADMINS, form={"membership": "approval", "reading": "public"}),
    get("membership.rules", ADMINS),
    post("membership.rules", ADMINS, form={"seen": "1", "body": "Other words.", "grace": "14", "do": "publish"}),
    get("membership.privacy", ADMINS),
    post("membership.privacy", ADMINS, form={"seen": "0", "body": "Other words.", "do": "publish"}),
)

READING = [row for row in TABLE if row.method == "GET"]
CHANGING = [row for row in TABLE if row.method == "POST"]
UNKNOWN = ("PUT", "DELETE", "TRACE", "BREW")


class World:
    """People of every role, boards, and an idea in each state that others may not know of."""

    def __init__(self, browse: Callable[..., Browser], app: Any) -> None:
        self.browse, self.app, self.searched, self.second = browse, app, "", ""
        index.rebuild()
        make_rules()
        self.people: dict[Role | None, User | None] = {None: None} | {role: make_user(role) for role in Role}
        self.author, self.helper = make_user(name="The Author"), make_user(name="The Helper")
        self.open_board = make_board("Open")
        self.other_board = make_board("Other")
        self.staff_board = make_board("Inside", Audience.STAFF)
        self.main = make_idea("Remember where I was", board=self.open_board)
        self.secret = {
            "hidden": self._idea(publication=Publication.HIDDEN),
            "held": self._idea(publication=Publication.HELD),
            "removed": self._idea(publication=Publication.REMOVED),
            "on a staff board": self._idea(board=self.staff_board),
        }
        self.secret_comments = {
            why: make_comment(self._seen_for_a_moment(idea), author=self.author) for why, idea in self.secret.items()
        }
        for idea in self.secret.values():
            self._hide_again(idea)

    def browser(self, role: Role | None) -> Browser:
        """A new browser of the person with this role."""
        return self.browse(self.people[role])

    def ask(self, browser: Browser, row: Row, url: str, who: User | None = None, **options: Any) -> Any:
        """Make the request that the row is about."""
        if row.method == "GET":
            with browser.get(url, **options) as answer:
                answer.get_data()
                return answer
        words = {
            "{staff}": str(self.people[Role.PM].id),
            "{colleague}": self.people[Role.MODERATOR].name,
            "{main}": str(self.main.id),
            "{other board}": self.other_board.slug,
            "{new address}": f"new-{secrets.token_hex(4)}@example.org",
            "{issuer}": f"https://{secrets.token_hex(4)}.example",
            "{searched}": self.searched,
            "{second}": self.second,
            "{soon}": (utcnow() + timedelta(days=3)).date().isoformat(),
            "{new slug}": f"renamed-{secrets.token_hex(4)}",
        }
        if row.form.get("seen") == "{seen}":
            shown = re.search(r'name="seen" value="([^"]*)"', browser.get(f"{url}?into={self.main.id}").text)
            words["{seen}"] = shown[1] if shown else ""
        data = {name: words.get(value, value) for name, value in row.form.items()}
        return browser.post(url, data=data, **options)

    def url(self, row: Row, who: User | None = None, number: int | None = None) -> str:
        """The address of the row, for something made for this request; ``number`` names something else."""
        made = self._thing(row, who) if number is None else self._named(row, number)
        with self.app.test_request_context():
            return url_for(row.endpoint, **row.args, **made)

    def _named(self, row: Row, number: int) -> dict[str, Any]:
        if row.about in {"pair", "refused pair"}:
            return {"idea_id": number, "other_id": self.main.id}
        return {"comment_id" if row.about == "comment" else "idea_id": number}

    def _thing(self, row: Row, who: User | None) -> dict[str, Any]:
        kinds: dict[str, Callable[[], dict[str, Any]]] = {
            "": dict,
            "recipients of an answer": lambda: {"idea_id": self.main.id, "name": "answer"},
            "idea": lambda: {"idea_id": self._idea(row.publication, row.status, author=who).id},
            "merged idea": lambda: {"idea_id": self._merged(who).id},
            "need and solution": lambda: {"idea_id": self._two_in_one().id},
            "idea put aside": lambda: {"idea_id": self._put_aside().id},
            "pair": lambda: {"idea_id": self._idea().id, "other_id": self.main.id},
            "refused pair": self._refused_pair,
            "two ideas": self._two_ideas,
            "joined ideas": lambda: {"with": self._merged().id, "idea_id": self.main.id},
            "objection link": lambda: {"token": self._objection_link()},
            "comment": lambda: {"comment_id": make_comment(self.main, author=who or self.author).id},
            "board": lambda: {"slug": self.open_board.slug},
            "person": lambda: {"user_id": self.author.id},
            "provider": lambda: {"slug": make_provider(found=DISCOVERED, found_at=utcnow()).slug},
            "provider row": lambda: {
                "provider_id": make_provider(issuer=f"https://127.0.0.1:1/{secrets.token_hex(4)}").id
            },
            "product": lambda: {"provider_id": make_product()[0].id},
            "key of a product": lambda: dict(zip(("provider_id", "key"), self._key(), strict=True)),
            "identity": lambda: {"identity_id": link_identity(who or self.author).id},
            "passkey": lambda: {"passkey_id": self._passkey(who or self.author).id},
            "vouched link": lambda: {"token": self._vouched_link()},
            "confirmation": lambda: {"token": self._confirmation()},
            "stop link": lambda: {"token": stop_token(self.author.id, self.main.id, "commented")},
            "notification": lambda: {"notification_id": self._notification(who).id},
            "caught mail": lambda: {"mail_id": self._caught().id},
            "mail": lambda: {"mail_id": self._mail().id},
            "test mail": lambda: {"mail_id": self._test_mail(who or self.author).id},
            "message to a browser": lambda: {"push_id": self._push().id},
            "mail set aside": lambda: {"kind": "mails", "work_id": self._mail().id},
            "empty board": lambda: {"board_id": make_board().id},
            "place": self._place,
            "added status": lambda: {"key": added_status()},
            "proposed workflow": lambda: {"version_id": proposed_workflow()},
            "entry": lambda: {"entry_id": self._entry().id},
            "draft": lambda: {"entry_id": self._entry(published=False).id},
            "credit": lambda: {"entry_id": self._entry(thanks=who or self.author).id},
            "credit of somebody": lambda: {
                "entry_id": self._entry(thanks=self.helper).id,
                "user_id": self.helper.id,
            },
            "theme": lambda: {"theme_id": self._theme().id},
            "reason": lambda: {"reason_id": db.session.scalar(sa.select(sa.func.max(Reason.id)))},
            "team": lambda: {"team_id": self._team()},
            "somebody in a team": lambda: {"team_id": self._team(), "user_id": self.people[Role.PM].id},
            "organisation": lambda: {"organisation_id": self._organisation()["organisation_id"]},
            "somebody of an organisation": self._organisation,
            "somebody taken out of an organisation": self._taken_out,
            "segment": lambda: {"segment_id": self._segment()["segment_id"]},
            "somebody in a segment": self._segment,
            "idea with a vote for somebody": lambda: self._spoken_for(),
            "idea with a voter": lambda: self._voted_for(aside=False),
            "idea with a vote set aside": lambda: self._voted_for(aside=True),
            "label": lambda: {"label_id": self._label()},
            "tie": self._tie,
            "note": self._note,
            "note of one's own": lambda: self._note(who or self.author),
            "deleted note": lambda: self._note(deleted_at=utcnow()),
            "answer draft": lambda: {"draft_id": self._answer_draft()},
            "dropped draft": lambda: {"draft_id": self._answer_draft("dropped")},
            "snippet": self._snippet,
            "searches": self._searches,
            "receipt": lambda: self._receipt(make_user()),
            "hidden receipt": lambda: self._receipt(make_user(), hidden_at=utcnow()),
            "receipt of one's own": lambda: {"idea_id": self._receipt(who or self.author)["idea_id"]},
            "voter": lambda: {"idea_id": self.main.id, "user_id": self.main.author_id},
            "link to open an account": lambda: {"token": self._mailed(Purpose.SIGN_UP)},
            "link to sign in": lambda: {"token": self._mailed(Purpose.SIGN_IN)},
            "link to a password": lambda: {"token": self._mailed(Purpose.RESET)},
            "link to deny": lambda: {"token": self._mailed(Purpose.NOT_ME)},
            "link to an address": lambda: {"token": self._mailed(Purpose.CHANGE_ADDRESS)},
            "somebody": lambda: {"user_id": make_user().id},
            "somebody who waits": lambda: {"user_id": make_user(approved_at=None).id},
            "somebody suspended": lambda: {"user_id": self._suspended().id},
            "invitation": lambda: {"token": invitations.token_of(self._invitation())},
            "invitation sent": lambda: {"invitation_id": self._invitation(by=who).id},
            "invitation to oneself": lambda: {"token": invitations.token_of(self._invitation(to=who))},
            "picture": self._picture,
            "idea people are asked about": lambda: self._round(asked=True)[0],
            "idea people will be asked about": lambda: self._round(asked=False)[0],
            "link to a verdict": lambda: {"token": verdict_token(self.author.id, self._round(asked=True)[1])},
            "private feeds": lambda: {"token": self._feeds()},
            "idea in private feeds": lambda: {"token": self._feeds(), "idea_id": self._idea().id},
            "idea that everybody may see": lambda: {"idea_id": self._idea().id},
            "browser told at once": lambda: {"subscription_id": self._browser(who or self.author)},
            "export": lambda: {"export_id": self._export(who or self.author).id},
            "link to stay": lambda: {"token": self._link_to_stay()},
            "session of one's own": lambda: {"handle": self._session(who or self.author)},
            "kept search": lambda: {"search_id": self._kept(who or self.author)},
            "act on many": lambda: {"act_id": self._act(who or self.author)},
            "act on many that is done": lambda: {"act_id": self._act(who or self.author, done=True)},
            "move just made": lambda: self._just_done("change_id", who),
            "answer just given": lambda: self._just_done("answer_id", who),
            "idea just hidden": lambda: self._just_done("", who),
            "idea just let through": lambda: self._just_done("through", who),
            "asset": lambda: {"file": self._stylesheet()},
        }
        return kinds[row.about]()

    def _idea(
        self,
        publication: Publication = Publication.PUBLISHED,
        status: Status = Status.NEW,
        board: Any = None,
        author: User | None = None,
    ) -> Idea:
        return make_idea(
            author=author or self.author, board=board or self.open_board, publication=publication, status=status
        )

    def _place(self) -> dict[str, int]:
        board, person = make_board(), make_user()
        make_place(board, person, Role.PM)
        return {"board_id": board.id, "user_id": person.id}

    def _entry(self, published: bool = True, thanks: User | None = None) -> Any:
        from portal.changelog import service
        from portal.changelog.models import Kind, Part

        pm = self.people[Role.PM]
        with transaction(wake=False):
            words = service.Words("Routes offline", "Now.", Kind.NEW, None, [self.main])
            entry = service.write_entry(words, pm)
            if thanks is not None:
                service.name_person(entry, thanks, self.main, Part.TESTED, pm)
            if published:
                service.publish(entry, pm, ())
        return entry

    def _round(self, asked: bool) -> tuple[dict[str, int], int]:
        from portal.ideas.moves import MoveDetails, move_idea
        from portal.verdicts import service
        from portal.verdicts.queries import get_asked

        idea = self._idea(status=Status.PLANNED)
        with transaction(wake=False):
            for person in filter(None, self.people.values()):
                ideas.cast_vote(idea, person)
            change = move_idea(idea, Status.SHIPPED, self.people[Role.PM], MoveDetails(answer="It is out."))
            service.begin(idea, change.id, Status.SHIPPED)
            if asked:
                service.ask(get_asked(idea))
        return {"idea_id": idea.id}, get_asked(idea).id

    def _browser(self, owner: User) -> int:
        from portal.push import service

        with transaction(wake=False):
            return service.subscribe(owner, **BROWSER, session_hash=None, browser_hash="", browser="").id

    def _feeds(self) -> str:
        from portal.feeds import service

        with transaction(wake=False):
            return service.token_of(service.make_address(make_user()))

    def _team(self) -> int:
        from portal.teams.service import add_member, make_team

        with transaction(wake=False):
            team = make_team(f"Team {secrets.token_hex(4)}", "", self.people[Role.OWNER])
            add_member(team, self.people[Role.PM], self.people[Role.OWNER])
        return team.id

    def _label(self) -> int:
        from portal.labels.models import Label
        from portal.labels.service import set_labels

        name = secrets.token_hex(4)
        with transaction(wake=False):
            set_labels(self._idea(), [name], self.people[Role.PM])
        return db.session.scalars(sa.select(Label.id).where(Label.name == name)).one()

    def _organisation(self) -> dict[str, int]:
        from portal.organisations.service import add_person, make_organisation

        owner, somebody = self.people[Role.OWNER], make_user()
        with transaction(wake=False):
            made = make_organisation(owner, name=secrets.token_hex(4))
            add_person(made, somebody, owner)
        return {"organisation_id": made.id, "user_id": somebody.id}

    def _taken_out(self) -> dict[str, int]:
        from portal.organisations.service import remove_person

        found = self._organisation()
        with transaction(wake=False):
            remove_person(db.session.get_one(User, found["user_id"]), self.people[Role.OWNER])
        return found

    def _segment(self) -> dict[str, int]:
        from portal.organisations.segments import Rule, make_segment, put_in

        owner, somebody = self.people[Role.OWNER], make_user()
        with transaction(wake=False):
            made = make_segment(owner, secrets.token_hex(4), Rule())
            put_in(made, somebody, owner)
        return {"segment_id": made.id, "user_id": somebody.id}

    def _spoken_for(self) -> dict[str, int]:
        from portal.organisations.behalf import vote_for

        idea, somebody = self._idea(), make_user()
        with transaction(wake=False):
            vote_for(idea, somebody, self.people[Role.PM], "At the fair in May")
        self.second = str(somebody.id)
        return {"idea_id": idea.id}

    def _voted_for(self, aside: bool) -> dict[str, int]:
        from portal.organisations.honesty import set_aside

        idea = self._idea(author=make_user())
        self.second = str(idea.author_id)
        if aside:
            with transaction(wake=False):
                set_aside(idea, [idea.author_id or 0], self.people[Role.PM], "All at once")
        return {"idea_id": idea.id}

    def _note(self, who: User | None = None, **fields: Any) -> dict[str, int]:
        from portal.talk.models import Note

        idea = self._idea()
        with transaction(wake=False):
            note = Note(idea_id=idea.id, author_id=(who or make_user(Role.PM)).id, body="Ask Tom.", **fields)
            db.session.add(note)
        return {"idea_id": idea.id, "note_id": note.id}

    def _answer_draft(self, state: str = "in_review") -> int:
        from portal.talk.models import AnswerDraft, DraftState

        writer, idea = make_user(Role.PM), self._idea()
        with transaction(wake=False):
            draft = AnswerDraft(idea_id=idea.id, target="answer", shown={"Answer": "Yes."})
            draft.author_id = draft.edited_by_id = writer.id
            draft.state = DraftState(state)
            db.session.add(draft)
        return draft.id

    def _snippet(self) -> dict[str, int]:
        from portal.talk.models import Snippet

        with transaction(wake=False):
            snippet = Snippet(name=secrets.token_hex(4), body="Thank you.")
            db.session.add(snippet)
        return {"snippet_id": snippet.id}

    def _tie(self) -> dict[str, int]:
        from portal.links.models import Kind
        from portal.links.service import link_ideas

        idea = self._idea()
        with transaction(wake=False):
            made = link_ideas(idea, self.main, Kind.RELATES, self.people[Role.PM])
        return {"idea_id": idea.id, "link_id": made.id}

    def _theme(self) -> Any:
        from portal.roadmap.service import add_theme

        with transaction(wake=False):
            return add_theme("Out of signal", "", self.people[Role.PM])

    def _searches(self) -> dict[str, Any]:
        self.searched = stems = f"tent{secrets.token_hex(4)}"
        now = utcnow()
        searched = {"words": stems, "stems": stems, "found": 0, "by": Searcher.MEMBER, "reach": Reach.OPEN}
        with transaction(wake=False):
            db.session.add(NotedSearch(key=secrets.token_hex(8), at=now, day=now.date(), **searched))
            db.session.add(SetAside(stems=stems, verdict=Verdict.ANSWERED))
        return {}

    def _receipt(self, who: User, **fields: Any) -> dict[str, int]:
        idea = make_idea(board=self.open_board)
        with transaction(wake=False):
            db.session.add(Receipt(idea_id=idea.id, user_id=who.id, typed="Sleep outside", differs="Mine.", **fields))
        return {"idea_id": idea.id, "user_id": who.id}

    def _merged(self, author: User | None = None) -> Idea:
        from portal.ideas.moves import MoveDetails, move_idea

        idea = self._idea(author=author)
        with transaction(wake=False):
            move_idea(idea, Status.MERGED, self.people[Role.PM], MoveDetails(into=self.main))
        return idea

    def _two_in_one(self) -> Idea:
        return make_idea(author=self.author, board=self.open_board, proposal="Let it buzz.")

    def _put_aside(self) -> Idea:
        """An idea that everybody on the team is done with in the first queue."""
        from portal.triage.asides import finish

        idea = self._idea()
        with transaction(wake=False):
            for role in TRIAGERS:
                finish(idea, QUEUE["queue"], self.people[role])
        return idea

    def _refused_pair(self) -> dict[str, int]:
        from portal.duplicates.service import refuse_pair

        idea = self._idea()
        with transaction(wake=False):
            refuse_pair(idea, self.main, self.people[Role.PM])
        return {"idea_id": idea.id, "other_id": self.main.id}

    def _two_ideas(self) -> dict[str, int]:
        self.second = str(self._idea().id)
        return {"idea_id": self._idea().id}

    def _objection_link(self) -> str:
        merge = merge_of(self._merged())
        return objection_token(self.author.id, merge.id) if merge else ""

    def _seen_for_a_moment(self, idea: Idea) -> Idea:
        self.kept = getattr(self, "kept", {})
        self.kept[idea.id] = idea.publication
        with transaction(wake=False):
            idea.publication = Publication.PUBLISHED
        return idea

    def _hide_again(self, idea: Idea) -> None:
        with transaction(wake=False):
            idea.publication = self.kept[idea.id]

    def _mailed(self, purpose: Purpose) -> str:
        user, name = make_user(), f"Newcomer {secrets.token_hex(4)}"
        address = f"{secrets.token_hex(4)}@example.org" if purpose is Purpose.SIGN_UP else user.email
        data = {
            "aimed": {},
            "locale": "",
            "sign_up": {"name": name, "password_hash": hash_password(PASSWORD), "rules": 1},
            "pair": "1",
            "to": f"{secrets.token_hex(4)}@example.org",
            "alone": True,
        }
        with transaction(wake=False):
            link = links.make(purpose, address, user=None if purpose is Purpose.SIGN_UP else user, data=data)
            return links.token_of(link)

    def _confirmation(self) -> str:
        return confirmation_token(make_user(confirmed_at=None))

    def _key(self) -> tuple[int, str]:
        product, name, _secret = make_product()
        return product.id, name

    def _vouched_link(self) -> str:
        with transaction(wake=False):
            return links.token_of(links.make(Purpose.VOUCHED, "new@example.org", data={}))

    def _notification(self, who: User | None) -> Notification:
        with transaction(wake=False):
            record = EventRecord(name="idea.vote_cast", idea_id=self.main.id, data={})
            db.session.add(record)
            db.session.flush()
            told = Notification(
                user_id=(who or self.author).id,
                event_id=record.id,
                idea_id=self.main.id,
                kind="voted",
                reason="author",
            )
            db.session.add(told)
        return told

    def _mail(self) -> Mail:
        from portal.db import utcnow

        with transaction(wake=False):
            mail = Mail(key=f"aside-{utcnow().timestamp()}", kind="confirm", user_id=self.author.id)
            mail.given_up_at, mail.attempts = utcnow(), 60
            db.session.add(mail)
        return mail

    def _test_mail(self, who: User) -> Mail:
        with transaction(wake=False):
            mail = Mail(key=f"test-{secrets.token_hex(8)}", kind="mail_test", user_id=who.id, recipient=who.email)
            mail.done_at, mail.suppressed = utcnow(), "test not ended"
            db.session.add(mail)
        return mail

    def _push(self) -> Push:
        with transaction(wake=False):
            push = Push(user_id=self.author.id, kind="test", given_up_at=utcnow(), error="it answered 400")
            db.session.add(push)
        return push

    def _passkey(self, who: User) -> Passkey:
        """One of two, so that it may be removed whatever the role demands."""
        made = [Passkey(user_id=who.id, credential_id=token_bytes(16), public_key=b"", name="Key") for _time in "12"]
        with transaction(wake=False):
            db.session.add_all(made)
        return made[0]

    def _caught(self) -> CaughtMail:
        with transaction(wake=False):
            mail = CaughtMail(
                recipient="a@example.org",
                subject="News",
                message_id="<1@portal>",
                raw="MIME-Version: 1.0\nSubject: News\nContent-Type: text/html\n\n<head></head><p>News</p>",
            )
            db.session.add(mail)
        return mail

    def _invitation(self, by: User | None = None, to: User | None = None) -> Invitation:
        with transaction(wake=False):
            invitation = Invitation(
                email=to.email if to else f"new-{secrets.token_hex(4)}@example.org",
                invited_by_id=(by or self.people[Role.OWNER]).id,
                expires_at=utcnow() + timedelta(days=7),
                board_id=self.open_board.id if to else None,
            )
            db.session.add(invitation)
        return invitation

    def _picture(self) -> dict[str, Any]:
        person = make_user()
        with transaction(wake=False):
            pictures.change_picture(person, picture())
        return {"user_id": person.id, "name": person.picture}

    def _export(self, who: User) -> Export:
        name, file = files.create()
        file.write(b"everything")
        file.close()
        with transaction(wake=False):
            export = Export(user_id=who.id, file=name, done_at=utcnow(), expires_at=utcnow() + timedelta(days=7))
            export.asked_at = utcnow() - timedelta(days=2)
            db.session.add(export)
        return export

    def _link_to_stay(self) -> str:
        person = make_user()
        with transaction(wake=False):
            privacy.leave(person)
        asked = sa.select(MailedLink).where(MailedLink.user_id == person.id)
        return links.token_of(db.session.scalars(asked).one())

    def _session(self, who: User) -> str:
        token = secrets.token_hex(32)
        until = utcnow() + timedelta(days=1)
        with transaction(wake=False):
            db.session.add(AuthSession(token_hash=token, user_id=who.id, expires_at=until, idle_seconds=3600))
        return token[:20]

    def _suspended(self) -> User:
        return make_user(suspended_at=utcnow(), suspended_until=utcnow() + timedelta(days=3))

    def _kept(self, who: User) -> int:
        with transaction(wake=False):
            search = SavedSearch(user_id=who.id, name=f"Maps {secrets.token_hex(4)}", query="maps")
            db.session.add(search)
        return search.id

    def _act(self, who: User, done: bool = False) -> int:
        with transaction(wake=False):
            act = bulk.plan(who, "add_tags", {"tags": [f"maps {secrets.token_hex(4)}"]}, [self._idea()])
            act.step, act.done_at = (Step.DONE, utcnow()) if done else (Step.PLANNED, None)
        return act.id

    def _just_done(self, what: str, who: User | None) -> dict[str, int]:
        """Something that this person, if on the team, has just done with an idea and can take back."""
        from portal.ideas import service
        from portal.ideas.moves import MoveDetails

        self.app.config["FOLD_MINUTES"] = 15
        actor = who if who and who.role in TRIAGERS else self.people[Role.PM]
        idea, said = self._idea(status=Status.UNDER_REVIEW), MoveDetails(answer="Since when?")
        with transaction(wake=False):
            if what == "change_id":
                return {"idea_id": idea.id, what: moves.move_idea(idea, Status.NEEDS_INFO, actor, said).id}
            if what == "answer_id":
                return {"idea_id": idea.id, what: moves.answer_idea(idea, actor, said).id}
            service.hide_idea(idea, actor, "By mistake.")
            if what == "through":
                service.publish_idea(idea, actor)
        return {"idea_id": idea.id}

    def _stylesheet(self) -> str:
        with self.app.test_request_context():
            return self.app.jinja_env.globals["asset_url"]("portal.css").rpartition("/")[2]


@pytest.fixture
def world(app, browse) -> World:
    return World(browse, app)


IGNORED = {
    "pending_acts": "what a guest asked for waits on the server",
    "auth_sessions": "notes when it was last seen",
    "push_keys": "the portal makes its own pair of keys when it is first asked for",
}


def everything() -> dict[str, list[str]]:
    """All rows of all tables, as the driver gives them: it is asked for thousands of times."""
    db.session.rollback()
    with db.engine.connect() as connection, closing(connection.connection.cursor()) as cursor:
        return {name: sorted(map(repr, cursor.execute(f'SELECT * FROM "{name}"').fetchall())) for name in TABLES}


TABLES = [table.name for table in Model.metadata.sorted_tables if table.name not in IGNORED]


def what_changed(before: dict[str, list[Any]]) -> list[str]:
    after = everything()
    return [name for name in before if before[name] != after[name]]


def refused(row: Row, answer: Any, role: Role | None) -> bool:
    """Whether the answer is the one for people who may not; what they may not even know of is not there."""
    if row.publication is not Publication.PUBLISHED and role not in TRIAGERS:
        return answer.status_code == 404
    if role is None:
        return answer.status_code == 303 and answer.location.startswith("/sign-in")
    return answer.status_code == 403


# The table


def test_s01_the_table_holds_every_address_and_no_other(app):
    there = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
    }

    assert {(row.method, row.endpoint) for row in TABLE} == there


@on_one_database
def test_s42_no_address_takes_a_verb_that_it_does_not_need(app):
    verbs = {verb for rule in app.url_map.iter_rules() for verb in rule.methods or set()}

    assert verbs == {"GET", "HEAD", "OPTIONS", "POST"}


# Who may


def listed(wrong: list[str]) -> str:
    return "\n" + "\n".join(wrong)


def cells(rows: list[Row]) -> Iterator[tuple[Row, Role | None]]:
    for row in rows:
        for role in EVERYBODY:
            yield row, role


def test_s02_whoever_may_not_is_refused_and_nothing_changes(world):
    wrong = []
    browsers = {role: world.browser(role) for role in EVERYBODY}
    for row in TABLE:
        roles = [role for role in EVERYBODY if role not in row.may] if not row.demo else []
        if not roles:
            continue
        url = world.url(row, world.people[Role.MEMBER] if row.about in OWN else None)
        before = everything()
        for role in roles:
            answer = world.ask(browsers[role], row, url)
            if not refused(row, answer, role):
                wrong.append(f"{row} as {role}: {answer.status_code}")
        if changed := what_changed(before):
            wrong.append(f"{row} changed {changed}")

    assert not wrong, listed(wrong)


def test_s02_whoever_may_is_let_through(world):
    wrong = []
    browsers = {role: world.browser(role) for role in EVERYBODY}
    ending = {"accounts.sign_out", "accounts.sign_in", "credentials.confirm_sign_up"}
    ending |= {"credentials.sign_in_by_link", "credentials.choose_password"}
    closed = {"inbound.receive"}  # is there for nobody without a secret; tests of its own
    read: dict[str, str] = {}
    for row, role in cells([row for row in TABLE if not row.demo]):
        author = row.author_may and role is not None
        if role not in row.may and not (author and role is not Role.OBSERVER):
            continue
        who = world.people[role]
        own = author or row.about in OWN
        if own or row.method == "POST":
            url = world.url(row, who if own else None)
        else:  # whoever reads leaves it as it was
            url = read[str(row)] = read.get(str(row)) or world.url(row)
        answer = world.ask(world.browser(role) if row.endpoint in ending else browsers[role], row, url)
        fine = answer.status_code in {200, 204, 303, 422} or row.endpoint in closed
        led_away = (answer.location or "").startswith("/sign-in") and row.endpoint not in TO_SIGN_IN
        if not fine or led_away:
            wrong.append(f"{row} as {role}: {answer.status_code} {answer.location}")

    assert not wrong, listed(wrong)


@on_one_database
def test_s02_each_act_by_whoever_may_does_something(world):
    """A form that changes nothing would make every refusal above look right."""
    idle = {
        "accounts.sign_up",  # an empty form here; tests of its own
        "accounts.agree",
        "credentials.look",  # without a mail asked for; tests of their own
        "credentials.send_again",
        "credentials.send_elsewhere",
        "credentials.withdraw_address",
        "credentials.passkey_options",  # asks for something, in the session
        "credentials.second_step",  # of whoever took it already
        "credentials.add_passkey",  # no browser made this one; tests of its own
        "credentials.add_authenticator",
        "credentials.remove_authenticator",
        "credentials.renew_recovery_codes",
        "credentials.go_on_after_set_up",
        "accounts.change_password",
        "accounts.sign_out",  # ends a session
        "accounts.end_other_sessions",
        "accounts.change_picture",  # without a file; tests of their own
        "accounts.remove_picture",
        "privacy.leave",  # without having read what goes; tests of their own
        "privacy.stay_or_go",
        "ideas.discard_draft",
        "ideas.withdraw_vote",
        "decisions.withdraw_need",
        "links.unback_need",  # of somebody who does not back it
        "workflows.status",  # shows first what would change; tests of their own
        "workflows.new_status",
        "workflows.remove_status",
        "workflows.move",
        "workflows.remove_move",
        "workflows.restore",
        "triage.team",  # from no team to none; tests of its own
        "comments.unmark_helpful",
        "ideas.new",  # shows in one form what another one sends
        "demand.review",
        "demand.withdraw",
        "accounts.ask_for_confirmation",  # of a confirmed address
        "notifications.confirm_again",
        "notifications.unmute",
        "notifications.resume",  # of somebody who did not pause
        "notifications.tidy_up",  # without a tick; tests of its own
        "sso.start",  # leads to a provider
        "sso.new",
        "sso.link",  # nobody waits
        "membership.set_up",  # over; tests of its own
        "membership.accept",  # of somebody signed in; tests of its own
        "sso.test",
        "sso.bring",  # sets a cookie
        "triage.unplan_draft",  # nothing is planned; tests of its own
        "inbound.receive",  # takes nothing without a secret; tests of its own
        "sso.confirm",  # in another browser
    }
    wrong = []
    for row in CHANGING:
        if row.endpoint in idle or row.demo:
            continue
        role = next(iter(sorted(row.may - {None}))) if row.may else Role.MEMBER
        who = world.people[role]
        url = world.url(row, who if row.author_may or row.about in OWN else None)
        browser = world.browser(role)
        world._notification(who), world._mail(), world._push()  # something to read, and something to try again
        before = everything()
        answer = world.ask(browser, row, url)
        if not what_changed(before):
            wrong.append(f"{row} as {role} changed nothing: {answer.status_code}")

    assert not wrong, listed(wrong)


@on_one_database
def test_s02_somebody_suspended_is_a_guest_from_the_next_request_on(world):
    browser = world.browser(Role.ADMIN)
    with transaction():
        from portal.db import utcnow

        world.people[Role.ADMIN].suspended_at = utcnow()

    rows = [row for row in TABLE if None not in row.may and row.about not in OWN]
    answers = [world.ask(browser, row, world.url(row)) for row in rows]

    assert all(refused(row, answer, None) for row, answer in zip(rows, answers, strict=True))


@on_one_database
def test_s02_what_is_for_the_demo_exists_nowhere_else(world):
    rows = [row for row in TABLE if row.demo]

    answers = [world.ask(world.browser(Role.OWNER), row, world.url(row)) for row in rows]

    assert {answer.status_code for answer in answers} == {404}


# What one may not know of

OF_IDEAS = {"idea", "need and solution", "idea put aside", "merged idea", "two ideas", "joined ideas"}
OF_IDEAS |= {"pair", "refused pair"}
OBJECTS = [row for row in TABLE if row.about in OF_IDEAS | {"comment"}]


@on_one_database
@pytest.mark.parametrize(
    ("role", "headers"), [(None, {}), (Role.MEMBER, {}), (Role.MEMBER, HTMX)], ids=["guest", "member", "member by htmx"]
)
def test_s04_what_one_may_not_know_of_answers_like_what_does_not_exist(world, role, headers):
    browser = world.browser(role)
    before = everything()
    wrong = []
    for row in OBJECTS:
        secrets = world.secret_comments if row.about == "comment" else world.secret
        invented = world.ask(browser, row, world.url(row, number=INVENTED), headers=headers)
        told = {
            why: world.ask(browser, row, world.url(row, number=thing.id), headers=headers)
            for why, thing in secrets.items()
        }
        expected = (
            404 if role in row.may or row.author_may or invented.status_code == 404 else refused(row, invented, role)
        )
        if expected != 404 and not expected and not headers:
            wrong.append(f"{row}: {invented.status_code}")
        for why, answer in told.items():
            if without_numbers(answer) != without_numbers(invented):
                wrong.append(f"{row}, {why}: {answer.status_code} and not {invented.status_code}")

    assert not wrong, listed(wrong)
    assert what_changed(before) == []


@on_one_database
def test_s04_acts_on_what_one_may_not_know_of_are_404(world):
    acts = [row for row in OBJECTS if Role.MEMBER in row.may or row.author_may]

    browsers = {role: world.browser(role) for role in (None, Role.MEMBER)}
    answers = {
        f"{row}, {why}, {role}": world.ask(browsers[role], row, world.url(row, number=thing.id)).status_code
        for row in acts
        for role in (None, Role.MEMBER)
        for why, thing in (world.secret_comments if row.about == "comment" else world.secret).items()
    }

    assert {what for what, status in answers.items() if status != 404} == set()


@on_one_database
def test_s04_what_was_taken_back_exists_for_nobody(world):
    gone, said = world.secret["removed"], world.secret_comments["removed"]

    answers = {
        f"{row} as {role}": world.ask(
            world.browser(role), row, world.url(row, number=said.id if row.about == "comment" else gone.id)
        ).status_code
        for row in OBJECTS
        for role in (Role.MODERATOR, Role.OWNER)
    }

    assert {what for what, status in answers.items() if status not in {403, 404}} == set()


def test_s04_what_others_were_told_answers_like_what_does_not_exist(world):
    rows = [row for row in TABLE if row.about == "notification"]
    browser = world.browser(Role.OWNER)
    others = world._notification(world.author).id

    wrong = []
    for row in rows:
        with world.app.test_request_context():
            theirs, invented = (url_for(row.endpoint, notification_id=number) for number in (others, INVENTED))
        answers = [world.ask(browser, row, url) for url in (theirs, invented)]
        if without_numbers(answers[0]) != without_numbers(answers[1]) or answers[0].status_code != 404:
            wrong.append(str(row))

    assert not wrong, listed(wrong)


def without_numbers(answer: Any, asked: str = "") -> tuple[Any, ...]:
    """All that an answer says, but for the number, or the name, that was asked for."""
    names = re.compile(rf"{re.escape(asked)}|\d+" if asked else r"\d+")
    text = names.sub("N", timeless(answer.text))
    headers = sorted(
        (name, names.sub("N", value))
        for name, value in answer.headers
        if name not in {"Set-Cookie", "Content-Length", "Date"}
    )
    return answer.status_code, headers, text


# What changes something

WITH_SESSION = [row for row in CHANGING if not row.no_session]


def may_act(world: World, row: Row) -> tuple[Browser, str]:
    """A browser of somebody who may, and an address to act on."""
    role = Role.OWNER if Role.OWNER in row.may else Role.MEMBER
    who = world.people[role]
    return world.browser(role), world.url(row, who if row.author_may or row.about in OWN else None)


FOREIGN = {
    "another site": {"Origin": "https://elsewhere.example"},
    "another port": {"Origin": "http://localhost:8123"},
    "an opaque origin": {"Origin": "null"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "cross-site that claims our origin": {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
}


@on_one_database
def test_s27_without_a_token_nothing_changes(world):
    wrong = []
    for row in WITH_SESSION:
        browser, url = may_act(world, row)
        browser.carries_token = False
        before = everything()
        for how, options in {
            "without a token": {},
            "with an invented token": {"headers": {"X-CSRFToken": "invented"}},
            "with the token of another browser": {"headers": {"X-CSRFToken": foreign_token(world)}},
            "as plain text": {"headers": {"Content-Type": "text/plain"}},
        }.items():
            answer = world.ask(browser, row, url, **options)
            if answer.status_code != 400:
                wrong.append(f"{row} {how}: {answer.status_code}")
        if changed := what_changed(before):
            wrong.append(f"{row} changed {changed}")

    assert not wrong, listed(wrong)


def foreign_token(world: World) -> str:
    from itsdangerous import URLSafeTimedSerializer

    serializer = URLSafeTimedSerializer(world.app.secret_key, salt="wtf-csrf-token")
    return str(serializer.dumps("the secret of another browser"))


@on_one_database
def test_s27_from_a_foreign_page_nothing_changes_whatever_token_it_carries(world):
    wrong = []
    for row in WITH_SESSION:
        browser, url = may_act(world, row)
        before = everything()
        for where, headers in FOREIGN.items():
            answer = world.ask(browser, row, url, headers=headers)
            if answer.status_code != 403:
                wrong.append(f"{row} from {where}: {answer.status_code}")
        if changed := what_changed(before):
            wrong.append(f"{row} changed {changed}")

    assert not wrong, listed(wrong)


def test_s27_one_address_works_without_a_session_and_carries_a_token_of_its_own(world):
    row = next(row for row in CHANGING if row.endpoint == "notifications.stop_now")
    browser = world.browser(None)
    browser.carries_token = False

    right = browser.post(world.url(row), data={"List-Unsubscribe": "One-Click"}, headers=FOREIGN["cross-site"])
    wrong = browser.post(world.url(row)[:-2], data={"List-Unsubscribe": "One-Click"})

    assert (right.status_code, wrong.status_code) == (200, 404)
    assert [row.endpoint for row in CHANGING if row.no_session] == [
        "notifications.stop_now",
        "sso.bring",
        "inbound.receive",
    ]


@on_one_database
@pytest.mark.parametrize("role", [None, Role.MEMBER, Role.OWNER], ids=["guest", "member", "owner"])
def test_s27_reading_changes_nothing(world, role):
    wrong = []
    for row in READING:
        who = world.people[role]
        url = world.url(row, who if row.author_may else None)
        browser = world.browser(role)
        before = everything()
        shown = world.ask(browser, row, url)
        with browser.head(url) as looked:
            looked.get_data()
        if shown.status_code != looked.status_code or looked.data:
            wrong.append(f"HEAD {row}: {looked.status_code} and not {shown.status_code}")
        if shown.status_code >= 500 or what_changed(before):
            wrong.append(f"{row}: {shown.status_code} {what_changed(before)}")

    assert not wrong, listed(wrong)


def test_s26_links_that_name_an_act_do_nothing_when_they_are_opened(world):
    browser, idea = world.browser(Role.MEMBER), world.main
    before = everything()

    answers = [browser.get(f"/sign-in?next=/ideas/{idea.id}&then={act}") for act in ("vote", "follow")]

    assert {answer.status_code for answer in answers} == {200}
    assert what_changed(before) == []


# Verbs


@on_one_database
def test_s42_unknown_verbs_are_refused_everywhere(world):
    browser = world.browser(Role.OWNER)
    wrong = []
    before = everything()
    for rule in world.app.url_map.iter_rules():
        row = next(row for row in TABLE if row.endpoint == rule.endpoint)
        if row.about not in {"", "board", "idea", "comment", "person"}:
            continue
        url = world.url(row, number=world.main.id) if row.about in {"idea", "comment"} else world.url(row)
        wrong += [
            f"{verb} {url}: {answer.status_code}"
            for verb in UNKNOWN
            if (answer := browser.open(url, method=verb)).status_code != 405
        ]
        shared = any(other.rule == rule.rule and "GET" in other.methods for other in world.app.url_map.iter_rules())
        if not shared and browser.get(url).status_code not in {404, 405}:
            wrong.append(f"GET {url}")

    assert not wrong, listed(wrong)
    assert what_changed(before) == []


@on_one_database
def test_s42_a_refused_verb_is_told_which_ones_there_are(world):
    answer = world.browser(None).delete(f"/ideas/{world.main.id}/vote")

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_an_idea_that_is_done_says_so_and_keeps_the_words(world):
    move_to(world.main, Status.CONFIRMED)

    answer = world.browser(Role.MEMBER).post(
        f"/ideas/{world.main.id}/comments", data={"body": "Still too slow for me."}
    )

    assert answer.status_code == 409
