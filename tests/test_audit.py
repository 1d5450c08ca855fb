"""What people do to an alias is on record: who, when, which fields; never a value."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.user_email_alias_owner import OWNER_GONE
from ..models.user_email_alias_stale import STALE
from .common import AliasCommon

CANARY = "canary-value"


@tagged("post_install", "-at_install", "user_email_alias")
class TestAudit(AliasCommon):
    def events(self, alias=None, user=None):
        Event = self.env["user.email.alias.event"].with_user(user or self.env.user)
        domain = [("alias_id", "=", (alias or self.alias_alice).id)]
        return Event.search(domain, order="id")

    def last(self, alias=None):
        event = self.events(alias)[-1:]
        return event.action, event.user_id, event.field_names

    def test_creation_names_the_maker_and_the_owner(self):
        alias = self.create_alias(self.user_alice, "new@x.example", name="New")
        event = self.events(alias)
        self.assertEqual(event.action, "created")
        self.assertEqual((event.user_id, event.owner_id), (self.user_alice,) * 2)
        by_manager = (
            self.env["user.email.alias"]
            .with_user(self.user_manager)
            .create({"name": "For Bob", "user_id": self.user_bob.id})
        )
        event = self.events(by_manager)
        self.assertEqual(event.user_id, self.user_manager)
        self.assertEqual(event.owner_id, self.user_bob)

    def test_change_names_the_fields_and_no_value(self):
        self.alias_alice.with_user(self.user_manager).write(
            {
                "name": CANARY,
                "alias_name": CANARY,
                "smtp_password": CANARY,
                "smtp_user": CANARY,
                "signature": f"<p>{CANARY}</p>",
            }
        )
        action, user, names = self.last()
        self.assertEqual((action, user), ("changed", self.user_manager))
        self.assertEqual(names, "alias_name,name,signature,smtp_password,smtp_user")
        self.assertIn("SMTP Password", self.events()[-1].details)
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT string_agg(event::text, ' ') FROM user_email_alias_event event"
        )
        self.assertNotIn(CANARY, self.env.cr.fetchone()[0])

    def test_change_through_the_users_form_is_on_record(self):
        self.user_bob.with_user(self.user_manager).write(
            {"email_alias_ids": [Command.update(self.alias_bob.id, {"delay_ms": 9})]}
        )
        self.assertEqual(
            self.last(self.alias_bob), ("changed", self.user_manager, "delay_ms")
        )

    def test_what_the_server_keeps_track_of_is_none(self):
        count = len(self.events())
        self.alias_alice._set_hold("password", "no")
        self.alias_alice._set_verified()
        self.alias_alice.sudo().write({"backoff_count": 3, "pause_ms": 7})
        self.assertEqual(len(self.events()), count)

    def test_every_button_is_on_record(self):
        alias = self.alias_alice.with_user(self.user_alice)
        for method, action in (
            ("action_pause", "paused"),
            ("action_unpause", "resumed"),
            ("action_resume", "resumed"),
            ("action_test_connection", "tested"),
            ("action_archive", "archived"),
            ("action_unarchive", "unarchived"),
            ("action_disconnect", "disconnected"),
            ("action_keep_account", "account_kept"),
        ):
            with self.subTest(method=method):
                self.rpc(self.user_alice, alias, method)
                self.assertEqual(self.last()[:2], (action, self.user_alice))

    def test_cancelling_is_on_record_wherever_it_is_done(self):
        message = self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id
        )
        self.rpc(self.user_alice, message, "action_email_alias_take_back")
        self.assertEqual(self.last()[:2], ("cancelled", self.user_alice))
        count = len(self.events())
        self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id
        )
        wizard = self.env["user.email.alias.cancel"].with_user(self.user_alice)
        wizard.create({"alias_id": self.alias_alice.id}).action_cancel_mails()
        self.assertEqual(self.last()[:2], ("cancelled", self.user_alice))
        self.assertEqual(len(self.events()), count + 1)

    def test_what_waited_for_long_is_decided_on_record(self):
        for method, action in (
            ("action_send_stale", "resumed"),
            ("action_drop_stale", "cancelled"),
        ):
            self.alias_alice._set_hold(STALE, "It has waited for long.")
            self.rpc(self.user_alice, self.alias_alice, method)
            self.assertEqual(self.last()[:2], (action, self.user_alice))
        self.alias_alice._set_hold(OWNER_GONE, "Alice has left.")
        self.rpc(self.user_manager, self.alias_alice, "action_drop_stale")
        self.assertEqual(self.last()[:2], ("cancelled", self.user_manager))

    def test_deletion_is_on_record_for_good(self):
        number = self.alias_alice_2.id
        self.alias_alice_2.with_user(self.user_alice).unlink()
        events = self.env["user.email.alias.event"].search(
            [("alias_number", "=", number)], order="id"
        )
        self.assertEqual(events.mapped("action"), ["created", "deleted"])
        self.assertFalse(events.alias_id)
        self.assertEqual(events.owner_id, self.user_alice)

    def test_refused_change_is_none(self):
        count = len(self.events(self.alias_bob))
        self.assertRefused(
            self.rpc, self.user_alice, self.alias_bob, "write", {"name": "x"}
        )
        self.assertEqual(len(self.events(self.alias_bob)), count)

    def test_owner_and_administrator_read_it_and_nobody_else(self):
        domain = [("alias_id", "=", self.alias_bob.id)]
        Event = self.env["user.email.alias.event"]
        for user, count in (
            (self.user_bob, 1),
            (self.user_manager, 1),
            (self.user_alice, 0),
            (self.user_plain, 0),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self.rpc(user, Event, "search_count", domain), count)
        self.assertRefused(self.rpc, self.user_portal, Event, "search_count", domain)
        action = self.rpc(self.user_bob, self.alias_bob, "action_view_events")
        self.assertEqual(action["domain"], domain)

    def test_nobody_writes_or_deletes_it(self):
        event = self.events(self.alias_bob)
        for user in (self.user_bob, self.user_manager, self.user_admin):
            for method, *args in (
                ("write", {"action": "tested"}),
                ("unlink",),
                ("copy",),
            ):
                with self.subTest(user=user.login, method=method):
                    self.assertRefused(self.rpc, user, event, method, *args)
            with self.assertRaises(AccessError):
                self.rpc(user, event.browse(), "create", {"action": "tested"})
        self.assertEqual(self.events(self.alias_bob).action, "created")
