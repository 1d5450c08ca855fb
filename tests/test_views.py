"""What an administrator reads in the log when the add-on is installed: nothing."""

from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install", "user_email_alias")
class TestViews(TransactionCase):
    def test_core_finds_nothing_to_say_about_our_views(self):
        records = self.env["ir.model.data"].search(
            [("module", "=like", "user\\_email\\_alias%"), ("model", "=", "ir.ui.view")]
        )
        views = self.env["ir.ui.view"].browse(records.mapped("res_id"))
        self.assertGreater(len(views), 20)
        with self.assertNoLogs("odoo.addons.base.models.ir_ui_view", "WARNING"):
            views._check_xml()
