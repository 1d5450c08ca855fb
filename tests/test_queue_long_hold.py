"""What has waited for long is asked about; an owner's leaving holds what waits."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_queue import QueueCase

DAY = 86400
NOTICES = [("subject", "=", "Emails of Ada Lovelace wait")]


class LongHoldCase(QueueCase):
    def age(self, ids, days):
        with self.committed() as env:
            env["mail.mail"].browse(ids).write(
                {"email_alias_due": env["user.email.alias"]._now() - days * DAY}
            )

    def set_param(self, value):
        with self.committed() as env:
            param = env["ir.config_parameter"]
            param.set_param("user_email_alias.stale_days", value)
        self.addCleanup(self._drop_param)

    def _drop_param(self):
        with self.committed() as env:
            env["ir.config_parameter"].set_param("user_email_alias.stale_days", False)

    def as_owner(self, method):
        with self.committed(self.user_id) as env:
            return getattr(env["user.email.alias"].browse(self.alias_id), method)()

    def assertHeld(self, reason):
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual((alias["state"], alias["hold_reason"]), ("hold", reason))
        return alias["state_message"]


@tagged("post_install", "-at_install", "user_email_alias")
class TestStale(LongHoldCase):
    def test_old_mail_waits_for_its_owners_word(self):
        ids = self.queue("a@x.example", "b@x.example")
        self.age(ids, 8)
        fresh = self.queue("c@x.example", bulk=False)
        for _ in range(2):
            self.run_queue()
            self.assertFalse(self.served())
        self.assertIn("3 emails have waited since", self.assertHeld("stale"))
        self.assertEqual(len(self.read_notices()), 1)
        for row in self.read_mails(ids + fresh, "state"):
            self.assertEqual(row["state"], "outgoing")

    def test_no_other_button_lets_it_go(self):
        self.age(self.queue("a@x.example"), 8)
        self.run_queue()
        for action in ("action_resume", "action_test_connection", "action_unpause"):
            self.as_owner(action)
            self.run_queue()
            self.assertFalse(self.served())
            self.assertHeld("stale")

    def test_mail_sent_at_once_opens_no_door_for_it(self):
        self.age(self.queue("a@x.example"), 8)
        with self.committed(self.user_id) as env:
            ids = self.queue("now@x.example", bulk=False, env=env)
            with self.assertRaises(UserError):
                env["mail.mail"].sudo().browse(ids).send(raise_exception=True)
        self.run_queue()
        self.assertFalse(self.served())

    def test_its_owner_sends_it(self):
        self.age(self.queue("a@x.example", "b@x.example"), 30)
        self.run_queue()
        self.as_owner("action_send_stale")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example", "b@x.example"])

    def test_its_owner_drops_it(self):
        ids = self.queue("a@x.example")
        self.age(ids, 30)
        self.run_queue()
        self.as_owner("action_drop_stale")
        self.queue("b@x.example")
        self.run_queue()
        self.assertEqual(self.served(), ["b@x.example"])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "cancel")

    def test_nobody_else_decides(self):
        self.age(self.queue("a@x.example"), 30)
        self.run_queue()
        with self.committed() as env:
            other = self._create_user(env, "queue_eve").id
            admin = env.ref("base.user_admin").id
        for uid in (other, admin):
            for action in ("action_send_stale", "action_drop_stale"):
                with self.assertRaises(AccessError), self.committed(uid) as env:
                    getattr(env["user.email.alias"].browse(self.alias_id), action)()
        self.assertHeld("stale")
        self.as_owner("action_send_stale")
        with self.assertRaises(UserError):
            self.as_owner("action_drop_stale")

    def test_a_campaign_that_goes_on_asks_nothing(self):
        self.queue("first@x.example")
        self.run_queue()
        self.age(self.queue("a@x.example"), 20)
        self.run_queue()
        self.assertEqual(self.served(), ["first@x.example", "a@x.example"])

    def test_a_mailing_that_its_owner_resumes_asks_nothing(self):
        with self.committed(self.user_id) as env:
            mailing = env["mailing.mailing"].create(
                {
                    "subject": "News",
                    "mailing_model_id": env["ir.model"]._get_id("res.partner"),
                    "email_alias_id": self.alias_id,
                }
            )
            mailing.action_email_alias_pause()
        ids = self.queue("a@x.example", mailing_id=mailing.id)
        self.age(ids, 20)
        with self.committed(self.user_id) as env:
            env["mailing.mailing"].browse(mailing.id).action_email_alias_resume()
        self.run_queue()
        with self.committed() as env:
            env["mailing.mailing"].browse(mailing.id).unlink()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_the_parameter_says_how_long(self):
        for value, is_sent in (("30", True), ("0", True), ("nonsense", False)):
            with self.subTest(value):
                self.set_param(value)
                self.age(self.queue(f"{value}@x.example"), 8)
                self.run_queue()
                self.assertEqual(bool(self.served()), is_sent)
                self.server.messages.clear()
                with self.committed() as env:
                    env["user.email.alias.log"].search([]).unlink()

    def test_younger_mail_leaves_after_a_hold(self):
        self.write_alias(state="hold")
        self.age(self.queue("a@x.example"), 6)
        self.run_queue()
        self.as_owner("action_resume")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestOwnerGone(LongHoldCase):
    def leave(self, how):
        self.addCleanup(self.come_back)
        self.addCleanup(self.drop_notices)
        with self.committed() as env:
            user = env["res.users"].browse(self.user_id)
            if how == "archived":
                user.active = False
            else:
                user.group_ids = [(6, 0, env.ref(f"base.group_{how}").ids)]

    def come_back(self):
        with self.committed() as env:
            env["res.users"].browse(self.user_id).write(
                {"active": True, "group_ids": [(6, 0, env.ref("base.group_user").ids)]}
            )

    def find_told(self):
        with self.committed() as env:
            notices = env["mail.message"].search(NOTICES)
            users = notices.notified_partner_ids.with_context(active_test=False)
            return len(notices), users.user_ids.mapped("login")

    def drop_notices(self):
        with self.committed() as env:
            env["mail.message"].search(NOTICES).unlink()

    def test_what_waits_stays_and_is_told(self):
        for how in ("archived", "portal", "public"):
            with self.subTest(how):
                ids = self.queue("a@x.example")
                self.queue("b@x.example", bulk=False)
                self.leave(how)
                self.run_queue()
                self.run_queue()
                self.assertFalse(self.served())
                self.assertIn("2 emails that wait", self.assertHeld("owner"))
                self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
                count, logins = self.find_told()
                self.assertEqual(count, 1)
                self.assertLessEqual({"admin", "queue_ada"}, set(logins))
                # back again: not before they say so
                self.come_back()
                self.run_queue()
                self.assertFalse(self.served())
                self.as_owner("action_resume")
                self.run_queue()
                self.assertEqual(len(self.served()), 2)
                self.server.messages.clear()
                self.drop_notices()

    def test_back_after_long_they_are_asked_once_more(self):
        self.age(self.queue("a@x.example"), 60)
        self.leave("archived")
        self.run_queue()
        self.come_back()
        self.as_owner("action_resume")
        self.run_queue()
        self.assertFalse(self.served())
        self.assertHeld("stale")

    def test_an_administrator_drops_it_and_sends_nothing(self):
        ids = self.queue("a@x.example")
        self.leave("archived")
        self.run_queue()
        with self.committed() as env:
            admin, other = (
                env.ref("base.user_admin").id,
                self._create_user(env, "queue_eve").id,
            )
        for uid, action in (
            (admin, "action_resume"),
            (admin, "action_send_stale"),
            (other, "action_drop_stale"),
        ):
            with self.assertRaises(UserError), self.committed(uid) as env:
                getattr(env["user.email.alias"].browse(self.alias_id), action)()
        with self.committed(admin) as env:
            env["user.email.alias"].browse(self.alias_id).action_drop_stale()
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "cancel")

    def test_they_write_nothing_with_their_alias_any_more(self):
        self.leave("portal")
        with self.committed(self.user_id) as env:
            partner = env.user.partner_id.sudo()
            with self.assertRaisesRegex(UserError, "archived or no internal user"):
                partner.message_post(body="x", email_alias_id=self.alias_id)

    def test_nobody_else_puts_another_name_below_what_waits(self):
        with self.committed() as env:
            admin = env.ref("base.user_admin").id
        self.queue("a@x.example")
        for vals in ({"alias_name": "Evil"}, {"email_from": "eve@evil.example"}):
            with self.assertRaises(UserError), self.committed(admin) as env:
                env["user.email.alias"].browse(self.alias_id).write(vals)
        with self.committed(admin) as env:
            env["user.email.alias"].browse(self.alias_id).delay_ms = 1
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).alias_name = "Ada L."
        self.run_queue()
        self.assertIn(b"Ada L.", self.server.messages[0].data)

    def test_a_claim_of_one_who_left_is_settled(self):
        ids = self.queue("a@x.example")
        with self.committed() as env:
            env["user.email.alias.log"].create(
                {"alias_id": self.alias_id, "mail_mail_id": ids[0]}
            )
        self.leave("archived")
        self.run_queue()
        self.assertEqual(self.read_log()[0]["outcome"], "uncertain")
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "exception")
