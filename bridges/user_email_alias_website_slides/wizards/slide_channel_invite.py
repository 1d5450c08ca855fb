from odoo import models


class SlideChannelInvite(models.TransientModel):
    _name = "slide.channel.invite"
    _inherit = ["slide.channel.invite", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        return self.channel_id

    def action_invite(self):
        """Extend: of what was sent the course's chatter tells."""
        with self.email_alias_id._follow_up(self.channel_id):
            several = self.with_context(email_alias_bulk=len(self.partner_ids) > 1)
            return super(SlideChannelInvite, several).action_invite()

    def _prepare_mail_values(self, slide_channel_partner):
        """Extend: the invitations leave by the alias picked, several at its pace."""
        values = super()._prepare_mail_values(slide_channel_partner)
        if alias := self.email_alias_id:
            values.update(alias._get_picked_values(values))
        return values
