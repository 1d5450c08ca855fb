"""The job that files copies of sent mail: apart from sending, and after it."""

import logging
import time
import zlib

import psycopg2

from odoo import fields
from odoo.tools import SQL

from ..tools import address, pacing, vault
from ..tools.imap import failure as imap_failure
from .lock import SENT_COPIES_LOCK, locked

_logger = logging.getLogger(__name__)

# Seconds one run of the job lasts at most.
RUN_SECONDS = 50

# Copies filed in one step, and the bytes of them that end a step.
STEP_COUNT = 50
STEP_BYTES = 8_000_000

# An uncertain mail is looked for on this many days.
SEARCH_DAYS = 5

# When the copies of each alias may be tried next. After trouble the account is left
# alone until the first of its copies is due again: new ones wait with it.
COPIES_DUE = SQL(
    """SELECT alias_id,
              COALESCE(min(sent_copy_due) FILTER (WHERE sent_copy_attempts > 0),
                       min(sent_copy_due)) AS due
         FROM user_email_alias_log
        WHERE sent_copy_state = 'waiting' GROUP BY alias_id"""
)


def file_due_copies(env):
    """File what waits, one connection for each account."""
    ends_at = time.monotonic() + RUN_SECONDS
    for alias_id in _get_due_ids(env):
        if time.monotonic() >= ends_at:
            env["user.email.alias"]._trigger_sent_copies()
            break
        with locked(env.registry, SENT_COPIES_LOCK, alias_id) as own_env:
            if own_env:
                alias = own_env["user.email.alias"].browse(alias_id)
                SentCopies(alias).run(ends_at)
                own_env.cr.commit()
        env["ir.cron"]._commit_progress(1)
    wait = _get_wait(env)
    if wait is not None:
        at = fields.Datetime.add(fields.Datetime.now(), seconds=int(wait) + 1)
        env.ref("user_email_alias.ir_cron_file_copies")._trigger(at)


def _get_due_ids(env):
    """Aliases with copies that are due, or with uncertain mail to look for."""
    env.cr.execute(
        SQL(
            """
            SELECT alias_id FROM (%s) waiting
             WHERE due <= extract(epoch FROM clock_timestamp())
             UNION
            SELECT alias_id FROM user_email_alias_log
             WHERE outcome = 'uncertain'
               AND claimed_at > extract(epoch FROM clock_timestamp()) - %s
             GROUP BY alias_id
            """,
            COPIES_DUE,
            SEARCH_DAYS * 86_400,
        )
    )
    return [row[0] for row in env.cr.fetchall()]


def _get_wait(env):
    env.cr.execute(
        SQL(
            """
            SELECT min(due) - extract(epoch FROM clock_timestamp())
              FROM (%s) waiting
            """,
            COPIES_DUE,
        )
    )
    wait = env.cr.fetchone()[0]
    return None if wait is None else max(0.0, float(wait))


