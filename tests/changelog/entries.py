"""Short ways to write entries, let them out and read them."""

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.changelog import queries, service
from portal.changelog.models import Kind
from portal.changelog.service import Words
from portal.transactions import transaction
from tests.factories import make_user


def write(*ideas, title="Routes offline", board=None, author=None, body="Open a route and press **Keep**."):
    with transaction(wake=False):
        return service.write_entry(Words(title, body, Kind.NEW, board, ideas), author or make_user(Role.PM))


def let_out(entry, *ships, actor=None, at=None):
    with transaction(wake=False):
        return service.publish(entry, actor or make_user(Role.PM), [idea.id for idea in ships], at)


def seen_by(viewer):
    return [telling.entry.title for telling in queries.list_entries(viewer).tellings]


def told_of(entry, viewer=None):
    return queries.tell([entry], viewer or Guest())[0]
