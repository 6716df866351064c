"""Everything held about people is in one table, and the table is compared with the database."""

import sqlalchemy as sa

from portal.db import Model
from portal.privacy.gathering import sections
from portal.privacy.holdings import ADDRESSES, HOLDINGS, NEVER, Fate


def columns_that_refer_to_people():
    return {
        f"{table.name}.{key.parent.name}"
        for table in Model.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "users"
    }


def test_s66_no_table_that_refers_to_people_is_forgotten(app):
    known = [holding.name for holding in HOLDINGS]

    assert set(known) == columns_that_refer_to_people()
    assert len(known) == len(set(known))


def test_s66_no_column_that_holds_mail_addresses_is_forgotten(app):
    found = {
        f"{table.name}.{column.name}"
        for table in Model.metadata.tables.values()
        for column in table.columns
        if column.name in {"email", "recipient", "to", "mail", "sender"} and table.name != "users"
        if not isinstance(column.type, sa.Enum)  # by which way, and not to where
    }

    assert {f"{column.class_.__tablename__}.{column.key}" for column in ADDRESSES} == found


def test_s66_each_kind_of_thing_is_explained_in_the_file(app):
    with app.test_request_context():
        assert set(sections()) == {holding.section for holding in HOLDINGS} | {"account", "README"}


def test_what_a_row_keeps_or_empties_names_columns_that_exist():
    for holding in HOLDINGS:
        columns = set(holding.model.__table__.columns.keys())
        named = {*holding.only, *holding.leaves_out, *holding.emptied}
        assert named <= columns, holding.name
        assert holding.fate is Fate.STAYS or not holding.emptied, holding.name
        assert not NEVER & set(holding.only), holding.name


def test_a_row_that_goes_refers_to_its_person_for_certain():
    """What may refer to nobody can outlive its person: mails are found by address too, shared wording is nobody's.

    Of a mail that came in from nobody we know, a hash is kept and nothing else.
    """
    going = [holding for holding in HOLDINGS if holding.fate is Fate.GOES]
    loose = {holding.name for holding in going if holding.column.property.columns[0].nullable}

    assert loose == {"mails.user_id", "mailed_links.user_id", "snippets.owner_id", "received_mails.user_id"}
