"""A real OpenID provider in a process of its own: Canaille, in memory, with one person for each name given.

Run as ``python identity_server.py PORT NAME…``; everybody's password is ``PASSWORD``, and their address is verified.
"""

import os
import sys
from typing import Any

PASSWORD = "correct horse battery staple"


def serve(port: int, names: list[str]) -> None:
    """Answer until the process ends."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    from canaille import create_app
    from canaille.app import models
    from canaille.backends import Backend
    from joserfc.jwk import JWKRegistry
    from werkzeug.serving import make_server

    key = JWKRegistry.generate_key("RSA", 2048)
    key.ensure_kid()
    config: dict[str, Any] = {
        "TESTING": True,
        "ENV_FILE": None,
        "SECRET_KEY": os.urandom(32).hex(),
        "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"127.0.0.1:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc", "manage_oidc"]}},
        },
        "CANAILLE_OIDC": {
            "DYNAMIC_CLIENT_REGISTRATION_OPEN": True,
            "TRUSTED_DOMAINS": ["nobody.example"],
            "ACTIVE_JWKS": [key.as_dict(private=True)],
        },
    }
    app = create_app(config=config)
    app.config["CANAILLE_OIDC"]["USERINFO_MAPPING"]["EMAIL_VERIFIED"] = "true"
    with app.app_context():
        for name in names:
            person = models.User(
                user_name=name.lower(),
                given_name=name,
                family_name="Example",
                formatted_name=f"{name} Example",
                emails=[f"{name.lower()}@example.org"],
                password=PASSWORD,
            )
            Backend.instance.save(person)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2:])
