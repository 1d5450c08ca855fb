from odoo import models


class PortalWizard(models.TransientModel):
    _name = "portal.wizard"
    _inherit = ["portal.wizard", "user.email.alias.dialogue"]

    def action_open_wizard(self):
        """Extend: it is made before a person sees it, and proposes an alias, too."""
        action = super().action_open_wizard()
        wizard = self.browse(action["res_id"])
        wizard.email_alias_id = wizard._email_alias_propose()
        return action
