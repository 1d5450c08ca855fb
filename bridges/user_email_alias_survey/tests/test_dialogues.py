from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


class SurveyCase(DialogueCase):
    groups = ("survey.group_survey_manager",)

    def create_survey(self):
        return self.create(
            "survey.survey",
            {
                "title": "How was it?",
                "access_mode": "token",
                "users_login_required": False,
                "question_and_page_ids": [
                    (0, 0, {"title": "Well?", "question_type": "char_box"})
                ],
            },
        )[0]


@tagged("post_install", "-at_install", "user_email_alias")
class TestShare(SurveyCase):
    model = "survey.invite"
    # a colleague may press it where no alias is picked: recruitment does
    is_shared_without_alias = True

    def share(self, count, emails="", **values):
        self.survey_id = self.create_survey()
        with self.committed() as env:
            template = env.ref("survey.mail_template_user_input_invite")
        context = {
            "default_survey_id": self.survey_id,
            "default_template_id": template.id,
            "default_email_layout_xmlid": "mail.mail_notification_light",
        }
        self.assertOffersFrom(self.model, context)
        self.press(
            "action_invite",
            self.model,
            context,
            partner_ids=[[6, 0, self.create_partners(count)]],
            emails=emails,
            **values,
        )

    def test_contacts_and_addresses_are_invited_at_the_alias_s_pace(self):
        self.share(2, "other@example.org")
        guests = (f"guest{n}@example.org" for n in range(2))
        self.assertLeaves(*guests, "other@example.org")
        self.assertOutcome("survey.survey", self.survey_id)

    def test_one_is_not_kept_waiting(self):
        self.share(0, '"Other One" <other@example.org>')
        with self.committed() as env:
            mail = env["mail.mail"].search([("email_alias_id", "=", self.alias_id)])
            self.assertFalse(mail.email_alias_bulk)
        self.assertLeaves("other@example.org")

    def test_odoos_own_server_can_be_chosen(self):
        self.share(1, email_alias_id=False)
        self.assertNothingLeaves()
