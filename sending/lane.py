"""One thread that sends for one alias; nothing else submits mail.

Each mail passes through four steps, each in a transaction of its own or in none:
build (rolled back), claim (committed), submit (no transaction), record
(committed). Waiting happens between them, never inside one. Only a mail about which
another add-on writes while it is built is built again with the claim, and committed.
"""

import contextlib
import functools
import logging
import threading
import time
import traceback

import psycopg2

from odoo import api

from ..exceptions import AliasHold, AliasRetry
from ..tools import pacing
from ..tools.transport import TransportFailure
from . import in_the_way
from .backoff import BackOff
from .batch import CLAIM_LEAD_SECONDS, Batch
from .breaker import Breaker
from .clock import follow_clock
from .connection import Connection
from .drafts import Drafts
from .lock import LANE_LOCK, PASSING, hand_over, locked, open_cursor
from .log import Log
from .message import FRESH_SECONDS, Account
from .process import Process
from .queries import get_account, get_limiting_submission, get_next
from .stale import hold_if_stale
from .window import Window

_logger = logging.getLogger(__name__)

# Whoever has a mail sent at once may not have committed yet: look again after that.
SETTLE_SECONDS = 0.25

# A lane that has to wait longer than this, in seconds, makes room for an alias that
# found no lane.
CROWDED_SECONDS = 1.0

# Mail that is not to be kept is deleted this many emails at once, and no more of them
# than half a pause has time for: one takes about these seconds.
SWEEP_COUNT = 100
SWEEP_SECONDS = 0.002


