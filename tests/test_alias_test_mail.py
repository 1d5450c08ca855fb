"""Send me a test mail: through a real server, and read back from a real Dovecot."""

import threading
import time
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models import user_email_alias_test_mail
from ..sending.lock import LANE_LOCK, locked
from .common_test_mail import TestMailCase

ALL = "Subject:List-Unsubscribe:list-unsubscribe-post:from"


def results(text):
    return ("Authentication-Results", text)


def signature(domain, covered):
    return ("DKIM-Signature", f"v=1; a=rsa-sha256; d={domain}; h={covered}; b=xyz")


@tagged("post_install", "-at_install", "user_email_alias")
class TestTestMail(TestMailCase):
    def test_all_is_well(self):
        self.provider.knobs.added = [
            (
                "Authentication-Results",
                "mx.example.net; spf=pass; dkim=pass; dmarc=pass",
            ),
            signature("example.com", ALL),
            results("forged.example; spf=fail"),
        ]
        lines = self.run_test()
        self.assertEqual({line["level"] for line in lines}, {"good"}, lines)
        for words in (
            "The mail server took it at",
            "It arrived after",
            'From is as it was sent: "Ada Lovelace" <ada@example.com>',
            "Message-ID is as it was sent",
            "arrived: List-Unsubscribe, List-Unsubscribe-Post, Precedence",
            "example.com covers",
            "mx.example.net wrote: SPF pass, DKIM pass, DMARC pass",
            "One copy",
        ):
            self.assertLine(lines, "good", words)
        self.assertNotIn("forged", str(lines))
        self.assertEqual(self.served(), ["ada@example.com"])

    def test_it_is_kept_on_the_alias_and_told_in_the_readers_words(self):
        self.run_test()
        kept = self.read_alias("test_checklist", "test_mail", "test_copies_proposal")
        self.assertEqual(kept["test_mail"]["state"], "arrived")
        self.assertLine(kept["test_checklist"], "good", "It arrived")
        self.assertFalse(kept["test_copies_proposal"])

    def test_nothing_in_the_mailbox_is_marked(self):
        other = b"Subject: zebra\r\nMessage-ID: <p@x.example>\r\n\r\nHello\r\n"
        self.provider.store("INBOX", other)
        before = self.provider.read_flags("INBOX")
        self.run_test()
        after = self.provider.read_flags("INBOX")
        self.assertEqual(len(after), 2)
        self.assertEqual(after[:1], before)
        self.assertNotIn("Seen", str(after))
        self.assertNotIn("zebra", str(self.read_alias("test_mail")))

    def test_it_counts_like_any_one_to_one_mail_and_leaves_no_trace_elsewhere(self):
        with self.committed() as env:
            messages = env["mail.message"].search_count([])
        self.run_test()
        [row] = self.read_log()
        self.assertEqual((row["outcome"], row["is_bulk"]), ("sent", False))
        self.assertFalse(row["model"])
        with self.committed() as env:
            mails = env["mail.mail"].search([("email_alias_id", "=", self.alias_id)])
            self.assertFalse(mails)
            self.assertEqual(env["mail.message"].search_count([]), messages)

    def test_no_transaction_is_open_while_the_server_thinks(self):
        self.server.on("dot", delay=2.0)
        found = []

        def look():
            with self.committed() as env:
                env.cr.execute(
                    "SELECT query FROM pg_stat_activity"
                    " WHERE datname = current_database()"
                    " AND state LIKE 'idle in transaction%%'"
                    " AND pid != pg_backend_pid()"
                )
                found.extend(env.cr.fetchall())

        self.server.on("dot")
        timer = threading.Timer(1.2, look)
        timer.start()
        self.step("send_test_mail")
        timer.join()
        self.assertEqual(found, [])

    # ------------------------------------------------------------------
    # What a provider does with it
    # ------------------------------------------------------------------

    def test_a_rewritten_from(self):
        self.provider.knobs.replaced = {"From": "Ada <real@provider.example>"}
        self.assertLine(self.run_test(), "bad", "see Ada <real@provider.example>")

    def test_a_message_id_that_outlook_renames(self):
        self.provider.knobs.id_kept_as = "X-Microsoft-Original-Message-ID"
        lines = self.run_test()
        self.assertLine(lines, "odd", "keeps ours in X-Microsoft-Original-Message-ID")

    def test_a_message_id_that_is_lost(self):
        self.provider.knobs.id_kept_as = ""
        self.assertLine(self.run_test(), "odd", "another Message-ID: an answer")

    def test_headers_that_are_lost(self):
        self.provider.knobs.replaced = {
            "List-Unsubscribe": None,
            "Precedence": "bulk",
        }
        lines = self.run_test()
        self.assertLine(lines, "odd", "lost or changed: List-Unsubscribe, Precedence")

    def test_a_signature_that_does_not_cover_the_headers(self):
        self.provider.knobs.added = [signature("example.com", "from:list-unsubscribe")]
        self.assertLine(self.run_test(), "odd", "example.com does not cover")

    def test_no_signature_and_no_results(self):
        lines = self.run_test()
        self.assertLine(lines, "odd", "no DKIM signature")
        self.assertLine(lines, "plain", "wrote nothing on SPF")

    def test_a_failed_check(self):
        text = "mx.example.net (fine) 1; spf=pass smtp.mailfrom=x;\r\n dkim=none;"
        self.provider.knobs.added = [results(f"{text} dmarc=fail (p=none) header.d=x")]
        lines = self.run_test()
        self.assertLine(lines, "odd", "SPF pass, DKIM none, DMARC fail")

    def test_results_of_a_receiver_that_does_not_say_who_it_is(self):
        text = (
            "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x; dkim=pass; dmarc=pass"
        )
        self.provider.knobs.added = [results(text)]
        told = "receiver wrote: SPF pass, DKIM pass, DMARC pass"
        self.assertLine(self.run_test(), "good", told)

    def test_it_arrives_as_spam_in_a_folder_without_the_flag(self):
        with self.provider.mailbox() as client:
            client.create("Spam")
        self.provider.knobs.folder = "Spam"
        self.assertLine(self.run_test(), "bad", "folder “Spam”")

    def test_it_arrives_as_spam(self):
        self.provider.knobs.folder = "Junk"
        self.assertLine(self.run_test(), "bad", "folder “Junk”")

    def test_it_arrives_later_and_is_looked_for_again(self):
        self.provider.knobs.delay = 4.0
        seconds = {"LOOK_SECONDS": 11.0}
        with patch.multiple(user_email_alias_test_mail, **seconds):
            lines = self.run_test()
        self.assertLine(lines, "odd", "not arrived yet")
        self.wait_for_delivery()
        lines = self.step("look_for_test_mail")["lines"]
        self.assertLine(lines, "good", "It arrived after")
        seconds = self.read_alias("test_mail")["test_mail"]["seconds"]
        self.assertTrue(2.5 < seconds < 20, seconds)

    def test_it_is_found_below_many_others(self):
        self.step("send_test_mail")
        self.wait_for_delivery()
        for number in range(120):
            self.provider.store("INBOX", f"Subject: {number}\r\n\r\nx\r\n".encode())
        lines = self.step("look_for_test_mail")["lines"]
        self.assertLine(lines, "good", "It arrived after")

    # ------------------------------------------------------------------
    # Copies
    # ------------------------------------------------------------------

    def test_two_copies_propose_to_switch_ours_off(self):
        self.provider.knobs.id_kept_as = "X-Microsoft-Original-Message-ID"
        self.provider.knobs.own_copies = 1
        self.step("send_test_mail")
        self.wait_for_delivery("Sent")
        # it may see ours already, and would then file none
        lines = self.step("look_for_test_mail")["lines"]
        self.assertLine(lines, "odd", "2 copies of it are in the Sent folder. The")
        self.assertEqual(
            self.read_alias("test_copies_proposal")["test_copies_proposal"], "off"
        )
        self.step("action_apply_copies")
        alias = self.read_alias("files_copies", "has_sent_copies")
        self.assertFalse(alias["files_copies"] or alias["has_sent_copies"])
        lines = self.run_test()
        self.assertLine(lines, "good", "One copy")
        with self.assertRaises(UserError):
            self.step("action_apply_copies")

    def test_no_copy_proposes_to_switch_ours_on(self):
        self.write_alias(files_copies=False)
        self.assertLine(self.run_test(), "odd", "Switch our copies on.")
        self.step("action_apply_copies")
        self.assertLine(self.run_test(), "good", "One copy")

    # ------------------------------------------------------------------
    # Other lanes, and trouble
    # ------------------------------------------------------------------

    def test_a_lane_at_work_takes_it_along(self):
        self.queue("slow@x.example")
        self.server.on("dot", delay=1.5, times=1)
        at_work = threading.Thread(target=self.run_queue)
        at_work.start()
        self.addCleanup(at_work.join)
        time.sleep(0.7)
        self.assertLine(self.run_test(), "good", "It arrived after")

    def test_a_lane_that_takes_too_long_is_not_waited_for(self):
        with (
            locked(self.registry, LANE_LOCK, self.alias_id),
            patch.object(user_email_alias_test_mail, "SEND_SECONDS", 1.0),
        ):
            self.assertLine(self.run_test(), "bad", "Not sent. Another email of this")
        self._check_nothing_waits()

    def test_nobody_has_read_the_answer(self):
        self.server.on("dot", drop=True, accept=True)
        self.assertLine(self.run_test(), "bad", "is uncertain")
        self.assertEqual([row["outcome"] for row in self.read_log()], ["uncertain"])

    def test_another_account_has_passed_no_test(self):
        self.run_test()
        self.write_alias(email_from="ada@else.example")
        self.assertFalse(self.read_alias("test_mail")["test_mail"])

    # ------------------------------------------------------------------
    # What does not work
    # ------------------------------------------------------------------

    def test_a_refused_mail_is_told_and_forgotten(self):
        self.server.on("rcpt", reply="550 5.1.1 no such user")
        self.assertLine(self.run_test(), "bad", "no such user")
        self._check_nothing_waits()

    def test_a_deferred_mail_is_no_test_tomorrow(self):
        self.server.on("rcpt", reply="451 4.7.1 greylisted")
        self.assertLine(self.run_test(), "bad", "greylisted")
        self._check_nothing_waits()

    def test_a_paused_alias_says_why_and_sends_nothing(self):
        self.write_alias(is_paused=True)
        self.assertLine(self.run_test(), "bad", "Not sent. The email alias is paused")
        self._check_nothing_waits()

    def test_a_server_out_of_reach(self):
        self.write_alias(smtp_server="localhost:1", smtp_password="correct horse")
        lines = self.run_test()
        self.assertEqual([line["level"] for line in lines], ["bad"])
        self.assertLine(lines, "bad", "Not sent.")
        self._check_nothing_waits()

    def _check_nothing_waits(self):
        self.assertFalse(self.served())
        with self.committed() as env:
            mails = env["mail.mail"].search([("email_alias_id", "=", self.alias_id)])
            self.assertFalse(mails)
        self.assertEqual(self.read_alias("waiting_count")["waiting_count"], 0)

    def test_a_mailbox_that_is_not_ours_to_read(self):
        self.write_alias(imap_server=False)
        lines = self.run_test()
        self.assertLine(lines, "plain", "Odoo cannot read this mailbox")

    def test_a_mailbox_that_refuses(self):
        self.step("send_test_mail")
        self.dovecot.stop()
        lines = self.step("look_for_test_mail")["lines"]
        self.assertLine(lines, "plain", "The mailbox could not be read")

    def test_nothing_to_look_for(self):
        with self.assertRaises(UserError):
            self.step("look_for_test_mail")

    def test_it_is_counted_like_the_test_of_the_connection(self):
        with self.committed() as env:
            key = "user_email_alias.attempts_per_minute"
            before = env["ir.config_parameter"].get_param(key)
            env["ir.config_parameter"].set_param(key, "1")
        self.addCleanup(self._set_attempts, before)
        self.step("send_test_mail")
        for method in ("send_test_mail", "look_for_test_mail"):
            with self.assertRaisesRegex(UserError, "Wait a moment"):
                self.step(method)

    def _set_attempts(self, value):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(
                "user_email_alias.attempts_per_minute", value
            )
            env["user.email.alias.attempt"].search([]).unlink()

    def test_only_the_owner_sends_one(self):
        with self.committed() as env:
            other = self._create_user(env, "queue_sue")
            other.group_ids += env.ref("base.group_system")
            other_id = other.id
        for method in (
            "action_test_mail",
            "action_look_for_test_mail",
            "send_test_mail",
            "look_for_test_mail",
            "action_apply_copies",
        ):
            with self.assertRaises(AccessError):
                self.step(method, other_id)
