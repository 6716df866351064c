"""What tests of search engines of either kind share."""

import subprocess
import sys
from pathlib import Path

from portal.search.engine import Document
from portal.search.on_postgres import PostgresEngine
from portal.search.on_whoosh import WhooshEngine

ROOT = Path(__file__).parent.parent.parent

IDEAS = [
    Document(1, "Dark mode for the web app", "My eyes hurt when I work at night."),
    Document(2, "Export the roadmap to a spreadsheet", "Rows and columns, please.", "Could it be CSV in dark colours?"),
    Document(3, "Remind me of ideas I follow", "A mail once a week.", "Mode of reminding: at night."),
    Document(4, "A darkMode toggle in the settings", "Switching at night."),
    Document(5, "Sign in with the company account"),
]


def ids(hits):
    """Which documents were found."""
    return [hit.id for hit in hits]


def another(engine):
    """The engine of another process with the same index."""
    return WhooshEngine(engine.folder) if isinstance(engine, WhooshEngine) else PostgresEngine(engine.database)


def from_afar(engine, does):
    """Let another process do something with the same index."""
    if isinstance(engine, WhooshEngine):
        opens = f"from portal.search.on_whoosh import WhooshEngine\nengine = WhooshEngine({str(engine.folder)!r})"
    else:
        url = engine.database.url.render_as_string(hide_password=False)
        opens = (
            "import sqlalchemy\nfrom portal.search.on_postgres import PostgresEngine\n"
            f"engine = PostgresEngine(sqlalchemy.create_engine({url!r}))"
        )
    program = f"{opens}\nfrom portal.search.engine import Document\n{does}"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
