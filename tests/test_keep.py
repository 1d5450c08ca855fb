"""What waits leaves as it was sent off; only its author has a hand in it."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestKeep(AliasCommon):
    def setUp(self):
        super().setUp()
        self.message = self.send_message(
            self.user_bob,
            self.lead,
            body="Good words",
            attachment_ids=self.attach("good").ids,
            email_alias_id=self.alias_bob.id,
        )
        self.mail = self.find_mails(self.alias_bob)

    def attach(self, raw):
        vals = {"name": "offer.txt", "raw": raw.encode(), "res_id": 0}
        vals["res_model"] = "mail.compose.message"
        return self.env["ir.attachment"].with_user(self.user_bob).create(vals)

    def as_(self, user):
        return self.message.with_user(user)

    def update(self, user, body, **values):
        """As the chatter does: checked, then as sudo."""
        self.lead.with_user(user)._message_update_content(
            self.as_(user).sudo(), body=body, **values
        )

    def leaves(self):
        """Recipients, subject, text and files of what would leave now."""
        self.env.invalidate_all()
        return sorted(
            (
                str(parts["email_to"]),
                parts["subject"],
                str(parts["body"]),
                str(mail.attachment_ids.mapped("raw")),
            )
            for mail in self.find_mails(self.alias_bob)
            for parts in mail._prepare_outgoing_list()
            if mail.state == "outgoing"
        )

    def assertKept(self, before):
        self.assertEqual(self.leaves(), before)
        self.assertEqual(len(before), 2)
        self.assertLeavesBy(self.alias_bob, self.find_mails(self.alias_bob), 2)

    # ------------------------------------------------------------------
    # Somebody else
    # ------------------------------------------------------------------

    def test_what_others_do_changes_nothing_that_waits(self):
        before = self.leaves()
        file = self.message.attachment_ids
        for change in (
            lambda user: file.with_user(user).write({"raw": b"evil"}),
            lambda user: file.with_user(user).write({"name": "evil.exe"}),
            lambda user: self.update(user, "Evil words"),
            lambda user: self.as_(user).sudo().write({"subject": "Evil"}),
            lambda user: file.with_user(user).unlink(),
            lambda user: self.as_(user).sudo().unlink(),
        ):
            with self.subTest():
                change(self.user_admin)
                self.assertKept(before)
        self.assertFalse(self.message.exists())

    def test_records_that_are_merged_change_no_subject(self):
        before = self.leaves()
        other = self.lead.copy({"name": "Other"})
        for user in (self.user_alice, self.user_bob):
            leads = (other | self.lead).with_user(user)
            with self.subTest(user=user.login), self.cr.savepoint() as savepoint:
                leads.merge_opportunity()
                self.assertKept(before)
                savepoint.rollback()

    def test_a_record_that_is_deleted_keeps_nothing_from_leaving(self):
        before = self.leaves()
        self.lead.with_user(self.user_admin).unlink()
        self.assertKept(before)

    def test_what_was_kept_is_still_shown_below_its_message(self):
        self.as_(self.user_admin).sudo().write({"subject": "Other"})
        outcomes = self.message._email_alias_outcomes(self.user_bob)
        self.assertEqual(outcomes[self.message.id]["state"], "waiting")

    # ------------------------------------------------------------------
    # Its author
    # ------------------------------------------------------------------

    def test_the_authors_new_words_leave(self):
        before = self.leaves()
        partners = self.message.notification_ids.res_partner_id
        self.update(self.user_bob, "Better words")
        after = self.leaves()
        self.assertEqual(
            [(to, subject, files) for to, subject, _body, files in after],
            [(to, subject, files) for to, subject, _body, files in before],
        )
        for _to, _subject, body, _files in after:
            self.assertIn("Better words", body)
            self.assertNotIn("Good words", body)
        mails = self.find_mails(self.alias_bob)
        self.assertEqual(self.message.notification_ids.res_partner_id, partners)
        self.assertEqual(self.message.notification_ids.mail_mail_id, mails)
        self.assertLeavesBy(self.alias_bob, mails, 2)

    def test_the_author_has_the_last_word_whoever_touched_it_before(self):
        self.as_(self.user_admin).sudo().write({"subject": "Other"})
        self.update(self.user_bob, "Better words")
        for _to, subject, body, _files in self.leaves():
            self.assertNotEqual(subject, "Other")
            self.assertIn("Better words", body)
        self.rpc(self.user_bob, self.message, "action_email_alias_take_back")
        self.assertFalse(self.leaves())

    def test_what_is_in_the_servers_hands_is_not_changed(self):
        self.env["user.email.alias.log"].create(
            {"alias_id": self.alias_bob.id, "mail_mail_id": self.mail[0].id}
        )
        for change in (
            lambda: self.update(self.user_bob, "Better words"),
            lambda: self.message.with_user(self.user_bob).sudo().unlink(),
            lambda: self.rpc(
                self.user_bob, self.message, "action_email_alias_take_back"
            ),
        ):
            with self.assertRaisesRegex(UserError, "being sent right now"):
                change()
        self.assertEqual(set(self.mail.mapped("state")), {"outgoing"})

    def test_an_edit_keeps_who_is_left_and_when(self):
        pending = f'["{self.customer[:1].email}"]'
        self.mail[0].write(
            {"email_alias_pending": pending, "email_alias_due": 4_000_000_000}
        )
        recipients = self.mail[0].recipient_ids
        self.lead.message_unsubscribe(recipients.ids)
        self.update(self.user_bob, "Better words")
        self.assertEqual(self.mail[0].email_alias_pending, pending)
        self.assertAlmostEqual(self.mail[0].email_alias_due, 4_000_000_000, 3)
        self.assertEqual(self.mail[0].recipient_ids, recipients)

    def test_answers_find_the_message_in_the_chatter(self):
        message_id = self.message.message_id
        self.as_(self.user_admin).sudo().write({"subject": "Other"})
        found = self.env["mail.message"].search([("message_id", "=", message_id)])
        self.assertEqual(found, self.message)
        kept = self.mail.mail_message_id
        self.mail.sudo().write({"state": "sent"})
        self.mail.sudo().unlink()
        self.assertFalse(kept.exists())
        self.assertTrue(self.message.exists())

    def test_the_authors_new_file_leaves(self):
        self.message.attachment_ids.with_user(self.user_bob).raw = b"better"
        self.assertEqual({files for *_rest, files in self.leaves()}, {"[b'better']"})

    def test_what_its_author_deletes_does_not_leave(self):
        self.update(self.user_bob, "", attachment_ids=[])
        self.assertEqual(set(self.mail.mapped("state")), {"cancel"})
        outcomes = self.message._email_alias_outcomes(self.user_bob)
        self.assertEqual(outcomes[self.message.id]["state"], "cancelled")

    def test_only_its_author_takes_it_back(self):
        for user in (self.user_alice, self.user_admin):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.rpc(user, self.message, "action_email_alias_take_back")
        self.rpc(self.user_bob, self.message, "action_email_alias_take_back")
        self.assertEqual(set(self.mail.mapped("state")), {"cancel"})
        statuses = self.message.notification_ids.mapped("notification_status")
        self.assertEqual(set(statuses), {"canceled"})
        with self.assertRaises(UserError):
            self.rpc(self.user_bob, self.message, "action_email_alias_take_back")
