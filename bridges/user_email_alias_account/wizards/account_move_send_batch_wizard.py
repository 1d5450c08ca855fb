from odoo import models


class AccountMoveSendBatchWizard(models.TransientModel):
    _name = "account.move.send.batch.wizard"
    _inherit = ["account.move.send.batch.wizard", "user.email.alias.dialogue"]

    def action_send_and_print(self, force_synchronous=False, allow_fallback_pdf=False):
        """Extend: the job sends by the alias that was picked."""
        self.email_alias_id._check_usable()
        action = super().action_send_and_print(
            force_synchronous=force_synchronous, allow_fallback_pdf=allow_fallback_pdf
        )
        waiting = self.move_ids.filtered("sending_data")
        # sudo: one's own alias, for what one has just put in line
        waiting.sudo().email_alias_sending_id = self.email_alias_id
        return action
