from odoo import fields, models

from ..sending.message import is_provisional
from .user_email_alias_mail_outcome import UNCERTAIN


class MailNotification(models.Model):
    _inherit = "mail.notification"

    failure_type = fields.Selection(
        selection_add=[(UNCERTAIN, "Uncertain: the server's answer was never read")],
        ondelete={UNCERTAIN: "set null"},
    )

    def write(self, vals):
        """Extend: while a mail is built nothing is written about its failure."""
        if is_provisional(self, vals):
            return True
        return super().write(vals)
