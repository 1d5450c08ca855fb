from odoo import fields, models

# Kinds of incoming server whose provider files sent mail by itself.
SELF_FILING_TYPES = ("gmail", "outlook")


# What decides who may file mail there, and how it is reached.
MAILBOX_FIELDS = frozenset(
    (
        "active",
        "email_alias_user_ids",
        "is_ssl",
        "password",
        "port",
        "server",
        "server_type",
        "user",
    )
)


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
        "send with it then appears in its Sent folder. They see its name and that of "
        "its Sent folder, nothing else.",
    )

    def write(self, vals):
        """Extend: copies that wait for this mailbox are tried again."""
        result = super().write(vals)
        if not MAILBOX_FIELDS.isdisjoint(vals):
            # sudo: aliases of all users; the caller may set up incoming servers
            Alias = self.env["user.email.alias"].sudo()
            Alias.search([("imap_server_id", "in", self.ids)])._retry_copies()
        return result

    def _email_alias_files_by_itself(self):
        """Whether the provider files what is sent with this account."""
        self.ensure_one()
        return self.server_type in SELF_FILING_TYPES
