from odoo import models

from odoo.addons.mail.tools.parser import parse_res_ids


class MailFollowersEdit(models.TransientModel):
    _name = "mail.followers.edit"
    _inherit = ["mail.followers.edit", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        res_ids = parse_res_ids(self.res_ids or "[]", self.env)
        if self.res_model in self.env and len(res_ids) == 1:
            return self.env[self.res_model].browse(res_ids)
        return None

    def edit_followers(self):
        """Extend: the message to new followers leaves by the alias picked."""
        if len(self) != 1 or not self.notify or self.operation != "add":
            return super().edit_followers()
        with self._email_alias_sending(len(self.partner_ids)) as dialogue:
            return super(MailFollowersEdit, dialogue).edit_followers()

    def _prepare_message_values(self, documents, model_name):
        """Extend: answers go to whoever wrote, as they do without an alias."""
        values = super()._prepare_message_values(documents, model_name)
        if self.email_alias_id:
            # sudo: one's own alias, see _email_alias_sending
            alias_sudo = self.email_alias_id.sudo()
            values["reply_to"] = alias_sudo.reply_to or alias_sudo._get_formatted_from()
        return values
