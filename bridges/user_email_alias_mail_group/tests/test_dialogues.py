from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestReject(DialogueCase):
    model = "mail.group.message.reject"

    def reject(self, **values):
        group_id = self.create(
            "mail.group",
            {
                "name": "Knots",
                "moderation": True,
                "moderator_ids": [(6, 0, [self.user_id])],
            },
        )[0]
        message_id = self.create(
            "mail.group.message",
            {
                "mail_group_id": group_id,
                "email_from": "guest@example.org",
                "subject": "Off topic",
                "body": "<p>Buy this</p>",
            },
        )[0]
        context = {
            "default_mail_group_message_id": message_id,
            "default_action": "reject",
        }
        self.assertOffersFrom(self.model, context)
        body = "<p>Not here, please</p>"
        self.press("action_send_mail", self.model, context, **{"body": body, **values})

    def test_what_the_moderator_writes_leaves_by_the_alias(self):
        self.reject()
        self.assertLeaves("guest@example.org")

    def test_odoos_own_server_can_be_chosen(self):
        self.reject(email_alias_id=False)
        self.assertNothingLeaves()
