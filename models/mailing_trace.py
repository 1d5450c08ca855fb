from odoo import fields, models

from .user_email_alias_mail_outcome import UNCERTAIN


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    failure_type = fields.Selection(
        selection_add=[(UNCERTAIN, "Uncertain: the server's answer was never read")],
        ondelete={UNCERTAIN: "set null"},
    )
