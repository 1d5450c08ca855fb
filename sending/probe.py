"""A test mail: sent by the alias's lane at once, and looked for in its mailbox.

No transaction is open while a server is waited for: the mail is committed first, the
lane has a cursor of its own, and what it has written is read in short steps.
"""

import contextlib
import time
from dataclasses import dataclass, replace

from odoo import api
from odoo.tools import SQL

from ..tools.imap import arrival
from .filing import Filing
from .lane import Lane
from .lock import SENT_COPIES_LOCK, locked, open_cursor
from .why import Why

# How often the log, and the mailbox, are looked at, in seconds.
LOG_SECONDS = 0.25
MAILBOX_SECONDS = 1.0

# What is left of the time for filing and counting the copies, in seconds.
COPIES_SECONDS = 10


@dataclass(frozen=True)
class Submission:
    """What became of a test mail; ``outcome`` is the log's, or ``waiting``.

    :ivar reason: why it waits, see :class:`Reason`; else None
    """

    mail_id: int
    outcome: str
    log_id: int = 0
    reply: str = ""
    message_id: str = ""
    header_from: str = ""
    replied_at: float = 0.0
    reason: object = None


def send(registry, uid, context, vals, deadline):
    """Send one mail now, as one-to-one mail; what cannot leave now is cancelled.

    :param uid: the alias's owner
    :param vals: of the mail
    :param Deadline deadline: the end of the conversation
    :return: a :class:`Submission`
    """
    alias_id = vals["email_alias_id"]
    with open_cursor(registry) as cr:
        env = api.Environment(cr, uid, context)
        # sudo: mail.mail is for administrators; the owner has been checked
        mail_id = env["mail.mail"].sudo().create(vals).id
    lane = Lane(registry, alias_id, deadline.at, deadline.at, is_direct=True)
    lane.run()
    while not (found := _read_submission(registry, mail_id)):
        # another lane has the alias, and serves one-to-one mail first
        if not lane.is_locked_out or deadline.is_over:
            break
        time.sleep(LOG_SECONDS)
    return _settle(registry, found or Submission(mail_id, "waiting"))


def _read_submission(registry, mail_id):
    """Read the log of a mail; None while there is no outcome.

    In SQL because it is asked for again and again.
    """
    with contextlib.closing(open_cursor(registry)) as cr:
        cr.execute(
            SQL(
                """
                SELECT mail_mail_id, outcome, id, reply, message_id, email_from,
                       replied_at::float8
                  FROM user_email_alias_log
                 WHERE mail_mail_id = %s AND outcome IS NOT NULL
                 ORDER BY id DESC LIMIT 1
                """,
                mail_id,
            )
        )
        row = cr.fetchone()
        return row and Submission(*row)


def _settle(registry, submission):
    """Let a mail that has not left never leave, and say why it has not."""
    if submission.outcome in ("sent", "uncertain"):
        return submission
    with open_cursor(registry) as cr:
        env = api.Environment(cr, api.SUPERUSER_ID, {})
        mail = env["mail.mail"].browse(submission.mail_id).exists()
        reason = None
        if submission.outcome == "waiting":
            reason = Why(env, mail.ids).explain(submission.mail_id)
        if not reason or reason.key != "in_hand":
            mail._email_alias_cancel()
            mail.flush_recordset()
            mail.unlink()
    return replace(submission, reason=reason)


@dataclass(frozen=True)
class Arrival:
    """Where a test mail was found; nothing of it if it was not.

    :ivar seconds: from the server's answer to its arrival, as far as we can tell
    :ivar copies: how many lie in the Sent folder, None if there is none
    """

    folder: str = ""
    header: bytes = b""
    received: object = None
    seen_at: float = 0.0
    copies: int | None = None


def look(registry, alias_id, account, sent_folder, sought, deadline):
    """Wait until a message is in a mailbox, and count its copies.

    :param account: the :class:`ImapAccount`
    :param sent_folder: the Folder for sent mail as it is remembered, or None
    :param Sought sought: the message
    :param Deadline deadline: the end of the whole conversation
    :return: an :class:`Arrival`
    :raise ImapFailure: the mailbox cannot be read
    """
    with account.open(deadline) as connection:
        paths = arrival.get_inboxes(connection)
        found = _wait_for(connection, paths, sought, deadline.sooner(COPIES_SECONDS))
        seen_at = time.time()
        header = arrival.read_header(connection, found) if found else b""
        _file_copies(registry, alias_id, deadline)
        copies = _count_copies(connection, sent_folder, sought)
    return Arrival(
        found.folder if found else "",
        header,
        found.received if found else None,
        seen_at,
        copies,
    )


def _wait_for(connection, paths, sought, until):
    while True:
        for path in paths:
            if found := arrival.find(connection, path, sought):
                return found[0]
        if until.is_over:
            return None
        time.sleep(min(MAILBOX_SECONDS, max(0.0, until.at - time.monotonic())))


def _file_copies(registry, alias_id, deadline):
    """File the copies that wait for this alias, unless the job is at it."""
    with locked(registry, SENT_COPIES_LOCK, alias_id) as env:
        if env and env["user.email.alias"].browse(alias_id)._wants_copies():
            env.cr.commit()
            Filing(env["user.email.alias"].browse(alias_id)).run(deadline)


def _count_copies(connection, sent_folder, sought):
    """How many copies are in the Sent folder; None: there is no such folder."""
    with contextlib.suppress(arrival.imap_failure.ImapFailure):
        folder = connection.find_sent_folder(sent_folder)
        return len(arrival.find(connection, folder.path, sought))
    return None
