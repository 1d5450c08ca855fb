from odoo import api, models


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: aliases follow the settings they depend on."""
        params = super().create(vals_list)
        self._email_alias_follow(params.mapped("key"))
        return params

    def write(self, vals):
        """Extend: aliases follow the settings they depend on."""
        result = super().write(vals)
        self._email_alias_follow(self.mapped("key"))
        return result

    def unlink(self):
        """Extend: without the parameter its default holds again."""
        keys = self.mapped("key")
        result = super().unlink()
        self.env["user.email.alias"]._follow_own_imap(keys)
        return result

    @api.model
    def _email_alias_get(self, key):
        """Read a parameter that steers us, whoever asks; an empty text for none.

        One place for core's getter, whose name differs between its versions.
        """
        # sudo: whoever sends or signs in depends on it; its value goes nowhere
        return (self.sudo().get_param(key) or "").strip()

    def _email_alias_set(self, key, value):
        """Write a parameter of ours; False removes it. See :meth:`_email_alias_get`."""
        self.set_param(key, value)

    @api.model
    def _email_alias_follow(self, keys):
        Alias = self.env["user.email.alias"]
        Alias._follow_providers(keys)
        Alias._follow_own_imap(keys)
