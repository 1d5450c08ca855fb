"""Finds out that what several mails were refused for is about the account.

No list of texts is complete, and a text that none knows would cost a whole campaign.
So the same refusal of several mails in a row is in doubt. What is counted stands in the
log, so that it outlives a lane and a restart.

A refusal at RCPT may be about dead recipients, in words that nobody knows. The server
itself is asked before the account is held for it, with MAIL, RCPT and RSET, nothing is
sent: would it take an email for somebody it has taken one for before, and for the
alias's own address? Where that decides nothing, the words do. Later than at RCPT
nothing can be asked without sending: there only words speak for the recipient.
"""

import logging
import re
from typing import NamedTuple

from odoo.tools import SQL

from ..tools.pacing import DAY
from ..tools.transport import TransportFailure, smtp
from . import put_back
from .lock import PASSING

_logger = logging.getLogger(__name__)

# So many different mails: a second one with the same fault is chance, a third is not.
SAME_COUNT = 3
# At RCPT the domain that is written to may be the one that refuses: then in so many
# different domains, or so many mails.
SAME_COUNT_OF_A_DOMAIN = 5
# So many with whatever words, and nothing has passed; at RCPT in several domains.
ANY_COUNT = 10
# So many, though the words or the server speak for dead recipients: more of these in a
# row than a list of addresses has.
MANY_COUNT = 50

# Rows that are looked at: far more than what trips it.
LOOK_BACK = 200
# What was put back is remembered for so many days, until something passes; so is whom
# the server has taken an email for.
MEMORY_DAYS = 30
# Emails that were sent among which somebody is looked for who is known to the server.
SERVED_COUNT = 20

_ADDRESS = re.compile(r"[^\s,]+@([^\s,>]+)")


class Doubt(NamedTuple):
    """Whether one refusal is about its mail or about the account."""

    signature: str
    failure: TransportFailure
    reply: str  # for the owner

    @property
    def is_final(self):
        return self.failure.outcome.kind == "refused"


class Refusal(NamedTuple):
    """What the log knows of one refusal."""

    log_id: int
    mail_id: int
    signature: str
    recipients: str | None
    is_put_back: bool


class Breaker:
    """Judges the doubts of one alias; owned by the lane that holds the alias."""

    def __init__(self, alias_id, connection, backoff):
        self.alias_id = alias_id
        self._connection = connection
        self._backoff = backoff
        # signatures, or groups of them, for which the server was asked in vain, and at
        # how many mails
        self._asked = {}
        # signatures by which it was found to mean a connection
        self._of_connection = set()

    def judge(self, env, doubt):
        """Hold the alias or let it wait, if the doubt is justified.

        No transaction is open while the server is asked.

        :return: False when the alias has to pause as a whole
        """
        try:
            return self._judge(env, doubt)
        except PASSING as error:
            # what was refused stays in the log: the next one brings it up again
            _logger.info("Alias %s could not be judged: %s", self.alias_id, error)
            env.cr.rollback()
            return True

    def _judge(self, env, doubt):
        run = _get_run(env.cr, self.alias_id)
        if not run:
            # the clock of the database has been set back
            return True
        before = set() if doubt.is_final else put_back.find_deferred(env, run)
        if doubt.signature in self._of_connection and (
            self._connection.accepted or run[0].mail_id not in before
        ):
            suspects = run[:1]
        else:
            # of a mail that has had its second chance nothing is learnt any more
            run = [row for row in run if row.is_put_back or row.mail_id not in before]
            suspects = find_suspects(run, doubt.signature)
            if suspects and not self._is_account(env, doubt, suspects):
                suspects = []
        if not suspects:
            env.cr.rollback()
            return True
        rows = env["user.email.alias.log"].browse(row.log_id for row in suspects)
        alias = env["user.email.alias"].browse(self.alias_id)
        if doubt.is_final:
            goes_on = self._hold(alias, doubt, rows)
        else:
            goes_on = self._wait(alias, doubt, rows)
        env.cr.commit()
        return goes_on

    def _hold(self, alias, doubt, rows):
        put_back.refused(rows)
        if len(rows) >= MANY_COUNT:
            # perhaps it is the recipients after all: then its owner says "go on" once
            rows.signature = False
        reply = alias.env._(
            "Several emails in a row were refused in the same way, so it is about "
            "the account or what is sent; the rest waits. Correct what the mail "
            "server says, then click Resume. %s",
            doubt.reply,
        )
        alias._set_hold("refused", reply)
        alias._notify_owner(reply)
        return False

    def _wait(self, alias, doubt, rows):
        put_back.deferred(rows)
        if self._connection.accepted >= len(rows):
            # some have passed on this connection: perhaps it is the connection
            rows.signature = False
            self._connection.is_worn_out = True
            self._of_connection.add(doubt.signature)
            return True
        self._of_connection.discard(doubt.signature)
        self._backoff.wait(alias, doubt.reply, is_slower=True)
        return False

    # ------------------------------------------------------------------
    # Account or recipients?
    # ------------------------------------------------------------------

    def _is_account(self, env, doubt, suspects):
        count = _count(suspects)
        key = doubt.signature
        if len({row.signature for row in suspects}) > 1:
            key = smtp.group_of(doubt.signature)
        if count < self._get_next_count(key):
            return False
        verdict = True
        if smtp.is_at_recipient(doubt.signature) and self._connection.can_ask:
            verdict = self._ask(env, doubt, suspects)
        if verdict is None:
            # the server has nothing against it itself: the words decide
            verdict = (
                not doubt.is_final
                or smtp.leans_to_account(doubt.failure.reply)
                or (count >= MANY_COUNT and not smtp.is_weak(doubt.signature))
            )
        if not verdict:
            self._asked[key] = count
        return verdict

    def _get_next_count(self, key):
        """How many mails it takes to ask again: twice as many as the last time."""
        asked = self._asked.get(key, 0)
        return MANY_COUNT if asked < MANY_COUNT < 2 * asked else 2 * asked

    def _ask(self, env, doubt, suspects):
        """Ask the server for somebody it knows, and for the alias itself.

        :return: True: it is the account; False: the recipients; None: undecided
        """
        alias = env["user.email.alias"].browse(self.alias_id)
        own = alias.email_from
        known = _find_known(env.cr, self.alias_id, own, suspects)
        env.cr.rollback()
        verdict = True
        for address in filter(None, (known, own)):
            failure = self._connection.ask(own, address)
            if failure is None:
                return False if address == known else None
            if failure.outcome.scope == "alias":
                return True if failure.reply else verdict
            found = smtp.signature_of(failure, [address])
            if found and smtp.is_alike(found, doubt.signature):
                return True
            if not self._connection.can_ask:
                break
            verdict = None
        return verdict


