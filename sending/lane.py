"""One thread that sends for one alias; nothing else submits mail.

Each mail passes through four steps, each in a transaction of its own or in none:
build (rolled back), claim (committed), hand over (no transaction), record
(committed). Waiting happens between them, never inside one.
"""

import logging
import threading
import time

import psycopg2

from odoo.tools import SQL

from ..exceptions import AliasHold, AliasRetry
from ..tools import address, pacing
from ..tools.message import UnsafeMessage
from ..tools.transport import smtp
from .lock import LANE_LOCK, locked
from .log import Log
from .message import Account, build
from .queries import IS_OPEN, QUEUE, SLOT

_logger = logging.getLogger(__name__)

# A message is built at most so many seconds ahead: what is changed or cancelled
# meanwhile must not leave.
FRESH_SECONDS = 2.0

# So many messages are built at once, and no more than so many bytes of them: core
# reads what they have in common once.
BUILD_COUNT = 20
BUILD_BYTES = 1_000_000

# The claim is committed that many seconds before the slot.
CLAIM_LEAD_SECONDS = 0.004

# A connection that was silent for so many seconds is asked whether it still lives.
IDLE_SECONDS = 20

# A connection is closed politely after so many mails and so many seconds; Postfix
# reuses its own for 300 s (smtp_connection_reuse_time_limit).
CONNECTION_MAILS = 500
CONNECTION_SECONDS = 300

# A lane that has to wait longer than that many seconds makes room for an alias that
# found no lane.
CROWDED_SECONDS = 1.0

# A mail that cannot be built is tried again after so many seconds: the reason may be
# another add-on's, and it must not keep the rest from leaving.
BROKEN_SECONDS = 300

# Mail that is not to be kept is deleted after so many emails at once, and no more of
# them than half a pause has time for: one takes about so many seconds.
SWEEP_COUNT = 100
SWEEP_SECONDS = 0.002


