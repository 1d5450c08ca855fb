"""What code sends by itself leaves as it would without this add-on."""

from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestAutomation(AliasCommon):
    """The author has a default alias; nobody opened a composer."""

    def setUp(self):
        super().setUp()
        self.template = self.env["mail.template"].create(
            {
                "name": "Robot",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "email_from": "robot@corp.example",
                "subject": "Robot",
                "body_html": "<p>Hello</p>",
                "partner_to": str(self.customer[:1].id),
            }
        )
        self.before = self.env["mailing.mailing"].search([])

    def compose(self, mode="comment"):
        records = self.leads if mode == "mass_mail" else self.lead
        return f"""
composer = env['mail.compose.message'].create({{
    'composition_mode': '{mode}',
    'model': 'crm.lead',
    'res_ids': '{records.ids}',
    'template_id': {self.template.id},
    'partner_ids': [(6, 0, {self.customer.ids})],
}})
composer.action_send_mail()
"""

    def mailing_vals(self):
        model_id = self.env["ir.model"]._get_id("crm.lead")
        return {"subject": "x", "mailing_model_id": model_id}

    def run_code(self, code, **context):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Code",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": code,
            }
        )
        action.with_user(self.user_alice).sudo().with_context(
            active_model="crm.lead", active_id=self.lead.id, **context
        ).run()

    def assertFromRobot(self):
        mails = self.find_mails()
        self.assertTrue(mails)
        self.assertEqual(set(mails.mapped("email_from")), {"robot@corp.example"})
        self.assertFalse(self.find_mails(self.alias_alice))
        self.assertFalse(mails.mail_message_id.email_alias_id)

    def test_a_server_action_that_composes(self):
        for mode in ("comment", "mass_mail"):
            with self.subTest(mode=mode):
                self.run_code(self.compose(mode))
                self.assertFromRobot()

    def test_code_that_runs_while_a_person_sends_takes_nothing_of_their_choice(self):
        chosen = self.alias_alice_2.id
        for context in (
            # what the web client hands to the full composer, and what others may
            {"email_alias_chosen": chosen, "clicked_on_full_composer": True},
            {"default_email_alias_id": chosen},
        ):
            for mode in ("comment", "mass_mail"):
                with self.subTest(mode=mode, context=context):
                    self.run_code(self.compose(mode), **context)
                    self.assertFromRobot()
                    self.assertFalse(self.find_mails(self.alias_alice_2))
            self.run_code(f"env['mailing.mailing'].create({self.mailing_vals()})")
        mailings = self.env["mailing.mailing"].search([]) - self.before
        self.assertFalse(mailings.email_alias_id)

    def test_full_composer_starts_with_what_was_chosen_in_the_chatter(self):
        spec = {"email_alias_id": {"fields": {}}, "model": {}, "res_ids": {}}
        for chosen in (self.alias_alice_2.id, False):
            reply = self.rpc(
                self.user_alice,
                self.env["mail.compose.message"],
                "onchange",
                {},
                [],
                spec,
                context={
                    "default_model": "crm.lead",
                    "default_res_ids": self.lead.ids,
                    "email_alias_chosen": chosen,
                },
            )
            proposed = reply["value"]["email_alias_id"]
            self.assertEqual(proposed and proposed["id"], chosen)

    def test_an_action_that_sends_a_template(self):
        for method in ("email", "comment"):
            action = self.env["ir.actions.server"].create(
                {
                    "name": "Mail",
                    "model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "state": "mail_post",
                    "template_id": self.template.id,
                    "mail_post_method": method,
                }
            )
            action.with_user(self.user_alice).sudo().with_context(
                active_model="crm.lead", active_id=self.lead.id
            ).run()
            self.assertFromRobot()

    def test_code_that_sends_a_template(self):
        self.template.with_user(self.user_alice).sudo().send_mail(self.lead.id)
        self.lead.with_user(self.user_alice).message_post_with_source(self.template)
        self.lead.with_user(self.user_alice).message_mail_with_source(self.template)
        self.assertFalse(self.find_mails(self.alias_alice))

    def test_code_that_makes_a_mailing(self):
        self.run_code(f"env['mailing.mailing'].create({self.mailing_vals()})")
        mailing = self.env["mailing.mailing"].search([]) - self.before
        self.assertFalse(mailing.email_alias_id)

    def test_a_template_keeps_its_from_unless_a_person_chose(self):
        composer = self.open_composer(
            self.user_alice,
            self.lead,
            {"email_alias_person": False},
            template_id=self.template.id,
        )
        self.assertEqual(composer.email_from, "robot@corp.example")
        composer.email_alias_id = self.alias_alice
        self.assertIn("alice@a.example.com", composer.email_from)

    def test_a_person_is_proposed_the_default(self):
        for model, values in (
            ("mail.compose.message", {"model": "crm.lead", "res_ids": "[]"}),
            ("mailing.mailing", {}),
        ):
            reply = self.rpc(
                self.user_alice,
                self.env[model],
                "onchange",
                values,
                [],
                {"email_alias_id": {"fields": {}}},
            )
            proposed = reply["value"]["email_alias_id"]
            self.assertEqual(proposed["id"], self.alias_alice.id)
