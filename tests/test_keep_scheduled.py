"""A scheduled message is posted as its author scheduled it, or set aside and told."""

import json
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestKeepScheduled(AliasCommon):
    def setUp(self):
        super().setUp()
        self.lead.message_unsubscribe(self.user_alice.partner_id.ids)
        file = self.env["ir.attachment"].with_user(self.user_bob)
        self.file = file.create(
            {
                "name": "offer.txt",
                "raw": b"good",
                "res_model": "mail.compose.message",
                "res_id": 0,
            }
        )
        self.scheduled = self.open_composer(
            self.user_bob,
            self.lead,
            body="Good words",
            attachment_ids=self.file.ids,
            scheduled_date=fields.Datetime.now() + timedelta(hours=1),
        )._action_schedule_message()
        self.scheduled = self.scheduled.with_env(self.env)

    def as_(self, user):
        return self.scheduled.with_user(user)

    def test_whoever_may_not_read_the_record_is_refused_as_by_core(self):
        stranger = new_test_user(self.env, "stranger", groups="base.group_user")
        plain = self.env["mail.scheduled.message"].create(
            {
                "author_id": self.user_bob.partner_id.id,
                "model": self.lead._name,
                "res_id": self.lead.id,
                "body": "Later",
                "scheduled_date": fields.Datetime.now() + timedelta(hours=1),
            }
        )
        self.env.invalidate_all()
        for message in (self.scheduled, plain):
            with self.subTest(message.email_alias_id), self.assertRaises(AccessError):
                message.with_user(stranger).post_message()

    def post(self):
        """Do what core's job does at its hour."""
        self.scheduled.with_user(self.user_root)._post_message(raise_exception=False)

    def assertSetAside(self, reason):
        self.env.invalidate_all()
        self.assertTrue(self.scheduled.exists())
        self.assertGreater(self.scheduled.scheduled_date.year, 9000)
        self.assertRegex(self.scheduled.email_alias_failure, reason)
        self.assertFalse(self.find_mails(self.alias_bob))
        notice = self.env["mail.message"].search(
            [("subject", "=", "A scheduled message could not be sent")]
        )
        self.assertEqual(len(notice), 1)
        self.assertIn(self.user_bob.partner_id, notice.notified_partner_ids)
        self.assertRegex(notice.body, reason)
        self.assertIn("Good words", notice.body)
        return notice

    # ------------------------------------------------------------------
    # Somebody else, and accidents
    # ------------------------------------------------------------------

    def test_it_is_posted_as_scheduled(self):
        self.post()
        mail = self.find_mails(self.alias_bob)
        self.assertLeavesBy(self.alias_bob, mail, 1)
        self.assertEqual(mail.attachment_ids.raw, b"good")
        self.assertFalse(self.scheduled.exists())

    def test_nobody_else_changes_sends_or_cancels_it(self):
        forged = {"email_alias_posted": True}
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for method, *args in (
                ("write", {"body": "Evil"}),
                ("write", {"scheduled_date": "2099-01-01 00:00:00"}),
                ("write", {"email_alias_id": False}),
                ("write", {"notification_parameters": "{}"}),
                ("write", {"attachment_ids": [(5,)]}),
                ("unlink",),
                ("post_message",),
            ):
                with (
                    self.subTest(user=user.login, method=method, args=args),
                    self.assertRaises(AccessError),
                ):
                    self.rpc(user, self.scheduled, method, *args, context=forged)
            for change in (
                lambda user: self.file.with_user(user).write({"raw": b"evil"}),
                lambda user: self.file.with_user(user).unlink(),
                lambda user: self.as_(user).sudo().write({"subject": "Evil"}),
                lambda user: self.as_(user).sudo().unlink(),
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    change(user)
        self.test_it_is_posted_as_scheduled()

    def test_a_record_takes_no_message_along(self):
        other = self.lead.copy({"name": "Other"})
        for user in (self.user_alice, self.user_bob, self.user_admin):
            leads = (other | self.lead).with_user(user)
            for change in (
                self.lead.with_user(user).unlink,
                lambda leads=leads: leads.merge_opportunity(),
            ):
                with (
                    self.subTest(user=user.login),
                    self.cr.savepoint() as savepoint,
                ):
                    try:
                        change()
                    except UserError:
                        pass
                    else:
                        # merged the other way round: it waits where it was
                        self.assertTrue(self.scheduled.exists())
                        self.assertTrue(self.lead.exists())
                    savepoint.rollback()
        with self.assertRaisesRegex(UserError, "waits on a record"):
            self.lead.with_user(self.user_bob).sudo().unlink()

    def test_what_a_job_deletes_is_told_to_its_author(self):
        self.lead.with_user(self.user_root).unlink()
        notice = self.env["mail.message"].search(
            [("subject", "=", "A scheduled message could not be sent")]
        )
        self.assertIn("Good words", notice.body)
        self.assertIn(self.user_bob.partner_id, notice.notified_partner_ids)

    def test_what_changed_by_accident_is_set_aside(self):
        twin = self.customer.copy({"email": "twin@customer.example.com"})
        merge = self.env["base.partner.merge.automatic.wizard"]
        accidents = {
            "file": lambda: (
                self.file.sudo().with_user(self.user_root).write({"raw": b"evil"})
            ),
            "words": lambda: self.as_(self.user_root).write({"body": "Evil"}),
            "deleted": self.customer.unlink,
            "emptied": lambda: self.customer.write({"email": False}),
            "redirected": lambda: self.customer.write({"email": "eve@x.example"}),
            "merged": lambda: merge._merge((twin | self.customer).ids, twin),
        }
        for name, accident in accidents.items():
            with self.subTest(name), self.cr.savepoint() as savepoint:
                accident()
                if name == "words":
                    self.scheduled.with_user(self.user_root).body = "Good words, evil"
                self.post()
                self.assertSetAside("changed since its author scheduled it")
                savepoint.rollback()
                self.env.invalidate_all()

    # ------------------------------------------------------------------
    # Its author
    # ------------------------------------------------------------------

    def test_what_its_author_changed_is_posted(self):
        self.as_(self.user_bob).write({"body": "Better words"})
        self.post()
        self.assertIn("Better words", self.find_mails(self.alias_bob).body_html)

    def test_its_author_sends_what_was_set_aside(self):
        self.customer.email = "new@customer.example.com"
        self.post()
        self.rpc(self.user_bob, self.scheduled, "post_message")
        mail = self.find_mails(self.alias_bob)
        self.assertLeavesBy(self.alias_bob, mail, 1)
        self.assertEqual(mail.recipient_ids, self.customer)

    def test_its_author_corrects_the_address(self):
        self.customer.with_user(self.user_bob).email = "right@customer.example.com"
        self.post()
        self.assertLeavesBy(self.alias_bob, self.find_mails(self.alias_bob), 1)

    def test_its_authors_correction_agrees_to_nothing_else(self):
        self.scheduled.with_user(self.user_root).body = "Good words, evil"
        self.customer.with_user(self.user_bob).email = "right@customer.example.com"
        self.post()
        self.assertSetAside("changed since its author scheduled it")

    def test_long_past_its_time_it_is_set_aside(self):
        with freeze_time(fields.Datetime.now() + timedelta(days=8)):
            self.post()
        self.assertSetAside("should have left at")
        self.rpc(self.user_bob, self.scheduled, "post_message")
        self.assertLeavesBy(self.alias_bob, self.find_mails(self.alias_bob), 1)

    def test_its_author_cancels_it(self):
        self.rpc(self.user_bob, self.scheduled, "unlink")
        self.assertFalse(self.scheduled.exists())

    # ------------------------------------------------------------------
    # Its alias, its owner
    # ------------------------------------------------------------------

    def test_its_alias_is_not_deleted(self):
        with self.assertRaisesRegex(UserError, "1 scheduled messages"):
            self.alias_bob.unlink()

    def test_its_alias_archived_it_is_set_aside(self):
        self.alias_bob.active = False
        self.post()
        self.assertSetAside("archived")
        with self.assertRaisesRegex(UserError, "archived"):
            self.rpc(self.user_bob, self.scheduled, "post_message")

    def test_its_alias_gone_it_is_set_aside(self):
        self.env.flush_all()
        # as if the add-on had been installed anew
        self.env.cr.execute("UPDATE user_email_alias SET key = md5(key)")
        self.env.invalidate_all()
        self.post()
        self.assertSetAside("not there any more")

    def test_its_owner_gone_it_is_set_aside_and_administrators_know(self):
        portal = self.env.ref("base.group_portal")
        for leave in (
            {"active": False},
            {"group_ids": [(6, 0, portal.ids)]},
        ):
            with self.subTest(leave), self.cr.savepoint() as savepoint:
                self.user_bob.write(leave)
                self.post()
                notice = self.assertSetAside("archived or no internal user")
                self.assertIn(self.user_manager.partner_id, notice.notified_partner_ids)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_without_the_rights_to_the_record_it_is_set_aside(self):
        groups = self.env.ref("base.group_user") | self.env.ref(
            "mass_mailing.group_mass_mailing_user"
        )
        self.user_bob.group_ids = groups
        self.post()
        self.assertSetAside("not allowed|access")

    def test_its_parameters_name_no_id(self):
        parameters = json.loads(self.scheduled.notification_parameters)
        self.assertNotIn("email_alias_id", parameters)
        key = self.alias_bob.sudo().key
        self.assertGreater(len(key), 30)
        self.assertEqual(parameters["email_alias_key"], key)
        for user in (self.user_bob, self.user_admin):
            with self.assertRaises(AccessError):
                self.rpc(user, self.alias_bob, "read", ["key"])
