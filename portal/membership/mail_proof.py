"""The test mail of the set-up."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from flask import current_app
from flask_babel import gettext as _

from portal.notifications import links
from portal.notifications.mails.letter import POLICY, header_text, sender_address
from portal.notifications.mails.proof import Proof, prove
from portal.options import option


def send(to: str) -> Proof:
    """Send a test mail at once, past the queue, and return how it went."""
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(addr_spec=sender_address())
    message["To"] = Address(addr_spec=to)
    message["Subject"] = header_text(_("Test mail from %(portal)s", portal=option("name")))
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=links.mail_domain())
    message["Auto-Submitted"] = "auto-generated"
    words = _("%(portal)s at %(address)s can send mail to you. There is nothing to do.")
    message.set_content(words % {"portal": option("name"), "address": current_app.config["BASE_URL"]} + "\n")
    return prove(message, sender_address(), to)
