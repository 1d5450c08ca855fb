"""Whether a scheduled action is looked after: it may be off, or no worker be there."""

from dataclasses import dataclass
from typing import NamedTuple

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


class Jobs:
    """Scheduled actions that do the same work, as far as the database knows of them.

    :param crons_sudo: with those that are switched off; one at work is enough
    """

    def __init__(self, crons_sudo):
        self._rows = _read(crons_sudo)
        self._active = [row for row in self._rows if row.active]
        self._is_at_work = any(row.is_at_work for row in self._active)

    @property
    def active_count(self):
        return len(self._active)

    @property
    def trouble(self):
        """Why none of them runs, a :class:`JobTrouble`; or None."""
        if not self._active:
            return JobTrouble("off", self._rows[0].id if self._rows else None)
        # the times of a job at work are written when it ends
        late = [
            row for row in self._active if row.next_run < row.now - UNATTENDED_SECONDS
        ]
        if self._is_at_work or len(late) < len(self._active):
            return None
        return JobTrouble("unattended", late[0].id, late[0].next_run)

    @property
    def next_run(self):
        """When one of them runs next, if that takes a while.

        In seconds since the epoch, or None: one is at work, or about to be, or none
        is active.
        """
        if not self._active or self._is_at_work:
            return None
        row = min(self._active, key=lambda row: row.next_run)
        return row.next_run if row.next_run > row.now + SOON_SECONDS else None


class _Row(NamedTuple):
    id: int
    active: bool
    next_run: float
    now: float
    is_at_work: bool


def _read(crons_sudo):
    """Return what the database knows of each job.

    In SQL for the clock of the database, and because it stands beside each list.
    """
    if not crons_sudo:
        return []
    crons_sudo.flush_recordset(["active", "nextcall"])
    cr = crons_sudo.env.cr
    cr.execute(
        SQL(
            """
            SELECT cron.id, cron.active,
                   extract(epoch FROM LEAST(cron.nextcall, min(trigger.call_at))
                          )::float8,
                   extract(epoch FROM clock_timestamp())::float8,
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
    return [_Row(*row) for row in cr.fetchall()]