class SentCopies:
    """Files the copies of one alias; the alias's cursor owns the filing.

    :param alias: the alias, in a cursor whose transactions are ours to end
    """

    def __init__(self, alias):
        self.alias = alias
        self.env = alias.env

    def run(self, ends_at):
        """File what waits until ``ends_at`` (``time.monotonic()``); trouble never
        touches the mail."""
        if not self.alias.exists():
            return
        if not self.alias._wants_copies():
            self._give_up()
            return
        try:
            with self.alias._open_imap__() as connection:
                box = connection.sent_box(self.alias._find_sent_folder(connection))
                self.env.cr.commit()
                self._resolve_uncertain(box)
                by_itself = connection.files_by_itself and self._submits_there()
                while time.monotonic() < ends_at and self._file_step(box, by_itself):
                    pass
        except (imap_failure.ImapFailure, vault.VaultError) as failure:
            self.env.cr.rollback()
            self._defer_all(failure)
            self.env.cr.commit()
        except (psycopg2.Error, address.AddressError) as error:
            self.env.cr.rollback()
            _logger.warning("Copies of alias %s: %s", self.alias.id, error)

    def _submits_there(self):
        """Whether the alias submits to the provider whose IMAP server this is."""
        try:
            smtp_host = address.parse_server(self.alias.smtp_server or "").host
        except address.AddressError:
            return False
        return smtp_host.endswith((".gmail.com", ".office365.com", ".outlook.com"))

    def _file_step(self, box, by_itself):
        """File some copies and commit what became of them.

        :return: whether there may be more
        """
        rows = self._get_waiting()
        if not rows:
            return False
        if by_itself:
            results = [None] * len(rows)
        else:
            results = box.file_many(
                (zlib.decompress(bytes(data)), message_id, moment)
                for _row_id, data, message_id, moment, _attempts, _first in rows
            )
        lost = False
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, imap_failure.ImapFailure):
                lost |= result.retryable
                self._record_failure(row, result)
            else:
                self._record_filed(row[0])
        self.env.cr.commit()
        return not lost

    def _get_waiting(self):
        self.env.cr.execute(
            SQL(
                """
                SELECT id, sent_copy, message_id, replied_at, sent_copy_attempts,
                       sent_copy_first_at
                  FROM (SELECT *, sum(length(sent_copy)) OVER (ORDER BY id) AS size
                          FROM (SELECT * FROM user_email_alias_log
                                 WHERE alias_id = %s AND sent_copy_state = 'waiting'
                                   AND sent_copy_due <= extract(
                                       epoch FROM clock_timestamp())
                                 ORDER BY sent_copy_due, id LIMIT %s) few) sized
                 WHERE size - length(sent_copy) < %s
                 ORDER BY id
                """,
                self.alias.id,
                STEP_COUNT,
                STEP_BYTES,
            )
        )
        return self.env.cr.fetchall()

    def _record_filed(self, row_id):
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_state = 'filed', sent_copy = NULL,
                       sent_copy_error = NULL
                 WHERE id = %s
                """,
                row_id,
            )
        )

    def _record_failure(self, row, failure):
        """Try again with growing waits for days, or give up and tell the owner."""
        row_id, _data, _message_id, _moment, attempts, first_at = row
        now = self.alias._now()
        due = None
        if failure.retryable:
            due = pacing.mail_retry((attempts or 0) + 1, first_at or now, now)
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_state = %s, sent_copy_due = %s, sent_copy_error = %s,
                       sent_copy_attempts = COALESCE(sent_copy_attempts, 0) + 1,
                       sent_copy_first_at = COALESCE(sent_copy_first_at, %s)
                 WHERE id = %s
                """,
                "failed" if due is None else "waiting",
                due or 0.0,
                str(failure),
                now,
                row_id,
            )
        )
        if due is None and not self.alias.state_message:
            message = self.env._(
                "A copy could not be filed in the Sent folder: %s The email itself "
                "was sent.",
                failure,
            )
            self.alias.state_message = message
            self.alias._notify_owner(message)

    def _defer_all(self, failure):
        """The whole account is in trouble: all that is due waits, or has failed."""
        failure = _as_retryable(failure)
        self.env.cr.execute(
            SQL(
                """
                SELECT id, NULL, NULL, NULL, sent_copy_attempts, sent_copy_first_at
                  FROM user_email_alias_log
                 WHERE alias_id = %s AND sent_copy_state = 'waiting'
                   AND sent_copy_due <= extract(epoch FROM clock_timestamp())
                """,
                self.alias.id,
            )
        )
        for row in self.env.cr.fetchall():
            self._record_failure(row, failure)

    def _give_up(self):
        """The alias has no mailbox for copies any more; a retry may find a new one."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_state = 'failed', sent_copy_error = %s
                 WHERE alias_id = %s AND sent_copy_state = 'waiting'
                """,
                self.env._("The alias has no IMAP server for copies any more."),
                self.alias.id,
            )
        )

    def _resolve_uncertain(self, box):
        """What lies in the Sent folder was sent: the question answers itself."""
        limit = self.alias._now() - SEARCH_DAYS * 86_400
        rows = self.env["user.email.alias.log"].search(
            [
                ("alias_id", "=", self.alias.id),
                ("outcome", "=", "uncertain"),
                ("claimed_at", ">", limit),
            ]
        )
        for row in rows:
            if row.message_id and box.contains(row.message_id, row.claimed_at):
                row.action_mark_sent()
                row.reply = self.env._("Found in the Sent folder.")
        self.env.cr.commit()


def _as_retryable(failure):
    """A wrong password of the mailbox is mended sooner or later: wait for it."""
    return imap_failure.ImapFailure(
        getattr(failure, "kind", imap_failure.LOGIN), str(failure), retryable=True
    )
