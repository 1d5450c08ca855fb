from odoo import models

from .user_email_alias_recipient import ADDRESS_FIELDS


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "user.email.alias.recipient"]

    def write(self, vals):
        """Extend: what waits leaves to the address it was sent off to."""
        if not vals.keys().isdisjoint(ADDRESS_FIELDS):
            self._email_alias_keep_addresses(vals)
        return super().write(vals)

    def unlink(self):
        """Extend: as :meth:`write`."""
        self._email_alias_keep_addresses()
        return super().unlink()
