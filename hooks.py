from odoo.tools import SQL


def uninstall_hook(env):
    """Cancel what waits: without the alias it would leave by another server."""
    env.cr.execute(
        SQL(
            """
            UPDATE mail_mail
               SET state = 'cancel', failure_reason = %s
             WHERE state IN ('outgoing', 'exception') AND email_alias_id IS NOT NULL
            """,
            "The e-mail alias this mail was written with was uninstalled.",
        )
    )
