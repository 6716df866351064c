"""Reading the mails that the portal kept instead of sending."""

import re
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlsplit

from sqlalchemy import select

from portal.db import db
from portal.notifications.models import CaughtMail


def mails_to(address: str) -> list[EmailMessage]:
    """What lies in somebody's mailbox, oldest first."""
    db.session.rollback()
    caught = db.session.scalars(select(CaughtMail).where(CaughtMail.recipient == address).order_by(CaughtMail.id))
    return [message_from_string(mail.raw, _class=EmailMessage, policy=default) for mail in caught]


def words_of(mail: EmailMessage) -> str:
    """The text of a mail."""
    return str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n")


def link_in(mail: EmailMessage) -> str:
    """The path of the link behind the button of a mail."""
    url = urlsplit(re.search(r":\n(https?://\S+)", words_of(mail))[1])
    return f"{url.path}?{url.query}".rstrip("?")


def code_in(mail: EmailMessage) -> str:
    """The six digits in a mail."""
    return re.search(r"^(\d{6})$", words_of(mail), re.M)[1]


def newest_link(address: str) -> str:
    """The path of the link in the newest mail to an address."""
    return link_in(mails_to(address)[-1])


def newest_code(address: str) -> str:
    """The six digits in the newest mail to an address."""
    return code_in(mails_to(address)[-1])