class Lane:
    """Serves the waiting mail of one alias until none is due or time is over.

    :param alias_id: the alias; at most one lane holds it in the whole cluster
    :param ends_at: ``time.monotonic()`` at which no new mail is begun
    :param cut_at: ``time.monotonic()`` at which the server is waited for no longer
    :param is_direct: one-to-one mail only
    """

    def __init__(self, registry, alias_id, ends_at, cut_at, is_direct=False):
        self.registry = registry
        self.alias_id = alias_id
        self.user_id = None
        self.is_direct = is_direct
        self.ends_at = ends_at
        self.cut_at = cut_at
        self.wake = threading.Event()
        self.thread = None
        self.is_crowded = False
        self.is_locked_out = False
        self.is_broken = False
        self.has_delivered = False
        self._stopping = False
        self._is_wanted = False
        self._connection = Connection()
        self._backoff = BackOff()
        self._breaker = Breaker(alias_id, self._connection, self._backoff)
        self._log = Log(alias_id, self._connection, self._backoff)
        self._drafts = Drafts(alias_id, self._connection)
        self._window = Window(alias_id, self._connection)
        # monotonic clock: the next bulk email starts no earlier
        self._slot = 0.0
        self._batch = Batch(alias_id)
        self._unswept = 0
        self._has_copies = False
        # id of a mail that lets another one go first
        self._in_the_way = None

    @property
    def built_bytes(self):
        """Bytes of the messages that were built."""
        return self._batch.built_bytes

    def stop(self):
        """End after the mail in hand."""
        self._stopping = True
        self.wake.set()

    def let_others_in(self):
        """Hand the alias over after the mail in hand, and take it again."""
        self._is_wanted = True
        self.wake.set()

    def run(self):
        """The thread's body."""
        try:
            lock = locked(self.registry, LANE_LOCK, self.alias_id)
            with Process.watching(), lock as env:
                self.is_locked_out = not env
                if env:
                    self._log.recover(env)
                    hold_if_stale(env, self.alias_id)
                    self._in_the_way = in_the_way.find(env.cr, self.alias_id)
                    while not self._is_over() and self._step(env):
                        pass
                    self._sweep(env)
                    if self._has_copies:
                        env["user.email.alias"]._trigger_sent_copies()
                        env.cr.commit()
        except PASSING as error:
            # the next lane starts anew from what is committed
            self.is_broken = True
            _logger.warning("Lane of alias %s ends: %s", self.alias_id, error)
        except Exception as error:
            self.is_broken = True
            self._put_off(error)
        finally:
            self._connection.close()

    def _put_off(self, error):
        """Let the alias wait, longer each time: what broke once may break again."""
        name = type(error).__name__
        place = traceback.extract_tb(error.__traceback__)[-1]
        _logger.error(
            "Lane of alias %s broke in %s, line %s: %s: %s",
            self.alias_id,
            place.filename,
            place.lineno,
            name,
            error,
            exc_info=_logger.isEnabledFor(logging.DEBUG),
        )
        try:
            with open_cursor(self.registry) as cr:
                env = api.Environment(cr, api.SUPERUSER_ID, {})
                alias = env["user.email.alias"].browse(self.alias_id).exists()
                self._backoff.wait(
                    alias,
                    env._(
                        "Sending stopped at an error of the program (%s). Nothing is "
                        "lost, and it is tried again by itself. If this stays, show "
                        "it to your administrator.",
                        name,
                    ),
                )
        except psycopg2.Error as failure:
            _logger.warning("Alias %s was not put off: %s", self.alias_id, failure)

    def deliver_now(self, mails, timeout_ms):
        """Submit mails of the caller's transaction; a lane at work lets them in.

        The log is committed on its own; the mail's state belongs to the caller.

        :param timeout_ms: wait that long, in milliseconds, for a lane at work
        :return: the mails that were not submitted because the alias may not send
        :raise AliasRetry: the lane's mail in hand takes too long
        :raise psycopg2.errors.SerializationFailure: a lane has served one of them
            since the caller's transaction began; core begins it anew
        """
        left = mails
        with self._let_in(mails.env, timeout_ms) as env:
            try:
                self._log.recover(env)
                hold_if_stale(env, self.alias_id)
                mails._email_alias_lock()
                for mail in mails:
                    if mail.state == "outgoing":
                        # it says how big the message may be
                        self._connect(env)
                        account = self._get_account(env)
                        env.cr.rollback()
                        if not account:
                            return left
                        mail._email_alias_split()
                        message = self._batch.build_one(env, mail, account)
                        if message:
                            self._deliver(env, mail, message)
                    left -= mail
            finally:
                self._connection.close()
        return left

    @contextlib.contextmanager
    def _let_in(self, env, timeout_ms):
        with contextlib.ExitStack() as stack:
            try:
                own_env = stack.enter_context(
                    locked(self.registry, LANE_LOCK, self.alias_id, timeout_ms)
                )
            except psycopg2.errors.LockNotAvailable:
                raise AliasRetry(
                    env._(
                        "Another email of this alias takes long just now. Try again "
                        "in a moment."
                    )
                ) from None
            yield own_env

    # ------------------------------------------------------------------
    # Lock and choice
    # ------------------------------------------------------------------

    def _is_over(self):
        return self._stopping or time.monotonic() >= self.ends_at

    def _step(self, env):
        """Wait for what comes next, build it, or deliver it.

        :return: False when there is nothing to do for now
        """
        self.wake.clear()
        if self._is_wanted:
            self._is_wanted = False
            self.is_locked_out = not hand_over(
                env, LANE_LOCK, self.alias_id, lambda: not self._is_over()
            )
            return not self.is_locked_out
        choice = self._choose(env)
        env.cr.rollback()
        if not choice:
            return False
        mail_id, is_bulk, wait, is_clock_back, account = choice
        if is_bulk and is_clock_back:
            follow_clock(env.cr)
            env.cr.commit()
            return True
        start_at = time.monotonic()
        if is_bulk:
            start_at = max(start_at + wait, self._slot)
        left = start_at - time.monotonic()
        if left > 0 and (
            start_at >= self.ends_at or (self.is_crowded and left > CROWDED_SECONDS)
        ):
            return False
        if left > FRESH_SECONDS:
            self.wake.wait(left - FRESH_SECONDS / 2)
            return True
        message = self._batch.take(mail_id)
        if not message or not message.is_fresh:
            if account.daily_limit and not self._is_within_limit(env, account):
                return False
            self._batch.fill(env, mail_id, is_bulk, account, start_at)
            return True
        message.account = account
        left = start_at - CLAIM_LEAD_SECONDS - message.build_seconds - time.monotonic()
        if left > 0 and self.wake.wait(left):
            self._batch.put_back(message)
            return True
        return self._deliver(env, env["mail.mail"].browse(mail_id), message, start_at)

    def _choose(self, env):
        """Pick the next mail: one-to-one first, then bulk, each by due time.

        :return: (mail id, bulk?, seconds until its slot, whether the clock was set
            back, account) or None
        """
        row = self._in_the_way and get_next(env.cr, self.alias_id, self._in_the_way)
        if not row or (row[1] and row[2] > CROWDED_SECONDS):
            row = get_next(env.cr, self.alias_id)
        if not row or (self.is_direct and row[1]):
            return None
        return *row[:4], Account(*row[4:])

    def _get_account(self, env):
        """The account of an alias that may send now, else None."""
        row = get_account(env.cr, self.alias_id)
        return Account(*row) if row else None

    # ------------------------------------------------------------------
    # Daily limit
    # ------------------------------------------------------------------

    def _is_within_limit(self, env, account):
        """Let the alias wait if its last 24 hours are full."""
        row = get_limiting_submission(env.cr, self.alias_id, account.daily_limit)
        free_at = pacing.daily_slot(row[0], float(row[1])) if row else 0.0
        if not row or free_at <= float(row[1]):
            env.cr.rollback()
            return True
        alias = env["user.email.alias"].browse(self.alias_id)
        alias.write(
            {
                "backoff_until": free_at,
                "backoff_count": 0,
                "state_message": env._(
                    "The Daily Limit is reached (%(limit)s): the next email leaves at "
                    "%(time)s.",
                    limit=account.daily_limit,
                    time=alias._format_moment(free_at),
                ),
            }
        )
        env.cr.commit()
        return False

    # ------------------------------------------------------------------
    # Deliver
    # ------------------------------------------------------------------

    def _deliver(self, env, mail, message, start_at=0.0):
        """Claim, submit, record.

        :param start_at: ``time.monotonic()`` before which MAIL FROM must not be said
        :return: False when the alias has to pause as a whole
        """
        if not self._connect(env, message.size):
            return False
        if not message.is_for(self._connection.max_bytes):
            # built anew by what the server has just said
            self._batch.drop()
            return True
        message = self._batch.finish(env, mail, message)
        if not message:
            return True
        is_own = mail.env.cr is env.cr
        if not self._window.has_room(env, message.size, is_own):
            return False
        rest = self._window.get_rest(message)
        load = self._connection.get_load(message.size)
        log_id = self._log.claim(env, message, is_own, rest, load)
        if not log_id:
            if is_own and not self._log.settle(env, mail):
                self.wake.wait(SETTLE_SECONDS)
            return True
        note = functools.partial(self._drafts.note, env, log_id)
        result = self._connection.submit(message, start_at, self.cut_at, note)
        if message.is_bulk:
            pause = max(message.account.pause, rest)
            self._slot = self._connection.used_at + pause
        goes_on = self._log.record(env, mail, log_id, message, result)
        if self._log.doubt:
            goes_on &= self._breaker.judge(env, self._log.doubt)
        if self._connection.is_worn_out:
            self._connection.close()
        self._in_the_way = None
        self._note_delivered(env, message.account)
        return goes_on

    def _note_delivered(self, env, account):
        self.has_delivered = True
        self._has_copies |= account.wants_direct_copies
        self._unswept += 1
        count = SWEEP_COUNT
        if account.pause:
            count = min(count, max(1, int(account.pause / 2 / SWEEP_SECONDS)))
        if self._unswept >= count:
            self._sweep(env, count)

    def _sweep(self, env, limit=None):
        """Delete at once what core would have deleted mail by mail."""
        self._unswept = 0
        env["mail.mail"]._email_alias_sweep(self.alias_id, limit)
        env.cr.commit()

    # ------------------------------------------------------------------
    # Connection
    # ------------------------------------------------------------------

    def _connect(self, env, size=0):
        """Have a connection that is logged in.

        :param size: of the email that is to leave, in bytes
        :return: False when there is none; the alias then backs off or is on hold
        """
        if self._connection.is_fit(size):
            return True
        alias = env["user.email.alias"].browse(self.alias_id)
        try:
            self._connection.prepare(alias, size, self.cut_at)
        except TransportFailure as failure:
            env.cr.rollback()
            self._backoff.obey(alias, failure.outcome, alias._explain(failure))
        except AliasHold as error:
            env.cr.rollback()
            alias._set_hold(error.reason, str(error))
            alias._notify_owner(str(error))
        except AliasRetry as error:
            env.cr.rollback()
            self._backoff.wait(alias, str(error))
        else:
            env.cr.rollback()
            if alias.max_bytes != self._connection.max_bytes:
                alias.max_bytes = self._connection.max_bytes
                env.cr.commit()
            self._drafts.discard(env)
            return True
        env.cr.commit()
        return False
