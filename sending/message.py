"""Let core build a message, and take it out before core believes it sent."""

import contextlib
import time
from dataclasses import dataclass

from odoo import tools

from ..tools import address
from ..tools.attachments import SharedParts
from ..tools.header.mailboxes import Mailbox
from ..tools.header.text import clean
from ..tools.message import join, write_pieces

# The context key under which a mail is built; its value is a SharedParts.
BUILDING = "email_alias_building"

# The context key of how many bytes a mail may have, 0 = as core thinks: attachments
# beyond that become links.
MAX_BYTES = "email_alias_max_bytes"

# What core writes on a mail and its notifications before it sends, lest it fail later.
_PROVISIONAL = frozenset(
    {"state", "notification_status", "failure_type", "failure_reason"}
)

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
    :param max_bytes: bytes of one email that the server takes, 0 = it has not said
    :param reply_to: where answers go, empty = as Odoo likes
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
    max_bytes: int
    reply_to: str

    @property
    def sender(self):
        """Whom each message is from, whatever other add-ons make of it."""
        return Mailbox(self.alias_name or "", self.email_from)

    @property
    def header_from(self):
        return tools.formataddr(self.sender)


class Message:
    """What is submitted, independent of the transaction that built it.

    :ivar size: bytes of it
    :ivar own_size: bytes of it that no other message of the lane shares
    :ivar has_written: another add-on has written something while core built it, which
        has to be committed with the claim
    """

    is_built = True
    build_seconds = 0.0

    def __init__(self, mail, account, captured, shared):
        wanted = mail._email_alias_get_pending()
        recipients = [
            address.mailbox_to_ascii(recipient) for recipient in captured.recipients
        ]
        self.recipients = [r for r in recipients if not wanted or r in wanted]
        mail._email_alias_restore_id(captured.message)
        _keep_reply_to(captured.message, mail.reply_to or "", account.reply_to)
        self._pieces = write_pieces(captured.message, account.sender, shared)
        self.size = sum(map(len, self._pieces))
        self._max_bytes = account.max_bytes
        self.own_size = shared.get_own_size(self._pieces)
        self.envelope_from = address.mailbox_to_ascii(account.email_from)
        self.message_id = captured.message["Message-Id"]
        self.is_bulk = mail.email_alias_bulk
        self.mail_id = mail.id
        self.partner_ids = mail.recipient_ids.ids
        self.built_at = time.monotonic()
        self.has_written = False
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
            "email_from": account.header_from,
            "subject": mail.subject or None,
        }

    @property
    def data(self):
        """The bytes to submit; put together anew, for what waits shares much."""
        return join(self._pieces)

    def is_for(self, max_bytes):
        """Whether it is as a server of this limit wants it, 0 = none."""
        if not self._max_bytes:
            # nothing has become a link
            return not max_bytes or self.size <= max_bytes
        return self._max_bytes == max_bytes

    @property
    def is_fresh(self):
        """Whether it may still leave as it was built."""
        return time.monotonic() - self.built_at <= FRESH_SECONDS


class Unbuilt:
    """Stands for a message that is built when its turn has come.

    :param build_seconds: how long that will take
    """

    is_built = False
    is_fresh = True
    size = 0  # not known yet

    def __init__(self, mail_id, build_seconds):
        self.mail_id = mail_id
        self.build_seconds = build_seconds

    def is_for(self, max_bytes):
        """Whether it will be built for a server of this limit."""
        return self.account.max_bytes == max_bytes


def build(mail, account, is_own, shared=None):
    """Have core build the message of one mail.

    What core writes before it sends is not written (see the hooks of ``write``), so
    that whatever has been written is another add-on's: its rows belong to the message.

    :param is_own: the caller commits or rolls back; else a savepoint is released
    :param shared: a :class:`SharedParts` with attachments that are encoded already
    :return: a :class:`Message`; None if core refuses the mail, which is then to be
        written on it by `let_core_refuse`
    :raise UnsafeMessage, AddressError: it must not be submitted as it is
    """
    if shared is None:
        shared = SharedParts()
    with contextlib.nullcontext() if is_own else mail.env.cr.savepoint():
        try:
            _send(mail.with_context(**{BUILDING: shared}), account)
        except Captured as captured:
            message = Message(mail, account, captured, shared)
            message.has_written = is_own and _has_written(mail.env)
            return message
    return None


def _keep_reply_to(message, meant, own):
    """Have answers go where the alias's owner wants them, whatever other add-ons do.

    :param meant: Reply-To of the mail
    :param own: the alias's; another one that the mail was given is nobody's concern
    """
    wanted = set(tools.mail.email_normalize_all(own))
    if not wanted or wanted != set(tools.mail.email_normalize_all(meant)):
        return
    in_ascii = {address.mailbox_to_ascii(each) for each in wanted}
    told = set(tools.mail.email_normalize_all(str(message["Reply-To"] or "")))
    if told != wanted and told != in_ascii:
        del message["Reply-To"]
        message["Reply-To"] = clean(meant)


def is_provisional(records, vals):
    """Whether core is about to note that a mail failed, only because it is built."""
    return (
        BUILDING in records.env.context
        and vals.keys() <= _PROVISIONAL
        and "exception" in vals.values()
    )


def let_core_refuse(mail, account):
    """Have core write on a mail why it is not sent.

    :return: False if core would send it after all
    """
    try:
        with mail.env.cr.savepoint():
            _send(mail, account)
    except Captured:
        return False
    return True


def _send(mail, account):
    mail.with_context(**{MAX_BYTES: account.max_bytes})._send(
        smtp_session=Capture(account.header_from, account.email_from),
        alias_domain_id=mail.record_alias_domain_id.id,
    )


def _has_written(env):
    """Whether this transaction has changed anything (PostgreSQL: it has an id)."""
    env.flush_all()
    env.cr.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
    return env.cr.fetchone()[0]
