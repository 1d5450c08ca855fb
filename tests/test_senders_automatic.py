"""What Odoo's base apps send by themselves: never by a personal alias."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common_automatic import ADA, GUEST, ROBOT, AutomaticCase, sets_off
from .common_queue import PASSWORD

COLLEAGUE = "queue_colleague@example.com"


@tagged("post_install", "-at_install", "user_email_alias")
class TestMail(AutomaticCase):
    groups = ("base.group_system",)

    @sets_off(("mail", "IrActionsServer._run_action_mail_post_multi"))
    def test_a_server_action_that_sends_a_template(self):
        template_id = self.create_template()
        lead_id = self.create_lead()
        for method in ("email", "comment"):
            with self.subTest(method=method):
                self.odoo_server.clear()
                action_id = self.create_action(
                    state="mail_post",
                    template_id=template_id,
                    mail_post_method=method,
                )
                context = {"active_model": "crm.lead", "active_id": lead_id}
                self.call("ir.actions.server", "run", [action_id], context=context)
                self.assertLeavesAsEver(ROBOT, GUEST)

    @sets_off(("mail", "MailActivity.action_notify"))
    def test_an_activity_for_a_colleague(self):
        colleague_id = self.create_colleague()
        lead_id = self.create_lead()
        with self.committed() as env:
            model_id = env["ir.model"]._get_id("crm.lead")
        activity = {"res_model_id": model_id, "res_id": lead_id}
        self.call("mail.activity", "create", [{**activity, "user_id": colleague_id}])
        self.assertLeavesAsEver(ADA, COLLEAGUE)

    @sets_off(("mail", "MailThread._message_auto_subscribe_notify"))
    def test_a_lead_that_is_given_to_a_colleague(self):
        lead_id = self.create_lead()
        self.call("crm.lead", "write", [lead_id], {"user_id": self.create_colleague()})
        self.assertLeavesAsEver(ADA, COLLEAGUE)

    @sets_off(("mail", "MailThread._message_route_process"))
    def test_what_a_customer_writes_goes_to_followers(self):
        colleague_id = self.create_colleague()
        lead_id = self.create_lead(email_from=GUEST)
        self.follow(lead_id, colleague_id)
        message_id = self.write_as_ever(lead_id)
        self.receive(In_Reply_To=message_id, References=message_id)
        self.assertLeavesAsEver(GUEST, ADA, COLLEAGUE)

    @sets_off(("mail", "MailThread._routing_create_bounce_email"))
    def test_a_bounce(self):
        domain_id = self.create("mail.alias.domain", {"name": "queue.example"})[0]
        self.addCleanup(self._give_up_domain, domain_id)
        self.receive(to="catchall@queue.example")
        # what the database's server writes as when it has a domain
        self.assertLeavesAsEver("notifications@queue.example", GUEST)

    def _give_up_domain(self, domain_id):
        with self.committed() as env:
            for model in ("res.company", "mail.alias"):
                records = env[model].search([("alias_domain_id", "=", domain_id)])
                records.alias_domain_id = False

    @sets_off(("mail", "MailThread._notify_thread_with_out_of_office"))
    def test_an_absence_is_told(self):
        with self.committed() as env:
            env["res.users"].browse(self.user_id).write(
                {
                    "out_of_office_from": fields.Datetime.now() - timedelta(days=1),
                    "out_of_office_message": "<p>On holiday</p>",
                }
            )
        lead_id = self.create_lead(email_from=GUEST)
        message_id = self.write_as_ever(lead_id)
        self.receive(In_Reply_To=message_id, References=message_id)
        self.assertAllLeavesAsEver((GUEST, ADA), (ADA, GUEST))

    @sets_off(("mail", "ResUsers._notify_security_setting_update"))
    def test_a_changed_address_is_told(self):
        with self.committed(self.user_id) as env:
            env.user.email = "new@example.com"
        self.assertLeavesAsEver(self.company, ADA)

    def create_action(self, model="crm.lead", **values):
        with self.committed() as env:
            model_id = env["ir.model"]._get_id(model)
        action = {"name": "Action", "model_id": model_id, **values}
        return self.create("ir.actions.server", action)[0]

    def follow(self, lead_id, user_id):
        with self.committed() as env:
            lead = env["crm.lead"].browse(lead_id)
            lead.message_subscribe(env["res.users"].browse(user_id).partner_id.ids)

    def write_as_ever(self, lead_id):
        """Ada has written before, by the database's server; return the Message-Id."""
        with self.committed(self.user_id) as env:
            lead = env["crm.lead"].browse(lead_id)
            message = lead.message_post(body="Hello", subtype_xmlid="mail.mt_comment")
            message_id = message.message_id
        self.clear()
        return message_id


