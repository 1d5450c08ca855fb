"""Let core build a message, and take it out before core believes it sent."""

import contextlib
import time
from dataclasses import dataclass

from odoo import tools

from ..tools import address
from ..tools.message import flatten

# A message is built at most this many seconds ahead: what is changed or cancelled
# meanwhile must not leave.
FRESH_SECONDS = 2.0


class Captured(BaseException):
    """Carries the message out of core's ``_send``, whose transaction is dropped.

    Not an :class:`Exception`: core must neither log it nor turn it into a failure.
    """

    def __init__(self, message, recipients):
        super().__init__()
        self.message = message
        self.recipients = recipients


class Capture:
    """What core's ``_send`` takes for an SMTP session.

    :param smtp_from: the header From; core replaces a differing one by it
    :param from_filter: the only address core may use as envelope sender
    """

    def __init__(self, smtp_from, from_filter):
        self.smtp_from = smtp_from
        self.from_filter = from_filter

    def send_message(self, message, smtp_from, smtp_to_list):
        raise Captured(message, smtp_to_list)


@dataclass(frozen=True)
class Account:
    """What the queue has to know of an alias for one mail.

    :param pause: seconds from a bulk email's reply to the next one's start
    :param wants_copies: copies of all mail go to the Sent folder
    :param wants_direct_copies: copies of one-to-one mail at least
    :param is_troubled: whether a success changes the alias's state
    """

    alias_id: int
    user_id: int
    alias_name: str | None
    email_from: str
    pause: float
    is_widened: bool
    is_troubled: bool
    daily_limit: int
    wants_copies: bool
    wants_direct_copies: bool

    @property
    def header_from(self):
        return tools.formataddr((self.alias_name or "", self.email_from))


class Message:
    """What is submitted, independent of the transaction that built it."""

    def __init__(self, mail, account, captured):
        wanted = mail._email_alias_get_pending()
        recipients = [
            address.mailbox_to_ascii(recipient) for recipient in captured.recipients
        ]
        self.recipients = [r for r in recipients if not wanted or r in wanted]
        self.data = flatten(captured.message)
        self.envelope_from = address.mailbox_to_ascii(account.email_from)
        self.message_id = captured.message["Message-Id"]
        self.is_bulk = mail.email_alias_bulk
        self.mail_id = mail.id
        self.partner_ids = mail.recipient_ids.ids
        self.built_at = time.monotonic()
        self.log_values = {
            "alias_id": account.alias_id,
            "user_id": account.user_id,
            "mail_mail_id": mail.id,
            "mail_message_id": (mail.email_alias_message_id or mail.mail_message_id).id,
            "message_id": self.message_id,
            "model": mail.model or None,
            "res_id": mail.res_id or None,
            "is_bulk": self.is_bulk,
            "recipients": ", ".join(self.recipients),
            "email_from": captured.message["From"],
            "subject": mail.subject or None,
        }

    @property
    def is_fresh(self):
        """Whether it may still leave as it was built."""
        return time.monotonic() - self.built_at <= FRESH_SECONDS


def build(mail, account, is_own):
    """Have core build the message of one mail.

    :param is_own: the caller rolls the transaction back; else a savepoint is used
    :return: a :class:`Message`; None if core refused the mail by itself, which is
        then written on it
    :raise UnsafeMessage, AddressError: it must not be submitted as it is
    """
    capture = Capture(account.header_from, account.email_from)
    try:
        with contextlib.nullcontext() if is_own else mail.env.cr.savepoint():
            mail._send(
                smtp_session=capture, alias_domain_id=mail.record_alias_domain_id.id
            )
    except Captured as captured:
        return Message(mail, account, captured)
    return None
