from odoo.tools import SQL

from .models.user_email_alias_scheduled import NEVER


def uninstall_hook(env):
    """Stop what waits: without the alias it would leave by another server.

    What stays names no alias any more: installed anew, ids begin at 1 again.
    """
    _cancel_mails(env)
    _give_mailings_back(env)
    _release_done_mailings(env)
    _stop_messages_for_later(env)._email_alias_release()
    _forget_parameters(env)


def drop_waiting(env):
    """Stop what waits in a copy of the database; what may have left stays uncertain."""
    Log = env["user.email.alias.log"]
    claimed = Log.search([("outcome", "=", False)])
    # the original's to send, or to delete
    Log.search([("draft", "!=", False)]).draft = False
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
    """Cancel what has not left, and whatever shows it as on its way."""
    # in SQL: one statement each, however many of a campaign wait
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            UPDATE mail_notification SET notification_status = 'canceled'
             WHERE notification_status NOT IN ('sent', 'canceled')
               AND mail_mail_id IN (SELECT id FROM mail_mail
                                     WHERE state IN ('outgoing', 'exception')
                                       AND email_alias_id IS NOT NULL)
            """
        )
    )
    env.cr.execute(
        SQL(
            """
            UPDATE mailing_trace SET trace_status = 'cancel'
             WHERE trace_status IN ('outgoing', 'process', 'error')
               AND mail_mail_id IN (SELECT id FROM mail_mail
                                     WHERE state IN ('outgoing', 'exception')
                                       AND email_alias_id IS NOT NULL)
            """
        )
    )
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
    env.invalidate_all()


def _give_mailings_back(env):
    mailings = (
        env["mailing.mailing"]
        .with_context(active_test=False)
        .search([("email_alias_id", "!=", False), ("state", "!=", "done")])
    )
    mailings.filtered(lambda mailing: mailing.state != "draft").action_cancel()
    mailings.email_alias_id = False


def _release_done_mailings(env):
    """Let a mailing that is sent once more have another From."""
    env["mailing.mailing"].with_context(active_test=False).search(
        [("email_alias_id", "!=", False)]
    ).email_alias_id = False


def _stop_messages_for_later(env):
    """Keep them to be read, and to be sent anew by their author.

    :return: the scheduled messages that named an alias
    """
    Schedule = env["mail.message.schedule"]
    Schedule.search(
        [
            "|",
            ("email_alias_is_queued", "=", True),
            ("mail_message_id.email_alias_id", "!=", False),
        ]
    ).unlink()
    scheduled = env["mail.scheduled.message"].search(
        [("notification_parameters", "like", "email_alias_")]
    )
    scheduled = scheduled._email_alias_written()
    scheduled.write({"scheduled_date": NEVER})
    return scheduled


def _forget_parameters(env):
    """Drop our settings, and the secrets among them."""
    env["ir.config_parameter"].search(
        [("key", "=like", "user\\_email\\_alias.%")]
    ).unlink()