def find_suspects(run, signature):
    """Return those refusals by which the alias may be in trouble.

    :param run: list of :class:`Refusal` since the last success, the last one first
    :param signature: of the first one
    :return: list; empty: it may be the mails
    """
    counted = [row for row in run if not row.is_put_back]
    same = [row for row in counted if row.signature == signature]
    if _is_enough(same, signature):
        return same
    back = [row for row in run if row.is_put_back]
    if any(row.signature == signature for row in back):
        # its owner, or time, has changed nothing: one mail is enough to see that
        return same
    if smtp.is_weak(signature):
        return []
    alike = [row for row in counted if _is_of_group(row, signature)]
    if _is_any_enough(alike, signature):
        return alike
    if _is_any_enough([row for row in back if _is_of_group(row, signature)], signature):
        return same
    return []


def _is_enough(rows, signature):
    count = _count(rows)
    if smtp.is_weak(signature):
        return count >= MANY_COUNT
    if count < SAME_COUNT or not smtp.needs_other_domains(signature):
        return count >= SAME_COUNT
    return len(_get_domains(rows)) >= SAME_COUNT or count >= SAME_COUNT_OF_A_DOMAIN


def _is_of_group(row, signature):
    return not smtp.is_weak(row.signature) and (
        smtp.group_of(row.signature) == smtp.group_of(signature)
    )


def _is_any_enough(rows, signature):
    is_spread = not smtp.is_at_recipient(signature) or (
        len(_get_domains(rows)) >= SAME_COUNT
    )
    return _count(rows) >= ANY_COUNT and is_spread


def _count(refusals):
    return len({refusal.mail_id for refusal in refusals})


def _get_domains(rows):
    return {
        domain.lower()
        for row in rows
        for domain in _ADDRESS.findall(row.recipients or "")
    }


def _get_run(cr, alias_id):
    """Read what was refused since everybody of a mail was served, the last one first.

    In SQL because each half is one walk along a partial index.

    :return: list of :class:`Refusal`
    """
    cr.execute(
        SQL(
            """
            SELECT id, mail_mail_id, signature, recipients, is_put_back IS TRUE
              FROM user_email_alias_log
             WHERE alias_id = %(alias_id)s AND signature IS NOT NULL
               AND claimed_at > extract(epoch FROM clock_timestamp()) - CASE
                   WHEN is_put_back THEN %(memory)s ELSE %(day)s END
               AND claimed_at > COALESCE((
                   SELECT claimed_at FROM user_email_alias_log
                    WHERE alias_id = %(alias_id)s AND outcome = 'sent'
                      AND refused_recipients IS NULL
                    ORDER BY claimed_at DESC LIMIT 1), 0)
             ORDER BY claimed_at DESC LIMIT %(look_back)s
            """,
            alias_id=alias_id,
            day=DAY,
            memory=MEMORY_DAYS * DAY,
            look_back=LOOK_BACK,
        )
    )
    return [Refusal(*row) for row in cr.fetchall()]


def _find_known(cr, alias_id, own, suspects):
    """Find somebody else's address for which the server has taken an email.

    In SQL because it is one walk along a partial index.

    :return: the latest one outside of the alias's domain; None: there is none
    """
    cr.execute(
        SQL(
            """
            SELECT recipients FROM user_email_alias_log
             WHERE alias_id = %s AND outcome = 'sent' AND refused_recipients IS NULL
               AND claimed_at > extract(epoch FROM clock_timestamp()) - %s
             ORDER BY claimed_at DESC LIMIT %s
            """,
            alias_id,
            MEMORY_DAYS * DAY,
            SERVED_COUNT,
        )
    )
    strange = {who for row in suspects for who in (row.recipients or "").split(", ")}
    domain = own.rpartition("@")[2].lower()
    for (recipients,) in cr.fetchall():
        for who in (recipients or "").split(", "):
            found = _ADDRESS.fullmatch(who)
            if found and found[1].lower() != domain and who not in strange:
                return who
    return None
