from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestRequest(DialogueCase):
    model = "base.module.install.request"

    def ask(self, **values):
        with self.committed() as env:
            module = env["ir.module.module"].search(
                [("state", "=", "uninstalled")], limit=1
            )
            admins = env.ref("base.group_system").all_user_ids
            self.addresses = admins.mapped("email_normalized")
        context = {"default_module_id": module.id}
        self.assertOffersFrom(self.model, context)
        why = "<p>Please</p>"
        self.press(
            "action_send_request", self.model, context, **{"body_html": why, **values}
        )

    def test_the_administrators_are_written_to_by_the_alias(self):
        self.ask()
        self.assertLeaves(*self.addresses)

    def test_odoos_own_server_can_be_chosen(self):
        self.ask(email_alias_id=False)
        self.assertNothingLeaves()
