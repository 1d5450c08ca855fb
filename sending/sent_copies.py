"""The job that files copies of sent mail."""

from odoo import fields
from odoo.tools import SQL

from ..tools.deadline import Deadline
from .copy_turns import ACCOUNTS, Turns

# Seconds one run of the job lasts at most.
RUN_SECONDS = 50


def file_due_copies(env):
    """File what waits, a few accounts at a time."""
    # the job's own limit is the queue's as well
    seconds = min(RUN_SECONDS, env["user.email.alias.queue"]._get_run_seconds())
    env.cr.commit()
    turns = Turns(env.registry, Deadline(seconds))
    turns.serve()
    env["ir.cron"]._commit_progress(len(turns.served))
    if turns.has_left():
        env["user.email.alias"]._trigger_sent_copies()
    wait = _get_wait(env)
    if wait is not None:
        at = fields.Datetime.add(fields.Datetime.now(), seconds=int(wait) + 1)
        env.ref("user_email_alias.ir_cron_file_copies")._trigger(at)


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
