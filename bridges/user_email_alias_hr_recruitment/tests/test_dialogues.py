from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.hr_recruitment.wizard.applicant_refuse_reason import (
    ApplicantGetRefuseReason,
)
from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


class ApplicantCase(DialogueCase):
    groups = ("hr_recruitment.group_hr_recruitment_manager",)

    def create_applicants(self, count):
        return self.create(
            "hr.applicant",
            *(
                {"partner_name": f"Guest {n}", "email_from": f"guest{n}@example.org"}
                for n in range(count)
            ),
        )


@tagged("post_install", "-at_install", "user_email_alias")
class TestApplicants(ApplicantCase):
    model = "applicant.send.mail"

    def write_to(self, count, **values):
        self.applicant_ids = self.create_applicants(count)
        context = {"default_applicant_ids": [[6, 0, self.applicant_ids]]}
        self.assertOffersFrom(self.model, context)
        self.press(
            "action_send",
            self.model,
            context,
            **{"subject": "Your application", "body": "<p>Thank you</p>", **values},
        )

    def test_three_are_written_to_at_the_alias_s_pace(self):
        self.write_to(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        for applicant_id in self.applicant_ids:
            self.assertOutcome("hr.applicant", applicant_id)

    def test_one_is_not_kept_waiting(self):
        self.write_to(1)
        with self.committed() as env:
            mail = env["mail.mail"].search([("email_alias_id", "=", self.alias_id)])
            self.assertFalse(mail.email_alias_bulk)
        self.assertLeaves("guest0@example.org")

    def test_odoos_own_server_can_be_chosen(self):
        self.write_to(1, email_alias_id=False)
        self.assertNothingLeaves()


@tagged("post_install", "-at_install", "user_email_alias")
class TestRefusal(ApplicantCase):
    model = "applicant.get.refuse.reason"

    def refuse(self, count, **values):
        self.applicant_ids = self.create_applicants(count)
        # as core opens it: they are archived before they are written to
        context = {
            "default_applicant_ids": [[6, 0, self.applicant_ids]],
            "active_test": False,
        }
        self.assertOffersFrom(self.model, context)
        with self.committed() as env:
            template = env.ref("hr_recruitment.email_template_data_applicant_refuse")
        self.press(
            "action_refuse_reason_apply",
            self.model,
            context,
            **{
                "send_mail": True,
                "template_id": template.id,
                "subject": "Your application",
                "body": "<p>We are sorry</p>",
                **values,
            },
        )

    def test_refusals_leave_by_the_alias_at_its_pace(self):
        self.refuse(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        for applicant_id in self.applicant_ids:
            self.assertOutcome("hr.applicant", applicant_id)

    def test_odoos_own_server_can_be_chosen(self):
        self.refuse(1, email_alias_id=False)
        self.assertNothingLeaves()

    def test_without_an_email_nothing_leaves(self):
        self.refuse(1, send_mail=False)
        self.assertNothingLeaves()

    def test_refusals_that_core_posts_leave_so_as_well(self):
        """Later versions of Odoo 19 post them: the message is the email (235888)."""

        def post(dialogue):
            for applicant in dialogue.applicant_ids:
                applicant.message_post(
                    author_id=dialogue.env.user.partner_id.id,
                    body="We are sorry",
                    email_from=dialogue.env.user.email_formatted,
                    outgoing_email_to=applicant.email_from,
                    subject="Your application",
                )

        with patch.object(
            ApplicantGetRefuseReason, "_prepare_send_refusal_mails", post
        ):
            self.refuse(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        for applicant_id in self.applicant_ids:
            self.assertOutcome("hr.applicant", applicant_id)
