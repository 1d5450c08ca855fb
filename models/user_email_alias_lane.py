"""One thread that sends for one alias; nothing else talks to a mail server.

Each mail passes through four steps, each in a transaction of its own or in none:
prepare (rolled back), claim (committed), hand over (no transaction), record
(committed). Waiting happens between them, never inside one.
"""

import contextlib
import logging
import threading
import time

import psycopg2

from odoo import api
from odoo.tools import SQL

from ..tools import address, pacing, smtp, vault
from ..tools.verdict import Phase
from .queue_sql import IS_OPEN, QUEUE, SLOT

_logger = logging.getLogger(__name__)

# First key of the advisory locks; the alias id is the second.
LOCK_CLASS = 0x55454131

# The message is built that many seconds before its slot, so that the hand-over
# starts on time; adapted to what building took last.
PREPARE_LEAD_SECONDS = 0.02

# The claim is committed that many seconds before the slot.
CLAIM_LEAD_SECONDS = 0.003

# A connection that was silent for so many seconds is asked whether it still lives.
IDLE_SECONDS = 20

# After a crash nobody knows when the server replied: the next bulk e-mail waits for
# the pause and for so many seconds more.
CRASH_GRACE_SECONDS = 1.0

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

# How often a verdict is recorded anew when the database reports a conflict.
RECORD_TRIES = 8


class Captured(BaseException):
    """Carries the message out of core's ``_send``, whose transaction is dropped.

    Not an :class:`Exception`: core must neither log it nor turn it into a failure.
    """

    def __init__(self, message, recipients):
        super().__init__()
        self.message = message
        self.recipients = recipients


