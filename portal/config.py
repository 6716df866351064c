"""Settings: what they mean, what they are by default, and which combinations are refused."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from flask import Flask

from portal.outgoing import check_allowed

PREFIX = "PORTAL"
SOON = {"socket_connect_timeout": 1, "socket_timeout": 1}  # seconds; counting requests must not hold them up
ESCAPED = "In names and passwords write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25."
LONGEST_BEFORE, LONGEST_AFTER = 20, 190  # letters of an address beside the token: 64 fit before the @, 254 in all
YES, NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


class ConfigurationError(Exception):
    """The portal cannot start with these settings; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``PORTAL_*`` variable."""

    name: str
    default: Any  # also says what kind the value has; None is yes, no or not said
    meaning: str
    choices: tuple[str, ...] = ()


SETTINGS = (
    Setting("NAME", "Ideas", "What the portal calls itself in pages and mails."),
    Setting("QUESTION", "What would make it better?", "The question over the box on the home page."),
    Setting("BASE_URL", "http://127.0.0.1:8000", "The address people use; links in mails start with it."),
    Setting(
        "INSTANCE",
        "",
        "The folder for database, search index and secrets: what a backup takes. Default: `instance` beside the code, "
        "or in the current folder once installed.",
    ),
    Setting("DATABASE_URL", "", "Default: `sqlite:///portal.db` in the instance folder. Or `postgresql://…`."),
    Setting("SECRET_KEY", "", "Signs cookies and links. Default: made once and kept in the instance folder."),
    Setting("PRODUCTION", None, "Refuse unsafe settings. Default: true when BASE_URL starts with `https:`."),
    Setting(
        "MAIL_URL",
        "",
        "`smtp://user:password@host:587`, `smtps://…:465`, `catch:` (kept in the portal), empty: no mail. "
        "With `?tls=required` at the end of `smtp:` nothing is sent unencrypted.",
    ),
    Setting("MAIL_FROM", "", "Sender of mails. Default: `ideas@` and the host of BASE_URL."),
    Setting(
        "REPLY_TO",
        "",
        "Where replies to mails go, to become comments: `ideas+{token}@reply.example.org`. Empty: no reply by mail.",
    ),
    Setting(
        "REPLY_TRUSTS",
        "",
        "The name under which your own mail server says whether a sender is genuine (Authentication-Results): "
        "`mx.example.org`. A reply that it did not find genuine is refused. Empty: the token in REPLY_TO has to do.",
    ),
    Setting(
        "BOUNCE_TO",
        "",
        "Where mails go back to that cannot be delivered: `bounces+{token}@reply.example.org`. Empty: MAIL_FROM.",
    ),
    Setting(
        "INBOUND_URL",
        "",
        "The mailbox that both arrive in: `imaps://user:password@host:993/INBOX?done=Done`. Empty: none.",
    ),
    Setting(
        "INBOUND_SECRET",
        "",
        "Signs mails that another server posts to `/mail/inbound`. Empty: none are taken there.",
    ),
    Setting(
        "WORKER",
        "inside",
        "`inside`: this process works off the outbox too; `off`: `portal worker` does.",
        choices=("inside", "off"),
    ),
    Setting(
        "SEARCH",
        "whoosh",
        "Where the search index is kept: `whoosh`: in files of this machine; `postgres`: in the database, for portals "
        "on several machines.",
        choices=("whoosh", "postgres"),
    ),
    Setting("HOLD_FIRST_POST", True, "A member's first idea waits for a moderator."),
    Setting(
        "FOLD_MINUTES",
        15,
        "Minutes for which mails about what the team does with an idea wait. Until then it can be taken back unheard, "
        "and several changes become one mail. `0`: mails go at once.",
    ),
    Setting("DEFAULT_LOCALE", "en", "Language for people whose browser asks for none that we have."),
    Setting("TIMEZONE", "UTC", "Time zone in which dates are shown and days are counted."),
    Setting("PROXIES", 0, "How many reverse proxies stand in front and set X-Forwarded-For."),
    Setting(
        "OUTGOING_ALLOW",
        "",
        "Names, addresses and networks inside your own net that the portal may ask (a sign-on server, say), between "
        "spaces: `10.1.0.0/16 login.internal`. Only these may be asked without TLS. "
        "Default: the open internet, by https.",
    ),
    Setting(
        "STREAMS",
        10_000,
        "How many open pages one process of the server tells at once what changed; others ask every half minute. "
        "`0`: all of them ask.",
    ),
    Setting(
        "LIMITS_STORAGE",
        "memory://",
        "Where rate limits are counted: `memory://`, or `redis://…` for several processes.",
    ),
    Setting("LIMITS", True, "Whether rate limits hold at all (off only for benchmarks)."),
    Setting(
        "LIMITS_OVERRIDE",
        "",
        "Other limits than ours, by the names on the page Limits: `votes = 30 per minute; 300 per day, search = …`.",
    ),
    Setting("DEMO", False, "Shows the mail catcher and the demo accounts to everybody."),
)


def configure(app: Flask, overrides: Mapping[str, Any] | None = None) -> None:
    """Fill ``app.config`` from defaults, ``PORTAL_*`` and ``overrides``, in this order.

    Raises ConfigurationError for a value that means nothing, a folder that cannot be written and unsafe production
    settings.
    """
    app.config.from_mapping({setting.name: setting.default for setting in SETTINGS})
    app.config.from_prefixed_env(PREFIX)
    app.config.from_mapping(overrides or {})
    config = app.config
    config.update({setting.name: _meant(setting, config[setting.name]) for setting in SETTINGS})
    config["BASE_URL"] = _with_plain_host(config["BASE_URL"])
    if config["PRODUCTION"] is None:
        config["PRODUCTION"] = config["BASE_URL"].startswith("https:")
    instance = _instance_folder(config["INSTANCE"])
    config["INSTANCE"] = str(instance)
    config["SQLALCHEMY_DATABASE_URI"] = _database_url(config, instance)
    _refuse_what_is_unsafe(app)
    config["SECRET_KEY"] = config["SECRET_KEY"] or _kept_secret(instance / "secret_key")
    config["MAIL_FROM"] = config["MAIL_FROM"] or f"ideas@{urlsplit(config['BASE_URL']).hostname}"
    _derive(app)


def _meant(setting: Setting, value: Any) -> Any:
    """Return a value as the kind its setting has; what was left empty is the default."""
    words, word = str(value), str(value).strip().lower()
    if value is None or not word:
        return setting.default
    if setting.default is None or isinstance(setting.default, bool):
        if word not in YES | NO:
            raise ConfigurationError(f"PORTAL_{setting.name} must be true or false, not {words!r}.")
        return word in YES
    if isinstance(setting.default, int):
        if not word.isdecimal():
            raise ConfigurationError(f"PORTAL_{setting.name} must be a whole number, not {words!r}.")
        return int(word)
    if setting.choices and words not in setting.choices:
        raise ConfigurationError(f"PORTAL_{setting.name} must be {' or '.join(setting.choices)}, not {words!r}.")
    return words


def _with_plain_host(address: str) -> str:
    """Return an address with its host as browsers and headers of mails name it: ``xn--bcher-kva.example``."""
    if address.isascii():
        return address
    start, _gap, rest = address.partition("://")
    host = re.split(r"[:/?#]", rest, maxsplit=1)[0]
    try:
        plain = validate_email(f"a@{host}", check_deliverability=False, test_environment=True).ascii_domain
    except EmailNotValidError:
        return address
    return f"{start}://{plain}{rest.removeprefix(host)}"


def _instance_folder(name: str) -> Path:
    code = Path(__file__).parent.parent
    home = code if (code / "pyproject.toml").exists() else Path.cwd()
    folder = Path(name).absolute() if name else home / "instance"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".probe-{os.getpid()}-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"The instance folder {folder} cannot be written ({error.strerror}). "
            "Choose another one with --instance DIR or PORTAL_INSTANCE, or make this one writable."
        ) from None
    return folder


def _database_url(config: Mapping[str, Any], instance: Path) -> str:
    url = str(config.get("SQLALCHEMY_DATABASE_URI") or config["DATABASE_URL"] or f"sqlite:///{instance}/portal.db")
    return url.replace("postgres://", "postgresql://", 1)


def _refuse_what_is_unsafe(app: Flask) -> None:
    config = app.config
    url = urlsplit(config["BASE_URL"])
    if url.scheme not in {"http", "https"} or not url.hostname or not config["BASE_URL"].isascii():
        raise ConfigurationError(
            f"PORTAL_BASE_URL must be an address such as https://ideas.example.org, not {config['BASE_URL']!r}."
        )
    try:
        check_allowed(config["OUTGOING_ALLOW"])
    except ValueError as error:
        raise ConfigurationError(f"PORTAL_OUTGOING_ALLOW: {error}.") from None
    _refuse_unfit_mail_server(config)
    _refuse_unfit_mailboxes(config)
    if config["SEARCH"] == "postgres" and not config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
        raise ConfigurationError(
            "PORTAL_SEARCH=postgres keeps the search index in PostgreSQL, but PORTAL_DATABASE_URL names no such "
            "database. Set it to postgresql://…, or leave PORTAL_SEARCH at whoosh."
        )
    if not config["PRODUCTION"]:
        return
    if not config["SECRET_KEY"] or len(str(config["SECRET_KEY"])) < 32:
        raise ConfigurationError(
            "In production PORTAL_SECRET_KEY must be set to at least 32 characters; "
            "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )
    if app.debug or config.get("DEBUG"):
        raise ConfigurationError("Debug mode must be off in production; unset FLASK_DEBUG and PORTAL_DEBUG.")
    if url.scheme != "https":
        raise ConfigurationError(
            "In production PORTAL_BASE_URL must start with https:, or cookies would travel in the open."
        )
    if config["DEMO"]:
        raise ConfigurationError("PORTAL_DEMO shows every mail to everybody; it cannot be used in production.")


def _refuse_unfit_mail_server(config: Mapping[str, Any]) -> None:
    """Refuse an address that says nothing, without repeating it: there is a password in it."""
    caught = not config["MAIL_URL"] or config["MAIL_URL"].startswith("catch:")
    if not caught and not _names_server(config["MAIL_URL"], "smtp", "smtps"):
        raise ConfigurationError(
            "PORTAL_MAIL_URL must be like smtp://user:password@host:587, smtps://user:password@host:465 or catch:, or "
            f"be empty for no mail. {ESCAPED}"
        )
    sender = config["MAIL_FROM"]
    if sender and ("@" not in parseaddr(sender)[1] or not sender.isprintable()):
        raise ConfigurationError(
            f"PORTAL_MAIL_FROM must be an address, such as Ideas <ideas@example.org>, not {sender!r}."
        )


def _names_server(address: str, *schemes: str) -> bool:
    """Whether an address names a host and, where it names one, a port that can be."""
    try:
        parts = urlsplit(address)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _refuse_unfit_mailboxes(config: Mapping[str, Any]) -> None:
    for name in ("REPLY_TO", "BOUNCE_TO"):
        before, gap, after = str(config[name]).partition("{token}")
        if config[name] and not (
            gap
            and len(before + after.partition("@")[0]) <= LONGEST_BEFORE
            and len(after) <= LONGEST_AFTER
            and re.fullmatch(r"[\w.+=-]{0,64}@[\w.-]{1,255}", after)
        ):
            raise ConfigurationError(
                f"PORTAL_{name} must be an address with {{token}} before the @, such as "
                f"ideas+{{token}}@reply.example.org, with at most {LONGEST_BEFORE} letters beside {{token}}; "
                f"not {config[name]!r}."
            )
    address = config["INBOUND_URL"]
    near = _names_server(address, "imap") and urlsplit(address).hostname in {"localhost", "127.0.0.1", "::1"}
    if address and not near and not _names_server(address, "imaps"):
        raise ConfigurationError(
            "PORTAL_INBOUND_URL must be like imaps://user:password@host:993/INBOX; imap: only on this machine. "
            f"{ESCAPED}"
        )
    if config["INBOUND_SECRET"] and any(len(secret) < 32 for secret in config["INBOUND_SECRET"].split()):
        raise ConfigurationError(
            "PORTAL_INBOUND_SECRET must have at least 32 characters; "
            "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )


def _kept_secret(file: Path) -> str:
    """The secret of this instance, made on first use, readable by its owner only."""
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return file.read_text().strip()


def _derive(app: Flask) -> None:
    config = app.config
    url = urlsplit(config["BASE_URL"])
    secure = url.scheme == "https"
    hosts = [url.hostname] if config["PRODUCTION"] else [url.hostname, "127.0.0.1", "localhost", "[::1]"]
    config.from_mapping(
        SESSION_COOKIE_NAME="__Host-portal" if secure else "portal",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=30 * 24 * 3600,
        TRUSTED_HOSTS=config.get("TRUSTED_HOSTS") or hosts,
        MAX_CONTENT_LENGTH=1024 * 1024,
        LARGEST_UPLOAD=(2 * 1024 + 64) * 1024,  # a picture, and the form around it
        MAX_FORM_MEMORY_SIZE=512 * 1024,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        BABEL_DEFAULT_LOCALE=config["DEFAULT_LOCALE"],
        BABEL_DEFAULT_TIMEZONE=config["TIMEZONE"],
        RATELIMIT_STORAGE_URI=config["LIMITS_STORAGE"],
        RATELIMIT_STORAGE_OPTIONS={} if config["LIMITS_STORAGE"].startswith("memory:") else SOON,
        RATELIMIT_ENABLED=bool(config["LIMITS"]) and config.get("RATELIMIT_ENABLED", True),
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_STRATEGY="moving-window",
        COMPRESS_MIMETYPES=["text/html", "application/json"],
        COMPRESS_ALGORITHM=["zstd", "br", "gzip"],
        COMPRESS_BR_LEVEL=4,
    )
