"""A mail that gets its alias into trouble each time stops nobody behind it."""

from odoo.tests import tagged
from odoo.tools import SQL

from ..tools.pacing import DAY
from .common_queue import QueueCase

POISON = "poison@firm.example"
OTHERS = [f"lead{number}@firm{number}.example" for number in range(3)]

CLOSING = "421 4.3.0 Content filter failed, closing connection"
HOLDING = "550 5.7.1 Your account has been suspended"


@tagged("post_install", "-at_install", "user_email_alias")
class TestInTheWay(QueueCase):
    def _begin(self, reply, is_bulk):
        """Let the poisonous mail be the first one; return its id."""
        self.server.on("rcpt", reply=reply, match=POISON)
        poison = self.queue(POISON, bulk=is_bulk)[0]
        self.queue(*OTHERS)
        return poison

    def _open(self):
        """What time or a click on Resume does."""
        self.write_alias(backoff_until=0)
        with self.committed() as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            if alias.state == "hold":
                alias.with_user(self.user_id).action_resume()

    def _make_due(self, mail_id):
        with self.committed() as env:
            mail = env["mail.mail"].browse(mail_id)
            mail.email_alias_due = env["user.email.alias"]._now()

    def _read_poison(self, mail_id):
        fields = ("state", "email_alias_due", "failure_reason")
        return self.read_mails([mail_id], *fields)[0]

    def _is_troubled(self):
        alias = self.read_alias("state", "backoff_count")
        return alias["state"] == "hold" or alias["backoff_count"] > 0

    def test_others_leave_at_the_next_try_and_it_waits_by_itself(self):
        for reply in (CLOSING, HOLDING):
            for is_bulk in (True, False):
                with self.subTest(reply=reply, is_bulk=is_bulk):
                    self.server.clear()
                    poison = self._begin(reply, is_bulk)
                    self.run_queue()
                    self.assertTrue(self._is_troubled())
                    self.assertFalse(self.served())
                    self._open()
                    self.run_queue()
                    self.assertEqual(self.served(), OTHERS)
                    self.assertFalse(self._is_troubled())
                    found = self._read_poison(poison)
                    self.assertEqual(found["state"], "outgoing")
                    self.assertIn(reply[10:], found["failure_reason"])
                    rows = [r for r in self.read_log() if r["mail_mail_id"] == poison]
                    scopes = [row["scope"] for row in rows]
                    self.assertEqual((scopes[0], scopes[-1]), ("alias", "mail"))
                    with self.committed() as env:
                        now = env["user.email.alias"]._now()
                        self.assertGreater(found["email_alias_due"], now + 60)
                        env["mail.mail"].browse(poison).unlink()

    def test_one_to_one_mail_does_not_wait_for_a_long_pause_of_the_others(self):
        self.write_alias(delay_ms=3_600_000)
        self.queue("first@firm.example")
        self.run_queue()
        self._begin(CLOSING, False)
        self.run_queue()
        self._open()
        self.server.rules.clear()
        self.run_queue()
        self.assertEqual(self.served(), ["first@firm.example", POISON])

    def test_it_is_given_up_after_five_days(self):
        poison = self._begin(CLOSING, True)
        for _turn in range(2):
            self.run_queue()
            self._open()
        for age in (0, 5 * DAY + 60):
            self._make_due(poison)
            with self.committed() as env:
                env.cr.execute(
                    SQL(
                        """UPDATE user_email_alias_log
                              SET claimed_at = claimed_at - %s
                            WHERE mail_mail_id = %s AND scope = 'mail'""",
                        age,
                        poison,
                    )
                )
            self.run_queue()
        found = self._read_poison(poison)
        self.assertEqual(found["state"], "exception")
        self.assertIn("five days", found["failure_reason"])
        self.assertFalse(self._is_troubled())

    def test_trouble_of_the_account_stays_the_accounts(self):
        self.server.on("rcpt", reply=CLOSING)
        ids = self.queue(*OTHERS)
        for count in range(1, 5):
            self.run_queue()
            self.assertEqual(len(self.read_log()), count, "one is enough to see it")
            self.assertEqual(self.read_alias("backoff_count")["backoff_count"], count)
            self._open()
        self.assertEqual({row["scope"] for row in self.read_log()}, {"alias"})
        self.server.clear()
        self.run_queue()
        self.assertEqual(sorted(self.served()), OTHERS)
        self.assertEqual({m["state"] for m in self.read_mails(ids, "state")}, {"sent"})

    def test_trouble_that_comes_back_is_a_mails_once_at_most(self):
        first = self._begin(CLOSING, True)
        for _turn in range(2):
            self.run_queue()
            self._open()
        self.server.on("rcpt", reply=CLOSING)
        self._make_due(first)
        self.queue(*(f"more-{who}" for who in OTHERS))
        self.run_queue()
        self.assertEqual(
            [row["scope"] for row in self.read_log()[-2:]], ["mail", "alias"]
        )
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 1)

    def test_mail_with_nobody_behind_it_keeps_its_place(self):
        self.server.on("rcpt", reply=CLOSING, match=POISON)
        poison = self.queue(POISON)[0]
        due = self._read_poison(poison)["email_alias_due"]
        for count in (1, 2, 3):
            self.run_queue()
            self.assertEqual(len(self.read_log()), count)
            self._open()
        self.assertEqual(self._read_poison(poison)["email_alias_due"], due)
