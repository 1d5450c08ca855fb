from odoo import models


class PortalWizardUser(models.TransientModel):
    _inherit = "portal.wizard.user"

    def _send_email(self):
        """Extend: the invitation leaves by the alias picked."""
        alias = self.wizard_id.email_alias_id
        with alias._follow_up(self.partner_id):
            return super(PortalWizardUser, alias._pick_for(self))._send_email()
