"""What a website's apps send by themselves: never by a personal alias."""

import json

import requests

import odoo
from odoo.tests import tagged
from odoo.tests.common import HOST

from ..common_automatic import ADA, GUEST, AutomaticCase, sets_off

COLLEAGUE = "queue_colleague@example.com"
WORDS = "Hello"


@tagged("post_install", "-at_install", "user_email_alias")
class TestGamification(AutomaticCase):
    groups = ("base.group_erp_manager",)

    def create_goal(self, **values):
        """Create a challenge of a colleague's with a goal of theirs."""
        colleague_id = self.create_colleague()
        with self.committed() as env:
            template_id = env.ref("gamification.simple_report_template").id
        definition_id = self.create(
            "gamification.goal.definition",
            {
                "name": "Calls",
                "computation_mode": "manually",
                "condition": "higher",
            },
        )[0]
        line = {"definition_id": definition_id, "target_goal": 10}
        self.challenge_id = self.create(
            "gamification.challenge",
            {
                "name": "Calls",
                "user_domain": f"[('id', '=', {colleague_id})]",
                "manager_id": self.user_id,
                "report_template_id": template_id,
                "line_ids": [(0, 0, line)],
                **values,
            },
        )[0]
        with self.committed() as env:
            challenge = env["gamification.challenge"].browse(self.challenge_id)
            challenge.state = "inprogress"
            goal = env["gamification.goal"].search(
                [("challenge_id", "=", self.challenge_id)]
            )
            self.assertEqual(len(goal), 1)
            self.created.append((goal._name, goal.ids))
        self.clear()
        return goal.id

    @sets_off(("gamification", "GamificationChallenge.report_progress"))
    def test_all_hear_how_far_they_are(self):
        self.create_goal(visibility_mode="ranking")
        with self.committed(self.user_id) as env:
            challenge = env["gamification.challenge"].browse(self.challenge_id)
            challenge.report_progress()
        self.assertLeavesAsEver(ADA, COLLEAGUE)

    @sets_off(("gamification", "GamificationGoal._check_remind_delay"))
    def test_a_reminder_of_a_goal(self):
        goal_id = self.create_goal()
        with self.committed() as env:
            env.cr.execute(
                "UPDATE gamification_goal SET remind_update_delay = 1, "
                "last_update = now() - interval '9 days' WHERE id = %s",
                [goal_id],
            )
        # core's goal is no thread and has no way to write: then it sends nothing
        with self.assertRaises(AttributeError), self.committed(self.user_id) as env:
            env["gamification.goal"].browse(goal_id).update_goal()
        self.assertAllLeavesAsEver()

    @sets_off(("gamification", "ResUsers._rank_changed"))
    def test_a_new_rank(self):
        colleague_id = self.create_colleague()
        self.create("gamification.karma.rank", {"name": "Sailor", "karma_min": 90_000})
        self.clear()
        with self.committed(self.user_id) as env:
            env["res.users"].browse(colleague_id).sudo()._add_karma(95_000)
        self.assertLeavesAsEver(ADA, COLLEAGUE)


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailGroup(AutomaticCase):
    def create_group(self, **values):
        with self.committed(self.user_id) as env:
            group = env["mail.group"].sudo().create({"name": "Knots", **values})
            self.created.append((group._name, group.ids))
            return group.id

    def post(self, group_id):
        with self.committed(self.user_id) as env:
            env["mail.group"].sudo().browse(group_id).message_post(
                body=WORDS, subject=WORDS, email_from="Guest <guest0@example.org>"
            )

    @sets_off(("mail_group", "MailGroup._notify_members"))
    def test_members_get_what_is_written(self):
        member = (0, 0, {"email": COLLEAGUE})
        self.post(self.create_group(member_ids=[member]))
        self.assertLeavesAsEver(GUEST, COLLEAGUE)

    @sets_off(("mail_group", "MailGroup.message_post"))
    def test_a_message_that_waits_for_a_moderator(self):
        group_id = self.create_group(
            moderation=True,
            moderator_ids=[(6, 0, [self.user_id])],
            moderation_notify=True,
            moderation_notify_msg="<p>Please wait</p>",
        )
        self.post(group_id)
        self.assertLeavesAsEver(self.company, GUEST)

    @sets_off(("mail_group", "MailGroup._notify_moderators"))
    def test_moderators_are_reminded(self):
        group_id = self.create_group(
            moderation=True, moderator_ids=[(6, 0, [self.user_id])]
        )
        self.post(group_id)
        self.clear()
        self.run_job("mail_group.ir_cron_mail_notify_group_moderators")
        self.assertLeavesAsEver(self.company, ADA)

    @sets_off(
        ("mail_group", "MailGroup._send_subscribe_confirmation_email"),
        ("mail_group", "MailGroup._send_unsubscribe_confirmation_email"),
    )
    def test_a_visitor_joins_and_leaves(self):
        group_id = self.create_group(access_mode="public")
        self.call_route("/group/subscribe", group_id=group_id, email=GUEST)
        self.create("mail.group.member", {"mail_group_id": group_id, "email": GUEST})
        self.call_route("/group/unsubscribe", group_id=group_id, email=GUEST)
        self.assertLeavesAsEver(self.company, GUEST, GUEST)

    def call_route(self, path, **params):
        url = f"http://{HOST}:{odoo.tools.config['http_port']}{path}"
        data = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        headers = {"Content-Type": "application/json"}
        answer = requests.post(url, data=data, headers=headers, timeout=60)
        self.assertEqual(answer.json().get("result"), "email_sent", answer.text)


