"""One owner in the whole cluster: PostgreSQL's session advisory locks.

A lock dies with its connection, so a killed process leaves none behind.
"""

import contextlib

from odoo import api
from odoo.tools import SQL

# First key of the advisory locks; the alias id is the second.
LANE_LOCK = 0x55454131
REFRESH_LOCK = 0x55454132
SENT_COPIES_LOCK = 0x55454133


@contextlib.contextmanager
def locked(registry, lock_class, alias_id, timeout_ms=None):
    """Yield an environment whose cursor holds the lock, or None if another has it.

    What the block does not commit is rolled back. Its first statement begins a new
    snapshot, so whoever had to wait sees what the owner before has committed.

    :param timeout_ms: wait that long for the lock, in milliseconds
    :raise psycopg2.errors.LockNotAvailable: the wait was too long
    """
    key = SQL("%s, %s", lock_class, alias_id)
    with contextlib.closing(registry.cursor()) as cr:
        if timeout_ms is None:
            cr.execute(SQL("SELECT pg_try_advisory_lock(%s)", key))
            mine = cr.fetchone()[0]
        else:
            cr.execute(SQL("SET LOCAL lock_timeout = %s", timeout_ms))
            cr.execute(SQL("SELECT pg_advisory_lock(%s)", key), log_exceptions=False)
            mine = True
        cr.commit()
        try:
            yield api.Environment(cr, api.SUPERUSER_ID, {}) if mine else None
        finally:
            # the pool keeps the connection, and with it a lock left behind
            if mine and not cr.connection.closed:
                cr.rollback()
                cr.execute(SQL("SELECT pg_advisory_unlock(%s)", key))
                cr.commit()
