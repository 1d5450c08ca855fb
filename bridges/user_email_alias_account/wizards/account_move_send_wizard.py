from odoo import models


class AccountMoveSendWizard(models.TransientModel):
    _name = "account.move.send.wizard"
    _inherit = ["account.move.send.wizard", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        return self.move_id

    def _email_alias_get(self, move):
        """Extend: whoever sends one invoice picks the alias here."""
        self.email_alias_id._check_usable()
        return self.email_alias_id
