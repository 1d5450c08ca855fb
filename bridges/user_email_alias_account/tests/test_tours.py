from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_browser import BrowserCase

from .test_dialogues import InvoiceCase


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestInvoiceTour(InvoiceCase, BrowserCase):
    def test_an_invoice_is_sent_with_the_button_on_it(self):
        move_id = self.create_invoices(1)[0]
        self.start_tour(f"/odoo/account.move/{move_id}", "user_email_alias_invoice")
        self.assertLeaves("guest0@example.org")
        self.assertIn(b"application/pdf", self.server.messages[0].data)
        self.assertOutcome("account.move", move_id)
