"""The Sending Log as people read it, and how long it is kept."""

from datetime import datetime, timedelta

from odoo import fields
from odoo.tests import tagged

from ..tools.epoch import to_epoch
from .common import AliasCommon

DAY = datetime(2026, 3, 14, 23, 59, 59)


@tagged("post_install", "-at_install", "user_email_alias")
class TestLogTime(AliasCommon):
    def setUp(self):
        super().setUp()
        self.last, self.first, self.next_day, self.claim = self.make_rows(
            DAY + timedelta(seconds=0.75),
            DAY - timedelta(hours=5),
            DAY + timedelta(seconds=1.5),
            None,
        )
        self.Log = self.env["user.email.alias.log"].with_user(self.user_bob)
        self.own = [("alias_id", "=", self.alias_bob.id)]

    def make_rows(self, *moments):
        return self.env["user.email.alias.log"].create(
            [
                {
                    "alias_id": self.alias_bob.id,
                    **({"outcome": "sent", "replied_at": at} if at else {}),
                }
                for at in map(to_epoch, moments)
            ]
        )

    def search(self, *leaves, **options):
        return self.Log.search([*self.own, *leaves], **options).sudo()

    def test_the_time_is_the_reply_s_to_the_second(self):
        self.assertEqual(self.last.replied_on, DAY)
        self.assertFalse(self.claim.replied_on)

    def test_rows_are_found_by_their_time(self):
        for leaf, found in (
            (("replied_on", "<", DAY), self.first),
            (("replied_on", ">=", "2026-03-14 23:59:59"), self.last + self.next_day),
            (("replied_on", ">", "2026-03-15 00:00:00"), self.Log),
            (("replied_on", "=", "2026-03-14 23:59:59"), self.last),
            (("replied_on", "=", False), self.claim),
            (("replied_on", "!=", False), self.last + self.first + self.next_day),
        ):
            with self.subTest(leaf=leaf):
                self.assertEqual(self.search(leaf), found)

    def test_rows_are_sorted_and_grouped_by_their_time(self):
        rows = self.search(("replied_on", "!=", False), order="replied_on")
        self.assertEqual(rows.ids, (self.first + self.last + self.next_day).ids)
        groups = self.Log.with_context(tz="UTC").formatted_read_group(
            [*self.own, ("replied_on", "!=", False)], ["replied_on:day"], ["__count"]
        )
        self.assertEqual([group["__count"] for group in groups], [2, 1])
        for group in groups:
            self.assertEqual(
                self.search(*group["__extra_domain"]).mapped("replied_on"),
                rows.filtered_domain(group["__extra_domain"]).mapped("replied_on"),
            )
        field = self.Log.fields_get(["replied_on"])["replied_on"]
        self.assertTrue(field["groupable"] and field["sortable"])

    def test_old_rows_are_forgotten(self):
        old, young = self.make_rows(
            fields.Datetime.now() - timedelta(days=181),
            fields.Datetime.now() - timedelta(days=179),
        )
        self.env["user.email.alias.log"]._gc_logs()
        self.assertFalse(old.exists())
        self.assertTrue(young.exists())
        self.assertTrue(self.claim.exists())
