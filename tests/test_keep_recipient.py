"""Waiting mail leaves to the address it was sent off to, whatever its contact does."""

from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestKeepRecipient(AliasCommon):
    def setUp(self):
        super().setUp()
        self.second = self.env["res.partner"].create(
            {"name": "Dora Second", "email": "dora@customer.example.com"}
        )
        self.message = self.send_message(
            self.user_bob,
            self.lead,
            partner_ids=(self.customer | self.second).ids,
            email_alias_id=self.alias_bob.id,
        )

    def leaves(self):
        self.env.invalidate_all()
        return sorted(
            (parts["email_to"], parts["subject"])
            for mail in self.find_mails(self.alias_bob)
            for parts in mail._prepare_outgoing_list()
            if mail.state == "outgoing"
        )

    def find_mail(self):
        """The customer's mail, once each recipient has one."""
        for mail in self.find_mails(self.alias_bob):
            mail._email_alias_split()
        return self.find_mails(self.alias_bob).filtered(
            lambda m: m.recipient_ids == self.customer
        )

    def merge(self):
        twin = self.customer.copy({"email": "twin@customer.example.com"})
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((twin | self.customer).ids, twin)

    def test_what_becomes_of_a_contact_keeps_nothing_from_leaving(self):
        before = self.leaves()
        self.assertIn(self.customer.email_formatted, str(before))
        for name, change in {
            "emptied": lambda user: user.write({"email": False}),
            "nonsense": lambda user: user.write({"email": "none"}),
            "redirected": lambda user: user.write({"email": "eve@evil.example"}),
            "renamed": lambda user: user.write({"name": "Evil"}),
            "archived": lambda user: user.write({"active": False}),
            "deleted": lambda user: user.unlink(),
            "merged": lambda _user: self.merge(),
        }.items():
            for user in (self.user_alice, self.user_root):
                with (
                    self.subTest(name, user=user.login),
                    self.cr.savepoint() as savepoint,
                ):
                    change(self.customer.with_user(user))
                    self.assertEqual(self.leaves(), before)
                    self.assertLeavesBy(self.alias_bob, self.find_mails(self.alias_bob))
                    savepoint.rollback()
                    self.env.invalidate_all()

    def test_its_author_corrects_the_address(self):
        self.customer.with_user(self.user_bob).email = "right@customer.example.com"
        self.assertIn("right@customer.example.com", str(self.leaves()))
        self.assertNotIn("cleo@customer.example.com", str(self.leaves()))

    def test_its_author_empties_or_deletes_the_contact(self):
        before = self.leaves()
        for change in (
            lambda: self.customer.with_user(self.user_bob).write({"email": False}),
            self.customer.with_user(self.user_bob).unlink,
        ):
            change()
            self.assertEqual(self.leaves(), before)

    def test_what_failed_is_sent_once_more_though_its_contact_is_gone(self):
        mail = self.find_mail()
        mail._email_alias_record_uncertain()
        self.customer.with_user(self.user_alice).unlink()
        mail.mark_outgoing()
        self.assertIn("cleo@customer.example.com", str(self.leaves()))

    def test_what_was_refused_goes_to_the_corrected_address(self):
        mail = self.find_mail()
        mail._email_alias_record_refused("550 5.1.1 no such user", False)
        self.customer.with_user(self.user_alice).email = "right@customer.example.com"
        mail.mark_outgoing()
        self.assertIn("right@customer.example.com", str(self.leaves()))

    def test_mail_of_a_mailing_goes_where_it_was_sent_off_to(self):
        mailing = self.create_mailing(
            self.user_bob,
            mailing_model_id=self.env["ir.model"]._get_id("res.partner"),
            mailing_domain=f"[('id', 'in', {(self.customer | self.second).ids})]",
        )
        mailing.action_launch()
        self.run_mailing_cron()
        mails = self.find_mails(self.alias_bob, mailing_id=mailing.id)
        self.assertEqual(len(mails), 2)
        before = self.leaves()
        self.customer.with_user(self.user_alice).email = "eve@evil.example"
        self.second.with_user(self.user_alice).unlink()
        self.assertEqual(self.leaves(), before)

    def test_the_outcome_is_still_the_contacts(self):
        self.customer.with_user(self.user_alice).email = False
        mail = self.find_mails(self.alias_bob).filtered(
            lambda m: "cleo@" in (m.email_to or "")
        )
        mail._email_alias_record_sent()
        notice = self.message.notification_ids.filtered(
            lambda n: n.res_partner_id == self.customer
        )
        self.assertEqual(notice.notification_status, "sent")

    def test_without_aliases_it_costs_no_query(self):
        self.env["user.email.alias"].search([]).write({"active": False})
        partner = self.env["res.partner"].create({"name": "x", "email": "x@x.example"})
        Alias = self.env["user.email.alias"]
        self.assertTrue(Alias._is_any())
        self.find_mails(self.alias_bob).unlink()
        self.env["user.email.alias"].with_context(active_test=False).search([]).unlink()
        self.assertFalse(Alias._is_any())
        self.env.flush_all()
        with self.assertQueryCount(0):
            partner._email_alias_keep_addresses()
            self.assertFalse(self.message._email_alias_waiting())
