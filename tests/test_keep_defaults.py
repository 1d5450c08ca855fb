"""Defaults that an administrator plants: nothing of them leaves by an alias."""

from odoo.tests import tagged

from .common import AliasCommon

EVIL = "evil@x.example"


@tagged("post_install", "-at_install", "user_email_alias")
class TestPlantedDefaults(AliasCommon):
    def plant(self, model, **values):
        Default = self.env["ir.default"]
        for fname, value in values.items():
            self.rpc(self.user_admin, Default, "set", model, fname, value)

    def assertNothingPlanted(self):
        self.env.invalidate_all()
        mails = self.find_mails(self.alias_bob)
        self.assertTrue(mails)
        for mail in mails:
            self.assertNotIn("evil", str(mail._prepare_outgoing_list()).lower())
        self.assertLeavesBy(self.alias_bob, mails)

    def plant_all(self):
        stranger = self.env["res.partner"].create({"name": "E", "email": EVIL})
        file = self.env["ir.attachment"].create({"name": "evil.txt", "raw": b"evil"})
        self.plant(
            "mail.mail",
            email_cc=EVIL,
            email_to=EVIL,
            headers=f"{{'Bcc': '{EVIL}'}}",
            recipient_ids=stranger.ids,
            body_html="<p>Evil</p>",
            references="<evil@x.example>",
            scheduled_date="2040-01-01 00:00:00",
            mailing_id=self.create_mailing(self.user_alice).id,
            state="cancel",
        )
        self.plant(
            "mail.message",
            attachment_ids=file.ids,
            partner_ids=stranger.ids,
            reply_to=EVIL,
            subject="Evil",
        )

    def test_a_message_leaves_as_written(self):
        self.plant_all()
        self.send_message(
            self.user_bob, self.lead, email_alias_id=self.alias_bob.id, subject="Own"
        )
        self.assertNothingPlanted()

    def test_a_bulk_sending_leaves_as_written(self):
        self.plant_all()
        alias_id = self.alias_bob.id
        self.open_composer(
            self.user_bob, self.leads, email_alias_id=alias_id
        ).action_send_mail()
        self.assertNothingPlanted()

    def test_a_mailing_leaves_as_written(self):
        mailing = self.create_mailing(self.user_bob)
        mailing.action_launch()
        self.plant_all()
        self.run_mailing_cron()
        self.assertNothingPlanted()
