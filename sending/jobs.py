"""Whether a scheduled action is looked after: it may be off, or no worker be there."""

from dataclasses import dataclass

from odoo.tools import SQL

# A trigger in the future is noticed up to 69 s late, and other jobs take their time:
# later than this, in seconds, nobody looks.
UNATTENDED_SECONDS = 180

# A job that runs within this time, in seconds, runs now as far as a reader can tell.
SOON_SECONDS = 5

# A worker holds the row of its job: whoever only reads cannot see which, but that one
# is held (PostgreSQL 13.3.1).
_AT_WORK = SQL(
    """
    SELECT FROM pg_locks
     WHERE locktype = 'relation' AND relation = 'ir_cron'::regclass AND granted
       AND mode = 'RowShareLock' AND pid != pg_backend_pid()
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)


@dataclass(frozen=True)
class JobTrouble:
    """Why a scheduled action does not run.

    :param key: ``off`` or ``unattended``
    :param cron_id: the action an administrator has to open; None: it was deleted
    :param since: seconds since the epoch; when it should have run
    """

    key: str
    cron_id: int | None = None
    since: float | None = None


def find_trouble(crons_sudo):
    """Find out whether one of these jobs runs, as far as the database knows.

    :param crons_sudo: with those that are switched off; one at work is enough
    :return: a :class:`JobTrouble` or None
    """
    if not crons_sudo:
        return JobTrouble("off")
    rows = _read(crons_sudo)
    active = [row for row in rows if row[1]]
    if not active:
        return JobTrouble("off", crons_sudo.ids[0])
    # the times of a job at work are written when it ends
    late = [
        row for row in active if not row[4] and row[2] < row[3] - UNATTENDED_SECONDS
    ]
    if len(late) < len(active):
        return None
    return JobTrouble("unattended", late[0][0], float(late[0][2]))


def find_next_run(crons_sudo):
    """Find out when one of these jobs runs next, if that takes a while.

    :return: seconds since the epoch, or None: one is at work, or about to be, or none
        is active
    """
    active = [row for row in _read(crons_sudo) if row[1]]
    if not active or any(row[4] for row in active):
        return None
    row = min(active, key=lambda row: row[2])
    return float(row[2]) if row[2] > row[3] + SOON_SECONDS else None


def _read(crons_sudo):
    """Return (id, active, next run, now, whether one is at work) of each job.

    In SQL for the clock of the database, and because it stands beside each list.
    """
    crons_sudo.flush_recordset(["active", "nextcall"])
    cr = crons_sudo.env.cr
    cr.execute(
        SQL(
            """
            SELECT cron.id, cron.active,
                   extract(epoch FROM LEAST(cron.nextcall, min(trigger.call_at))),
                   extract(epoch FROM clock_timestamp()),
                   EXISTS (%s)
              FROM ir_cron cron
         LEFT JOIN ir_cron_trigger trigger ON trigger.cron_id = cron.id
             WHERE cron.id = ANY(%s)
          GROUP BY cron.id ORDER BY cron.id
            """,
            _AT_WORK,
            crons_sudo.ids,
        )
    )
    return cr.fetchall()
