from odoo import models


class BaseModuleInstallRequest(models.TransientModel):
    _name = "base.module.install.request"
    _inherit = ["base.module.install.request", "user.email.alias.dialogue"]

    def action_send_request(self):
        """Extend: the request leaves by the alias picked, several at its pace."""
        with self._email_alias_sending(len(self.user_ids)) as dialogue:
            return super(BaseModuleInstallRequest, dialogue).action_send_request()