class Lane:
    """Serves the waiting mail of one alias until none is due or time is over.

    :param alias_id: the alias; at most one lane holds it in the whole cluster
    :param ends_at: ``time.monotonic()`` at which no new mail is begun
    :param cut_at: ``time.monotonic()`` at which the server is waited for no longer
    """

    def __init__(self, registry, alias_id, ends_at, cut_at):
        self.registry = registry
        self.alias_id = alias_id
        self.ends_at = ends_at
        self.cut_at = cut_at
        self.wake = threading.Event()
        self.thread = None
        self.is_crowded = False
        self.is_locked_out = False
        self.has_delivered = False
        self.built_bytes = 0
        self._stopping = False
        self._log = Log(alias_id)
        self._connection = None
        self._used_at = 0.0
        # monotonic clock: the next bulk email starts no earlier
        self._slot = 0.0
        # mail id -> Message
        self._built = {}
        # mails that have to be built alone
        self._single = set()
        self._unswept = 0
        self._has_copies = False

    def stop(self):
        """End after the mail in hand."""
        self._stopping = True
        self.wake.set()

    def run(self):
        """The thread's body."""
        try:
            with locked(self.registry, LANE_LOCK, self.alias_id) as env:
                self.is_locked_out = not env
                if env:
                    self._log.recover(env)
                    while not self._is_over() and self._step(env):
                        pass
                    self._sweep(env)
                    if self._has_copies:
                        env["user.email.alias"]._trigger_sent_copies()
                        env.cr.commit()
        except psycopg2.Error as error:
            # the next run starts anew from what is committed
            _logger.warning("Lane of alias %s ends: %s", self.alias_id, error)
        except Exception:
            _logger.exception("Lane of alias %s broke", self.alias_id)
        finally:
            self._disconnect()

    def deliver_now(self, mails):
        """Submit mails of the caller's transaction, if the lane is free.

        The log is committed on its own; the mail's state belongs to the caller.

        :return: the mails that were not submitted because the lane is taken, or
            the alias may not send
        :raise psycopg2.errors.SerializationFailure: a lane has served one of them
            since the caller's transaction began; core begins it anew
        """
        with locked(self.registry, LANE_LOCK, self.alias_id) as env:
            if not env:
                return mails
            try:
                self._log.recover(env)
                mails._email_alias_lock()
                for mail in mails:
                    if mail.state == "outgoing":
                        account = self._get_account(env)
                        env.cr.rollback()
                        if not account:
                            return mails
                        mail._email_alias_split()
                        message = self._build_one(env, mail, account)
                        if message:
                            self._deliver(env, mail, message)
            finally:
                self._disconnect()
        return mails.browse()

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
        choice = self._choose(env)
        env.cr.rollback()
        if not choice:
            return False
        mail_id, is_bulk, wait, account = choice
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
        message = self._built.pop(mail_id, None)
        if not message or time.monotonic() - message.built_at > FRESH_SECONDS:
            return self._build(env, mail_id, is_bulk, account, start_at)
        message.account = account
        left = start_at - CLAIM_LEAD_SECONDS - time.monotonic()
        if left > 0 and self.wake.wait(left):
            self._built[mail_id] = message
            return True
        return self._deliver(env, env["mail.mail"].browse(mail_id), message, start_at)

    def _choose(self, env):
        """Pick the next mail: one-to-one first, then bulk, each by due time.

        :return: (mail id, bulk?, seconds until its slot, account) or None
        """
        env.cr.execute(
            SQL(
                """
                SELECT CASE WHEN direct.due <= clock.now THEN direct.id
                            ELSE bulk.id END,
                       direct.due <= clock.now IS NOT TRUE,
                       %(slot)s - clock.now,
                       %(account)s
                  FROM %(queue)s
                 WHERE alias.id = %(alias_id)s AND %(is_open)s
                   AND COALESCE(alias.backoff_until, 0) <= clock.now
                   AND (direct.due <= clock.now OR bulk.due <= clock.now)
                """,
                queue=QUEUE,
                account=ACCOUNT,
                is_open=IS_OPEN,
                slot=SLOT,
                alias_id=self.alias_id,
            )
        )
        row = env.cr.fetchone()
        return (row[0], row[1], row[2], Account(*row[3:])) if row else None

    def _get_account(self, env):
        """The account of an alias that may send now, else None."""
        env.cr.execute(
            SQL(
                """
                SELECT %(account)s FROM user_email_alias alias
                 WHERE alias.id = %(alias_id)s AND %(is_open)s
                """,
                account=ACCOUNT,
                is_open=IS_OPEN,
                alias_id=self.alias_id,
            )
        )
        row = env.cr.fetchone()
        return Account(*row) if row else None

    # ------------------------------------------------------------------
    # Build
    # ------------------------------------------------------------------

    def _build(self, env, mail_id, is_bulk, account, start_at):
        """Build this mail and some that follow it, as many as the pause has time for.

        :param start_at: ``time.monotonic()`` of this mail's slot
        :return: False when the daily limit stops the alias
        """
        if account.daily_limit and not self._is_within_limit(env, account):
            return False
        self._built = {}
        ids = [mail_id]
        if mail_id not in self._single:
            count = BUILD_COUNT
            if is_bulk and account.pause:
                count = min(count, max(1, int(FRESH_SECONDS / account.pause)))
            if account.daily_limit:
                count = 1
            ids = self._get_next_ids(env, is_bulk, count)
        if len(ids) > 1:
            self._build_many(env, ids, account, self._get_build_end(account, start_at))
            env.cr.rollback()
            # the first of a batch that took long must not be stale before its turn
            for message in self._built.values():
                message.built_at = time.monotonic()
            if mail_id in self._built:
                return True
        mail = env["mail.mail"].browse(mail_id)
        if mail._email_alias_split():
            env.cr.commit()
            return True
        message = self._build_one(env, mail, account)
        if message:
            self._built[mail_id] = message
        return True

    def _get_next_ids(self, env, is_bulk, count):
        env.cr.execute(
            SQL(
                """
                SELECT id FROM mail_mail
                 WHERE email_alias_id = %s AND state = 'outgoing'
                   AND email_alias_bulk = %s
                   AND email_alias_due <= extract(epoch FROM clock_timestamp())
                 ORDER BY email_alias_due, id LIMIT %s
                """,
                self.alias_id,
                is_bulk,
                count,
            )
        )
        return [row[0] for row in env.cr.fetchall()]

    def _get_build_end(self, account, start_at):
        """Until when a batch may be built: the next slot is not to be missed."""
        now = time.monotonic()
        end = now + FRESH_SECONDS / 4
        return min(end, start_at - CLAIM_LEAD_SECONDS) if account.pause else end

    def _build_many(self, env, ids, account, until):
        """Build what can be built together; the rest is built alone later.

        :param until: ``time.monotonic()`` by which the last one should be ready
        """
        size = 0
        began = time.monotonic()
        for mail in env["mail.mail"].browse(ids):
            if mail.id in self._single:
                continue
            try:
                if mail._email_alias_is_several():
                    message = None
                else:
                    message = build(mail, account, is_own=True)
            except psycopg2.Error:
                raise
            except Exception:
                # tried again alone, where it is dealt with
                message = None
            if not message:
                self._single.add(mail.id)
                # what core wrote on a mail that it refused goes with the rollback
                return
            self._built[mail.id] = message
            size += len(message.data)
            self.built_bytes += len(message.data)
            now = time.monotonic()
            each = (now - began) / len(self._built)
            if size > BUILD_BYTES or now + each > until:
                return

    def _build_one(self, env, mail, account):
        """Build one mail, or write on it why that is not possible.

        :return: a message or None
        """
        is_own = mail.env.cr is env.cr
        try:
            message = build(mail, account, is_own)
        except psycopg2.Error:
            raise
        except (UnsafeMessage, address.AddressError) as error:
            if is_own:
                env.cr.rollback()
            mail._email_alias_record_refused(str(error), False)
        except Exception as error:
            _logger.exception("Mail %s of alias %s: not built", mail.id, self.alias_id)
            if is_own:
                env.cr.rollback()
            mail._email_alias_defer(BROKEN_SECONDS, str(error))
        else:
            if message:
                message.account = account
                self.built_bytes += len(message.data)
                if is_own:
                    env.cr.rollback()
                return message
        if is_own:
            env.cr.commit()
        return None

    def _is_within_limit(self, env, account):
        """Let the alias wait if its last 24 hours are full."""
        env.cr.execute(
            SQL(
                """
                SELECT replied_at, extract(epoch FROM clock_timestamp())
                  FROM user_email_alias_log
                 WHERE alias_id = %s AND outcome IN ('sent', 'uncertain')
                 ORDER BY claimed_at DESC OFFSET %s LIMIT 1
                """,
                self.alias_id,
                account.daily_limit - 1,
            )
        )
        row = env.cr.fetchone()
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
                    "The Daily Limit of %(limit)s emails is reached; the next one "
                    "leaves at %(time)s.",
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
        """Claim, hand over, record.

        :param start_at: ``time.monotonic()`` before which MAIL FROM must not be said
        :return: False when the alias has to pause as a whole
        """
        if not self._connect(env):
            return False
        log_id = self._log.claim(env, message, mail.env.cr is env.cr)
        if not log_id:
            return True
        result = self._submit(message, start_at)
        if message.is_bulk:
            self._slot = self._used_at + message.account.pause
        goes_on = self._log.record(
            env, mail, log_id, message, result, self._connection, self._used_at
        )
        self.has_delivered = True
        self._has_copies |= message.account.wants_direct_copies
        self._unswept += 1
        count = self._get_sweep_count(message.account.pause)
        if self._unswept >= count:
            self._sweep(env, count)
        return goes_on

    @staticmethod
    def _get_sweep_count(pause):
        if not pause:
            return SWEEP_COUNT
        return min(SWEEP_COUNT, max(1, int(pause / 2 / SWEEP_SECONDS)))

    def _submit(self, message, start_at):
        """MAIL FROM to the final reply, with no transaction open.

        :return: a :class:`smtp.SubmissionResult` or a :class:`smtp.SmtpFailure`
        """
        try:
            result = self._connection.submit(
                message.envelope_from,
                message.recipients,
                message.data,
                time_limit=max(1.0, self.cut_at - time.monotonic()),
                not_before=start_at,
            )
        except smtp.SmtpFailure as failure:
            result = failure
        self._used_at = time.monotonic()
        return result

    def _sweep(self, env, limit=None):
        """Delete at once what core would have deleted mail by mail."""
        self._unswept = 0
        env["mail.mail"]._email_alias_sweep(self.alias_id, limit)
        env.cr.commit()

    # ------------------------------------------------------------------
    # Connection
    # ------------------------------------------------------------------

    def _connect(self, env):
        """Have a connection that is logged in.

        :return: False when there is none; the alias then backs off or is on hold
        """
        if self._connection and not self._is_fit():
            self._disconnect()
        if self._connection:
            return True
        alias = env["user.email.alias"].browse(self.alias_id)
        try:
            self._connection = alias._open_connection__()
        except smtp.SmtpFailure as failure:
            env.cr.rollback()
            self._log.pause_alias(alias, failure.outcome, alias._explain(failure))
        except AliasHold as error:
            env.cr.rollback()
            alias._set_hold(error.reason, str(error))
            alias._notify_owner(str(error))
        except AliasRetry as error:
            env.cr.rollback()
            self._log.back_off(alias, str(error))
        else:
            env.cr.rollback()
            self._used_at = time.monotonic()
            return True
        env.cr.commit()
        return False

    def _is_fit(self):
        connection = self._connection
        return (
            connection.usable
            and connection.sent_count < CONNECTION_MAILS
            and connection.age < CONNECTION_SECONDS
            and (
                time.monotonic() - self._used_at < IDLE_SECONDS or connection.is_alive()
            )
        )

    def _disconnect(self):
        if self._connection:
            self._connection.close()
            self._connection = None


# The columns of an Account.
ACCOUNT = SQL(
    """alias.id, alias.user_id, alias.alias_name, alias.email_from,
       GREATEST(alias.delay_ms, COALESCE(alias.pause_ms, 0)) / 1000.0::float8,
       COALESCE(alias.pause_ms, 0) > alias.delay_ms,
       alias.state = 'draft' OR COALESCE(alias.backoff_count, 0) > 0,
       COALESCE(alias.daily_limit, 0),
       alias.copies AND alias.skip_bulk_copies IS NOT TRUE,
       COALESCE(alias.copies, false)"""
)
