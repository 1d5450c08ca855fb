"""The rows of one account's copies: taken in hand, put off, and what became of them.

A row that is taken is put off in the same step; the caller commits before the mail
server is spoken to.
"""

from odoo.tools import SQL

from ..tools import pacing
from ..tools.epoch import to_datetime, to_epoch

# Copies taken in one step, and the bytes of them that end a step.
STEP_COUNT = 50
STEP_BYTES = 8_000_000

# An uncertain mail is looked for on this many days.
SEARCH_DAYS = 5


class CopyRows:
    """What waits to be filed for one alias, or is looked for in its Sent folder.

    ``sent_copy_attempts`` counts the turns that failed since the account works no more:
    it is zero for a copy that is refused for itself.

    :param alias: the alias, in a cursor whose transactions are the caller's to end
    """

    def __init__(self, alias):
        self.alias = alias
        self.env = alias.env
        # rows that are put off and have no result yet
        self._taken = []

    def take_uncertain(self):
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

    def take_copies(self):
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

    def record_filed(self, row_id):
        self._taken.remove(row_id)
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

    def record_refusal(self, row_id, first_at, failure):
        """This copy was refused: try it again with growing waits for days, or give up.

        The others, and those that come, do not wait for it.
        """
        self._taken.remove(row_id)
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

    def release(self):
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

    def note_trouble(self, words, is_closed):
        """All that is due waits with the account, or has waited for too long.

        :param is_closed: an administrator has to open the mailbox: that may take longer
        """
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
                end=to_datetime(0.0 if is_closed else now - pacing.MAIL_LIFETIME),
                taken=self._taken,
                words=words,
            )
        )

    def give_up(self):
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
