from odoo import models


class LinkTracker(models.Model):
    _inherit = "link.tracker"

    def write(self, vals):
        """Restrict: where a link of a mailing leads is its sender's to say."""
        self._email_alias_check_sender()
        result = super().write(vals)
        if "mass_mailing_id" in vals:
            self._email_alias_check_sender()
        return result

    def unlink(self):
        """Restrict: as :meth:`write`; its recipients would find nothing."""
        self._email_alias_check_sender()
        return super().unlink()

    def _email_alias_check_sender(self):
        """Let a person change links of what they have sent themselves.

        :raise AccessError: the mailing leaves by somebody else's alias
        """
        if not self.env.su:
            self.mass_mailing_id._check_email_alias_sender()
