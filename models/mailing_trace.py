from odoo import api, fields, models

from .user_email_alias_mail_outcome import UNCERTAIN


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    failure_type = fields.Selection(
        selection_add=[(UNCERTAIN, "Uncertain: the server's answer was never read")],
        ondelete={UNCERTAIN: "set null"},
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Restrict: who has been written to is not for others to say."""
        traces = super().create(vals_list)
        traces._email_alias_check_sender()
        return traces

    def write(self, vals):
        """Restrict: as :meth:`create`."""
        self._email_alias_check_sender()
        result = super().write(vals)
        if "mass_mailing_id" in vals:
            self._email_alias_check_sender()
        return result

    def unlink(self):
        """Restrict: as :meth:`create`; who has no trace is written to again."""
        self._email_alias_check_sender()
        return super().unlink()

    def _email_alias_check_sender(self):
        """Let a person change traces of what they have sent themselves.

        :raise AccessError: the mailing leaves by somebody else's alias
        """
        if not self.env.su:
            self.mass_mailing_id._check_email_alias_sender()
