from odoo import models


class MergePartnerAutomatic(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Extend: what waits leaves to the address it was sent off to."""
        src_partners._email_alias_keep_addresses()
        return super()._update_foreign_keys(src_partners, dst_partner)
