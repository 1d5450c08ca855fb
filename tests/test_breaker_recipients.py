"""The queue with its real lanes: dead recipients or an account in trouble?"""

from odoo.tests import BaseCase, tagged

from ..sending.breaker import MANY_COUNT, Refusal, find_suspects
from .common_queue import QueueCase

LEADS = [f"lead{number}@firm{number}.example" for number in range(12)]
OWN = "ada@example.com"


@tagged("post_install", "-at_install", "user_email_alias")
class TestRecipients(QueueCase):
    def states(self, ids):
        return [mail["state"] for mail in self.read_mails(ids, "state")]

    def refuse(self, reply, leads=LEADS, *others):
        """The server takes none of these, but its own users and the rest."""
        for who in (*leads, *others):
            self.server.on("rcpt", reply=reply.format(to=who), match=who)

    def resume(self):
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_resume()

    def assertHeld(self, ids):
        self.assertEqual(set(self.states(ids)), {"outgoing"})
        self.assertEqual(self.read_alias("state")["state"], "hold")

    def assertRefused(self, ids):
        self.assertEqual(set(self.states(ids)), {"exception"})
        self.assertNotEqual(self.read_alias("state")["state"], "hold")

    def commands(self):
        return [line for one in self.server.sessions for line in one.commands]

    def test_dead_recipients_are_refused_one_by_one_whatever_the_words(self):
        for reply in (
            "550 all relevant MX records point to non-existent hosts",
            "550 xyzzy",
            "550 <{to}> xyzzy",
            "554 5.5.0 Nope",
            "550 retry timeout exceeded",
            "550 Recipient has blocked the sender",
            "550 Account locked",
            "550 Ce compte n'est plus actif",
            "550 Cuenta deshabilitada",
        ):
            with self.subTest(reply=reply):
                self.server.clear()
                self.refuse(reply, LEADS[:8])
                ids = self.queue(*LEADS[:9])
                self.run_queue()
                self.assertRefused(ids[:8])
                self.assertEqual(self.served(), LEADS[8:9])

    def test_account_that_is_refused_for_its_own_address_is_held(self):
        self.refuse("550 xyzzy <{to}>", LEADS[:6], OWN)
        ids = self.queue(*LEADS[:6])
        self.run_queue()
        self.assertHeld(ids)
        self.assertEqual(len(self.read_log()), 3)

    def test_account_that_may_not_send_outside_is_held_by_its_words(self):
        for reply in (
            "554 delivery to <{to}> needs a paid plan",
            "550 <{to}> External recipients are not enabled",
            "550 <{to}> nicht in Ihrem Tarif",
            "554 5.7.1 <{to}> no",
        ):
            with self.subTest(reply=reply):
                self.server.clear()
                self.refuse(reply)
                ids = self.queue(*LEADS[:6])
                self.run_queue()
                self.assertHeld(ids)
                self.server.clear()
                self.resume()
                self.run_queue()
                self.assertEqual(self.states(ids), ["sent"] * 6)

    def test_somebody_known_who_is_refused_shows_that_it_is_the_account(self):
        self.queue(LEADS[0])
        self.run_queue()
        self.server.on("rcpt", reply="550 xyzzy", match="lead")
        ids = self.queue(*LEADS[1:7])
        self.run_queue()
        self.assertHeld(ids)

    def test_somebody_known_who_is_taken_shows_that_it_is_the_recipients(self):
        self.queue(LEADS[0])
        self.run_queue()
        self.refuse("554 delivery to <{to}> needs a paid plan", LEADS[1:7])
        ids = self.queue(*LEADS[1:7])
        self.run_queue()
        self.assertRefused(ids)

    def test_the_question_sends_nothing_and_is_asked_seldom(self):
        self.refuse("550 xyzzy", LEADS[:8])
        self.queue(*LEADS[:8])
        self.run_queue()
        self.assertFalse(self.served())
        commands = self.commands()
        asked = [i for i, line in enumerate(commands) if f"rcpt TO:<{OWN}>" in line]
        self.assertEqual(len(asked), 2, "at the third and at the sixth")
        for place in asked:
            self.assertTrue(commands[place - 1].startswith("mail "))
            self.assertTrue(commands[place + 1].startswith("rset"))

    def test_nothing_is_asked_while_all_goes_well(self):
        self.server.on("rcpt", reply="550 xyzzy", match="lead3@")
        self.queue(*LEADS)
        self.run_queue()
        self.assertFalse([line for line in self.commands() if f"TO:<{OWN}>" in line])

    def test_account_out_of_use_counts_when_it_is_ours(self):
        self.server.on("rcpt", reply="550 Account locked")
        ids = self.queue(*(f"lead{n}@firm{n}.example" for n in range(MANY_COUNT + 2)))
        self.run_queue()
        self.assertHeld(ids)

    def test_second_recipient_who_is_served_hides_nothing(self):
        self.refuse("550 xyzzy", LEADS[:6], OWN)
        ids = self.queue(*(f"{lead}, boss@example.net" for lead in LEADS[:6]))
        self.run_queue()
        self.assertHeld(ids)
        self.assertEqual(self.served(), ["boss@example.net"] * 3)
        self.server.clear()
        self.resume()
        with self.committed() as env:
            now = env["user.email.alias"]._now()
            env["mail.mail"].browse(ids).email_alias_due = now
        self.run_queue()
        self.assertEqual(self.states(ids), ["sent"] * 6)
        self.assertCountEqual(self.served(), ["boss@example.net"] * 3 + LEADS[:6])

    def test_dead_recipient_beside_one_who_is_served_is_no_success_for_all(self):
        self.server.on("rcpt", reply="550 5.1.1 unknown", match=LEADS[2])
        self.refuse("550 xyzzy", LEADS[:5], OWN)
        ids = self.queue(*(f"{lead}, boss@example.net" for lead in LEADS[:5]))
        self.run_queue()
        self.assertEqual(self.states(ids).count("sent"), 1)
        self.assertEqual(self.read_alias("state")["state"], "hold")
        self.assertEqual(len(self.read_log()), 4)

    def test_ever_new_words_of_dead_recipients_are_asked_about_seldom(self):
        for number, lead in enumerate(LEADS):
            word = "abcdefghijkl"[number] * 6
            self.server.on("rcpt", reply=f"550 {word}", match=lead)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertRefused(ids)
        asked = [line for line in self.commands() if f"rcpt TO:<{OWN}>" in line]
        self.assertEqual(len(asked), 1, "at the tenth")

    def test_dead_recipient_beside_one_who_is_served_is_refused_at_last(self):
        self.refuse("550 xyzzy", LEADS[:1])
        ids = self.queue(f"{LEADS[0]}, boss@example.net")
        self.run_queue()
        self.assertEqual(self.states(ids), ["outgoing"])
        with self.committed() as env:
            now = env["user.email.alias"]._now()
            env["mail.mail"].browse(ids).email_alias_due = now
        self.run_queue()
        self.assertEqual(self.states(ids), ["exception"])
        self.assertEqual(self.served(), ["boss@example.net"])