@tagged("post_install", "-at_install", "user_email_alias")
class TestSurvey(AutomaticCase):
    groups = ("survey.group_survey_manager",)

    def create_survey(self, **values):
        with self.committed() as env:
            template = env.ref("survey.mail_template_certification")
        with self.committed(self.user_id) as env:
            survey = env["survey.survey"].create(
                {
                    "title": "Knots",
                    "access_mode": "token",
                    "certification": True,
                    "scoring_type": "scoring_without_answers",
                    "certification_mail_template_id": template.id,
                    **values,
                }
            )
            self.created.append((survey._name, survey.ids))
            return survey.id

    @sets_off(("survey", "SurveyUser_Input._mark_done"))
    def test_a_certificate(self):
        answer = {
            "survey_id": self.create_survey(scoring_success_min=0),
            "partner_id": self.create_partners(1)[0],
        }
        answer_id = self.create("survey.user_input", answer)[0]
        with self.committed(self.user_id) as env:
            env["survey.user_input"].browse(answer_id)._mark_done()
        self.assertLeavesAsEver(ADA, GUEST)

    @sets_off(("website_slides_survey", "SurveyUser_Input._check_for_failed_attempt"))
    def test_a_last_attempt_that_fails(self):
        survey_id = self.create_survey(
            scoring_success_min=100, is_attempts_limited=True, attempts_limit=1
        )
        slide = {"slide_category": "certification", "survey_id": survey_id}
        course = self.create_course(self, **slide)
        with self.committed() as env:
            template = env.ref(
                "website_slides_survey.mail_template_user_input_certification_failed"
            )
            self.assertFalse(template.email_from)
        with self.committed(self.user_id) as env:
            answer = (
                env["survey.user_input"]
                .sudo()
                .create(
                    {
                        "survey_id": survey_id,
                        "partner_id": course["partner_id"],
                        "slide_id": course["slide_id"],
                        "slide_partner_id": course["slide_partner_id"],
                        "state": "done",
                    }
                )
            )
            self.created.append((answer._name, answer.ids))
        self.assertLeavesAsEver(ADA, GUEST)

    @staticmethod
    def create_course(case, **slide):
        """Create a course of Ada's with one slide, and a member who is the guest."""
        partner_id = case.create_partners(1)[0]
        channel_id = case.create(
            "slide.channel", {"name": "Knots", "user_id": case.user_id}
        )[0]
        slide_id = case.create(
            "slide.slide",
            {
                "name": "Bowline",
                "channel_id": channel_id,
                "is_published": True,
                "slide_category": "article",
                **slide,
            },
        )[0]
        member = {"channel_id": channel_id, "partner_id": partner_id}
        case.create("slide.channel.partner", {**member, "member_status": "joined"})
        slide_partner = {**member, "slide_id": slide_id}
        slide_partner_id = case.create("slide.slide.partner", slide_partner)[0]
        case.clear()
        return {
            "partner_id": partner_id,
            "slide_id": slide_id,
            "slide_partner_id": slide_partner_id,
        }


@tagged("post_install", "-at_install", "user_email_alias")
class TestSlides(AutomaticCase):
    groups = ("website_slides.group_website_slides_manager",)

    @sets_off(("website_slides", "SlideChannelPartner._send_completed_mail"))
    def test_a_course_is_completed(self):
        course = TestSurvey.create_course(self)
        with self.committed(self.user_id) as env:
            env["slide.slide.partner"].sudo().browse(
                course["slide_partner_id"]
            ).completed = True
        self.assertLeavesAsEver(ADA, GUEST)


@tagged("post_install", "-at_install", "user_email_alias")
class TestWebsite(AutomaticCase):
    @sets_off(("website_profile", "ResUsers._send_profile_validation_email"))
    def test_a_profile_is_validated(self):
        with self.committed(self.user_id) as env:
            env.user._send_profile_validation_email()
        self.assertLeavesAsEver(self.company, ADA)

    @sets_off(("website_payment", "PaymentTransaction._send_donation_email"))
    def test_a_donation(self):
        partner_id = self.create_partners(1)[0]
        with self.committed() as env:
            every = {"active_test": False}
            method = env["payment.method"].with_context(**every).search([], limit=1)
            provider = env["payment.provider"].search([], limit=1)
            currency = env.company.currency_id
        transaction_id = self.create(
            "payment.transaction",
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "reference": "queue-donation",
                "amount": 5,
                "currency_id": currency.id,
                "partner_id": partner_id,
                "is_donation": True,
                "state": "done",
            },
        )[0]
        with self.committed(self.user_id) as env:
            transaction = env["payment.transaction"].sudo().browse(transaction_id)
            transaction._send_donation_email(True, "Thanks", "inbox@corp.example")
            transaction._send_donation_email()
        self.assertLeavesAsEver(self.company, "inbox@corp.example", GUEST)
