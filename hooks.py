import json
from datetime import datetime

from odoo.tools import SQL

NEVER = datetime(9999, 1, 1)


def uninstall_hook(env):
    """Stop what waits: without the alias it would leave by another server."""
    _cancel_mails(env)
    _give_mailings_back(env)
    _stop_messages_for_later(env)


def drop_waiting(env):
    """Stop what waits in a copy of the database; what may have left stays uncertain."""
    claimed = env["user.email.alias.log"].search([("outcome", "=", False)])
    mails = env["mail.mail"].search(
        [
            ("email_alias_id", "!=", False),
            ("state", "=", "outgoing"),
            ("id", "not in", claimed.mapped("mail_mail_id")),
        ]
    )
    mails._email_alias_cancel()
    mails.failure_reason = "The original of this database sends it."
    _give_mailings_back(env)
    _stop_messages_for_later(env)


def _cancel_mails(env):
    # in SQL: one statement, however many of a campaign wait
    env.cr.execute(
        SQL(
            """
            UPDATE mail_mail
               SET state = 'cancel', failure_reason = %s
             WHERE state IN ('outgoing', 'exception') AND email_alias_id IS NOT NULL
            """,
            "The email alias this mail was written with was uninstalled.",
        )
    )
    env["mail.mail"].invalidate_model(["state", "failure_reason"])


def _give_mailings_back(env):
    mailings = (
        env["mailing.mailing"]
        .with_context(active_test=False)
        .search([("email_alias_id", "!=", False), ("state", "!=", "done")])
    )
    mailings.filtered(lambda mailing: mailing.state != "draft").action_cancel()
    mailings.email_alias_id = False


def _stop_messages_for_later(env):
    env["mail.message.schedule"].search(
        [("mail_message_id.email_alias_id", "!=", False)]
    ).unlink()
    # they stay to be read, and to be sent anew by their author
    scheduled = env["mail.scheduled.message"].search(
        [("notification_parameters", "like", "email_alias_id")]
    )
    scheduled.filtered(_has_alias).write({"scheduled_date": NEVER})


def _has_alias(scheduled):
    return json.loads(scheduled.notification_parameters or "{}").get("email_alias_id")
