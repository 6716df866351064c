"""What a WSGI server imports: ``wsgi:app``."""

from portal import create_app

app = create_app()
