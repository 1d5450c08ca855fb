from odoo import api, models


class MailThreadBlacklist(models.AbstractModel):
    _inherit = "mail.thread.blacklist"

    @api.depends("email_normalized")
    def _compute_is_blacklisted(self):
        """Extend: who wants no mailings wants none at an alias's address either."""
        super()._compute_is_blacklisted()
        emails = {record.id: record.email_normalized for record in self}
        listed = self.env["user.email.alias"]._find_blacklisted(emails.values())
        for record in self:
            if emails[record.id] in listed:
                record.is_blacklisted = True
