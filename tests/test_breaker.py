"""The queue with its real lanes: what is the account's is not charged to mails."""

from odoo.tests import tagged

from .common_queue import QueueCase

LEADS = [f"lead{number}@firm{number}.example" for number in range(12)]
COLLEAGUES = [f"lead{number}@example.org" for number in range(30)]


@tagged("post_install", "-at_install", "user_email_alias")
class TestRefusals(QueueCase):
    def states(self, ids):
        return [mail["state"] for mail in self.read_mails(ids, "state")]

    def refuse(self, phase, reply, **when):
        """Every mail meets a reply that has a number of its own."""
        for number in range(40):
            text = reply.format(number=number, to=COLLEAGUES[number % 30])
            self.server.on(phase, reply=text, times=1, **when)

    def resume(self):
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_resume()

    def test_unknown_refusal_of_three_mails_holds_and_no_mail_pays(self):
        self.refuse("dot", "554 5.7.0 Zugang {number:x}A7 gesperrt fuer <{to}>")
        ids = self.queue(*COLLEAGUES)
        self.run_queue()
        self.run_queue()
        self.assertEqual(set(self.states(ids)), {"outgoing"})
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual((alias["state"], alias["hold_reason"]), ("hold", "refused"))
        self.assertIn("gesperrt", alias["state_message"])
        (notice,) = self.read_notices()
        self.assertIn("gesperrt", notice["message"])
        log = self.read_log()
        self.assertEqual([row["outcome"] for row in log], ["refused"] * 3)
        self.assertTrue(all(row["is_put_back"] for row in log))
        self.server.clear()
        self.resume()
        self.run_queue()
        self.assertCountEqual(self.served(), COLLEAGUES)

    def test_what_is_refused_again_after_the_owner_acted_is_refused(self):
        self.refuse("dot", "554 5.7.0 Zugang {number} gesperrt")
        ids = self.queue(*LEADS[:5])
        self.run_queue()
        self.resume()
        self.run_queue()
        states = self.states(ids)
        self.assertEqual(states, ["exception"] + ["outgoing"] * 4, "one pays")
        self.assertEqual(self.read_alias("state")["state"], "hold")
        self.resume()
        self.run_queue()
        self.assertEqual(self.states(ids).count("exception"), 2)
        self.server.clear()
        self.resume()
        self.run_queue()
        self.assertEqual(self.states(ids), ["exception"] * 2 + ["sent"] * 3)

    def test_after_a_resume_that_helped_it_takes_three_again(self):
        self.server.on("dot", reply="554 Zugang gesperrt", times=3)
        self.queue(*LEADS[:3])
        self.run_queue()
        self.resume()
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:3])
        self.server.on("dot", reply="554 Zugang gesperrt", times=2)
        ids = self.queue(*LEADS[3:6])
        self.run_queue()
        self.assertEqual(self.states(ids), ["exception"] * 2 + ["sent"])

    def test_refusal_at_mail_from_is_never_a_mails(self):
        for reply, reason in (
            ("552 Requested mail action aborted: exceeded storage allocation", "full"),
            ("552 We do not like it", "account"),
            ("555 Tarif ohne Versand", "account"),
            ("550 5.1.1 no such user", "from_refused"),
        ):
            with self.subTest(reply=reply):
                self.server.clear()
                self.server.on("mail", reply=reply)
                ids = self.queue(*LEADS[:2])
                self.run_queue()
                self.assertEqual(self.states(ids), ["outgoing"] * 2)
                alias = self.read_alias("state", "hold_reason")
                self.assertEqual(alias["state"], "hold")
                self.assertIn(reason, alias["hold_reason"])
                self.server.clear()
                self.resume()
                self.run_queue()
                self.assertEqual(self.states(ids), ["sent"] * 2)

    def test_one_to_one_mails_and_their_notifications_wait_again(self):
        self.server.on("dot", reply="550 Ihre Nachricht verletzt Regel 4711")
        with self.committed() as env:
            partners = env["res.partner"].create(
                [{"name": address, "email": address} for address in LEADS[:3]]
            )
            lead = env["crm.lead"].create({"name": "Lead", "user_id": self.user_id})
            for partner in partners:
                lead.with_user(self.user_id).message_post(
                    body="Hello",
                    partner_ids=partner.ids,
                    message_type="comment",
                    subtype_xmlid="mail.mt_comment",
                    email_alias_id=self.alias_id,
                )
            mails = env["mail.mail"].search([("email_alias_id", "=", self.alias_id)])
            ids = mails.ids
            env.cr.commit()
            self.assertEqual(len(ids), 3)
            self.run_queue()
            env.cr.rollback()
            env.invalidate_all()
            self.assertEqual(set(mails.mapped("state")), {"outgoing"})
            notifications = env["mail.notification"].search(
                [("mail_mail_id", "in", ids)]
            )
            self.assertEqual(notifications.mapped("notification_status"), ["ready"] * 3)
            self.assertFalse(any(notifications.mapped("failure_type")))
            self.assertEqual(self.read_alias("state")["state"], "hold")
            lead.unlink()

    def test_traces_of_a_mailing_wait_again(self):
        self.server.on("dot", reply="550 no thank you")
        with self.committed() as env:
            contacts = env["mailing.contact"].create(
                [{"name": address, "email": address} for address in LEADS[:3]]
            )
            mailing = (
                env["mailing.mailing"]
                .with_user(self.user_id)
                .create(
                    {
                        "subject": "News",
                        "body_html": "<p>News</p>",
                        "mailing_model_id": env["ir.model"]._get_id("mailing.contact"),
                        "mailing_domain": [("id", "in", contacts.ids)],
                        "email_alias_id": self.alias_id,
                    }
                )
            )
            mailing.action_send_mail()
            env.cr.commit()
            self.run_queue()
            env.cr.rollback()
            env.invalidate_all()
            traces = mailing.sudo().mailing_trace_ids
            self.assertEqual(traces.mapped("trace_status"), ["outgoing"] * 3)
            self.assertFalse(any(traces.mapped("failure_type")))
            self.assertFalse(mailing.sudo().email_alias_is_notified)
            self.server.clear()
            self.resume()
            self.run_queue()
            env.cr.rollback()
            env.invalidate_all()
            self.assertEqual(set(traces.mapped("trace_status")), {"sent"})
            mailing.sudo().unlink()
            contacts.unlink()

    def test_thirty_dead_addresses_are_refused_one_by_one(self):
        for reply in (
            "550 5.1.1 User unknown",
            "550 No such user here",
            "550 Requested action not taken: mailbox unavailable",
            "550 Diese Person ist verzogen: {to}",
            "550 Destinataire inconnu",
        ):
            with self.subTest(reply=reply):
                self.server.clear()
                for number in range(6):
                    text = reply.format(to=LEADS[number])
                    self.server.on("rcpt", reply=text, match=LEADS[number])
                ids = self.queue(*LEADS[:8])
                self.run_queue()
                self.assertEqual(self.served(), LEADS[6:8])
                self.assertEqual(self.states(ids)[:6], ["exception"] * 6)
                self.assertNotEqual(self.read_alias("state")["state"], "hold")

    def test_success_between_refusals_ends_the_count(self):
        for number in (0, 1, 3, 4):
            self.server.on("rcpt", reply="550 no thank you", match=LEADS[number])
        ids = self.queue(*LEADS[:6])
        self.run_queue()
        self.assertEqual(self.served(), [LEADS[2], LEADS[5]])
        self.assertEqual(self.states(ids).count("exception"), 4)

    def test_one_domain_that_refuses_at_rcpt_is_not_the_account_at_once(self):
        for number in range(4):
            self.server.on("rcpt", reply="550 no thank you", match=COLLEAGUES[number])
        self.queue(*COLLEAGUES[:5])
        self.run_queue()
        self.assertEqual(self.served(), COLLEAGUES[4:5])

    def test_policy_at_rcpt_holds_though_it_names_the_recipient(self):
        for number in range(3):
            reply = f"554 5.7.1 <{COLLEAGUES[number]}>: Recipient address rejected: No"
            self.server.on("rcpt", reply=reply, match=COLLEAGUES[number])
        ids = self.queue(*COLLEAGUES[:4], auto_delete=True)
        self.run_queue()
        self.assertEqual(self.states(ids), ["outgoing"] * 4)
        self.assertEqual(self.read_alias("state")["state"], "hold")

    def test_ever_new_words_hold_after_ten_mails(self):
        words = ("amber", "birch", "cedar", "daisy", "elder", "fir", "gorse", "hazel")
        words += ("iris", "juniper")
        for word in words:
            self.server.on("dot", reply=f"554 {word} said no", times=1)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(set(self.states(ids)), {"outgoing"})
        self.assertEqual(len(self.read_log()), 10)

    def test_ever_new_words_at_rcpt_hold_after_ten_mails(self):
        for one in "abcdefghijkl":
            self.server.on("rcpt", reply=f"550 Nein {one * 7}", times=1)
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(set(self.states(ids)), {"outgoing"})
        self.assertEqual(self.read_alias("state")["state"], "hold")
        self.assertEqual(len(self.read_log()), 10)

    def test_count_outlives_the_lane(self):
        self.server.on("dot", reply="554 Abgelehnt")
        ids = []
        for address in LEADS[:3]:
            ids += self.queue(address)
            self.run_queue()
        self.assertEqual(self.states(ids), ["outgoing"] * 3)
        self.assertEqual(self.read_alias("state")["state"], "hold")
