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
        self.assertEqual(states, ["exception"] * 3 + ["outgoing"] * 2)
        self.assertEqual(self.read_alias("state")["state"], "hold")

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

    def test_count_outlives_the_lane(self):
        self.server.on("dot", reply="554 Abgelehnt")
        ids = []
        for address in LEADS[:3]:
            ids += self.queue(address)
            self.run_queue()
        self.assertEqual(self.states(ids), ["outgoing"] * 3)
        self.assertEqual(self.read_alias("state")["state"], "hold")


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
        alias = self.read_alias("backoff_count", "state_message", "state")
        self.assertEqual(alias["backoff_count"], 1)
        self.assertIn("per session", alias["state_message"])
        self.assertNothingLost(ids[3:])

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
