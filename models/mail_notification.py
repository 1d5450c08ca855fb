from odoo import fields, models

from .user_email_alias_mail import UNCERTAIN


class MailNotification(models.Model):
    _inherit = "mail.notification"

    failure_type = fields.Selection(
        selection_add=[(UNCERTAIN, "Uncertain: the server's answer was never read")],
        ondelete={UNCERTAIN: "set null"},
    )