@tagged("-at_install", "post_install")
class TestCounting(BaseCase):
    def count(self, number, signature, domains=100, **values):
        """How many of so many refusals are suspect."""
        run = [
            Refusal(n, n, signature, f"a@firm{n % domains}.example", False)._replace(
                **values
            )
            for n in range(number)
        ]
        return len(find_suspects(run, signature))

    def test_how_many_refusals_it_takes(self):
        for signature, domains, needed in (
            ("dot 554 no", 1, 3),
            ("rcpt 550 no", 3, 3),
            ("rcpt 550 no", 2, 5),
            ("rcpt 550 5.7.1 no", 1, 3),
            ("~rcpt 550 account locked", 100, MANY_COUNT),
            ("~dot 550 account locked", 100, MANY_COUNT),
        ):
            with self.subTest(signature=signature, domains=domains):
                self.assertFalse(self.count(needed - 1, signature, domains))
                self.assertEqual(self.count(needed, signature, domains), needed)

    def test_one_mail_that_is_refused_again_and_again_is_one(self):
        self.assertFalse(self.count(20, "dot 554 no", mail_id=1))

    def test_what_was_put_back_makes_one_enough(self):
        old = [Refusal(n, n, "dot 554 no", "a@b.example", True) for n in (2, 3, 4)]
        new = Refusal(9, 9, "dot 554 no", "a@b.example", False)
        self.assertEqual(find_suspects([new, *old], new.signature), [new])
        other = new._replace(signature="dot 554 other")
        self.assertFalse(find_suspects([other, *old], other.signature))
        many = [
            row._replace(mail_id=n, signature=f"dot 550 {n}x")
            for n in range(10)
            for row in old[:1]
        ]
        self.assertEqual(find_suspects([other, *many], other.signature), [other])

    def test_ever_new_words_need_ten_mails_and_at_rcpt_three_domains(self):
        for phase, domains, expected in (
            ("dot", 1, 10),
            ("rcpt", 3, 10),
            ("rcpt", 2, 0),
        ):
            run = [
                Refusal(
                    n, n, f"{phase} 550 {'x' * n}", f"a@f{n % domains}.example", False
                )
                for n in range(10)
            ]
            with self.subTest(phase=phase, domains=domains):
                found = find_suspects(run, run[0].signature)
                self.assertEqual(len(found), expected)
        weak = [row._replace(signature="~" + row.signature) for row in run]
        self.assertFalse(find_suspects(weak, weak[0].signature))
