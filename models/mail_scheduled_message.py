from odoo import models


class MailScheduledMessage(models.Model):
    _inherit = "mail.scheduled.message"

    def _notification_parameters_whitelist(self):
        """Extend: the alias chosen in the composer is remembered until the date."""
        return super()._notification_parameters_whitelist() | {"email_alias_id"}
