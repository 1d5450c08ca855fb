from odoo import models

from odoo.addons.survey.wizard.survey_invite import emails_split


class SurveyInvite(models.TransientModel):
    _name = "survey.invite"
    _inherit = ["survey.invite", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        """The survey; with recruitment, the applicant who is interviewed by it."""
        applicant = "applicant_id" in self._fields and self.applicant_id
        return applicant or self.survey_id

    def action_invite(self):
        """Extend: of what was sent the survey's or applicant's chatter tells."""
        if not self.email_alias_id:
            return super().action_invite()
        with self.email_alias_id._follow_up(self._email_alias_get_record()):
            emails = filter(None, emails_split.split(self.emails or ""))
            count = len(self.partner_ids) + len([*emails])
            several = self.with_context(email_alias_bulk=count > 1)
            return super(SurveyInvite, several).action_invite()

    def _send_mail(self, answer):
        """Extend: the invitations leave by the alias picked, several at its pace."""
        alias = self.email_alias_id
        picked = alias._pick_for(self, is_bulk=self.env.context.get("email_alias_bulk"))
        return super(SurveyInvite, picked)._send_mail(answer)
