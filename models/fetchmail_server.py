from odoo import fields, models

# Kinds of incoming server whose provider files sent mail by itself.
SELF_FILING_TYPES = ("gmail", "outlook")


class FetchmailServer(models.Model):
    _inherit = "fetchmail.server"

    email_alias_user_ids = fields.Many2many(
        "res.users",
        "user_email_alias_fetchmail_rel",
        "server_id",
        "user_id",
        "Users who may file sent mail here",
        domain="[('share', '=', False)]",
        help="They can choose this account as IMAP Server of an email alias: what they "
        "send with it then appears in its Sent folder. They see its name only.",
    )

    def _email_alias_files_by_itself(self):
        """Whether the provider files what is sent with this account."""
        self.ensure_one()
        return self.server_type in SELF_FILING_TYPES
