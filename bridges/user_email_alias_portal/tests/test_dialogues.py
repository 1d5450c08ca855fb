from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestGrantAccess(DialogueCase):
    groups = ("base.group_erp_manager", "base.group_partner_manager")
    model = "portal.wizard"

    def grant(self, **values):
        partner_id = self.create_partners(1)[0]
        with self.committed(self.user_id) as env:
            wizard = env[self.model].with_context(active_ids=[partner_id])
            wizard_id = wizard.action_open_wizard()["res_id"]
            wizard = env[self.model].browse(wizard_id)
            self.assertEqual(wizard.email_alias_id.id, self.alias_id)
            line_id = wizard.user_ids.id
        self.addCleanup(self._remove_portal_user, partner_id)
        if values:
            self.call(self.model, "web_save", [wizard_id], values, {})
        self.call("portal.wizard.user", "action_grant_access", [line_id])
        return partner_id

    def _remove_portal_user(self, partner_id):
        with self.committed() as env:
            users = env["res.users"].with_context(active_test=False)
            users.search([("partner_id", "=", partner_id)]).unlink()

    def test_an_invitation_to_the_portal_leaves_by_the_alias(self):
        partner_id = self.grant()
        self.assertLeaves("guest0@example.org")
        self.assertOutcome("res.partner", partner_id)

    def test_odoos_own_server_can_be_chosen(self):
        self.grant(email_alias_id=False)
        self.assertNothingLeaves()
