"""What is not charged to a mail: a worn-out connection, an account in trouble.

The same refusal of several mails in a row is about the account, whatever it says. No
list of texts is complete, and a text that none knows would cost a whole campaign. What
is counted stands in the log, so that it outlives a lane and a restart.
"""

import re

from odoo.tools import SQL

from ..tools.pacing import DAY
from ..tools.transport import smtp
from ..tools.transport.smtp.outcome import Phase

# So many different mails: a second one with the same fault is chance, a third is not.
SAME_COUNT = 3
# At RCPT the domain that is written to may be the one that refuses: then in so many
# different domains, or so many mails.
SAME_COUNT_OF_A_DOMAIN = 5
# So many with whatever words, and nothing has passed between them.
ANY_COUNT = 10

# A due time is stored by so much too late, for a float of its size.
ROUNDING_SECONDS = 1e-5

# Rows that are looked at: far more than what trips it.
LOOK_BACK = 100

_DOMAIN = re.compile(r"@([^\s,>]+)")


def wears_out(failure, message, served):
    """Tell whether a connection that has served takes no more, and a fresh one may.

    A server says so, or it ends the connection before the next email. A limit of
    recipients means the connection where the email has only one.

    :param served: how many emails the connection has had an answer to before
    """
    judged = failure.outcome
    if smtp.may_greet_again(judged):
        return True
    if not served or judged.kind != "deferred" or judged.hold or judged.quota:
        return False
    if judged.session or (judged.split and len(message.recipients) == 1):
        return True
    is_cut = failure.reply is None or failure.reply.code == 421
    return failure.phase is Phase.MAIL and is_cut and judged.reason != "rate"


def learn_connection_mails(alias, judged, served):
    """Remember how many emails this server takes on one connection, if it says so."""
    if smtp.counts_mails(judged):
        alias.connection_mails = served


def find_victims(env, alias_id, outcome, signature):
    """Return the log rows of one outcome by which the alias is found in trouble.

    :param outcome: ``refused`` or ``deferred``
    :param signature: of the row that was just closed
    :return: rows of ``user.email.alias.log``; none: it may be the mails
    """
    ids = _get_run(env.cr, alias_id, outcome)
    run = env["user.email.alias.log"].browse(ids)
    same = run.filtered(lambda row: row.signature == signature)
    if _is_enough(same, signature):
        return same
    others = run.filtered(lambda row: not smtp.needs_other_domains(row.signature))
    if len(set(others.mapped("mail_mail_id"))) >= ANY_COUNT:
        return others
    return run.browse()


def _is_enough(rows, signature):
    count = len(set(rows.mapped("mail_mail_id")))
    if count < SAME_COUNT or not smtp.needs_other_domains(signature):
        return count >= SAME_COUNT
    domains = {
        domain.lower()
        for row in rows
        for domain in _DOMAIN.findall(row.recipients or "")
    }
    return len(domains) >= SAME_COUNT or count >= SAME_COUNT_OF_A_DOMAIN


def _get_run(cr, alias_id, outcome):
    """Read the ids of what was refused since the last success, within a day.

    In SQL because each half is one walk along a partial index.
    """
    cr.execute(
        SQL(
            """
            SELECT id FROM user_email_alias_log
             WHERE alias_id = %(alias_id)s AND signature IS NOT NULL
               AND outcome = %(outcome)s
               AND claimed_at > extract(epoch FROM clock_timestamp()) - %(day)s
               AND claimed_at > COALESCE((
                   SELECT claimed_at FROM user_email_alias_log
                    WHERE alias_id = %(alias_id)s AND outcome = 'sent'
                    ORDER BY claimed_at DESC LIMIT 1), 0)
             ORDER BY claimed_at DESC LIMIT %(look_back)s
            """,
            alias_id=alias_id,
            outcome=outcome,
            day=DAY,
            look_back=LOOK_BACK,
        )
    )
    return [row[0] for row in cr.fetchall()]


def put_back_refused(env, rows):
    """Let the mails wait again that paid for the finding out, each of them once.

    :param rows: from `find_victims`; they stay as they were, and count no more
    :return: how many mails wait again
    """
    mail_ids = rows.mapped("mail_mail_id")
    before = env["user.email.alias.log"].search(
        [("mail_mail_id", "in", mail_ids), ("is_put_back", "=", True)]
    )
    again = set(mail_ids) - set(before.mapped("mail_mail_id"))
    mails = _lock(env, again, "exception", rows.alias_id.id)
    mails = mails.filtered(lambda mail: mail.failure_type == "unknown")
    _undo(mails)
    back = set(mails.ids)
    rows.filtered(lambda row: row.mail_mail_id in back).is_put_back = True
    rows.signature = False
    return len(back)


def _undo(mails):
    """Undo what a refusal has written; the mails keep their place in the queue."""
    for mail in mails:
        due = mail.email_alias_due - ROUNDING_SECONDS
        mail.write(
            {"state": "outgoing", "failure_type": False, "failure_reason": False}
        )
        mail.email_alias_due = due
    nothing = {"failure_type": False, "failure_reason": False}
    traces = mails.mailing_trace_ids.filtered(lambda t: t.trace_status == "error")
    traces.write({"trace_status": "outgoing", **nothing})
    traces.mass_mailing_id.email_alias_is_notified = False
    notifications = mails.env["mail.notification"].search(
        [("mail_mail_id", "in", mails.ids), ("notification_status", "=", "exception")]
    )
    notifications.write({"notification_status": "ready", **nothing})
    notifications.mail_message_id._email_alias_notify_outcome()


def put_back_deferred(env, rows):
    """Let mails that were put off go on at once; the try is not counted as theirs."""
    mails = _lock(env, rows.mapped("mail_mail_id"), "outgoing", rows.alias_id.id)
    claimed = {}
    for row in rows:
        claimed[row.mail_mail_id] = row.claimed_at
    for mail in mails:
        mail.email_alias_due = min(mail.email_alias_due, claimed[mail.id])
    rows.write({"scope": "alias", "signature": False})


def _lock(env, ids, state, alias_id):
    """Lock those mails that are still so; what somebody is changing is left to them.

    Mails of a caller who sends at once are locked by the caller, who wants an answer.
    """
    if not ids:
        return env["mail.mail"]
    env["mail.mail"].flush_model(["state", "email_alias_due"])
    env.cr.execute(
        SQL(
            """
            SELECT id FROM mail_mail
             WHERE id IN %s AND state = %s AND email_alias_id = %s
             ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
            """,
            tuple(ids),
            state,
            alias_id,
        )
    )
    return env["mail.mail"].browse(row[0] for row in env.cr.fetchall())
