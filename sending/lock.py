"""One owner in the whole cluster: PostgreSQL's session advisory locks.

A lock dies with its connection, so a killed process leaves none behind. Who waits for
one is served in turn, so its owner can let others in between two mails.
"""

import contextlib
import logging
import threading
import time

import psycopg2
from psycopg2.pool import PoolError

from odoo import api
from odoo.tools import SQL
from odoo.tools.misc import Callbacks

_logger = logging.getLogger(__name__)

# The database is away or busy for the moment: no account has a part in it.
PASSING = (psycopg2.OperationalError, psycopg2.InterfaceError, PoolError)

# First key of the advisory locks; the alias id is the second.
LANE_LOCK = 0x55454131
REFRESH_LOCK = 0x55454132
SENT_COPIES_LOCK = 0x55454133
# the second key is a user's id
ATTEMPT_LOCK = 0x55454134

# How long a connection of a full pool is waited for, in seconds.
POOL_SECONDS = 10.0

# How long a database that is away is waited for, in seconds, before each try.
AWAY_SECONDS = 1.0

# Owners that may tell browsers at the same time: core's bus opens a second connection
# for that.
NOTIFYING = 2
_notifying = threading.BoundedSemaphore(NOTIFYING)


class _Postcommit(Callbacks):
    """What follows a commit: it takes turns, and cannot undo what is committed."""

    __slots__ = ()

    def run(self):
        if not self._funcs:
            return
        with _notifying:
            try:
                super().run()
            except psycopg2.Error as error:
                _logger.warning("After a commit: %s", error)
                self.clear()


@contextlib.contextmanager
def locked(registry, lock_class, alias_id, timeout_ms=None):
    """Yield an environment whose cursor holds the lock, or None if another has it.

    What the block does not commit is rolled back. Its first statement begins a new
    snapshot, so whoever had to wait sees what the owner before has committed.

    :param timeout_ms: wait that long for the lock, in milliseconds
    :raise psycopg2.errors.LockNotAvailable: the wait was too long
    """
    key = SQL("%s, %s", lock_class, alias_id)
    with contextlib.closing(open_cursor(registry)) as cr:
        cr.postcommit = _Postcommit()
        if timeout_ms is None:
            cr.execute(SQL("SELECT pg_try_advisory_lock(%s)", key))
            mine = cr.fetchone()[0]
            cr.commit()
        else:
            _wait_for(cr, key, timeout_ms)
            mine = True
        try:
            yield api.Environment(cr, api.SUPERUSER_ID, {}) if mine else None
        finally:
            # the pool keeps the connection, and with it a lock left behind
            if mine and not cr.connection.closed:
                cr.rollback()
                cr.execute(SQL("SELECT pg_advisory_unlock(%s)", key))
                cr.commit()


def hand_over(env, lock_class, alias_id, wants_it_back):
    """Let those who wait for the lock have it, then take it again.

    :param wants_it_back: asked each second while somebody else has it
    :return: whether the lock is held again
    """
    key = SQL("%s, %s", lock_class, alias_id)
    env.cr.rollback()
    env.cr.execute(SQL("SELECT pg_advisory_unlock(%s)", key))
    env.cr.commit()
    while wants_it_back():
        try:
            _wait_for(env.cr, key, 1000)
        except psycopg2.errors.LockNotAvailable:
            env.cr.rollback()
        else:
            env.invalidate_all(flush=False)
            return True
    return False


def _wait_for(cr, key, timeout_ms):
    cr.execute(SQL("SET LOCAL lock_timeout = %s", timeout_ms))
    cr.execute(SQL("SELECT pg_advisory_lock(%s)", key), log_exceptions=False)
    cr.commit()


def open_cursor(registry):
    """Open a cursor; wait when the pool of this process is full for the moment.

    :raise psycopg2.pool.PoolError: no connection has become free
    """
    until = time.monotonic() + POOL_SECONDS
    while True:
        try:
            return registry.cursor()
        except PoolError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.05)


def begin_anew(env, stack):
    """Begin a new transaction, in a new cursor if the old one has lost its connection.

    :param stack: closes the new cursor
    """
    try:
        env.cr.rollback()
        return env
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        time.sleep(AWAY_SECONDS)
    try:
        cr = stack.enter_context(contextlib.closing(open_cursor(env.registry)))
    except PASSING:
        # the next try fails as well, and begins anew
        return env
    return api.Environment(cr, api.SUPERUSER_ID, {})
