"""The job that files copies of sent mail: which accounts, and how long each."""

import collections
import logging
import math
import threading

from odoo import fields
from odoo.tools import SQL

from ..tools.deadline import Deadline
from .filing import SEARCH_DAYS, Filing
from .lock import SENT_COPIES_LOCK, locked
from .process import Process

_logger = logging.getLogger(__name__)

# Seconds one run of the job lasts at most.
RUN_SECONDS = 50

# Accounts served at the same time. Each holds one database connection.
THREADS = 4

# An account gets an equal share of the run, but no less than these seconds.
LEAST_SHARE_SECONDS = 10

# How often a run looks whether its threads have ended, in seconds.
LOOK_SECONDS = 0.5

# When each account may be tried next: copies that wait, and uncertain mail to look for.
# After trouble it is left alone until the first of its rows is due again: new ones wait
# with it.
ACCOUNTS = SQL(
    """
    SELECT alias_id, user_id, bool_or(is_copy) AS has_copies,
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
     GROUP BY alias_id, user_id
    """,
    SEARCH_DAYS * 86_400,
)


def file_due_copies(env):
    """File what waits, a few accounts at a time."""
    # the job's own limit is the queue's as well
    seconds = min(RUN_SECONDS, env["user.email.alias.queue"]._get_run_seconds())
    deadline = Deadline(seconds)
    waiting = collections.deque(_get_due_ids(env))
    count = len(waiting)
    env.cr.commit()
    _serve(env.registry, waiting, deadline)
    env["ir.cron"]._commit_progress(count - len(waiting))
    if waiting:
        env["user.email.alias"]._trigger_sent_copies()
    wait = _get_wait(env)
    if wait is not None:
        at = fields.Datetime.add(fields.Datetime.now(), seconds=int(wait) + 1)
        env.ref("user_email_alias.ir_cron_file_copies")._trigger(at)


def _serve(registry, waiting, deadline):
    """Let threads serve the accounts, and return when they have or the time is over."""
    parent = threading.current_thread()
    threads = [
        threading.Thread(
            target=_work,
            args=(registry, waiting, deadline),
            name=f"user_email_alias.sent_copies.{number}",
            daemon=True,
        )
        for number in range(min(THREADS, len(waiting)))
    ]
    for thread in threads:
        thread.dbname = getattr(parent, "dbname", None)
        thread.start()
    while any(thread.is_alive() for thread in threads) and not Process.is_ending():
        for thread in threads:
            thread.join(LOOK_SECONDS / THREADS)


def _work(registry, waiting, deadline):
    """Serve one account after the other: a thread's body."""
    while not deadline.is_over and not Process.is_ending():
        rounds = math.ceil(len(waiting) / THREADS)
        try:
            alias_id = waiting.popleft()
        except IndexError:
            return
        share = max(LEAST_SHARE_SECONDS, deadline.left / max(1, rounds))
        try:
            with locked(registry, SENT_COPIES_LOCK, alias_id) as env:
                if env:
                    Filing(env["user.email.alias"].browse(alias_id)).run(
                        deadline.within(share)
                    )
        except Exception as error:
            # Its rows were put off before; the other accounts have nothing to do
            # with it.
            _logger.warning("Copies of alias %s wait: %r", alias_id, error)


def _get_due_ids(env):
    """Aliases to be served, the longest overdue first, one of each user in turn."""
    env.cr.execute(
        SQL(
            """
            SELECT alias_id
              FROM (SELECT alias_id, due, row_number() OVER (
                               PARTITION BY user_id ORDER BY due, alias_id) AS turn
                      FROM (%s) account
                     WHERE due <= clock_timestamp() AT TIME ZONE 'UTC') turns
             ORDER BY turn, due, alias_id
            """,
            ACCOUNTS,
        )
    )
    return [row[0] for row in env.cr.fetchall()]


def _get_wait(env):
    """Seconds until the next copy is due, None if none waits."""
    env.cr.execute(
        SQL(
            """
            SELECT extract(epoch FROM min(due) - clock_timestamp() AT TIME ZONE 'UTC')
              FROM (%s) account WHERE has_copies
            """,
            ACCOUNTS,
        )
    )
    wait = env.cr.fetchone()[0]
    return None if wait is None else max(0.0, float(wait))
