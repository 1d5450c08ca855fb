from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


class InvoiceCase(DialogueCase):
    groups = ("account.group_account_invoice",)

    def create_invoices(self, count):
        partner_ids = self.create_partners(count)
        with self.committed() as env:
            moves = env["account.move"].create(
                [
                    {
                        "move_type": "out_invoice",
                        "partner_id": partner_id,
                        "invoice_date": "2026-01-15",
                        "invoice_line_ids": [
                            (0, 0, {"name": "Work", "quantity": 1, "price_unit": 100})
                        ],
                    }
                    for partner_id in partner_ids
                ]
            )
            moves.action_post()
            self.addCleanup(self._remove_invoices, moves.ids)
            return moves.ids

    def _remove_invoices(self, ids):
        with self.committed() as env:
            moves = env["account.move"].browse(ids)
            moves.message_ids.unlink()
            moves.button_draft()
            moves.with_context(force_delete=True).unlink()


@tagged("post_install", "-at_install", "user_email_alias")
class TestInvoices(InvoiceCase):
    model = "account.move.send.wizard"
    batch = "account.move.send.batch.wizard"

    def send(self, **values):
        self.move_id = self.create_invoices(1)[0]
        context = {"active_model": "account.move", "active_ids": [self.move_id]}
        self.assertOffersFrom(self.model, context)
        self.press("action_send_and_print", self.model, context, **values)

    def send_batch(self, count=3, **values):
        self.move_ids = self.create_invoices(count)
        context = {"active_model": "account.move", "active_ids": self.move_ids}
        self.assertOffersFrom(self.batch, context)
        self.press("action_send_and_print", self.batch, context, **values)

    def run_job(self):
        """Do what the cron worker does."""
        with self.committed() as env:
            env["account.move"]._cron_account_move_send()

    def test_an_invoice_leaves_by_the_alias(self):
        self.send()
        self.assertLeaves("guest0@example.org")
        self.assertIn(b"application/pdf", self.server.messages[0].data)
        self.assertOutcome("account.move", self.move_id)

    def test_odoos_own_server_can_be_chosen(self):
        self.send(email_alias_id=False)
        self.assertNothingLeaves()

    def test_many_invoices_leave_by_the_alias_at_its_pace(self):
        self.send_batch()
        self.assertNothingLeaves()
        self.run_job()
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        for move_id in self.move_ids:
            self.assertOutcome("account.move", move_id)

    def test_odoos_own_server_can_be_chosen_for_many(self):
        self.send_batch(email_alias_id=False)
        self.run_job()
        self.assertNothingLeaves()

    def test_whoever_puts_other_words_in_line_takes_the_alias_off(self):
        self.send_batch(2)
        with self.committed() as env:
            colleague = self._create_user(env, "queue_bob")
            colleague.group_ids += env.ref("account.group_account_invoice")
        with self.committed(colleague.id) as env:
            move = env["account.move"].browse(self.move_ids[0])
            move.sending_data = {**move.sending_data, "mail_body": "<p>Forged</p>"}
        self.run_job()
        self.assertLeaves("guest1@example.org", is_bulk=True)

    def test_an_alias_archived_meanwhile_stops_its_invoices_with_a_sentence(self):
        self.send_batch(2)
        self.write_alias(active=False)
        self.run_job()
        self.assertNothingLeaves()
        with self.committed() as env:
            for move in env["account.move"].browse(self.move_ids):
                self.assertFalse(move.is_being_sent)
                self.assertIn("archived", move.message_ids[0].body)
                domain = [("model", "=", move._name), ("res_id", "=", move.id)]
                self.assertFalse(env["mail.mail"].search(domain))

    def test_nobody_can_name_an_alias_for_the_job(self):
        move_ids = self.create_invoices(1)
        with self.assertRaises(AccessError), self.committed(self.user_id) as env:
            move = env["account.move"].browse(move_ids)
            move.email_alias_sending_id = self.alias_id
