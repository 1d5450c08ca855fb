from odoo import models


class MailActivityMixin(models.AbstractModel):
    _inherit = "mail.activity.mixin"

    def activity_send_mail(self, template_id):
        """Extend: "Send Now" on many records keeps the pace of bulk mail."""
        picked = self.env["user.email.alias"]._get_picked()
        with picked._follow_up():
            records = picked._pick_for(self, is_bulk=len(self) > 1)
            return super(MailActivityMixin, records).activity_send_mail(template_id)
