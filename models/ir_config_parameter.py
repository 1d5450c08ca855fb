import contextlib
import logging

from odoo import api, models

_logger = logging.getLogger(__name__)

# What keeps mail of all aliases: without it, or with more of it, some may leave.
OF_THE_QUEUE = frozenset(("database.is_neutralized", "user_email_alias.lanes"))


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: aliases follow the settings they depend on."""
        with self._email_alias_following([vals.get("key") for vals in vals_list]):
            return super().create(vals_list)

    def write(self, vals):
        """Extend: aliases follow the settings they depend on."""
        with self._email_alias_following([*self.mapped("key"), vals.get("key")]):
            return super().write(vals)

    def unlink(self):
        """Extend: without the parameter its default holds again."""
        with self._email_alias_following(self.mapped("key")):
            return super().unlink()

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

    def _email_alias_set(self, key, value):
        """Write a parameter of ours; False removes it. See :meth:`_email_alias_get`."""
        self.set_param(key, value)

    @contextlib.contextmanager
    def _email_alias_following(self, keys):
        """Let aliases follow a change of the parameters with these keys."""
        yield
        if not OF_THE_QUEUE.isdisjoint(keys):
            self.env["user.email.alias.queue"]._trigger_cron()
        keys = {key for key in keys if key and key.startswith("user_email_alias.")}
        if not keys:
            return
        Alias = self.env["user.email.alias"]
        Alias._follow_providers(keys)
        Alias._follow_own_imap(keys)
