from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.mail.tools.discuss import Store

from .common_http import PatientHttpCase
from .test_chatter import ChatterCase


class OutcomeCase(ChatterCase):
    def write_message(self, **values):
        """A message of Alice's, and the mail it waits as."""
        message = self.send_message(
            self.user_alice,
            self.lead,
            **{"email_alias_id": self.alias_alice.id, **values},
        )
        mail = self.env["mail.mail"].search([("mail_message_id", "=", message.id)])
        return message, mail

    def submit(self, mail, outcome, reply="250 2.0.0 queued", **values):
        """What the lane writes about a submission."""
        row = self.env["user.email.alias.log"].create(
            {
                "alias_id": mail.email_alias_id.id,
                "mail_mail_id": mail.id,
                "mail_message_id": mail.mail_message_id.id,
                "message_id": mail.message_id,
                "outcome": outcome,
                "reply": reply,
                "replied_at": self.env["user.email.alias"]._now(),
                **values,
            }
        )
        if outcome == "sent":
            mail._email_alias_record_sent()
        elif outcome == "uncertain":
            mail._email_alias_record_uncertain()
        elif outcome == "refused":
            mail._email_alias_record_refused(reply, False)
        else:
            mail._email_alias_defer(600, reply)
        return row

    def see(self, message, user=None):
        user = user or self.user_alice
        store = Store().add(message.with_user(user).with_env(self.env(user=user)))
        return store.get_result()["mail.message"][0].get("emailAliasOutcome")


