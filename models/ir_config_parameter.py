from odoo import api, models

from ..tools import oauth
from .oauth_settings import PREFIX


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: aliases that waited for a provider's settings go on."""
        params = super().create(vals_list)
        params._email_alias_release()
        return params

    def write(self, vals):
        """Extend: aliases that waited for a provider's settings go on."""
        result = super().write(vals)
        self._email_alias_release()
        return result

    def _email_alias_release(self):
        for key in oauth.PROVIDERS:
            start = f"{PREFIX}.{key}_"
            if any(name and name.startswith(start) for name in self.mapped("key")):
                self.env["user.email.alias"]._release_provider(key)
