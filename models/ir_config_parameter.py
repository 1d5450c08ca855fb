import logging

from odoo import api, models

from ..tools import oauth
from .user_email_alias_oauth_settings import PREFIX

_logger = logging.getLogger(__name__)

# Whether users may name a mailbox of their own for the copies of sent mail.
OWN_IMAP = f"{PREFIX}.own_imap"


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: aliases follow the settings they depend on."""
        params = super().create(vals_list)
        params._email_alias_follow()
        return params

    def write(self, vals):
        """Extend: aliases follow the settings they depend on."""
        result = super().write(vals)
        self._email_alias_follow()
        return result

    def unlink(self):
        """Extend: without the parameter its default holds again."""
        is_own_imap = OWN_IMAP in self.mapped("key")
        result = super().unlink()
        if is_own_imap:
            self.env["user.email.alias"]._follow_own_imap()
        return result

    @api.model
    def _email_alias_get(self, key):
        """Read a parameter that steers us, whoever asks; an empty text for none.

        One place for core's getter, whose name differs between its versions.
        """
        # sudo: whoever sends or signs in depends on it; its value goes nowhere
        return (self.sudo().get_param(key) or "").strip()

    @api.model
    def _email_alias_get_number(self, key, default):
        """Read a whole number, 0 or more; the default if there is none."""
        value = self._email_alias_get(key)
        if value.isdecimal():
            return int(value)
        if value:
            _logger.error("%s is not a number: %s", key, value)
        return default

    def _email_alias_follow(self):
        keys = [key for key in self.mapped("key") if key]
        Alias = self.env["user.email.alias"]
        for provider in oauth.PROVIDERS:
            # those that waited for their provider's settings go on
            if any(key.startswith(f"{PREFIX}.{provider}_") for key in keys):
                Alias._release_provider(provider)
        if OWN_IMAP in keys:
            Alias._follow_own_imap()
