"""A message for later leaves as it was sent off; only its author has a hand in it."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestKeepLater(AliasCommon):
    def setUp(self):
        super().setUp()
        self.later = fields.Datetime.now() + timedelta(hours=3)
        self.user_inbox = self.create_user("ines_alias", "Ines Inbox")
        self.user_inbox.notification_type = "inbox"
        file = self.env["ir.attachment"].with_user(self.user_bob)
        self.message = self.send_message(
            self.user_bob,
            self.lead,
            body="Good words",
            partner_ids=(self.customer | self.user_inbox.partner_id).ids,
            outgoing_email_to="friend@x.example",
            attachment_ids=file.create(
                {
                    "name": "offer.txt",
                    "raw": b"good",
                    "res_model": "mail.compose.message",
                    "res_id": 0,
                }
            ).ids,
            email_alias_id=self.alias_bob.id,
            scheduled_date=self.later,
        )
        self.schedule = self.env["mail.message.schedule"].search(
            [("mail_message_id", "=", self.message.id)]
        )

    def leaves(self):
        """Recipients, text and files of what waits."""
        self.env.invalidate_all()
        return sorted(
            (
                str(parts["email_to"]),
                parts["subject"],
                str(parts["body"]),
                str(mail.attachment_ids.mapped("raw")),
                mail.email_alias_due,
            )
            for mail in self.find_mails(self.alias_bob, state="outgoing")
            for parts in mail._prepare_outgoing_list()
        )

    def test_nobody_says_that_its_emails_do_not_wait(self):
        self.assertTrue(self.schedule.email_alias_is_queued)
        as_admin = self.schedule.with_user(self.user_admin)
        with self.assertRaises(AccessError):
            as_admin.write({"email_alias_is_queued": False})
        values = {"mail_message_id": self.message.id, "scheduled_datetime": self.later}
        for is_queued in (False, True):
            values["email_alias_is_queued"] = is_queued
            self.assertTrue(as_admin.create(values).email_alias_is_queued)
        # without an alias they do not wait, whatever is said
        values["mail_message_id"] = self.lead.message_post(body="x").id
        self.assertFalse(as_admin.create(values).email_alias_is_queued)

    def test_it_waits_in_the_aliass_queue_until_its_hour(self):
        mails = self.find_mails(self.alias_bob)
        self.assertLeavesBy(self.alias_bob, mails, bulk=False)
        text = str(self.leaves())
        for address in (self.customer.email, "friend@x.example"):
            self.assertIn(address, text)
        self.assertNotIn(self.user_inbox.email, text)
        for mail in mails:
            self.assertEqual(mail.scheduled_date, self.later.replace(microsecond=0))
        outcomes = self.message._email_alias_outcomes(self.user_bob)
        self.assertEqual(outcomes[self.message.id]["state"], "waiting")
        self.assertTrue(outcomes[self.message.id]["until"])

    def test_at_its_hour_inboxes_are_told_and_no_mail_is_made_twice(self):
        before = self.leaves()
        notices = self.message.notification_ids
        self.assertNotIn(self.user_inbox.partner_id, notices.res_partner_id)
        # a stranger who follows the record meanwhile was not written to
        stranger = self.env["res.partner"].create(
            {"name": "Eve", "email": "eve@evil.example"}
        )
        self.lead.message_subscribe(stranger.ids)
        self.schedule._send_notifications()
        self.assertEqual(self.leaves(), before)
        self.assertIn(
            self.user_inbox.partner_id, self.message.notification_ids.res_partner_id
        )
        self.assertFalse(self.find_mails())
        self.assertFalse(self.schedule.exists())

    def test_what_others_do_changes_nothing(self):
        before = self.leaves()
        file = self.message.attachment_ids
        now = fields.Datetime.now()
        for change in (
            lambda: file.with_user(self.user_admin).write({"raw": b"evil"}),
            lambda: self.lead.with_user(self.user_admin)._message_update_content(
                self.message.with_user(self.user_admin).sudo(),
                body="Evil",
                scheduled_date=now,
            ),
            lambda: self.schedule.with_user(self.user_admin).write(
                {"scheduled_datetime": now}
            ),
            lambda: self.schedule.with_user(self.user_admin).force_send(),
            lambda: self.message.with_user(self.user_admin).sudo().unlink(),
        ):
            with self.subTest():
                change()
                self.assertEqual(self.leaves(), before)
        self.assertEqual(len(before), 3)

    def test_a_deleted_schedule_or_record_keeps_nothing_from_leaving(self):
        before = self.leaves()
        self.schedule.with_user(self.user_admin).unlink()
        self.assertEqual(self.leaves(), before)
        self.lead.with_user(self.user_admin).unlink()
        self.assertEqual(self.leaves(), before)

    def test_its_alias_is_not_deleted_while_it_waits(self):
        with self.assertRaisesRegex(UserError, "3 waiting"):
            self.alias_bob.unlink()

    def test_its_alias_gone_nobody_writes_for_it(self):
        """The mails have left, the alias was deleted, and then a slow job comes."""
        mails = self.find_mails(self.alias_bob)
        mails.write({"state": "sent"})
        mails.unlink()
        self.alias_bob.unlink()
        self.assertFalse(self.message.email_alias_id)
        self.lead.message_subscribe(self.user_alice.partner_id.ids)
        self.schedule._send_notifications()
        self.assertFalse(self.find_mails())

    def test_its_authors_new_words_leave(self):
        self.lead.with_user(self.user_bob)._message_update_content(
            self.message.with_user(self.user_bob).sudo(), body="Better words"
        )
        leaves = self.leaves()
        self.assertEqual(len(leaves), 3)
        for _to, _subject, body, _files, due in leaves:
            self.assertIn("Better words", body)
            self.assertNotIn("Good words", body)
            self.assertAlmostEqual(due, leaves[0][-1], 3)

    def test_its_author_puts_it_off(self):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        self.schedule.with_user(self.user_bob).sudo().scheduled_datetime = tomorrow
        mails = self.find_mails(self.alias_bob)
        self.assertEqual(
            set(mails.mapped("scheduled_date")), {tomorrow.replace(microsecond=0)}
        )

    def test_its_author_sends_it_at_once(self):
        self.lead.with_user(self.user_bob)._message_update_content(
            self.message.with_user(self.user_bob).sudo(),
            body=None,
            scheduled_date=False,
        )
        now = self.env["user.email.alias"]._now()
        self.assertTrue(all(due <= now for *_rest, due in self.leaves()))

    def test_what_its_author_takes_back_reaches_nobody(self):
        for take_back in (
            lambda: self.rpc(
                self.user_bob, self.message, "action_email_alias_take_back"
            ),
            lambda: self.message.with_user(self.user_bob).sudo().unlink(),
        ):
            with self.subTest(), self.cr.savepoint() as savepoint:
                take_back()
                self.assertFalse(self.leaves())
                self.assertFalse(self.schedule.exists())
                savepoint.rollback()

    def test_a_message_without_alias_waits_as_ever(self):
        self.send_message(self.user_bob, self.lead, scheduled_date=self.later)
        self.assertFalse(self.find_mails())
