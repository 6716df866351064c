"""What the database layer promises to the rest of the portal."""

import pytest
import sqlalchemy as sa

from portal.db import db


def test_an_error_of_the_database_says_nothing_of_what_was_to_be_written(app):
    with pytest.raises(sa.exc.SQLAlchemyError) as error:
        db.session.execute(sa.text("SELECT nothing FROM nowhere WHERE word = :word"), {"word": "a-secret-word"})

    db.session.rollback()
    assert "a-secret-word" not in str(error.value)
