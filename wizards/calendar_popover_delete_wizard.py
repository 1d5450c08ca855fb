from odoo import models


class CalendarPopoverDeleteWizard(models.TransientModel):
    _name = "calendar.popover.delete.wizard"
    _inherit = ["calendar.popover.delete.wizard", "user.email.alias.dialogue"]

    def action_send_mail_and_delete(self):
        """Extend: the cancellation leaves by the alias picked, after its event."""
        alias = self.email_alias_id
        several = len(self.calendar_event_id.partner_ids) > 1
        with alias._follow_up():
            picked = alias._pick_for(self, is_bulk=several, is_loose=True)
            return super(
                CalendarPopoverDeleteWizard, picked
            ).action_send_mail_and_delete()
