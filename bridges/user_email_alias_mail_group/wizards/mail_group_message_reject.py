from odoo import models


class MailGroupMessageReject(models.TransientModel):
    _name = "mail.group.message.reject"
    _inherit = ["mail.group.message.reject", "user.email.alias.dialogue"]

    def action_send_mail(self):
        """Extend: what the moderator writes leaves by the alias picked."""
        with self._email_alias_sending(1) as dialogue:
            return super(MailGroupMessageReject, dialogue).action_send_mail()
