"""Mails that have paid for the finding out wait again: it was about the account."""

from odoo.tools import SQL

# A due time is stored by so much too late, for a float of its size.
ROUNDING_SECONDS = 1e-5


def refused(rows):
    """Let mails wait again that were refused, each of them once.

    :param rows: of the log, of one alias; they stay as they were
    """
    mail_ids = rows.mapped("mail_mail_id")
    before = rows.search(
        [
            ("mail_mail_id", "in", mail_ids),
            ("is_put_back", "=", True),
            ("scope", "!=", "alias"),
        ]
    )
    again = set(mail_ids) - set(before.mapped("mail_mail_id"))
    mails = _lock(rows, again, "exception")
    mails = mails.filtered(lambda mail: mail.failure_type == "unknown")
    _undo(mails)
    # of some the other recipients were served: these wait already
    back = set(mails.ids) | set(_lock(rows, again, "outgoing").ids)
    rows.filtered(lambda row: row.mail_mail_id in back).is_put_back = True


def deferred(rows):
    """Let mails that were put off go on once the others have had their turn.

    The try is not counted as theirs, but they grow older.
    """
    mails = _lock(rows, rows.mapped("mail_mail_id"), "outgoing")
    now = rows.alias_id._now()
    for mail in mails:
        mail.email_alias_due = min(mail.email_alias_due, now)
    rows.write({"scope": "alias", "is_put_back": True})


def find_deferred(env, refusals):
    """Return the ids of those mails that were put off and let go on before.

    In SQL because mail ids are no relation, and one index serves it.
    """
    env.cr.execute(
        SQL(
            """
            SELECT DISTINCT mail_mail_id FROM user_email_alias_log
             WHERE mail_mail_id = ANY(%s) AND is_put_back AND scope = 'alias'
            """,
            [refusal.mail_id for refusal in refusals],
        )
    )
    return {row[0] for row in env.cr.fetchall()}


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


def _lock(rows, ids, state):
    """Lock those mails that are still so; what somebody is changing is left to them.

    Mails of a caller who sends at once are locked by the caller, who wants an answer.
    """
    Mail = rows.env["mail.mail"]
    if not ids:
        return Mail
    Mail.flush_model(["state", "email_alias_due"])
    rows.env.cr.execute(
        SQL(
            """
            SELECT id FROM mail_mail
             WHERE id IN %s AND state = %s AND email_alias_id = %s
             ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
            """,
            tuple(ids),
            state,
            rows.alias_id.id,
        )
    )
    return Mail.browse(row[0] for row in rows.env.cr.fetchall())
