"""The queue with its real lanes: what it submits, when, and what becomes of it."""

import contextlib

from odoo import api, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..sending.backoff import BackOff
from ..sending.connection import Connection
from ..sending.log import Log
from ..sending.message import Account, build
from ..sending.queries import get_account
from .common_queue import QueueCase

MANY = [f"lead{number}@example.org" for number in range(8)]


@tagged("post_install", "-at_install", "user_email_alias")
class TestPace(QueueCase):
    def test_bulk_mails_keep_the_pause_from_reply_to_next_start(self):
        self.write_alias(delay_ms=120)
        self.server.on("dot", delay=0.03)
        self.queue(*MANY)
        self.run_queue()
        self.assertEqual(self.served(), MANY)
        self.assertGreaterEqual(min(self.gaps()), 0.120)

    def test_pause_is_kept_from_one_run_to_the_next(self):
        self.write_alias(delay_ms=700)
        self.queue(MANY[0])
        self.run_queue()
        self.queue(MANY[1])
        self.run_queue()
        self.assertEqual(self.served(), MANY[:2])
        self.assertGreaterEqual(min(self.gaps()), 0.7)

    def test_pause_is_kept_between_the_recipients_of_one_mail(self):
        self.write_alias(delay_ms=150)
        with self.committed() as env:
            partners = env["res.partner"].create(
                [{"name": address, "email": address} for address in MANY[:3]]
            )
            self.queue("first@example.org", env=env, recipient_ids=partners.ids)
        self.run_queue()
        self.assertCountEqual(self.served(), ["first@example.org", *MANY[:3]])
        self.assertGreaterEqual(min(self.gaps()), 0.150)

    def test_one_to_one_mail_overtakes_a_bulk_sending(self):
        self.write_alias(delay_ms=100)
        self.queue(*MANY)
        self.queue("boss@example.org", bulk=False)
        self.run_queue()
        self.assertEqual(self.served(), ["boss@example.org", *MANY])

    def test_scheduled_mail_waits_for_its_date(self):
        later = fields.Datetime.add(fields.Datetime.now(), hours=1)
        ids = self.queue(MANY[0], scheduled_date=later)
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            env["mail.mail"].browse(ids).write({"scheduled_date": False})
        self.run_queue()
        self.assertEqual(self.served(), [MANY[0]])

    def test_throttling_reply_widens_the_pause_and_success_eases_it(self):
        self.write_alias(delay_ms=100)
        self.server.on("mail", reply="451 4.7.1 slow down", times=1)
        self.queue(*MANY)
        self.run_queue()
        alias = self.read_alias("pause_ms", "pause_reason", "backoff_until")
        self.assertGreater(alias["pause_ms"], 100)
        self.assertIn("slow down", alias["pause_reason"])
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            self.assertGreater(alias["backoff_until"], env["user.email.alias"]._now())
        self.write_alias(backoff_until=0, pause_ms=130)
        self.queue(*[f"more{number}@example.org" for number in range(4)])
        self.run_queue()
        self.assertEqual(len(self.server.messages), 12)
        self.assertGreaterEqual(min(self.gaps()[:9]), 0.130)
        self.assertEqual(self.read_alias("pause_ms")["pause_ms"], 0)

    def test_reached_daily_limit_keeps_the_rest_and_says_until_when(self):
        self.write_alias(daily_limit=3)
        ids = self.queue(*MANY)
        self.run_queue()
        self.assertEqual(self.served(), MANY[:3])
        alias = self.read_alias("backoff_until", "state_message", "state")
        with self.committed() as env:
            now = env["user.email.alias"]._now()
        self.assertAlmostEqual(alias["backoff_until"], now + 86400, delta=60)
        self.assertIn("Daily Limit is reached (3)", alias["state_message"])
        waiting = [m for m in self.read_mails(ids, "state") if m["state"] == "outgoing"]
        self.assertEqual(len(waiting), 5)
        self.write_alias(daily_limit=5)
        self.run_queue()
        self.assertEqual(self.served(), MANY[:5])