@tagged("post_install", "-at_install", "user_email_alias")
class TestOutcome(OutcomeCase):
    def test_message_says_whom_it_is_from_and_that_it_waits(self):
        message, _mail = self.write_message()
        outcome = self.see(message)
        self.assertEqual(outcome["from"], "Alice Adams <alice@a.example.com>")
        self.assertEqual(outcome["state"], "waiting")
        self.assertFalse(outcome["until"])
        self.assertTrue(outcome["is_mine"])

    def test_message_without_alias_is_as_ever(self):
        message = self.send_message(self.user_alice, self.lead)
        self.assertFalse(self.see(message))

    def test_sent_message_says_so(self):
        message, mail = self.write_message()
        self.submit(mail, "sent")
        self.assertEqual(self.see(message)["state"], "sent")
        mail.unlink()
        self.assertEqual(self.see(message)["state"], "sent")

    def test_mail_to_be_tried_again_says_when_and_why(self):
        message, mail = self.write_message()
        self.submit(mail, "deferred", "451 4.3.0 later")
        outcome = self.see(message)
        self.assertEqual(outcome["state"], "waiting")
        self.assertTrue(outcome["until"])
        self.assertIn("451 4.3.0", outcome["reply"])

    def test_hold_of_the_alias_is_the_reason(self):
        message, _mail = self.write_message()
        self.alias_alice.sudo()._set_hold("password", "535 5.7.8 wrong password")
        outcome = self.see(message)
        self.assertEqual(outcome["state"], "waiting")
        self.assertFalse(outcome["until"])
        self.assertIn("535 5.7.8", outcome["reply"])

    def test_refused_message_shows_the_words_of_the_server(self):
        message, mail = self.write_message()
        self.submit(mail, "refused", "550 5.1.1 no such user")
        outcome = self.see(message)
        self.assertEqual(outcome["state"], "refused")
        self.assertIn("550 5.1.1", outcome["reply"])

    def test_colleague_sees_the_state_but_not_the_words(self):
        message, mail = self.write_message()
        self.submit(mail, "refused", "550 5.1.1 no such user")
        outcome = self.see(message, self.user_bob)
        self.assertEqual(outcome["state"], "refused")
        self.assertFalse(outcome["is_mine"])
        self.assertFalse(outcome["reply"])

    def test_portal_user_is_told_nothing(self):
        message, _mail = self.write_message()
        self.assertFalse(self.see(message, self.user_portal))

    def test_gravest_of_several_recipients_counts(self):
        other = self.env["res.partner"].create(
            {"name": "Other", "email": "other@customer.example.com"}
        )
        message, mail = self.write_message(partner_ids=(self.customer | other).ids)
        self.submit(mail, "sent")
        copy = mail.copy({"mail_message_id": message.id, "state": "outgoing"})
        self.assertEqual(self.see(message)["state"], "waiting")
        self.submit(copy, "uncertain")
        self.assertEqual(self.see(message)["state"], "uncertain")

    def test_uncertain_mail_is_sent_again(self):
        message, mail = self.write_message()
        self.submit(mail, "uncertain", "connection lost")
        self.assertEqual(self.see(message)["state"], "uncertain")
        self.rpc(self.user_alice, message, "action_email_alias_send_again")
        self.assertEqual(mail.state, "outgoing")
        self.assertEqual(self.see(message)["state"], "waiting")
        with self.assertRaises(UserError):
            self.rpc(self.user_alice, message, "action_email_alias_send_again")

    def test_uncertain_mail_is_marked_as_sent(self):
        message, mail = self.write_message()
        self.submit(mail, "uncertain", "connection lost")
        self.rpc(self.user_alice, message, "action_email_alias_mark_sent")
        self.assertEqual(self.see(message)["state"], "sent")
        self.assertFalse(message.has_error)

    def test_colleague_decides_nothing(self):
        message, mail = self.write_message()
        self.submit(mail, "uncertain", "connection lost")
        for user in (self.user_bob, self.user_manager, self.user_admin):
            for method in (
                "action_email_alias_send_again",
                "action_email_alias_mark_sent",
            ):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assertRaises(UserError),
                ):
                    self.rpc(user, message, method)
        self.assertEqual(self.see(message)["state"], "uncertain")

    def test_outcome_is_told_at_once_and_once(self):
        message, mail = self.write_message()
        self.env.cr.precommit.run()
        with patch.object(
            type(message), "_notify_message_notification_update", autospec=True
        ) as told:
            self.submit(mail, "sent")
            self.env.cr.precommit.run()
        self.assertEqual([call.args[0] for call in told.mock_calls], [message])

    def test_bulk_mail_is_not_told_mail_by_mail(self):
        _message, mail = self.write_message()
        mail.email_alias_bulk = True
        self.env.cr.precommit.run()
        with patch.object(
            type(self.env["mail.message"]), "_notify_message_notification_update"
        ) as told:
            self.submit(mail, "sent")
            self.env.cr.precommit.run()
        told.assert_not_called()

    def test_long_conversation_costs_no_query_for_each_message(self):
        def count(number):
            messages = self.env["mail.message"]
            for _ in range(number):
                messages |= self.write_message()[0]
            self.env.flush_all()
            self.env.invalidate_all()
            Message = messages.with_user(self.user_alice)
            Message.fetch(["email_alias_id"])
            before = self.env.cr.sql_log_count
            Message._email_alias_outcomes(self.user_alice)
            return self.env.cr.sql_log_count - before

        count(1)  # what is read once and kept, such as system parameters
        self.assertEqual(count(2), count(12))


@tagged("post_install", "-at_install", "user_email_alias")
class TestCampaignNotice(OutcomeCase):
    def send_mailing(self):
        mailing = self.create_mailing(self.user_alice)
        mailing.action_put_in_queue()
        self.run_mailing_cron()
        return mailing, self.find_mails(self.alias_alice)

    def told(self, mailing):
        return mailing.message_ids.filtered(lambda m: "have left as" in m.body)

    def test_finished_mailing_tells_its_user_once(self):
        mailing, mails = self.send_mailing()
        self.assertEqual(mailing.state, "done")
        for mail in mails:
            self.assertFalse(self.told(mailing))
            mail._email_alias_record_sent()
            self.env["mail.mail"]._email_alias_sweep(self.alias_alice.id)
        self.assertEqual(len(self.told(mailing)), 1)
        self.assertIn("3 of 3 emails have left", self.told(mailing).body)
        self.env["mail.mail"]._email_alias_sweep(self.alias_alice.id)
        self.assertEqual(len(self.told(mailing)), 1)

    def test_failed_mails_of_a_mailing_are_counted(self):
        mailing, mails = self.send_mailing()
        mails[0]._email_alias_record_refused("550 5.1.1 no such user", True)
        mails[1]._email_alias_record_unsent("no server was asked")
        mails[2]._email_alias_record_sent()
        self.env["mail.mail"]._email_alias_sweep(self.alias_alice.id)
        told = self.told(mailing).body
        self.assertIn("1 of 3 emails have left", told)
        self.assertIn("2 have failed", told)
        self.assertNotIn("refused", told, "no server has seen one of them")