class Capture:
    """What core's ``_send`` takes for an SMTP session.

    :param smtp_from: the header From; core replaces a differing one by it
    :param from_filter: the only address core may use as envelope sender
    """

    def __init__(self, smtp_from, from_filter):
        self.smtp_from = smtp_from
        self.from_filter = from_filter

    def send_message(self, message, smtp_from, smtp_to_list):
        raise Captured(message, smtp_to_list)


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
        self._stopping = False
        # bulk e-mails accepted since the pause was last widened or eased
        self._streak = 0
        self._connection = None
        self._used_at = 0.0
        self._lead = PREPARE_LEAD_SECONDS
        # monotonic clock: the next bulk e-mail starts no earlier
        self._slot = 0.0

    def stop(self):
        """End after the mail in hand."""
        self._stopping = True
        self.wake.set()

    def run(self):
        """The thread's body."""
        try:
            with self._locked() as env:
                if env:
                    self._recover(env)
                    while not self._is_over() and self._step(env):
                        pass
        except psycopg2.Error as error:
            # the next run starts anew from what is committed
            _logger.warning("Lane of alias %s ends: %s", self.alias_id, error)
        except Exception:
            _logger.exception("Lane of alias %s broke", self.alias_id)
        finally:
            self._disconnect()

    def deliver_now(self, mails):
        """Hand over mails of the caller's transaction, if the lane is free.

        The journal is committed on its own; the mail's state belongs to the caller.

        :return: the mails that were not handed over because the lane is taken
        """
        with self._locked() as env:
            if not env:
                return mails
            try:
                self._recover(env)
                alias = env["user.email.alias"].browse(self.alias_id)
                if not alias.active or alias.state == "hold":
                    return mails
                for mail in mails:
                    if mail.state == "outgoing":
                        self._deliver(env, mail, time.monotonic())
            finally:
                self._disconnect()
        return mails.browse()

    # ------------------------------------------------------------------
    # Lock, recovery, choice
    # ------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self):
        """Yield an environment that owns the alias, or None if another lane does."""
        with contextlib.closing(self.registry.cursor()) as cr:
            cr.execute(
                SQL("SELECT pg_try_advisory_lock(%s, %s)", LOCK_CLASS, self.alias_id)
            )
            mine = cr.fetchone()[0]
            cr.commit()
            try:
                yield api.Environment(cr, api.SUPERUSER_ID, {}) if mine else None
            finally:
                # the pool keeps the connection, and with it a lock left behind
                if mine and not cr.connection.closed:
                    cr.rollback()
                    cr.execute(
                        SQL(
                            "SELECT pg_advisory_unlock(%s, %s)",
                            LOCK_CLASS,
                            self.alias_id,
                        )
                    )
                    cr.commit()

    def _is_over(self):
        return self._stopping or time.monotonic() >= self.ends_at

    def _recover(self, env):
        """Close the claims of a lane that died: nobody knows what the server did."""
        rows = env["user.email.alias.delivery"].search(
            [("alias_id", "=", self.alias_id), ("verdict", "=", False)]
        )
        for row in rows:
            mail = env["mail.mail"].browse(row.mail_mail_id).exists()
            if mail and mail.state == "outgoing":
                mail._email_alias_record_uncertain()
            self._close(
                env,
                row.id,
                "uncertain",
                "mail",
                env._("The server's answer to this e-mail was never read."),
                shift=CRASH_GRACE_SECONDS,
            )
        if rows:
            env["user.email.alias"].browse(self.alias_id)._tell_owner(
                env._(
                    "It is uncertain whether %s e-mails have arrived. Please decide.",
                    len(rows),
                )
            )
        env.cr.commit()

    def _step(self, env):
        """Wait for what comes next, or deliver it.

        :return: False when there is nothing to do for now
        """
        self.wake.clear()
        choice = self._choose(env)
        env.cr.rollback()
        if not choice:
            return False
        mail_id, is_bulk, wait = choice
        start_at = time.monotonic()
        if is_bulk:
            start_at = max(start_at + wait, self._slot)
        left = start_at - self._lead - time.monotonic()
        if left > 0:
            if start_at >= self.ends_at or (self.is_crowded and left > CROWDED_SECONDS):
                return False
            self.wake.wait(left)
            return True
        return self._deliver(env, env["mail.mail"].browse(mail_id), start_at)

    def _choose(self, env):
        """Pick the next mail: one-to-one first, then bulk, each by due time.

        :return: (mail id, bulk?, seconds until its slot) or None
        """
        env.cr.execute(
            SQL(
                """
                SELECT CASE WHEN direct.due <= clock.now THEN direct.id
                            ELSE bulk.id END,
                       direct.due <= clock.now IS NOT TRUE,
                       %(slot)s - clock.now
                  FROM %(queue)s
                 WHERE alias.id = %(alias_id)s AND %(is_open)s
                   AND COALESCE(alias.backoff_until, 0) <= clock.now
                   AND (direct.due <= clock.now OR bulk.due <= clock.now)
                """,
                queue=QUEUE,
                is_open=IS_OPEN,
                slot=SLOT,
                alias_id=self.alias_id,
            )
        )
        row = env.cr.fetchone()
        return (row[0], row[1], float(row[2])) if row else None

    # ------------------------------------------------------------------
    # One mail
    # ------------------------------------------------------------------

    def _deliver(self, env, mail, start_at):
        """Take one mail through its four steps.

        :return: False when the alias has to pause as a whole
        """
        alias = env["user.email.alias"].browse(self.alias_id)
        begun = time.monotonic()
        try:
            if alias.daily_limit and not self._is_within_limit(env, alias):
                return False
            built = self._prepare(env, mail, alias)
        except psycopg2.Error:
            raise
        except (smtp.UnsafeMessage, address.AddressError) as error:
            words = str(error)
            self._in_transaction(
                env, mail, lambda: mail._email_alias_record_refused(words, False)
            )
            return True
        except Exception as error:
            _logger.exception("Mail %s of alias %s: not built", mail.id, alias.id)
            words = str(error)
            self._in_transaction(
                env, mail, lambda: mail._email_alias_put_off(BROKEN_SECONDS, words)
            )
            return True
        if built is None:
            return True
        took = time.monotonic() - begun
        self._lead = min(1.0, max(PREPARE_LEAD_SECONDS, 1.2 * took))
        if not self._connect(env, alias):
            return False
        self._sleep_until(start_at - CLAIM_LEAD_SECONDS)
        delivery_id = self._claim(env, mail, built)
        if not delivery_id:
            return True
        if built.is_bulk:
            self._sleep_until(start_at)
        outcome = self._hand_over(built)
        if built.is_bulk:
            self._slot = self._used_at + built.pause
        return self._record(env, mail, delivery_id, built, outcome)

    def _is_within_limit(self, env, alias):
        """Let the alias wait if its last 24 hours are full."""
        env.cr.execute(
            SQL(
                """
                SELECT replied_at, extract(epoch FROM clock_timestamp())
                  FROM user_email_alias_delivery
                 WHERE alias_id = %s AND verdict IN ('sent', 'uncertain')
                 ORDER BY id DESC OFFSET %s LIMIT 1
                """,
                alias.id,
                alias.daily_limit - 1,
            )
        )
        row = env.cr.fetchone()
        if not row:
            return True
        now = float(row[1])
        free_at = pacing.daily_slot(row[0], now)
        if free_at <= now:
            return True
        alias.write(
            {
                "backoff_until": free_at,
                "backoff_count": 0,
                "state_message": env._(
                    "The Daily Limit of %(limit)s e-mails is reached; the next one "
                    "leaves at %(time)s.",
                    limit=alias.daily_limit,
                    time=alias._format_moment(free_at),
                ),
            }
        )
        env.cr.commit()
        return False

    def _prepare(self, env, mail, alias):
        """Let core build the message, and drop all that it wrote meanwhile.

        :return: a :class:`Message`, or None if there is nothing to hand over (core
            refused it by itself, or it was split)
        """
        own = mail.env.cr is env.cr
        if mail._email_alias_split():
            if own:
                env.cr.commit()
            return None
        capture = Capture(alias._get_formatted_from(), alias.email_from)
        try:
            with contextlib.nullcontext() if own else mail.env.cr.savepoint():
                mail._send(
                    smtp_session=capture,
                    alias_domain_id=mail.record_alias_domain_id.id,
                )
        except Captured as captured:
            caught = captured
        else:
            if own:
                env.cr.commit()
            return None
        message = Message(mail, alias, caught)
        if own:
            env.cr.rollback()
        return message

    def _connect(self, env, alias):
        """Have a connection that is logged in.

        :return: False when there is none; the alias then backs off or is on hold
        """
        idle = time.monotonic() - self._used_at
        if self._connection and (
            not self._connection.usable
            or self._connection.sent_count >= CONNECTION_MAILS
            or self._connection.age > CONNECTION_SECONDS
            or (idle > IDLE_SECONDS and not self._connection.is_alive())
        ):
            self._disconnect()
        if self._connection:
            return True
        try:
            self._connection = alias._open_connection__()
        except smtp.SmtpFailure as failure:
            env.cr.rollback()
            self._pause_alias(alias, failure.verdict, alias._explain(failure))
        except vault.VaultError as error:
            env.cr.rollback()
            alias._set_hold("vault", alias._explain(error))
            alias._tell_owner(alias.state_message)
        else:
            env.cr.rollback()
            self._used_at = time.monotonic()
            return True
        env.cr.commit()
        return False

    def _disconnect(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    @staticmethod
    def _sleep_until(moment):
        while (left := moment - time.monotonic()) > 0:
            time.sleep(left)

    def _claim(self, env, mail, message):
        """Commit that this mail is in hand.

        :return: the journal row's id; None if the mail was cancelled meanwhile or
            the alias was put on hold
        """
        if mail.env.cr is env.cr:
            env.cr.execute(
                SQL(
                    """
                    SELECT 1 FROM mail_mail m, user_email_alias a
                     WHERE m.id = %s AND m.state = 'outgoing' AND a.id = %s
                       AND a.active AND a.state != 'hold' AND a.is_paused IS NOT TRUE
                    """,
                    mail.id,
                    self.alias_id,
                )
            )
            if not env.cr.fetchone():
                env.cr.rollback()
                return None
        env.cr.execute(
            SQL(
                """
                INSERT INTO user_email_alias_delivery
                       (alias_id, user_id, mail_mail_id, mail_message_id, message_id,
                        model, res_id, is_bulk, recipients, email_from, subject,
                        claimed_at, create_uid, create_date, write_uid, write_date)
                VALUES (%(alias_id)s, %(user_id)s, %(mail_mail_id)s,
                        (SELECT id FROM mail_message WHERE id = %(mail_message_id)s),
                        %(message_id)s, %(model)s, %(res_id)s, %(is_bulk)s,
                        %(recipients)s, %(email_from)s, %(subject)s,
                        extract(epoch FROM clock_timestamp()),
                        1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC')
                RETURNING id
                """,
                **message.journal,
            )
        )
        delivery_id = env.cr.fetchone()[0]
        env.cr.commit()
        return delivery_id

    def _hand_over(self, message):
        """MAIL FROM to the final reply, with no transaction open.

        :return: a :class:`smtp.HandOverResult` or a :class:`smtp.SmtpFailure`
        """
        try:
            outcome = self._connection.hand_over(
                message.envelope_from,
                message.recipients,
                message.data,
                time_limit=max(1.0, self.cut_at - time.monotonic()),
            )
        except smtp.SmtpFailure as failure:
            outcome = failure
        self._used_at = time.monotonic()
        return outcome

    # ------------------------------------------------------------------
    # Verdict
    # ------------------------------------------------------------------

    def _record(self, env, mail, delivery_id, message, outcome):
        """Commit the verdict: mail, notification or trace, journal, alias.

        Tried again when the database reports a conflict: the server's reply cannot
        be asked for twice.
        """
        for tries_left in reversed(range(RECORD_TRIES)):
            try:
                goes_on = self._write_verdict(env, mail, delivery_id, message, outcome)
                env.cr.commit()
                return goes_on
            except psycopg2.OperationalError:
                if not tries_left or mail.env.cr is not env.cr:
                    raise
                env.cr.rollback()
                time.sleep(0.05 * (RECORD_TRIES - tries_left))
        return False

    def _write_verdict(self, env, mail, delivery_id, message, outcome):
        alias = env["user.email.alias"].browse(self.alias_id)
        mail = mail.exists()
        if isinstance(outcome, smtp.SmtpFailure):
            return self._write_failure(env, mail, delivery_id, message, outcome)
        left = list(outcome.deferred)
        if mail and left:
            words = str(next(iter(outcome.deferred.values())))
            mail._email_alias_put_off(message.next_wait(env), words, pending=left)
        elif mail:
            mail._email_alias_record_sent(message.message_id)
        refused = "\n".join(f"{who}: {reply}" for who, reply in outcome.refused.items())
        self._close(
            env,
            delivery_id,
            "deferred" if left else "sent",
            "recipient" if left else "mail",
            str(outcome.reply),
            refused=refused,
            shift=self._used_at - time.monotonic(),
        )
        if alias.state == "draft" or alias.backoff_count:
            alias._set_ok()
        if message.is_bulk and alias.pause_ms > alias.delay_ms:
            self._ease(alias)
        return True

    def _ease(self, alias):
        """Let the widened pause come back step by step."""
        self._streak += 1
        eased = pacing.ease(alias.pause_ms, alias.delay_ms, self._streak)
        if eased != alias.pause_ms:
            self._streak = 0
            back = eased <= alias.delay_ms
            alias.write(
                {
                    "pause_ms": 0 if back else eased,
                    "pause_reason": False if back else alias.pause_reason,
                }
            )

    def _write_failure(self, env, mail, delivery_id, message, failure):
        alias = env["user.email.alias"].browse(self.alias_id)
        judged, words = failure.verdict, str(failure)
        kind = judged.kind
        goes_on = True
        if self._is_worn_out(failure):
            # the provider's limit for one connection: a fresh one goes on
            self._disconnect()
        elif kind == "deferred" and judged.scope == "alias":
            self._pause_alias(alias, judged, alias._explain(failure))
            goes_on = False
        elif kind == "deferred":
            wait = message.next_wait(env)
            if wait is None:
                kind = "refused"
                words = env._("Given up after five days: %s", words)
            elif mail:
                mail._email_alias_put_off(wait, words)
        if kind == "refused" and mail:
            mail._email_alias_record_refused(words, judged.scope == "recipient")
        elif kind == "uncertain":
            if mail:
                mail._email_alias_record_uncertain()
            alias._tell_owner(
                env._("It is uncertain whether an e-mail has arrived. Please decide.")
            )
        shift = self._used_at - time.monotonic()
        self._close(env, delivery_id, kind, judged.scope, words, shift=shift)
        return goes_on

    def _is_worn_out(self, failure):
        """Whether a connection that has served ended before the next recipient."""
        return (
            failure.phase is Phase.MAIL
            and failure.verdict.kind == "deferred"
            and failure.verdict.scope == "alias"
            and not failure.verdict.quota
            and not self._connection.usable
            and self._connection.sent_count > 0
        )

    def _pause_alias(self, alias, judged, words):
        """Hold the alias if its owner has to act, else let it back off."""
        if judged.hold:
            alias._set_hold(judged.hold, words)
            alias._tell_owner(words)
            return
        now = alias._now()
        if judged.quota:
            until = pacing.quota_retry(now)
        else:
            until = pacing.alias_retry(alias.backoff_count + 1, now)
        values = {
            "backoff_until": until,
            "backoff_count": alias.backoff_count + 1,
            "state_message": words,
        }
        if judged.throttled:
            self._streak = 0
            values["pause_ms"] = pacing.widen(alias.pause_ms, alias.delay_ms)
            values["pause_reason"] = words
        alias.write(values)

    @staticmethod
    def _close(env, delivery_id, kind, scope, words, refused=None, shift=0.0):
        """Close a claim.

        :param shift: seconds from now to when the server replied
        """
        env["user.email.alias.delivery"].flush_model()
        env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_delivery
                   SET verdict = %s, scope = %s, reply = %s, refused_recipients = %s,
                       replied_at = extract(epoch FROM clock_timestamp()) + %s,
                       replied_on = clock_timestamp() AT TIME ZONE 'UTC',
                       write_date = now() AT TIME ZONE 'UTC'
                 WHERE id = %s
                """,
                kind,
                scope,
                words,
                refused or None,
                shift,
                delivery_id,
            )
        )
        env["user.email.alias.delivery"].browse(delivery_id).invalidate_recordset(
            flush=False
        )

    @staticmethod
    def _in_transaction(env, mail, action):
        if mail.env.cr is env.cr:
            env.cr.rollback()
            action()
            env.cr.commit()
        else:
            action()


class Message:
    """What is handed over, taken out of the transaction that built it."""

    def __init__(self, mail, alias, captured):
        wanted = mail._email_alias_get_pending()
        recipients = [
            address.mailbox_to_ascii(recipient) for recipient in captured.recipients
        ]
        self.recipients = (
            [r for r in recipients if r in wanted] if wanted else recipients
        )
        self.data = smtp.flatten(captured.message)
        self.envelope_from = address.mailbox_to_ascii(alias.email_from)
        self.message_id = captured.message["Message-Id"]
        self.is_bulk = mail.email_alias_bulk
        self.pause = alias._get_pause()
        self.mail_id = mail.id
        self.journal = {
            "alias_id": alias.id,
            "user_id": alias.user_id.id,
            "mail_mail_id": mail.id,
            "mail_message_id": mail.mail_message_id.id,
            "message_id": self.message_id,
            "model": mail.model or None,
            "res_id": mail.res_id or None,
            "is_bulk": self.is_bulk,
            "recipients": ", ".join(self.recipients),
            "email_from": captured.message["From"],
            "subject": mail.subject or None,
        }

    def next_wait(self, env):
        """Seconds until this mail is tried again; None when it is given up."""
        env.cr.execute(
            SQL(
                """
                SELECT count(*), min(claimed_at),
                       extract(epoch FROM clock_timestamp())
                  FROM user_email_alias_delivery
                 WHERE mail_mail_id = %s AND verdict = 'deferred'
                   AND scope != 'alias'
                """,
                self.mail_id,
            )
        )
        attempts, first_at, now = env.cr.fetchone()
        now = float(now)
        due = pacing.mail_retry(attempts + 1, float(first_at or now), now)
        return None if due is None else due - now
