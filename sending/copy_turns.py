"""Which account's copies a thread files next: user by user, each once in a run."""

import collections
import contextlib
import logging
import math
import threading
import time

from odoo.tools import SQL

from .copy_rows import SEARCH_DAYS
from .filing import Filing
from .lock import PASSING, SENT_COPIES_LOCK, locked, open_cursor
from .process import Process
from .queries import IS_OWNER_GONE

_logger = logging.getLogger(__name__)

# Accounts served at the same time, each with one database connection; one user's leave
# one to others.
THREADS = 4

# An account gets an equal share of the run, but no less than these seconds.
LEAST_SHARE_SECONDS = 10

# How often a run looks whether its threads have ended, in seconds.
LOOK_SECONDS = 0.5

# When each account may be tried next: copies that wait, and uncertain mail to look for;
# none of them whose user is archived.
# After trouble it is left alone until the first of its rows is due again: new ones wait
# with it.
ACCOUNTS = SQL(
    """
    SELECT alias_id, open.user_id, bool_or(is_copy) AS has_copies,
           COALESCE(min(due) FILTER (WHERE attempts > 0), min(due)) AS due
      FROM (SELECT alias_id, user_id, true AS is_copy, sent_copy_due AS due,
                   sent_copy_attempts AS attempts
              FROM user_email_alias_log
             WHERE sent_copy_state = 'waiting'
             UNION ALL
            SELECT alias_id, user_id, false, COALESCE(sent_copy_due, 'epoch'),
                   sent_copy_attempts
              FROM user_email_alias_log
             WHERE outcome = 'uncertain'
               AND claimed_at > extract(epoch FROM clock_timestamp()) - %s) open
      JOIN user_email_alias alias ON alias.id = alias_id AND NOT %s
     GROUP BY alias_id, open.user_id
    """,
    SEARCH_DAYS * 86_400,
    IS_OWNER_GONE,
)


class Turns:
    """The accounts of one run.

    :param Deadline deadline: the end of the run
    """

    def __init__(self, registry, deadline):
        self.registry = registry
        self.deadline = deadline
        # ids of the aliases that had their turn, or have it now
        self.served = set()
        # user id -> accounts that are spoken to
        self._busy = collections.Counter()
        self._lock = threading.Lock()

    def serve(self):
        """Let threads serve the accounts, and return when they have."""
        parent = threading.current_thread()
        threads = [
            threading.Thread(
                target=self._work,
                name=f"user_email_alias.sent_copies.{number}",
                daemon=True,
            )
            for number in range(THREADS if self.has_left() else 0)
        ]
        for thread in threads:
            thread.dbname = getattr(parent, "dbname", None)
            thread.start()
        while any(thread.is_alive() for thread in threads) and not Process.is_ending():
            for thread in threads:
                thread.join(LOOK_SECONDS / THREADS)

    def has_left(self):
        """Whether an account is due that has had no turn."""
        return bool(self._find())

    def _find(self):
        """The accounts that are due: list of (alias id, user id)."""
        with contextlib.closing(open_cursor(self.registry)) as cr:
            return [row for row in _get_due(cr) if row[0] not in self.served]

    @contextlib.contextmanager
    def _take(self):
        """Yield the account whose turn it is, with its seconds; None if there is none.

        The first account of a user who has none at work comes first.
        """
        with self._lock:
            waiting = self._find()
            free = [row for row in waiting if self._busy[row[1]] < THREADS - 1]
            alias_id, user_id = min(
                free, key=lambda row: self._busy[row[1]], default=(None, None)
            )
            if alias_id:
                self.served.add(alias_id)
                self._busy[user_id] += 1
        left = self.deadline.at - time.monotonic()
        rounds = max(1, math.ceil(len(waiting) / THREADS))
        try:
            yield alias_id, max(LEAST_SHARE_SECONDS, left / rounds)
        finally:
            if alias_id:
                with self._lock:
                    self._busy[user_id] -= 1

    def _work(self):
        """Serve one account after the other: a thread's body."""
        while not self.deadline.is_over and not Process.is_ending():
            try:
                with self._take() as (alias_id, seconds):
                    if alias_id:
                        self._serve_account(alias_id, seconds)
            except PASSING as error:
                _logger.warning("Copies wait: %s", error)
                return
            if not alias_id:
                if not any(self._busy.values()):
                    return
                time.sleep(LOOK_SECONDS)

    def _serve_account(self, alias_id, seconds):
        try:
            with locked(self.registry, SENT_COPIES_LOCK, alias_id) as env:
                if env:
                    Filing(env["user.email.alias"].browse(alias_id)).run(
                        self.deadline.within(seconds)
                    )
        except Exception as error:
            # Its rows were put off before; the other accounts have nothing to do
            # with it.
            _logger.warning("Copies of alias %s wait: %r", alias_id, error)


def _get_due(cr):
    """Accounts to be served, the longest overdue first, one of each user in turn.

    :return: list of (alias id, user id)
    """
    cr.execute(
        SQL(
            """
            SELECT alias_id, user_id
              FROM (SELECT alias_id, user_id, due, row_number() OVER (
                               PARTITION BY user_id ORDER BY due, alias_id) AS turn
                      FROM (%s) account
                     WHERE due <= clock_timestamp() AT TIME ZONE 'UTC') turns
             ORDER BY turn, due, alias_id
            """,
            ACCOUNTS,
        )
    )
    return cr.fetchall()