@tagged("post_install", "-at_install", "user_email_alias")
class TestBrowserData(OutcomeCase):
    def test_browser_knows_ones_own_aliases_and_no_secret(self):
        data = self.user_alice._email_alias_web_client_data()
        self.assertEqual(
            {alias["email_from"] for alias in data},
            {"alice@a.example.com", "alice@other.example.com"},
        )
        self.assertFalse(
            [key for alias in data for key in alias if "smtp" in key or "secret" in key]
        )

    def test_hold_and_uncertain_mail_are_told_to_the_owner(self):
        _message, mail = self.write_message()
        self.submit(mail, "uncertain", is_bulk=True)
        self.alias_alice.sudo()._set_hold("password", "535 5.7.8 wrong password")
        data = {
            alias["id"]: alias
            for alias in self.user_alice._email_alias_web_client_data()
        }
        mine = data[self.alias_alice.id]
        self.assertEqual(mine["state"], "hold")
        self.assertEqual(mine["uncertain_count"], 1)
        self.assertEqual(mine["uncertain_bulk_count"], 1)


@tagged("post_install", "-at_install", "user_email_alias")
class TestSession(OutcomeCase, PatientHttpCase):
    def session_of(self, login):
        self.authenticate(login, login)
        return self.make_jsonrpc_request("/web/session/get_session_info")

    def test_page_brings_ones_own_aliases_along(self):
        aliases = self.session_of("alice_alias")["email_aliases"]
        self.assertEqual(
            {alias["email_from"] for alias in aliases},
            {"alice@a.example.com", "alice@other.example.com"},
        )

    def test_page_of_a_user_without_alias_is_as_ever(self):
        self.assertNotIn("email_aliases", self.session_of("plain_alias"))

    def test_opening_a_record_brings_the_proposal_along(self):
        self.receive(self.lead, incoming_email_to="alice@other.example.com")
        self.authenticate("alice_alias", "alice_alias")
        data = self.make_jsonrpc_request(
            "/mail/data",
            {
                "fetch_params": [
                    [
                        "mail.thread",
                        {
                            "thread_model": "crm.lead",
                            "thread_id": self.lead.id,
                            "request_list": ["suggestedRecipients"],
                        },
                    ]
                ]
            },
        )
        self.assertEqual(
            data["mail.thread"][0]["emailAliasProposal"], self.alias_alice_2.id
        )


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestOutcomeTours(OutcomeCase, PatientHttpCase):
    def test_uncertain_message_is_decided_below_it_and_in_the_menu(self):
        lead, self.lead = self.lead, self.tour_lead
        message, mail = self.write_message(body="The doubtful one")
        self.submit(mail, "uncertain", "connection lost")
        second, second_mail = self.write_message(body="The second one")
        self.submit(second_mail, "uncertain", "connection lost")
        self.lead = lead
        self.start_tour("/odoo", "user_email_alias_uncertain", login="alice_alias")
        self.assertEqual(self.see(message)["state"], "sent")
        self.assertEqual(self.see(second)["state"], "waiting")

    def test_hold_is_seen_wherever_one_is(self):
        self.alias_alice.sudo()._set_hold("password", "535 5.7.8 wrong password")
        self.start_tour("/odoo", "user_email_alias_hold", login="alice_alias")
