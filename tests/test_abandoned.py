"""An alias whose sign-in nobody finished: no default, and gone after a day."""

from odoo import fields
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestAbandoned(AliasCommon):
    def setUp(self):
        super().setUp()
        self.alias = self.create_empty()

    def create_empty(self, **values):
        return self.env["user.email.alias"].with_user(self.user_plain).create(values)

    def collect(self, days=2):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE user_email_alias SET write_date = %s WHERE user_id = %s",
            [
                fields.Datetime.subtract(fields.Datetime.now(), days=days),
                self.user_plain.id,
            ],
        )
        self.env.invalidate_all()
        self.env["user.email.alias"]._gc_abandoned()

    def test_empty_alias_goes_after_a_day(self):
        self.collect(days=0)
        self.assertTrue(self.alias.exists())
        self.collect()
        self.assertFalse(self.alias.exists())

    def test_anything_typed_in_keeps_it(self):
        for values in (
            {"name": "x"},
            {"alias_name": "Somebody"},
            {"reply_to": "x@example.com"},
            {"smtp_user": "x"},
            {"smtp_password": "x"},
            {"delay_ms": 7},
            {"daily_limit": 7},
            {"disable_tls": True},
            {"signature": "<p>Regards</p>"},
        ):
            with self.subTest(values):
                alias = self.create_empty(**values)
                self.collect()
                self.assertTrue(alias.exists())

    def test_mail_keeps_it(self):
        self.env["mail.mail"].sudo().create(
            {"email_to": "x@example.org", "email_alias_id": self.alias.id}
        )
        self.collect()
        self.assertTrue(self.alias.exists())

    def test_archived_and_finished_aliases_stay(self):
        self.alias.active = False
        self.collect()
        self.assertTrue(self.alias.exists())
        self.assertTrue(self.alias_alice.exists())
