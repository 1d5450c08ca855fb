"""What people send from other apps by the composer, or by a bridge to another app."""

from odoo.tests import tagged

from ..common_automatic import ADA, GUEST, ROBOT
from ..test_compose_doors import COMPOSER, GUESTS, DoorCase
from .common_orders import OrderMixin


@tagged("post_install", "-at_install", "user_email_alias")
class TestQuotation(OrderMixin, DoorCase):
    groups = ("sales_team.group_sale_salesman_all_leads",)

    def create_orders(self, count):
        product_id = self.create("product.product", {"name": "Knot"})[0]
        return self.create(
            "sale.order",
            *(
                {
                    "partner_id": partner_id,
                    "user_id": self.user_id,
                    "order_line": [(0, 0, {"product_id": product_id})],
                }
                for partner_id in self.create_partners(count)
            ),
        )

    def open_composer(self, ids):
        action = self.call("sale.order", "action_quotation_send", ids)
        self.assertEqual(action["res_model"], COMPOSER)
        return action["context"]

    def test_a_quotation(self):
        ids = self.create_orders(1)
        context = self.open_composer(ids)
        self.assertOffersFrom(COMPOSER, context)
        self.send(context)
        self.assertLeaves(GUEST)
        self.assertIn(b'filename="Quotation', self.server.messages[0].data)
        self.assertOutcome("sale.order", ids[0])
        with self.committed() as env:
            self.assertEqual(env["sale.order"].browse(ids).state, "sent")

    def test_a_quotation_by_odoo_s_own_server(self):
        context = self.open_composer(self.create_orders(1))
        self.send(context, email_alias_id=False)
        self.assertLeavesByOdoo(ADA, GUEST)

    def test_several_quotations(self):
        ids = self.create_orders(len(GUESTS))
        context = self.open_composer(ids)
        self.assertOffersFrom(COMPOSER, context)
        self.send(context, subject="Offers", body="<p>Hello</p>")
        self.assertLeaves(*GUESTS)
        for order_id in ids:
            self.assertOutcome("sale.order", order_id)


@tagged("post_install", "-at_install", "user_email_alias")
class TestInterview(DoorCase):
    """An applicant is sent a survey: recruitment's dialogue, with survey's bridge."""

    groups = (
        "hr_recruitment.group_hr_recruitment_user",
        "survey.group_survey_user",
    )
    model = "survey.invite"

    def test_an_interview_is_told_of_at_the_applicant_s(self):
        survey_id = self.create(
            "survey.survey",
            {
                "title": "Interview",
                "survey_type": "recruitment",
                "access_mode": "token",
                "user_id": self.user_id,
                "question_and_page_ids": [
                    (0, 0, {"title": "Well?", "question_type": "char_box"})
                ],
            },
        )[0]
        job_id = self.create(
            "hr.job", {"name": "Baker", "survey_id": survey_id, "user_id": self.user_id}
        )[0]
        applicant_id = self.create(
            "hr.applicant",
            {
                "partner_name": "Guest 0",
                "partner_id": self.create_partners(1)[0],
                "job_id": job_id,
            },
        )[0]
        self.clear()
        action = self.call("hr.applicant", "action_send_survey", [applicant_id])
        self.assertEqual(action["res_model"], self.model)
        self.assertOffersFrom(self.model, action["context"])
        self.press("action_invite", self.model, action["context"])
        self.assertLeaves(GUEST)
        self.assertFalse(self.odoo_server.messages)
        self.assertOutcome("hr.applicant", applicant_id)


@tagged("post_install", "-at_install", "user_email_alias")
class TestInvoiceFrom(DoorCase):
    """The From of an invoice's template, as reported for Odoo (odoo/odoo 34123)."""

    groups = ("account.group_account_invoice",)
    model = "account.move.send.wizard"

    def setUp(self):
        super().setUp()
        with self.committed() as env:
            template = env.ref("account.email_template_edi_invoice")
            self.addCleanup(self._give_back, template.email_from)
            template.email_from = ROBOT

    def _give_back(self, email_from):
        with self.committed() as env:
            env.ref("account.email_template_edi_invoice").email_from = email_from

    def send_invoice(self, **values):
        partner_id = self.create_partners(1)[0]
        line = {"name": "Work", "quantity": 1, "price_unit": 100}
        with self.committed() as env:
            move = env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": partner_id,
                    "invoice_date": "2026-01-15",
                    "invoice_line_ids": [(0, 0, line)],
                }
            )
            move.action_post()
            move_id = move.id
        self.addCleanup(self._remove_invoice, move_id)
        self.clear()
        context = {"active_model": "account.move", "active_ids": [move_id]}
        self.press("action_send_and_print", self.model, context, **values)

    def _remove_invoice(self, move_id):
        with self.committed() as env:
            move = env["account.move"].browse(move_id)
            move.message_ids.unlink()
            move.button_draft()
            move.with_context(force_delete=True).unlink()

    def test_it_stays_unless_somebody_picks_an_alias(self):
        self.send_invoice(email_alias_id=False)
        self.assertLeavesByOdoo(ROBOT, GUEST)

    def test_whoever_picks_an_alias_is_the_sender(self):
        self.send_invoice()
        self.assertLeaves(GUEST)
        self.assertFalse(self.odoo_server.messages)
