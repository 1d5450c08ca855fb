"""A mail server that minds our name, or what we say in one go: what its user sees."""

from odoo.tests import tagged

from ..tools.transport.smtp import pipelining
from .common_queue import QueueCase


@tagged("-at_install", "post_install", "user_email_alias")
class TestQueueGreeting(QueueCase):
    def setUp(self):
        super().setUp()
        with self.committed() as env:
            Params = env["ir.config_parameter"]
            before = Params.get_param("user_email_alias.ehlo_name")
        self.addCleanup(self._restore, before)

    def begin(self, number):
        """Forget what was said, and greet with a name that was never said before."""
        self.server.clear()
        self.name = (
            f"odoo{number}.{self._testMethodName.replace('_', '-')[:60]}.example"
        )
        self._restore(self.name)

    def _restore(self, before):
        with self.committed() as env:
            env["ir.config_parameter"].set_param("user_email_alias.ehlo_name", before)

    def refuse(self, phase, code=421, **how):
        reply = f"{code} 4.7.1 <{self.name}>: greeting hostname is not acceptable"
        self.server.on(phase, reply=reply, **how)

    def test_mail_leaves_at_once_by_another_connection(self):
        for number, phase in enumerate(("mail", "rcpt")):
            with self.subTest(phase=phase):
                self.begin(number)
                self.refuse(phase, times=1)
                ids = self.queue("bob@example.org", "carol@example.org")
                self.run_queue()
                states = [mail["state"] for mail in self.read_mails(ids, "state")]
                self.assertEqual(states, ["sent", "sent"])
                self.assertEqual(len(self.server.messages), 2)
                self.assertIn(self.name, self.server.greetings)
                self.assertRegex(self.server.greetings[-1], r"\[.+\]")
                alias = self.read_alias("backoff_count", "state", "connection_mails")
                self.assertFalse(alias["backoff_count"])
                self.assertFalse(alias["connection_mails"])
                self.assertEqual(alias["state"], "ok")

    def test_refusal_that_stays_is_for_the_administrator(self):
        for code in (421, 450, 504, 550):
            with self.subTest(code=code):
                self.begin(code)
                self.refuse("rcpt", code)
                ids = self.queue("bob@example.org", "carol@example.org")
                self.run_queue()
                alias = self.read_alias("state", "state_message")
                self.assertEqual(alias["state"], "hold")
                self.assertIn("administrator", alias["state_message"])
                states = [mail["state"] for mail in self.read_mails(ids, "state")]
                self.assertEqual(states, ["outgoing", "outgoing"])
                self.server.clear()
                with self.committed(self.user_id) as env:
                    env["user.email.alias"].browse(self.alias_id).action_resume()
                self.run_queue()
                states = [mail["state"] for mail in self.read_mails(ids, "state")]
                self.assertEqual(states, ["sent", "sent"])

    def test_connection_is_tested_with_what_will_be_said_later(self):
        for number, phase in enumerate(("ehlo", "mail", "rcpt")):
            with self.subTest(phase=phase):
                self.begin(number)
                self.refuse(phase, times=1)
                with self.committed(self.user_id) as env:
                    alias = env["user.email.alias"].browse(self.alias_id)
                    notice = alias.action_test_connection()["params"]
                self.assertIn("Status: OK", notice["message"])
                self.assertRegex(self.server.greetings[-1], r"\[.+\]")


@tagged("-at_install", "post_install", "user_email_alias")
class TestQueuePipelining(QueueCase):
    def test_server_that_cannot_do_what_it_offers_costs_its_user_nothing(self):
        self.server.pipelining = True
        for how in (
            {"reply": "503 5.5.1 bad sequence of commands"},
            {"reply": "502 5.5.2 command not recognized"},
            {"drop": True},
        ):
            self.server.clear()
            pipelining._off.clear()
            self.server.on("rcpt", times=1, **how)
            ids = self.queue("bob@example.org", "carol@example.org")
            with self.subTest(how=how):
                self.run_queue()
                self.assertEqual(
                    self.served(), ["bob@example.org", "carol@example.org"]
                )
                states = [mail["state"] for mail in self.read_mails(ids, "state")]
                self.assertEqual(states, ["sent", "sent"])
                alias = self.read_alias("backoff_count", "state_message", "state")
                self.assertFalse(alias["backoff_count"] or alias["state_message"])
                self.assertEqual(alias["state"], "ok")