@tagged("post_install", "-at_install", "user_email_alias")
class TestSignup(AutomaticCase):
    groups = ("base.group_erp_manager", "base.group_system")

    @sets_off(("auth_signup", "ResUsers._action_reset_password"))
    def test_a_password_reset(self):
        self.call("res.users", "action_reset_password", [self.create_colleague()])
        self.assertLeavesAsEver(self.company, COLLEAGUE)

    @sets_off(("auth_signup", "ResUsers._action_reset_password"))
    def test_an_invitation(self):
        self.call(
            "res.users",
            "create",
            [{"name": "New", "login": "queue_new", "email": "queue_new@example.com"}],
        )
        self.assertLeavesAsEver(self.company, "queue_new@example.com")

    @sets_off(("auth_signup", "AuthSignupHome.web_auth_signup"))
    def test_a_visitor_signs_up(self):
        with self.committed() as env:
            token = env["res.users"].browse(self.user_id).partner_id
            token.signup_prepare(signup_type="signup")
            token = token._generate_signup_token()
        self.browse_to(
            f"/web/signup?token={token}",
            login="queue_ada",
            name="Ada Lovelace",
            password="a long enough password",
            confirm_password="a long enough password",
            token=token,
        )
        # and that a password was set
        self.assertLeavesAsEver(self.company, ADA, ADA)

    @sets_off(("auth_signup", "ResUsers.send_unregistered_user_reminder"))
    def test_whoever_has_invited_is_reminded(self):
        with self.committed(self.user_id) as env:
            user = self._create_user(env, "queue_guest")
            env.flush_all()
            env.cr.execute(
                "UPDATE res_users SET create_date = %s WHERE id = %s",
                [fields.Datetime.now() - timedelta(days=5), user.id],
            )
        self.run_job("auth_signup.ir_cron_auth_signup_send_pending_user_reminder")
        self.assertLeavesAsEver(self.company, ADA)

    @sets_off(("auth_totp_mail", "ResUsers._send_totp_mail_code"))
    def test_a_code_to_sign_in(self):
        with self.committed() as env:
            env["res.users"].browse(self.user_id).password = PASSWORD
        self.set_parameter("auth_totp.policy", "all_required")
        self.clear()
        self.browse_to("/web/login", login="queue_ada", password=PASSWORD)
        # and that somebody has signed in
        self.assertLeavesAsEver(self.company, ADA, ADA)


@tagged("post_install", "-at_install", "user_email_alias")
class TestJobs(AutomaticCase):
    groups = ("base.group_system",)

    @sets_off(("calendar", "CalendarAlarm_Manager._send_reminder"))
    def test_a_reminder_of_an_event(self):
        alarm = {"name": "1 h", "alarm_type": "email", "duration": 1}
        alarm_id = self.create("calendar.alarm", {**alarm, "interval": "hours"})[0]
        start = fields.Datetime.now() + timedelta(minutes=59)
        with self.committed(self.user_id) as env:
            event = env["calendar.event"].create(
                {
                    "name": "Lunch",
                    "start": start,
                    "stop": start + timedelta(hours=1),
                    "partner_ids": self.create_partners(1),
                    "alarm_ids": [(6, 0, [alarm_id])],
                }
            )
            self.created.append((event._name, event.ids))
            event.email_alias_id = self.alias_id
        self.clear()
        self.run_job("calendar.ir_cron_scheduler_alarm")
        self.assertLeavesAsEver(ADA, GUEST)

    @sets_off(("digest", "DigestDigest._action_send_to_user"))
    def test_a_digest(self):
        with self.committed() as env:
            env["digest.digest"].search([]).state = "deactivated"
        self.create(
            "digest.digest",
            {
                "name": "Digest",
                "user_ids": [(6, 0, [self.user_id])],
                "next_run_date": fields.Date.today(),
            },
        )
        self.run_job("digest.ir_cron_digest_scheduler_action")
        self.assertLeavesAsEver(self.company, ADA)

    @sets_off(("mass_mailing", "MailingMailing._action_send_statistics"))
    def test_the_report_on_a_mailing(self):
        with self.committed() as env:
            model_id = env["ir.model"]._get_id("crm.lead")
        self.create(
            "mailing.mailing",
            {
                "subject": "News",
                "mailing_model_id": model_id,
                "user_id": self.user_id,
                "state": "done",
                "sent_date": fields.Datetime.now() - timedelta(days=2),
                "kpi_mail_required": True,
            },
        )
        self.run_job("mass_mailing.ir_cron_mass_mailing_queue")
        self.assertLeavesAsEver(ADA, ADA)

    @sets_off(("crm_iap_mine", "CrmIapLeadHelpers._notify_no_more_credit"))
    def test_credit_is_used_up(self):
        self.set_parameter("queue.notified", False)
        with self.committed(self.user_id) as env:
            env["crm.iap.lead.helpers"].sudo()._notify_no_more_credit(
                "reveal", "user.email.alias", "queue.notified"
            )
        self.assertLeavesAsEver("iap@odoo.com", ADA)
