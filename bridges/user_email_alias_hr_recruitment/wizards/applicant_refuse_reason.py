from odoo import models


class ApplicantGetRefuseReason(models.TransientModel):
    _name = "applicant.get.refuse.reason"
    _inherit = ["applicant.get.refuse.reason", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        return self.applicant_ids if len(self.applicant_ids) == 1 else None

    def _prepare_send_refusal_mails(self):
        """Extend: the refusals leave by the alias picked, several at its pace.

        Core posts what each says, and sends it beside; the two belong together.
        """
        alias, applicants = self.email_alias_id, self.applicant_ids
        with alias._follow_up(
            find_messages=lambda: [
                applicant.message_ids[:1] for applicant in applicants
            ]
        ):
            picked = alias._pick_for(self, is_bulk=len(applicants) > 1)
            return super(ApplicantGetRefuseReason, picked)._prepare_send_refusal_mails()
