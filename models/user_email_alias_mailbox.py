from odoo import fields, models
from odoo.tools import SQL


class UserEmailAliasMailbox(models.Model):
    """The incoming accounts a user may file sent mail in: their names, no more."""

    _name = "user.email.alias.mailbox"
    _description = "Mailbox for Sent Mail"
    _auto = False
    _order = "name, id"

    name = fields.Char(readonly=True)
    user_ids = fields.Many2many(
        "res.users",
        "user_email_alias_fetchmail_rel",
        "server_id",
        "user_id",
        readonly=True,
        # the rule looks at it, nobody else
        groups=fields.NO_ACCESS,
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT id, name FROM fetchmail_server
             WHERE active AND server_type IN ('imap', 'gmail', 'outlook')
            """
        )
