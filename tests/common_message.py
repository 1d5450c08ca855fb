"""A message as Odoo builds it, and the bytes of it that leave."""

import email.policy
from email.message import EmailMessage

from ..tools.message import join, write_pieces


def compose(**headers):
    """Return a message as Odoo's builder makes it."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["Message-Id"] = "<1@example.com>"
    message["Subject"] = "Grüße"
    message["From"] = '"Ada, née Byron" <ada@example.com>'
    message["To"] = "bob@example.org"
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content("Hello\n", charset="utf-8")
    return message


def flatten(message):
    """Return the bytes that are submitted."""
    return join(write_pieces(message))
