"""One account's turn: file its copies, and settle uncertain mail that lies there.

What waits is put off and committed before the server is spoken to: whatever becomes of
the conversation, and of this process, the account is not the next one again. No
transaction is open while the server is waited for.
"""

import logging
import time
import zlib

import psycopg2

from odoo.tools import SQL

from ..exceptions import MailboxClosed
from ..tools import pacing
from ..tools.epoch import to_datetime, to_epoch
from ..tools.imap.failure import ImapFailure
from .copy_trouble import explain, tell_owner
from .process import Process

_logger = logging.getLogger(__name__)

# Copies filed in one step, and the bytes of them that end a step.
STEP_COUNT = 50
STEP_BYTES = 8_000_000

# An uncertain mail is looked for on this many days.
SEARCH_DAYS = 5


class Filing:
    """Files the copies of one alias.

    ``sent_copy_attempts`` counts the turns that failed since the account works no more:
    it is zero for a copy that is refused for itself.

    :param alias: the alias, in a cursor whose transactions are ours to end
    """

    def __init__(self, alias):
        self.alias = alias
        self.env = alias.env
        self._slowest = 0.0
        # rows of the log that are put off and have no result yet
        self._taken = []
        # whether an administrator has to open the mailbox: that may take longer
        self._is_closed = False

    def run(self, deadline):
        """File what waits; trouble never touches the mail, nor another account.

        :param Deadline deadline: the end of the conversation
        """
        if not self.alias.exists():
            return
        if not self.alias._has_mailbox():
            self._give_up()
            return
        try:
            uncertain = self._take_uncertain()
            copies = self._take_copies()
            self.env.cr.commit()
            account = self.alias._get_imap_account__()
            folder = self.alias._get_imap_folder()
            self.env.cr.commit()
            with account.open(deadline) as connection:
                folder = connection.find_sent_folder(folder, create=True)
                self._remember(folder)
                box = connection.sent_box(folder)
                self._settle(uncertain, box)
                provider = connection.self_filing
                by_itself = provider and provider == self.alias._get_self_filing()
                self.env.cr.commit()
                while copies:
                    self._file(copies, None if by_itself else box)
                    copies = [] if self._is_over(deadline) else self._take_copies()
                    self.env.cr.commit()
            self._release()
        except psycopg2.Error as error:
            self.env.cr.rollback()
            _logger.warning("Copies of alias %s wait: %s", self.alias.id, error)
        except MailboxClosed as error:
            self.env.cr.rollback()
            self._is_closed = True
            self._note_trouble(str(error))
        except Exception as error:
            self.env.cr.rollback()
            self._note_trouble(explain(self.alias, error))
        tell_owner(self.alias, self._is_closed)
        self.env.cr.commit()

    def _is_over(self, deadline):
        """Whether the next step might not end in time, judged by the slowest so far."""
        return deadline.sooner(2 * self._slowest).is_over or Process.is_ending()

    def _remember(self, folder):
        """Remember the folder; that somebody else writes to the alias is no trouble."""
        try:
            self.alias._remember_folder(folder)
            self.env.cr.commit()
        except psycopg2.Error:
            self.env.cr.rollback()

    def _take_uncertain(self):
        """Put off the uncertain mails and return (row id, Message-ID, time) of each."""
        self.env.cr.execute(
            SQL(
                """
                SELECT id, message_id, claimed_at FROM user_email_alias_log
                 WHERE alias_id = %s AND outcome = 'uncertain' AND claimed_at > %s
                   AND message_id IS NOT NULL
                """,
                self.alias.id,
                self._get_search_limit(),
            )
        )
        rows = self.env.cr.fetchall()
        self._put_off([row[0] for row in rows])
        return rows

    def _take_copies(self):
        """Put off the copies of one step and return their rows."""
        self.env.cr.execute(
            SQL(
                """
                SELECT id, sent_copy, message_id, replied_at, sent_copy_first_at
                  FROM (SELECT *, sum(length(sent_copy)) OVER (ORDER BY id) AS size
                          FROM (SELECT * FROM user_email_alias_log
                                 WHERE alias_id = %s AND sent_copy_state = 'waiting'
                                   AND sent_copy_due <= clock_timestamp()
                                                        AT TIME ZONE 'UTC'
                                 ORDER BY sent_copy_due, id LIMIT %s) few) sized
                 WHERE size - length(sent_copy) < %s
                 ORDER BY id
                """,
                self.alias.id,
                STEP_COUNT,
                STEP_BYTES,
            )
        )
        rows = self.env.cr.fetchall()
        self._put_off([row[0] for row in rows])
        return rows

    def _put_off(self, row_ids):
        now = self.alias._now()
        since = self._get_since(now)
        self._taken += row_ids
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_attempts = COALESCE(sent_copy_attempts, 0) + 1,
                       sent_copy_first_at = COALESCE(sent_copy_first_at, %s),
                       sent_copy_due = %s
                 WHERE id = ANY(%s)
                """,
                to_datetime(now),
                self._get_next_try(since, now),
                row_ids,
            )
        )

    def _get_since(self, now):
        """When the account was tried first since it works no more."""
        self.env.cr.execute(
            SQL(
                """
                SELECT min(sent_copy_first_at) FROM user_email_alias_log
                 WHERE alias_id = %s AND sent_copy_attempts > 0 AND %s
                """,
                self.alias.id,
                self._get_open_rows(),
            )
        )
        return to_epoch(self.env.cr.fetchone()[0]) or now

    @staticmethod
    def _get_next_try(since, now):
        """When the account is tried again; it never is given up as a whole."""
        due = pacing.copy_retry(since, now) or now + pacing.MAIL_RETRY_LONGEST
        return to_datetime(due)

    def _get_open_rows(self):
        """The rows that wait, or whose mail is looked for."""
        return SQL(
            "(sent_copy_state = 'waiting'"
            " OR (outcome = 'uncertain' AND claimed_at > %s))",
            self._get_search_limit(),
        )

    def _get_search_limit(self):
        return self.alias._now() - SEARCH_DAYS * pacing.DAY

    def _settle(self, uncertain, box):
        """What lies in the Sent folder was sent: the question answers itself."""
        found = [
            row_id
            for row_id, message_id, claimed_at in uncertain
            if box.contains(message_id, claimed_at)
        ]
        for row in self.env["user.email.alias.log"].browse(found):
            if row.outcome == "uncertain":
                row.action_mark_sent()
                row.reply = self.env._("Found in the Sent folder.")

    def _file(self, copies, box):
        """File some copies and commit what became of them.

        :param box: the SentBox, None where the provider files by itself
        :raise ImapFailure: nothing more is taken
        """
        began = time.monotonic()
        results = [None] * len(copies)
        if box:
            results = box.file_many(
                (zlib.decompress(bytes(data)), message_id, moment)
                for _row_id, data, message_id, moment, _first_at in copies
            )
        self._slowest = max(self._slowest, time.monotonic() - began)
        for (row_id, *_more, first_at), result in zip(copies, results, strict=True):
            if box and result is box.trouble:
                continue
            self._taken.remove(row_id)
            if isinstance(result, ImapFailure):
                self._record_refusal(row_id, first_at, result)
            else:
                self._record_filed(row_id)
        self.env.cr.commit()
        if box and box.trouble:
            raise box.trouble

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

    def _record_refusal(self, row_id, first_at, failure):
        """This copy was refused: try it again with growing waits for days, or give up.

        The others, and those that come, do not wait for it.
        """
        now = self.alias._now()
        due = None
        if failure.retryable:
            due = pacing.copy_retry(to_epoch(first_at) or now, now)
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_state = %s, sent_copy_due = %s, sent_copy_error = %s,
                       sent_copy_attempts = 0
                 WHERE id = %s
                """,
                "failed" if due is None else "waiting",
                None if due is None else to_datetime(due),
                str(failure),
                row_id,
            )
        )

    def _release(self):
        """The account works: what was not reached yet is due, behind the others."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_attempts = 0, sent_copy_first_at = NULL,
                       sent_copy_error = NULL, is_sent_copy_told = NULL,
                       sent_copy_due = clock_timestamp() AT TIME ZONE 'UTC'
                 WHERE alias_id = %s AND %s
                   AND (sent_copy_attempts > 0
                        OR sent_copy_due <= clock_timestamp() AT TIME ZONE 'UTC')
                """,
                self.alias.id,
                self._get_open_rows(),
            )
        )

    def _note_trouble(self, words):
        """All that is due waits with the account, or has waited for too long."""
        now = self.alias._now()
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_attempts = GREATEST(sent_copy_attempts, 1),
                       sent_copy_first_at = COALESCE(sent_copy_first_at, %(now)s),
                       sent_copy_due = %(due)s, sent_copy_error = %(words)s,
                       sent_copy_state = CASE
                           WHEN sent_copy_first_at <= %(end)s THEN 'failed'
                           ELSE 'waiting' END
                 WHERE alias_id = %(alias)s AND sent_copy_state = 'waiting'
                   AND (id = ANY(%(taken)s) OR sent_copy_due <= %(now)s)
                """,
                alias=self.alias.id,
                now=to_datetime(now),
                due=self._get_next_try(self._get_since(now), now),
                end=to_datetime(0.0 if self._is_closed else now - pacing.MAIL_LIFETIME),
                taken=self._taken,
                words=words,
            )
        )

    def _give_up(self):
        """The alias has no mailbox for copies any more; a retry may find a new one."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET sent_copy_state = 'failed', sent_copy_error = %s,
                       is_sent_copy_told = true
                 WHERE alias_id = %s AND sent_copy_state = 'waiting'
                """,
                self.env._("The alias has no IMAP server for copies any more."),
                self.alias.id,
            )
        )
        self.env.cr.commit()
