from odoo import models


class PortalShare(models.TransientModel):
    _name = "portal.share"
    _inherit = ["portal.share", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        return self.resource_ref

    def _email_alias_count(self):
        """How many are written to."""
        return len(self.partner_ids)

    def action_send_mail(self):
        """Extend: whoever writes to several is told how long it takes."""
        with self.email_alias_id._follow_up(self.resource_ref):
            return super().action_send_mail()

    def _send_public_link(self, partners=None):
        """Extend: the links leave by the alias picked, several at its pace."""
        several = self._email_alias_count() > 1
        picked = self.email_alias_id._pick_for(self, is_bulk=several)
        return super(PortalShare, picked)._send_public_link(partners)

    def _send_signup_link(self, partners=None):
        """Extend: as :meth:`_send_public_link`."""
        several = self._email_alias_count() > 1
        picked = self.email_alias_id._pick_for(self, is_bulk=several)
        return super(PortalShare, picked)._send_signup_link(partners)
