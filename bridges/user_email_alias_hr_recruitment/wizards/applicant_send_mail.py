from odoo import models


class ApplicantSendMail(models.TransientModel):
    _name = "applicant.send.mail"
    _inherit = ["applicant.send.mail", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        return self.applicant_ids if len(self.applicant_ids) == 1 else None

    def action_send(self):
        """Extend: the emails leave by the alias picked, several at its pace."""
        with self._email_alias_sending(len(self.applicant_ids)) as dialogue:
            return super(ApplicantSendMail, dialogue).action_send()
