"""The queue with its real lanes: limits of a connection, a minute or a recipient."""

import collections
import threading
from unittest.mock import patch

from odoo import sql_db
from odoo.tests import tagged
from odoo.tools import SQL

from ..tools.pacing import DAY
from .common_queue import QueueCase

LEADS = [f"lead{number}@firm{number}.example" for number in range(12)]
COLLEAGUES = [f"lead{number}@example.org" for number in range(30)]


@tagged("post_install", "-at_install", "user_email_alias")
class TestDeferrals(QueueCase):
    def assertNothingLost(self, ids):
        with self.committed() as env:
            now = env["user.email.alias"]._now()
            for mail in env["mail.mail"].browse(ids):
                self.assertEqual(mail.state, "outgoing")
                self.assertLessEqual(mail.email_alias_due, now)
            tries = env["user.email.alias.log"].search_count(
                [
                    ("alias_id", "=", self.alias_id),
                    ("outcome", "=", "deferred"),
                    ("scope", "!=", "alias"),
                ]
            )
        self.assertFalse(tries, "no try is counted as a mail's")

    def test_session_limit_takes_a_fresh_connection_and_is_remembered(self):
        for phase, reply in (
            ("data", "452 4.4.5 Maximum number of messages per session exceeded."),
            ("mail", "452 4.5.3 Too many recipients: Too many messages sent"),
            ("rcpt", "421 4.7.0 Too many messages in this connection"),
            ("dot", "451 Session message limit reached"),
        ):
            with self.subTest(reply=reply):
                self.write_alias(connection_mails=0)
                self.server.clear()
                self.server.on(phase, reply=reply, skip=4, times=1)
                self.queue(*COLLEAGUES)
                self.run_queue()
                self.assertEqual(self.served(), COLLEAGUES)
                alias = self.read_alias("connection_mails", "backoff_count")
                self.assertEqual(alias["connection_mails"], 4)
                self.assertFalse(alias["backoff_count"])
                per_session = {}
                for message in self.server.messages:
                    per_session.setdefault(message.session_id, []).append(message)
                self.assertEqual([len(m) for m in per_session.values()][:7], [4] * 7)
                self.assertEqual(len(self.server.sessions), 8)

    def test_connection_that_served_and_ends_is_replaced_at_every_phase(self):
        for phase, what in (
            ("rcpt", {"reply": "421 4.3.2 Enough for now"}),
            ("rcpt", {"drop": True}),
            ("data", {"reply": "421 closing"}),
            ("data", {"drop": True}),
            ("dot", {"reply": "421 4.4.2 good bye"}),
            ("mail", {"reply": "451 4.3.0 Please come back"}),
        ):
            with self.subTest(phase=phase, **what):
                self.server.clear()
                self.server.on(phase, skip=3, times=1, **what)
                ids = self.queue(*LEADS[:6])
                self.run_queue()
                self.assertEqual(self.served(), LEADS[:6])
                self.assertEqual(len(self.server.sessions), 2)
                self.assertFalse(self.read_alias("backoff_count")["backoff_count"])
                self.assertEqual(
                    {mail["state"] for mail in self.read_mails(ids, "state")}, {"sent"}
                )

    def test_server_that_ends_every_fresh_connection_backs_the_alias_off(self):
        self.server.on("rcpt", reply="421 4.3.2 Enough for now", skip=3)
        ids = self.queue(*LEADS[:6])
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:3])
        self.assertEqual(len(self.server.sessions), 2)
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 1)
        self.assertNothingLost(ids[3:])

    def test_answers_that_never_come_cost_three_mails_and_not_all(self):
        self.server.on("dot", drop=True)
        ids = self.queue(*LEADS)
        self.run_queue()
        states = [mail["state"] for mail in self.read_mails(ids, "state")]
        self.assertEqual(states, ["exception"] * 3 + ["outgoing"] * 9)
        alias = self.read_alias("backoff_count", "state_message")
        self.assertEqual(alias["backoff_count"], 1)
        self.assertIn("may or may not", alias["state_message"])
        self.write_alias(backoff_until=0)
        self.run_queue()
        self.assertEqual(len(self.read_log()), 4, "one is enough to see that it lasts")
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 2)
        self.server.clear()
        self.write_alias(backoff_until=0)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[4:])
        self.assertFalse(self.read_alias("backoff_count")["backoff_count"])

    def test_too_many_errors_take_a_fresh_connection_and_teach_no_count(self):
        for number in range(4):
            self.server.on("rcpt", reply="550 5.1.1 unknown", match=LEADS[number])
        self.server.on("rcpt", reply="421 4.7.0 Error: too many errors", times=1)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[4:])
        self.assertFalse(self.read_alias("connection_mails")["connection_mails"])
        self.assertEqual(self.read_mails(ids[4:5], "state")[0]["state"], "sent")

    def test_fresh_connection_that_refuses_as_well_backs_the_alias_off(self):
        self.server.on("mail", reply="452 4.4.5 Too many messages per session", skip=3)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:3])
        self.assertEqual(len(self.server.sessions), 2)
        alias = self.read_alias(
            "backoff_count",
            "state_message",
            "connection_mails",
            "pause_ms",
            "pause_reason",
        )
        self.assertEqual(alias["backoff_count"], 1)
        self.assertIn("per session", alias["state_message"])
        self.assertFalse(alias["connection_mails"], "the account's limit is not learnt")
        self.assertGreater(alias["pause_ms"], 0)
        self.assertIn("per session", alias["pause_reason"])
        self.assertNothingLost(ids[3:])

    def test_count_of_a_connection_is_of_what_was_accepted(self):
        for number in (0, 2):
            self.server.on("rcpt", reply="550 5.1.1 unknown", match=LEADS[number])
        self.server.on(
            "data", reply="452 Too many messages per session", skip=3, times=1
        )
        self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(len(self.served()), 10)
        self.assertEqual(self.read_alias("connection_mails")["connection_mails"], 3)

    def test_count_of_a_connection_is_forgotten_after_a_day(self):
        for age, sessions in ((2 * DAY, 1), (DAY / 2, 4)):
            with self.subTest(age=age):
                self.server.sessions.clear()
                with self.committed() as env:
                    now = env["user.email.alias"]._now()
                self.write_alias(connection_mails=2, connection_mails_at=now - age)
                self.queue(*COLLEAGUES[:8])
                self.run_queue()
                self.assertEqual(len(self.server.sessions), sessions)

    def test_count_of_a_connection_is_tried_anew_after_some(self):
        with self.committed() as env:
            now = env["user.email.alias"]._now()
        self.write_alias(connection_mails=1, connection_mails_at=now)
        self.queue(*COLLEAGUES[:14])
        self.run_queue()
        self.assertEqual(len(self.server.sessions), 11)
        last = self.server.messages[-1].session_id
        on_it = [m for m in self.server.messages if m.session_id == last]
        self.assertEqual(len(on_it), 4, "it was used until the end")
        self.assertFalse(self.read_alias("connection_mails")["connection_mails"])

    def test_trouble_of_one_recipient_stops_nobody_else(self):
        for reply in (
            "450 lead0 receives too many messages",
            f"450 {LEADS[0]} exceeds 5 messages per hour",
            "550 User has exceeded daily receiving limit",
            "552 user has exceeded his message quota",
        ):
            with self.subTest(reply=reply):
                self.server.clear()
                self.server.on("rcpt", reply=reply, match=LEADS[0])
                ids = self.queue(*LEADS[:4])
                before = len(self.served())
                self.run_queue()
                self.assertEqual(self.served()[before:], LEADS[1:4])
                alias = self.read_alias("backoff_count", "pause_ms", "state")
                self.assertFalse(alias["backoff_count"] or alias["pause_ms"])
                self.assertNotEqual(alias["state"], "hold")
                late = self.read_mails(ids[:1], "state", "email_alias_due")[0]
                self.assertEqual(late["state"], "outgoing")
                with self.committed() as env:
                    now = env["user.email.alias"]._now()
                self.assertGreater(late["email_alias_due"], now + 200)

    def test_trouble_of_many_recipients_in_a_row_backs_the_alias_off(self):
        for number in range(12):
            reply = f"450 lead{number} receives too many messages"
            self.server.on("rcpt", reply=reply, match=LEADS[number])
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 1)
        self.assertNothingLost(ids)

    def test_one_mail_is_enough_to_see_that_the_trouble_lasts(self):
        self.server.on("dot", reply="451 Heute nicht")
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(len(self.read_log()), 3)
        self.write_alias(backoff_until=0)
        self.run_queue()
        log = self.read_log()
        self.assertEqual(len(log), 4)
        self.assertEqual(log[3]["mail_mail_id"], ids[3], "others go first")
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 2)
        self.assertNothingLost(ids)

    def test_mails_that_were_put_back_stop_nobody_a_second_time(self):
        troubled, others = LEADS[:3], LEADS[3:]
        for who in troubled:
            reply = f"450 {who} receives too many messages"
            self.server.on("rcpt", reply=reply, match=who)
        self.queue(*troubled)
        self.run_queue()
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 1)
        self.write_alias(backoff_until=0)
        self.queue(*others)
        self.run_queue()
        self.assertEqual(self.served(), others)
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 0)

    def test_somebody_known_who_is_taken_spares_the_alias_the_wait(self):
        self.queue(LEADS[0])
        self.run_queue()
        for who in LEADS[1:6]:
            self.server.on("rcpt", reply=f"451 {who} hat genug", match=who)
        self.queue(*LEADS[1:6])
        self.run_queue()
        self.assertEqual(len(self.read_log()), 6)
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 0)

    def test_trouble_of_some_recipients_is_not_the_connections_for_good(self):
        troubled, others = LEADS[3:6], LEADS[:3] + LEADS[6:]
        for who in troubled:
            self.server.on("rcpt", reply=f"451 {who} hat genug", match=who)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(self.served(), others)
        self.assertLessEqual(len(self.server.sessions), 3)
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 0)
        late = self.read_mails(ids[3:6], "state", "email_alias_due")
        with self.committed() as env:
            now = env["user.email.alias"]._now()
        self.assertTrue(all(mail["email_alias_due"] > now + 200 for mail in late))

    def test_mail_that_is_put_back_grows_older_all_the_same(self):
        self.server.on("dot", reply="451 Heute nicht")
        ids = self.queue(*LEADS[:3])
        self.run_queue()
        self.assertNothingLost(ids)
        with self.committed() as env:
            env.cr.execute(
                SQL(
                    "UPDATE user_email_alias_log SET claimed_at = claimed_at - %s"
                    " WHERE mail_mail_id = %s",
                    5 * DAY + 60,
                    ids[0],
                )
            )
            now = env["user.email.alias"]._now()
            env["mail.mail"].browse(ids[0]).email_alias_due = now
        self.write_alias(backoff_until=0)
        self.run_queue()
        states = [mail["state"] for mail in self.read_mails(ids, "state")]
        self.assertEqual(states, ["exception", "outgoing", "outgoing"])
        reason = self.read_mails(ids[:1], "failure_reason")[0]["failure_reason"]
        self.assertIn("five days", reason)

    def test_limit_of_logins_is_waited_for_and_no_wrong_password(self):
        self.server.on("auth", reply="535 5.7.8 too many login attempts", times=2)
        self.queue(LEADS[0])
        for count in (1, 2):
            self.run_queue()
            alias = self.read_alias("state", "backoff_count", "pause_ms")
            self.assertNotEqual(alias["state"], "hold")
            self.assertEqual(alias["backoff_count"], count)
            self.assertFalse(alias["pause_ms"])
            self.write_alias(backoff_until=0)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:1])

    def test_same_deferral_in_a_row_backs_off_widens_and_charges_no_mail(self):
        self.server.on("rcpt", reply="450 4.7.1 Genug fuer heute von 203.0.113.9")
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(len(self.read_log()), 3)
        alias = self.read_alias(
            "backoff_count", "pause_ms", "pause_reason", "state_message"
        )
        self.assertEqual(alias["backoff_count"], 1)
        self.assertGreater(alias["pause_ms"], 0)
        self.assertIn("Genug", alias["pause_reason"])
        self.assertIn("Genug", alias["state_message"])
        self.assertNothingLost(ids)
        self.server.clear()
        self.write_alias(backoff_until=0, pause_ms=0)
        self.run_queue()
        self.assertCountEqual(self.served(), LEADS)

    def test_deferrals_after_successes_try_a_fresh_connection_first(self):
        self.server.on("dot", reply="451 Heute nicht mehr", skip=4, times=3)
        # by now it is known that these words mean the connection
        self.server.on("dot", reply="451 Heute nicht mehr", skip=8, times=1)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertCountEqual(self.served(), LEADS)
        self.assertEqual(len(self.server.sessions), 3)
        self.assertEqual({m["state"] for m in self.read_mails(ids, "state")}, {"sent"})

    def test_greylisted_recipients_do_not_stop_the_alias(self):
        self.server.on("rcpt", reply="451 4.7.1 Greylisted, come back", times=8)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[8:])
        self.assertFalse(self.read_alias("backoff_count")["backoff_count"])
        late = self.read_mails(ids[:8], "email_alias_due", "state")
        self.assertEqual({mail["state"] for mail in late}, {"outgoing"})
        with self.committed() as env:
            now = env["user.email.alias"]._now()
        self.assertTrue(all(mail["email_alias_due"] > now + 200 for mail in late))

    def test_statements_of_a_mail_do_not_grow(self):
        counts, usual = collections.Counter(), sql_db.Cursor.execute

        def counting(cr, *args, **kwargs):
            counts[threading.current_thread()] += 1
            return usual(cr, *args, **kwargs)

        def count(number):
            self.queue(*COLLEAGUES[:number])
            counts.clear()
            with patch.object(sql_db.Cursor, "execute", counting):
                self.run_queue()
            return max(counts.values())  # the lane's own thread

        count(2)  # what is read once and kept
        few, many = count(5), count(25)
        self.assertLessEqual((many - few) / 20, 11)
        self.assertEqual(len(self.served()), 32)
