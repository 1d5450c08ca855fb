from odoo import models

from .user_email_alias_recipient import ADDRESS_FIELDS


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "user.email.alias.recipient"]

    def write(self, vals):
        """Extend: what waits leaves to the address it was sent off to."""
        if vals.keys().isdisjoint(ADDRESS_FIELDS):
            return super().write(vals)
        self._email_alias_keep_addresses(vals)
        scheduled = self._email_alias_find_own_scheduled(vals)
        result = super().write(vals)
        scheduled._email_alias_seal_up()
        return result

    def unlink(self):
        """Extend: as :meth:`write`."""
        self._email_alias_keep_addresses()
        return super().unlink()
