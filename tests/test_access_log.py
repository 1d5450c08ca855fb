"""Who may see and change the Sending Log."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestLog(AliasCommon):
    def setUp(self):
        super().setUp()
        self.mail = (
            self.env["mail.mail"]
            .with_user(self.user_bob)
            .sudo()
            .create(
                {
                    "email_to": "x@y.example",
                    "email_alias_id": self.alias_bob.id,
                    "state": "exception",
                }
            )
        )
        self.row = self.env["user.email.alias.log"].create(
            {
                "alias_id": self.alias_bob.id,
                "mail_mail_id": self.mail.id,
                "outcome": "uncertain",
                "recipients": "x@y.example",
                "subject": "Private",
            }
        )

    def test_own_rows_are_seen_others_are_not(self):
        Row = self.row.browse()
        for user, found in (
            (self.user_bob, True),
            (self.user_manager, True),
            (self.user_alice, False),
            (self.user_plain, False),
        ):
            ids = self.rpc(user, Row, "search", [("id", "=", self.row.id)])
            self.assertEqual(bool(ids), found, user.login)
        for user in (self.user_alice, self.user_plain, self.user_portal):
            for method, *args in (("read", ["subject"]), ("action_open_document",)):
                self.assertDenied(self.rpc, user, self.row, method, *args)
        self.assertDenied(self.rpc, self.user_portal, Row, "search", [])

    def test_nobody_writes_the_log(self):
        for user in (self.user_bob, self.user_manager, self.user_admin):
            for records, method, *args in (
                (self.row, "write", {"outcome": "sent"}),
                (self.row, "unlink"),
                (self.row, "copy"),
                (self.row.browse(), "create", {"alias_id": self.alias_bob.id}),
            ):
                with self.subTest(user=user.login, method=method):
                    self.assertDenied(self.rpc, user, records, method, *args)

    def assertDenied(self, action, *args):
        with self.assertRaises(AccessError):
            action(*args)

    def test_only_the_owner_decides_what_is_uncertain(self):
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for method in ("action_send_again", "action_mark_sent"):
                with self.subTest(user=user.login, method=method):
                    self.assertDenied(self.rpc, user, self.row, method)
        self.assertEqual(self.row.outcome, "uncertain")
        self.rpc(self.user_bob, self.row, "action_send_again")
        self.assertEqual(self.mail.state, "outgoing")
        self.assertEqual(self.row.outcome, "deferred")

    def test_decided_once_is_decided(self):
        self.rpc(self.user_bob, self.row, "action_mark_sent")
        self.assertEqual(self.mail.state, "sent")
        with self.assertRaises(UserError):
            self.rpc(self.user_bob, self.row, "action_send_again")

    def test_only_the_owner_cancels_waiting_mail(self):
        self.mail.mark_outgoing()
        Wizard = self.env["user.email.alias.cancel"]
        for user in (self.user_alice, self.user_manager, self.user_admin):
            vals = {"alias_id": self.alias_bob.id}
            self.assertDenied(self.rpc, user, Wizard, "create", vals)
            # as if it had got into the database nevertheless
            wizard = Wizard.with_user(user).create({})
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE user_email_alias_cancel SET alias_id = %s WHERE id = %s",
                [self.alias_bob.id, wizard.id],
            )
            self.env.invalidate_all()
            self.assertDenied(self.rpc, user, wizard, "action_cancel_mails")
            self.assertDenied(self.rpc, user, wizard, "read", ["count"])
        self.assertEqual(self.mail.state, "outgoing")
        wizard = Wizard.with_user(self.user_bob).create({"alias_id": self.alias_bob.id})
        self.rpc(self.user_bob, wizard, "action_cancel_mails")
        self.assertEqual(self.mail.state, "cancel")
