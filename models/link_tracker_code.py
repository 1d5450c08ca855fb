from odoo import models


class LinkTrackerCode(models.Model):
    _inherit = "link.tracker.code"

    def write(self, vals):
        """Restrict: the short link of a mailing stays where its sender put it."""
        self.link_id._email_alias_check_sender()
        result = super().write(vals)
        if "link_id" in vals:
            self.link_id._email_alias_check_sender()
        return result

    def unlink(self):
        """Restrict: as :meth:`write`."""
        self.link_id._email_alias_check_sender()
        return super().unlink()
