"""Every group of addresses the portal answers."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from portal.accounts.views import bp as accounts
from portal.boards.views import bp as boards
from portal.bulk.views import bp as bulk
from portal.changelog.views import bp as changelog
from portal.comments.views import bp as comments
from portal.credentials.views import bp as credentials
from portal.decisions.views import bp as decisions
from portal.demand.views import bp as demand
from portal.duplicates.views import bp as duplicates
from portal.feeds.views import bp as feeds
from portal.ideas.views import bp as ideas
from portal.inbound.views import bp as inbound
from portal.labels.views import bp as labels
from portal.links.views import bp as links
from portal.live.views import bp as live
from portal.membership.views import bp as membership
from portal.notifications.views import bp as notifications
from portal.organisations.views import bp as organisations
from portal.pages.views import bp as pages
from portal.privacy.views import bp as privacy
from portal.promises.views import bp as promises
from portal.push.views import bp as push
from portal.quarters.views import bp as quarters
from portal.roadmap.views import bp as roadmap
from portal.scores.views import bp as scores
from portal.search.views import bp as search
from portal.search.views import synonyms_bp as synonyms
from portal.security.views import bp as security
from portal.sso.views import bp as sso
from portal.teams.views import bp as teams
from portal.triage.views import bp as triage
from portal.verdicts.views import bp as verdicts
from portal.workflows.views import bp as workflows

BLUEPRINTS = (
    *(
        ideas,
        comments,
        decisions,
        demand,
        links,
        labels,
        organisations,
        scores,
        roadmap,
        changelog,
        search,
        accounts,
        credentials,
        sso,
        privacy,
        promises,
        notifications,
        inbound,
        push,
        feeds,
        verdicts,
        quarters,
        triage,
        pages,
    ),
    *(duplicates, synonyms, membership, boards, teams, workflows, security),
    bulk,
    live,
)


class RowNumber(IntegerConverter):
    """A number in an address; one that no row can have leads nowhere."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**31 - 1)


def init_app(app: Flask) -> None:
    """Answer at all of them."""
    app.url_map.converters["int"] = RowNumber
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
