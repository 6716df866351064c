"""Somebody about whom every table of the portal holds something, each with a word that stands nowhere else."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts import pictures
from portal.accounts.models import AuthSession, User
from portal.accounts.roles import Role
from portal.boards.models import Board, BoardMember
from portal.bulk.models import BulkAct
from portal.changelog.models import Choice, Credit, CreditChoice, Entry, Part
from portal.comments import service as comments
from portal.comments.models import Comment, CommentMention, CommentRevision, Helpful, RevisionMention
from portal.credentials import links
from portal.credentials.models import Authenticator, KnownBrowser, MailedLink, Passkey, Purpose, RecoveryCode
from portal.db import db, utcnow
from portal.decisions.models import Decision as DecisionRecord
from portal.decisions.models import Need
from portal.demand.models import Receipt, SetAside
from portal.demand.models import Verdict as SearchVerdict
from portal.duplicates.models import Decision, Found, Pair, Proposal, State, Verdict
from portal.feeds.models import FeedAddress
from portal.ideas import moves, service
from portal.ideas.models import Answer, Draft, Objection, Revision, StatusChange, Vote, VoteSetAside
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.links.models import Kind, Link, NeedBacker
from portal.membership.models import Invitation
from portal.notifications.digests.models import Digest, DigestClock, UnwantedLetter
from portal.notifications.models import CaughtMail, Mail, ReceivedMail
from portal.notifications.policy import Topic, Way
from portal.notifications.reach import BoardChoice, Reach, TopicChoice
from portal.organisations.models import Organisation, OrganisationMember, OrganisationVote, Segment, SegmentMember
from portal.organisations.models import Way as Belongs
from portal.privacy.holdings import HOLDINGS
from portal.push.models import Push, Subscription
from portal.scores.models import IdeaScore
from portal.search.models import SavedSearch
from portal.security.log import note
from portal.security.models import SecurityEntry
from portal.sso.models import Identity, Provider
from portal.talk.models import AnswerDraft, DraftRemark, Note, NoteMention, ScheduledDraft, Snippet
from portal.teams.models import Team, TeamMember
from portal.transactions import transaction
from portal.triage.models import Aside, Presence
from portal.verdicts.models import Round, Says
from portal.verdicts.models import Verdict as Helped
from portal.workflows.models import WorkflowVersion
from tests.factories import PASSWORD, make_board, make_comment, make_idea, make_rules, make_user
from tests.support.images import picture

NAME = "Quillon Marwick"
MARKS = (
    *("quillon", "marwick", "quillfield", "quillold", "quillabout", "quilldraft", "quillkey", "quilllink"),
    *("quillbrowser", "203.0.113.77", "quillnote", "quillinvited", "quillsubject", "quilldevice"),
    *("quillphone", "quillodd"),
    *("quillwhy", "quilltyped", "quilldiffers", "quillmeant"),
    *("quillneed", "quillsearch", "quillquery", "quillverdict", "quillwording"),
)
"""Words of the person that must be nowhere once they are erased; what they wrote for all has none of them."""
SECRETS = ("quillhash", "quillsealed", "quillpublic", "quilltoken", "quillcode", "quillnonce")


def fresh(user: User) -> User:
    """Return the user as stored; what a test held may be detached."""
    db.session.rollback()
    return db.session.get_one(User, sa.inspect(user).identity[0])


def make_somebody(settle) -> User:
    """Return a member of the team about whom there is something in every table that refers to people."""
    make_rules()
    other, board = make_user(name="Somebody Else"), make_board("Everything")
    user = make_user(
        Role.MODERATOR,
        name=NAME,
        email="quillon@quillfield.example",
        with_password=True,
        about="quillabout",
        timezone="Europe/Lisbon",
        locale="en",
    )
    own, theirs = make_idea("Mark the wells", author=user, board=board), make_idea("Draw the fences", author=other)
    remark, answered = make_comment(theirs, author=user, body="I need it."), make_comment(own, author=other)
    make_comment(own, author=other, body="So do I.")
    gone = make_comment(theirs, author=other, body="Rubbish.")
    with transaction(wake=False):
        service.cast_vote(theirs, user)
        db.session.add(Helpful(comment_id=answered.id, user_id=user.id))
        answered.helpful = 1
        comments.delete_comment(gone, user)
        db.session.add(Revision(idea_id=own.id, editor_id=user.id, title="Mark wells", need="", proposal=""))
        comments.edit_comment(remark, "I need this.")
        db.session.add(FeedAddress(user_id=user.id, nonce="quillnonce"))
        db.session.add(Draft(user_id=user.id, title="quilldraft"))
        db.session.add(Answer(idea_id=theirs.id, author_id=user.id, status=Status.NEW, body="We read it."))
        change = moves.move_idea(theirs, Status.UNDER_REVIEW, make_owner(), MoveDetails(owner=user))
        ended = {"change_id": change.id, "idea_id": theirs.id, "ended_at": utcnow()}
        db.session.add(Objection(user_id=user.id, words="quillmeant", **ended))
        db.session.add(Need(user_id=user.id, idea_id=theirs.id, words="quillneed"))
        db.session.add(DecisionRecord(idea_id=theirs.id, decider_id=user.id, status=Status.DECLINED))
        db.session.execute(
            sa.text("UPDATE status_changes SET actor_id = :user WHERE idea_id = :idea"),
            {"user": user.id, "idea": theirs.id},
        )
        theirs.owner_id = user.id
        pictures.change_picture(user, picture())
        _give_credentials(user)
        _give_credit(user, own.id)
        _give_demand(user, other, own.id, theirs.id)
        _give_duplicates(user, own.id, theirs.id)
        _give_membership(user, other, board)
        _give_talk(user, other, theirs.id)
        _give_verdict(user, theirs.id)
        db.session.add(Aside(user_id=user.id, idea_id=theirs.id, queue="first-look", comments=0))
        db.session.add(Presence(user_id=user.id, idea_id=theirs.id))
        db.session.add(SavedSearch(user_id=user.id, name="quillsearch", query="quillquery", shared=True))
        _give_links(user, own.id, theirs.id)
        _give_organisations(user, other, own.id, theirs.id)
        _give_mails(user, other)
        _give_choices(user, board)
        _give_browsers(user)
        assert remark.author_id == user.id
    settle()
    return fresh(user)


def _give_choices(user: User, board: Board) -> None:
    db.session.add(Reach(user_id=user.id, mails_a_day=3, quiet_from=22, quiet_until=7, links_key="quillkey"))
    db.session.add(TopicChoice(user_id=user.id, topic=Topic.COMMENTS, mail=Way.INBOX))
    db.session.add(BoardChoice(user_id=user.id, board_id=board.id, topic=Topic.DECISIONS, mail=Way.DIGEST))


def _give_browsers(user: User) -> None:
    keys = {"public_key": "quillpoint", "auth_secret": "quillsecret"}
    told = Subscription(
        user_id=user.id, endpoint="https://push.example/quillendpoint", endpoint_hash="quillhash", **keys
    )
    db.session.add(told)
    db.session.flush()
    db.session.add(Push(user_id=user.id, subscription_id=told.id, kind="test", done_at=utcnow()))


def make_owner() -> User:
    """Return somebody else who runs the portal."""
    found = db.session.scalar(select(User).where(User.role == Role.OWNER))
    if found is None:
        found = User(email="owner@example.org", name="Owner", name_key="owner", role=Role.OWNER, confirmed_at=utcnow())
        db.session.add(found)
        db.session.flush()
    return found


def missing_for(user: User) -> set[str]:
    """Return the columns that should refer to the user and do not: what the test would not notice."""
    return {
        holding.name
        for holding in HOLDINGS
        if not db.session.scalar(select(sa.func.count()).select_from(holding.model).where(holding.column == user.id))
    }


def _give_links(user: User, own: int, theirs: int) -> None:
    team = Team(name="Everything on foot")
    db.session.add(team)
    db.session.flush()
    db.session.add(TeamMember(team_id=team.id, user_id=user.id))
    db.session.add(Link(idea_id=own, other_id=theirs, kind=Kind.RELATES, made_by_id=user.id))
    db.session.add(BulkAct(actor_id=user.id, kind="add_tags", what={"tags": ["bells"]}))
    db.session.add(NeedBacker(idea_id=theirs, user_id=user.id))


def _give_organisations(user: User, other: User, own: int, theirs: int) -> None:
    """Let the user belong together with others, and have done everything with votes that the team does."""
    tarn, group = Organisation(name="Tarn", name_key="tarn"), Segment(name="Walkers", name_key="walkers", rule={})
    db.session.add_all([tarn, group])
    db.session.flush()
    vote = db.session.get_one(Vote, (theirs, user.id))
    vote.note = "quillphone"
    db.session.get_one(Vote, (theirs, other.id)).cast_by_id = user.id
    db.session.add_all(
        [
            VoteSetAside(idea_id=theirs, voter_id=user.id, by_id=other.id, reason="quillodd"),
            VoteSetAside(idea_id=own, voter_id=other.id, by_id=user.id, reason="All at once"),
            OrganisationMember(user_id=user.id, organisation_id=tarn.id, way=Belongs.HAND),
            OrganisationMember(user_id=other.id, organisation_id=tarn.id, way=Belongs.HAND, by_id=user.id),
            OrganisationVote(idea_id=theirs, organisation_id=tarn.id, cast_by_id=user.id, note="At the fair"),
            SegmentMember(segment_id=group.id, user_id=user.id),
            IdeaScore(idea_id=theirs, parts={"reach": 3}, by_id=user.id),
        ]
    )


def _give_verdict(user: User, idea_id: int) -> None:
    """Let the user say whether something that came out helped."""
    change = StatusChange(idea_id=idea_id, source=Status.PLANNED, target=Status.SHIPPED, since_before=utcnow())
    db.session.add(change)
    db.session.flush()
    asked = Round(idea_id=idea_id, change_id=change.id, ask_at=utcnow(), asked_at=utcnow(), asked=2, no=1)
    db.session.add(asked)
    db.session.flush()
    db.session.add(Helped(round_id=asked.id, user_id=user.id, says=Says.NO, words="quillverdict"))


def _give_credentials(user: User) -> None:
    db.session.add_all(
        [
            AuthSession(
                token_hash="quilltoken1",
                user_id=user.id,
                expires_at=utcnow() + timedelta(days=1),
                idle_seconds=3600,
                browser="quillbrowser",
                address="203.0.113.77",
            ),
            KnownBrowser(token_hash="quilltoken2", user_id=user.id),
            Passkey(user_id=user.id, credential_id=b"quillpublic1", public_key=b"quillpublic2", name="quillkey"),
            Authenticator(user_id=user.id, sealed_secret="quillsealed"),
            RecoveryCode(code_hash="quillcode", user_id=user.id),
            SecurityEntry(
                kind="passkey.added",
                user_id=user.id,
                actor_id=user.id,
                address="203.0.113.77",
                browser="quillbrowser",
                data={"name": "quilldevice"},
            ),
        ]
    )
    provider = Provider(slug="elsewhere", kind="openid", name="Elsewhere", issuer="https://elsewhere.example")
    db.session.add(provider)
    db.session.flush()
    db.session.add(
        Identity(
            user_id=user.id,
            provider_id=provider.id,
            issuer=provider.issuer,
            subject="quillsubject",
            email="quillold@quillfield.example",
        )
    )
    links.make(Purpose.CHANGE_ADDRESS, "quilllink@quillfield.example", user=user, data={"to": "quilllink"})


def _give_demand(user: User, other: User, own_id: int, idea_id: int) -> None:
    """Let the user back an idea instead of posting, and decide about what others left."""
    db.session.add(Receipt(idea_id=idea_id, user_id=user.id, typed="quilltyped", differs="quilldiffers"))
    hidden = Receipt(idea_id=own_id, user_id=other.id, typed="Wells", differs="Rude.", hidden_at=utcnow())
    hidden.hidden_by_id = user.id
    db.session.add_all([hidden, SetAside(stems="asdf", verdict=SearchVerdict.NOISE, by_id=user.id)])


def _give_credit(user: User, idea_id: int) -> None:
    """Let the changelog thank the user, and the user write in it."""
    entry = Entry(title="Wells on the map", author_id=user.id, scheduled_by_id=user.id, published_at=utcnow())
    db.session.add(entry)
    db.session.flush()
    db.session.add(Credit(entry_id=entry.id, user_id=user.id, idea_id=idea_id, part=Part.SUGGESTED, agreed=True))
    db.session.add(CreditChoice(user_id=user.id, choice=Choice.ALWAYS))


def _give_duplicates(user: User, own_id: int, their_id: int) -> None:
    words = {"statuses": [], "moves": []}
    db.session.add(WorkflowVersion(author_id=user.id, reason="Clearer words.", state="refused", document=words))
    pair = Pair(first_id=own_id, second_id=their_id, found=Found.STAFF, state=State.REFUSED, decided_by_id=user.id)
    db.session.add(pair)
    db.session.flush()
    db.session.add(Proposal(pair_id=pair.id, idea_id=own_id, proposer_id=user.id, why="quillwhy"))
    db.session.add(Decision(first_id=own_id, second_id=their_id, verdict=Verdict.REFUSED, actor_id=user.id))


def _give_talk(user: User, other: User, idea_id: int) -> None:
    """Let the user write for the team and be called by a colleague; what they keep for themselves goes with them."""
    own = Note(idea_id=idea_id, author_id=user.id, body="Support hears this often.")
    called = Note(idea_id=idea_id, author_id=other.id, body=f"Ask @{NAME}.", body_html=f"<p>Ask @{NAME}.</p>")
    draft = AnswerDraft(idea_id=idea_id, target="answer", author_id=user.id, edited_by_id=user.id, reviewer_id=user.id)
    db.session.add_all([own, called, draft])
    db.session.flush()
    db.session.add(NoteMention(note_id=called.id, user_id=user.id, handle=NAME))
    words = Comment(idea_id=idea_id, author_id=other.id, body=f"Thank you, @{NAME}.", body_html=f"<p>@{NAME}</p>")
    db.session.add(words)
    db.session.flush()
    words.idea.comments += 1
    db.session.add(CommentMention(comment_id=words.id, user_id=user.id, handle=NAME))
    before = CommentRevision(comment_id=words.id, editor_id=other.id, body=f"Thanks, @{NAME}.")
    db.session.add(before)
    db.session.flush()
    db.session.add(RevisionMention(revision_id=before.id, user_id=user.id, handle=NAME))
    db.session.add(DraftRemark(draft_id=draft.id, author_id=user.id, body="Shorter, please."))
    db.session.add(ScheduledDraft(draft_id=draft.id, by_id=user.id, version=1, seen="new", publish_at=None))
    db.session.add(Snippet(owner_id=user.id, name="quillwording", body="Thank you."))


def _give_membership(user: User, other: User, board) -> None:
    soon = utcnow() + timedelta(days=7)
    db.session.add_all(
        [
            BoardMember(board_id=board.id, user_id=user.id, added_by_id=other.id),
            BoardMember(board_id=board.id, user_id=other.id, added_by_id=user.id),
            Invitation(email="quillinvited@example.org", note="quillnote", invited_by_id=user.id, expires_at=soon),
            Invitation(
                email=user.email,
                note="quillnote",
                nonce="quillnonce",
                invited_by_id=other.id,
                expires_at=soon,
                accepted_at=utcnow(),
                accepted_by_id=user.id,
            ),
        ]
    )
    user.has_board_roles = True
    note("role.changed", user=other, actor=user)


def _give_mails(user: User, other: User) -> None:
    db.session.add_all(
        [
            Mail(key="old-address", kind="confirm", user_id=user.id, recipient="quillold@quillfield.example"),
            Mail(key="before-joining", kind="confirm", recipient="quillon@quillfield.example"),
            CaughtMail(recipient=other.email, subject="A reply", message_id="<1>", raw=f"Subject: a\n\n{NAME} replied"),
            ReceivedMail(
                key="quillmailed", what="reply", outcome="posted", user_id=user.id, message_id="<1@quilldevice>"
            ),
            DigestClock(user_id=user.id, due_at=utcnow()),
            Digest(user_id=user.id, due_at=utcnow()),
            UnwantedLetter(user_id=user.id, letter="triage_note"),
            CaughtMail(recipient=user.email, subject="Hello", message_id="<2>", raw="Subject: b\n\nHello."),
        ]
    )


__all__ = ["MARKS", "NAME", "PASSWORD", "SECRETS", "Comment", "MailedLink", "make_somebody", "missing_for"]
