"""Claims and outcomes of one alias: what is written around a submission."""

import contextlib
import logging
import math
import time
import zlib

import psycopg2
from psycopg2 import errors

from odoo.tools import SQL

from ..tools import pacing
from ..tools.transport import TransportFailure, smtp
from . import in_the_way
from .breaker import Doubt
from .drafts import COMING
from .lock import PASSING, begin_anew
from .queries import IS_OPEN

_logger = logging.getLogger(__name__)

# After a crash nobody knows when the server replied: the next bulk email waits for
# the pause and for these seconds more.
CRASH_GRACE_SECONDS = 1.0

# Whether a row of the log says that a mail has been served since it was queued.
SERVED = SQL(
    """mail_mail_id = mail.id AND outcome IN ('sent', 'uncertain')
       AND claimed_at >= mail.email_alias_due"""
)

# So many emails in a row whose end nobody knows: the rest waits until one goes well.
UNCERTAIN_COUNT = 3

# How often an outcome is recorded anew when the database reports a conflict.
RECORD_TRIES = 8


class Log:
    """Writes the log of one alias; owned by the lane that holds the alias.

    :ivar doubt: a :class:`Doubt` whether what was recorded last is about the account
    """

    def __init__(self, alias_id, connection, backoff):
        self.alias_id = alias_id
        self.doubt = None
        self._connection = connection
        self._backoff = backoff
        self._uncertain = 0  # in a row

    def claim(self, env, message, is_own, rest=0.0, load=0):
        """Commit that this mail is in hand.

        :param is_own: the mail is committed, so that its state can be looked at
        :param rest: seconds that the provider wants after it, whatever the pause
        :param load: bytes of the provider's window that it takes, 0 = there is none
        :return: the log row's id; None if the mail was cancelled or served meanwhile,
            or the alias may not send any more
        """
        still_due = SQL("true")
        if is_own:
            still_due = SQL(
                """EXISTS (
                    SELECT FROM mail_mail mail, user_email_alias alias
                     WHERE mail.id = %s AND mail.state = 'outgoing'
                       AND mail.email_alias_is_paused IS NOT TRUE
                       AND alias.id = %s AND %s
                       AND NOT EXISTS (
                           SELECT FROM user_email_alias_log WHERE %s))""",
                message.mail_id,
                self.alias_id,
                IS_OPEN,
                SERVED,
            )
        env.cr.execute(
            SQL(
                """
                INSERT INTO user_email_alias_log
                       (alias_id, user_id, mail_mail_id, mail_message_id, message_id,
                        model, res_id, is_bulk, recipients, email_from, subject,
                        rest_ms, load, draft, claimed_at, create_uid, create_date,
                        write_uid, write_date)
                SELECT %(alias_id)s, %(user_id)s, %(mail_mail_id)s,
                       (SELECT id FROM mail_message WHERE id = %(mail_message_id)s),
                       %(message_id)s::varchar, %(model)s::varchar, %(res_id)s::int,
                       %(is_bulk)s, %(recipients)s::varchar, %(email_from)s::varchar,
                       %(subject)s::varchar, %(rest_ms)s, %(load)s::int,
                       %(draft)s::varchar,
                       extract(epoch FROM clock_timestamp()),
                       1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
                 WHERE %(still_due)s
             RETURNING id
                """,
                still_due=still_due,
                rest_ms=math.ceil(rest * 1000),
                load=load or None,
                draft=COMING if self._connection.makes_draft(message.size) else None,
                **message.log_values,
            )
        )
        row = env.cr.fetchone()
        if not row:
            env.cr.rollback()
            return None
        env.cr.commit()
        return row[0]

    @staticmethod
    def settle(env, mail):
        """Let a mail know what its log says: the caller who had it sent at once has
        not committed that, or not yet.

        :return: False while the caller is still at it
        """
        env.cr.execute(
            SQL(
                """
                SELECT outcome FROM mail_mail mail, user_email_alias_log
                 WHERE mail.id = %s AND mail.state = 'outgoing' AND %s
                """,
                mail.id,
                SERVED,
            )
        )
        row = env.cr.fetchone()
        if not row:
            env.cr.rollback()
            return True
        try:
            mail._email_alias_lock()
        except (errors.LockNotAvailable, errors.SerializationFailure):
            env.cr.rollback()
            return False
        if row[0] == "sent":
            mail._email_alias_record_sent()
        else:
            mail._email_alias_record_uncertain()
        env.cr.commit()
        return True

    def recover(self, env):
        """Close the claims of a lane that died: nobody knows what the server did."""
        rows = env["user.email.alias.log"].search(
            [("alias_id", "=", self.alias_id), ("outcome", "=", False)]
        )
        unsent = rows.filtered(lambda row: row.draft and not row.is_draft_sent)
        for row in unsent:
            # nobody had asked the provider to send it
            reply = env._("Sending it was interrupted before it had left.")
            self.close(env, row.id, "deferred", "alias", reply)
        rows -= unsent
        for row in rows:
            mail = env["mail.mail"].browse(row.mail_mail_id).exists()
            if mail and mail.state == "outgoing":
                mail._email_alias_record_uncertain()
            reply = env._("The server's answer to this email was never read.")
            self.close(
                env, row.id, "uncertain", "mail", reply, shift=CRASH_GRACE_SECONDS
            )
        if rows:
            env["user.email.alias"].browse(self.alias_id)._notify_owner(
                env._(
                    "It is uncertain whether %s emails have arrived. Please decide.",
                    len(rows),
                )
            )
        env.cr.commit()

    def record(self, env, mail, log_id, message, result):
        """Commit the outcome: mail, notification or trace, log, alias.

        Tried again when the database reports a conflict, and with a connection of its
        own when the lane's is lost: the server's reply cannot be asked for twice.

        :param result: a :class:`SubmissionResult` or a :class:`TransportFailure`
        :return: False when the alias has to pause as a whole
        """
        is_failure = isinstance(result, TransportFailure)
        is_uncertain = is_failure and result.outcome.kind == "uncertain"
        self._uncertain = self._uncertain + 1 if is_uncertain else 0
        with contextlib.ExitStack() as stack:
            for tries_left in reversed(range(RECORD_TRIES)):
                try:
                    return self._record_once(env, mail, log_id, message, result)
                except PASSING:
                    if not tries_left or mail.env.cr is not env.cr:
                        raise
                    time.sleep(0.05 * (RECORD_TRIES - tries_left))
                    env = begin_anew(env, stack)
                    mail = mail.with_env(env)
        return False

    def _record_once(self, env, mail, log_id, message, result):
        self.doubt = None
        if isinstance(result, TransportFailure):
            goes_on, row = self._write_failure(env, mail, message, result)
        else:
            goes_on, row = True, self._write_success(env, mail, message, result)
        shift = self._connection.used_at - time.monotonic()
        self.close(env, log_id, **row, shift=shift)
        env.cr.commit()
        self._connection.learnt = None
        return goes_on

    def _write_success(self, env, mail, message, result):
        account, mail = message.account, mail.exists()
        alias = env["user.email.alias"].browse(self.alias_id)
        # others got it: who was refused for the account's sake, say, is asked again
        doubts = smtp.get_doubts(result)
        left = [
            who for who in message.recipients if who in result.deferred or who in doubts
        ]
        refused = {who: r for who, r in result.refused.items() if who not in left}
        for who, failure in doubts.items():
            self._doubt(alias, failure, [who])
        if left:
            reply = str({**result.refused, **result.deferred}[left[0]])
            wait = self._get_next_wait(env, message)
            if mail:
                mail._email_alias_defer(wait or 0.0, reply, pending=left)
        elif mail:
            mail._email_alias_record_sent(message)
        if account.is_troubled:
            alias._set_verified()
        if message.is_bulk and account.is_widened:
            self._backoff.ease(alias)
        if self._connection.learnt is not None:
            alias._set_connection_mails(self._connection.learnt)
        copy = account.wants_copies or (
            account.wants_direct_copies and not message.is_bulk
        )
        return {
            "copy": zlib.compress(message.data) if copy else None,
            "kind": "deferred" if left else "sent",
            "scope": "recipient" if left else "mail",
            "reply": str(result.reply),
            "refused": "\n".join(f"{who}: {reply}" for who, reply in refused.items()),
            "signature": self.doubt and self.doubt.signature,
        }

    def _write_failure(self, env, mail, message, failure):
        alias = env["user.email.alias"].browse(self.alias_id)
        mail = mail.exists()
        judged, kind, reply = failure.outcome, failure.outcome.kind, str(failure)
        scope, goes_on = judged.scope, True
        if self._connection.wears_out(failure, message):
            # the mail has lost nothing: not even one of its tries
            self._connection.is_worn_out = True
            scope = "alias"
        elif self._is_trouble(env, message, judged):
            self._backoff.obey(alias, judged, alias._explain(failure))
            goes_on = False
        elif kind == "deferred":
            scope = "mail" if scope == "alias" else scope
            wait = self._get_next_wait(env, message)
            if wait is None:
                kind = "refused"
                reply = env._("Given up after five days: %s", reply)
            else:
                self._doubt(alias, failure, message.recipients)
                if mail:
                    pending = list(failure.deferred) if failure.refused else None
                    mail._email_alias_defer(wait, reply, pending=pending)
        elif kind == "refused":
            self._doubt(alias, failure, message.recipients)
        if kind == "refused" and mail:
            # what may yet be put back must not be deleted as a bad address
            is_address = scope == "recipient" and not self.doubt
            mail._email_alias_record_refused(reply, is_address)
        elif kind == "uncertain":
            self._write_uncertain(alias, mail)
            if self._uncertain >= UNCERTAIN_COUNT or alias.backoff_count:
                self._backoff.obey(alias, judged, alias._explain(failure))
                goes_on = False
        signature = self.doubt and self.doubt.signature
        row = {"kind": kind, "scope": scope, "reply": reply, "signature": signature}
        return goes_on, row

    def _is_trouble(self, env, message, judged):
        """Whether the alias has to wait as a whole."""
        return (
            judged.kind == "deferred"
            and judged.scope == "alias"
            and not in_the_way.is_its_own(env.cr, self.alias_id, message.mail_id)
        )

    @staticmethod
    def _write_uncertain(alias, mail):
        if mail:
            mail._email_alias_record_uncertain()
        if not alias.uncertain_count:
            # the badge counts those that follow; nobody wants a notice for each
            alias._notify_owner(
                alias.env._(
                    "It is uncertain whether an email has arrived. Please decide."
                )
            )

    def _doubt(self, alias, failure, recipients):
        """Note what the same refusal of another mail would share, if it may be more
        than this mail's.
        """
        signature = smtp.signature_of(failure, recipients)
        if signature:
            self.doubt = Doubt(signature, failure, alias._explain(failure))

    @staticmethod
    def _get_next_wait(env, message):
        """Seconds until this mail is tried again; None when it is given up.

        What was put back costs no try, but the mail grows older all the same.
        """
        env.cr.execute(
            SQL(
                """
                SELECT count(*) FILTER (WHERE scope != 'alias'), min(claimed_at),
                       extract(epoch FROM clock_timestamp())
                  FROM user_email_alias_log
                 WHERE mail_mail_id = %s AND outcome = 'deferred'
                   AND (scope != 'alias' OR is_put_back)
                """,
                message.mail_id,
            )
        )
        attempts, first_at, now = env.cr.fetchone()
        now = float(now)
        due = pacing.mail_retry(attempts + 1, float(first_at or now), now)
        return None if due is None else due - now

    @staticmethod
    def close(
        env,
        log_id,
        kind,
        scope,
        reply,
        refused=None,
        signature=None,
        copy=None,
        shift=0.0,
    ):
        """Close a claim.

        :param signature: what the same refusal of another mail would share
        :param copy: compressed bytes for the Sent folder
        :param shift: seconds from now to when the server replied
        """
        env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET outcome = %s, scope = %s, reply = %s, refused_recipients = %s,
                       signature = %s,
                       draft = CASE WHEN %s THEN draft END,
                       replied_at = extract(epoch FROM clock_timestamp()) + %s,
                       write_date = now() AT TIME ZONE 'UTC'
                       %s
                 WHERE id = %s
                """,
                kind,
                scope,
                reply,
                refused or None,
                signature,
                # what was sent, or may have been, must not be deleted
                kind not in ("sent", "uncertain"),
                shift,
                SQL(
                    """, sent_copy_state = 'waiting', sent_copy = %s,
                       sent_copy_due = clock_timestamp() AT TIME ZONE 'UTC'""",
                    psycopg2.Binary(copy),
                )
                if copy
                else SQL(),
                log_id,
            )
        )