@tagged("post_install", "-at_install", "user_email_alias")
class TestDoor(QueueCase):
    """A mail with an alias leaves by that alias or not at all."""

    def test_headers_and_envelope_are_the_alias(self):
        self.queue(MANY[0], bulk=False)
        self.run_queue()
        message = self.server.messages[0]
        self.assertEqual(message.mail_from, "ada@example.com")
        self.assertEqual(message.login, "ada")
        self.assertTrue(message.is_tls)
        self.assertIn(b'From: "Ada Lovelace" <ada@example.com>\r\n', message.data)

    def test_core_queue_never_sees_our_mail(self):
        ids = self.queue(*MANY)
        with self.committed() as env:
            env["mail.mail"].process_email_queue()
            env["mail.mail"].process_email_queue(email_ids=ids)
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ids, "state")}, {"outgoing"}
        )
        self.assertFalse(self.server.messages)

    def test_waiting_campaign_starves_no_other_mail(self):
        with self.committed() as env:
            params = env["ir.config_parameter"]
            params.set_param("mail.mail.queue.batch.size", "1")
            other = env["mail.mail"].create(
                {"email_to": "reset@example.org", "body_html": "x"}
            )
        # core takes the newest first
        ours = self.queue(*MANY)
        try:
            with self.committed() as env:
                env["mail.mail"].process_email_queue()
        finally:
            with self.committed() as env:
                env["ir.config_parameter"].set_param(
                    "mail.mail.queue.batch.size", False
                )
        self.assertNotEqual(self.read_mails(other.ids, "state")[0]["state"], "outgoing")
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ours, "state")}, {"outgoing"}
        )
        with self.committed() as env:
            env["mail.mail"].browse(other.ids).unlink()

    def test_core_send_hands_nothing_over_by_itself(self):
        ids = self.queue(MANY[0])
        with self.committed() as env:
            mail = env["mail.mail"].browse(ids)
            mail.send()
            with self.assertRaises(UserError):
                mail._send(smtp_session=object())
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.assertFalse(self.server.messages)

    def test_paused_alias_keeps_its_mail(self):
        self.queue(*MANY)
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_pause()
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_unpause()
        self.run_queue()
        self.assertEqual(self.served(), MANY)

    def test_cancelled_mail_never_leaves(self):
        ids = self.queue(*MANY)
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            action = alias.action_cancel_waiting()
            wizard = env[action["res_model"]].browse(action["res_id"])
            self.assertEqual(wizard.count, len(MANY))
            wizard.action_cancel_mails()
        self.run_queue()
        self.assertFalse(self.server.messages)
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ids, "state")}, {"cancel"}
        )

    def test_archived_alias_and_archived_owner_keep_their_mail(self):
        ids = self.queue(MANY[0])
        self.write_alias(active=False)
        self.run_queue()
        self.write_alias(active=True)
        with self.committed() as env:
            env["res.users"].browse(self.user_id).active = False
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            env["res.users"].browse(self.user_id).active = True
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_resume()
        self.run_queue()
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")

    def test_neutralised_database_sends_nothing(self):
        self.queue(MANY[0])
        with self.committed() as env:
            env["ir.config_parameter"].set_param("database.is_neutralized", "True")
        try:
            self.run_queue()
        finally:
            with self.committed() as env:
                env["ir.config_parameter"].set_param("database.is_neutralized", False)
        self.assertFalse(self.server.sessions)

    def test_untrusted_certificate_gets_no_password(self):
        with self.committed() as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            alias.smtp_server = f"127.0.0.2:{self.server.starttls_port}"
        self.queue(MANY[0])
        self.run_queue()
        commands = [c for session in self.server.sessions for c in session.commands]
        self.assertFalse([c for c in commands if c.upper().startswith("AUTH")])
        self.assertFalse(self.server.messages)

    def test_mail_built_before_the_alias_was_stopped_is_not_claimed(self):
        ids = self.queue(MANY[0])
        going = {"is_paused": False, "state": "ok", "active": True}
        for change in ({"is_paused": True}, {"state": "hold"}, {"active": False}, {}):
            with self.subTest(change=change):
                self.write_alias(**going)
                with contextlib.closing(self.registry.cursor()) as cr:
                    env = api.Environment(cr, api.SUPERUSER_ID, {})
                    account = Account(*get_account(cr, self.alias_id))
                    mail = env["mail.mail"].browse(ids)
                    message = build(mail, account, is_own=True)
                    cr.rollback()
                    self.write_alias(**change)
                    log = Log(self.alias_id, Connection(), BackOff())
                    claimed = log.claim(env, message, is_own=True)
                self.assertEqual(bool(claimed), not change)
