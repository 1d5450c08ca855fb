"""Automation rules: each trigger there is, set off by somebody with a default alias."""

from datetime import timedelta

import requests

import odoo
from odoo import fields
from odoo.tests import tagged
from odoo.tests.common import HOST

from ..common_automatic import GUEST, ROBOT, AutomaticCase

WORDS = "Hello"
COMPOSE = """
composer = env['mail.compose.message'].create({
    'composition_mode': 'comment',
    'model': record._name,
    'res_ids': str(record.ids),
    'template_id': %d,
})
composer.action_send_mail()
"""
SEND = "env['mail.template'].browse(%d).send_mail(record.id)"
MAIL = """
env['mail.mail'].create({
    'email_from': 'robot@corp.example',
    'email_to': 'guest0@example.org',
    'subject': 'Robot',
}).send()
"""


@tagged("post_install", "-at_install", "user_email_alias")
class TestRules(AutomaticCase):
    """Ada does what a rule waits for; its code composes, sends, and makes a mail."""

    groups = ("base.group_system",)

    def setUp(self):
        super().setUp()
        self.template_id = self.create_template()

    def create_rule(self, trigger, codes=(COMPOSE, SEND), model="crm.lead", **values):
        with self.committed() as env:
            model_id = env["ir.model"]._get_id(model)
        actions = [
            {
                "name": "Code",
                "model_id": model_id,
                "usage": "base_automation",
                "state": "code",
                "code": code % self.template_id if "%d" in code else code,
            }
            for code in codes
        ]
        rule = {
            "name": trigger,
            "model_id": model_id,
            "trigger": trigger,
            "action_server_ids": [(0, 0, action) for action in actions],
        }
        return self.create("base.automation", {**rule, **values})[0]

    def field(self, name, model="crm.lead"):
        with self.committed() as env:
            return env["ir.model.fields"]._get(model, name).id

    def assertRobotWrote(self, count=2):
        self.assertLeavesAsEver(ROBOT, *[GUEST] * count)

    def write(self, lead_id, **values):
        self.call("crm.lead", "write", [lead_id], values)

    def test_each_trigger_has_its_test(self):
        with self.committed() as env:
            triggers = dict(env["base.automation"]._fields["trigger"].selection)
        for trigger in triggers:
            self.assertTrue(hasattr(self, f"test_{trigger}"), trigger)

    def create_by_ada(self):
        lead = {"name": "Lead", "user_id": self.user_id}
        ids = self.call("crm.lead", "create", [lead])
        self.created.append(("crm.lead", ids))

    def test_on_create(self):
        self.create_rule("on_create")
        self.create_by_ada()
        self.assertRobotWrote()

    def test_on_create_or_write(self):
        names = (6, 0, [self.field("name")])
        self.create_rule("on_create_or_write", (SEND,), trigger_field_ids=[names])
        self.create_by_ada()
        self.assertRobotWrote(1)

    def test_on_import(self):
        names = (6, 0, [self.field("name")])
        self.create_rule("on_create_or_write", (SEND,), trigger_field_ids=[names])
        self.call("crm.lead", "load", ["name", "user_id/.id"], [["L", self.user_id]])
        with self.committed() as env:
            lead = env["crm.lead"].search([("name", "=", "L")])
            self.created.append((lead._name, lead.ids))
        self.assertRobotWrote(1)

    def test_on_write(self):
        lead_id = self.create_lead()
        self.create_rule("on_write")
        self.write(lead_id, name="Changed")
        self.assertRobotWrote()

    def test_on_stage_set(self):
        stage_id = self.create("crm.stage", {"name": "Next"})[0]
        lead_id = self.create_lead()
        self.create_rule("on_stage_set", trg_field_ref=stage_id)
        self.write(lead_id, stage_id=stage_id)
        self.assertRobotWrote()

    def test_on_tag_set(self):
        tag_id = self.create("crm.tag", {"name": "Queue"})[0]
        lead_id = self.create_lead()
        self.create_rule("on_tag_set", trg_field_ref=tag_id)
        self.write(lead_id, tag_ids=[[4, tag_id]])
        self.assertRobotWrote()

    def test_on_priority_set(self):
        lead_id = self.create_lead()
        with self.committed() as env:
            field = env["ir.model.fields"]._get("crm.lead", "priority")
            choice = field.selection_ids.filtered(lambda s: s.value == "2").id
        self.create_rule("on_priority_set", trg_selection_field_id=choice)
        self.write(lead_id, priority="2")
        self.assertRobotWrote()

    def test_on_user_set(self):
        lead_id = self.create_lead(user_id=False)
        self.create_rule("on_user_set")
        self.write(lead_id, user_id=self.user_id)
        self.assertRobotWrote()

    def test_on_archive(self):
        lead_id = self.create_lead()
        self.create_rule("on_archive")
        self.write(lead_id, active=False)
        self.assertRobotWrote()

    def test_on_unarchive(self):
        lead_id = self.create_lead(active=False)
        self.create_rule("on_unarchive")
        self.write(lead_id, active=True)
        self.assertRobotWrote()

    def test_on_unlink(self):
        lead_id = self.create_lead()
        self.create_rule("on_unlink", (MAIL,))
        with self.committed() as env:
            env["crm.lead"].browse(lead_id).with_user(self.user_id).sudo().unlink()
        self.assertRobotWrote(1)

    def test_on_change(self):
        name = self.field("name")
        self.create_rule("on_change", (MAIL,), on_change_field_ids=[(6, 0, [name])])
        spec = {"name": {}}
        values = {"name": "Typed", "user_id": self.user_id}
        self.call("crm.lead", "onchange", [], values, ["name"], spec)
        self.assertRobotWrote(1)

    def test_on_message_received(self):
        lead_id = self.create_lead()
        self.create_rule("on_message_received")
        with self.committed() as env:
            # Ada, who is responsible, hears of it in Odoo
            env["res.users"].browse(self.user_id).notification_type = "inbox"
        self.receive_on(lead_id)
        self.assertRobotWrote()

    def test_on_message_sent(self):
        """Ada's own message leaves by her alias, what it sets off does not."""
        lead_id = self.create_lead()
        partner_id = self.create(
            "res.partner", {"name": "Other", "email": "other@example.org"}
        )[0]
        self.create_rule("on_message_sent")
        with self.committed(self.user_id) as env:
            env["crm.lead"].browse(lead_id).message_post(
                body=WORDS,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=[partner_id],
                email_alias_id=self.alias_id,
            )
            env["mail.mail"].sudo().process_email_queue()
        self.assertLeaves("other@example.org")
        self.assertLeftAsEver((ROBOT, GUEST), (ROBOT, GUEST))

    def receive_on(self, lead_id):
        with self.committed() as env:
            partner = env["res.partner"].create({"name": "G", "email": "g@example.org"})
            self.created.append((partner._name, partner.ids))
            lead = env["crm.lead"].browse(lead_id)
            lead.with_user(self.user_id).sudo().message_post(
                body=WORDS,
                author_id=partner.id,
                message_type="email",
                subtype_xmlid="mail.mt_comment",
            )

    def wait_for(self, trigger, **rule):
        lead_id = self.create_lead()
        self.create_rule(
            trigger,
            filter_domain=f"[('id', '=', {lead_id})]",
            trg_date_range=1,
            trg_date_range_type="minutes",
            trg_date_range_mode="after",
            last_run=fields.Datetime.now() - timedelta(hours=2),
            **rule,
        )
        past = fields.Datetime.now() - timedelta(hours=1)
        with self.committed() as env:
            env.cr.execute(
                "UPDATE crm_lead SET create_date = %s, write_date = %s, "
                "date_open = %s WHERE id = %s",
                [past, past, past, lead_id],
            )
        self.run_job("base_automation.ir_cron_data_base_automation_check")
        self.assertRobotWrote()

    def test_on_time(self):
        self.wait_for("on_time", trg_date_id=self.field("date_open"))

    def test_on_time_created(self):
        self.wait_for("on_time_created")

    def test_on_time_updated(self):
        self.wait_for("on_time_updated")

    def test_on_webhook(self):
        lead_id = self.create_lead()
        rule_id = self.create_rule(
            "on_webhook",
            # whoever calls it is nobody: the code writes in Ada's name
            (SEND.replace("browse", f"with_user({self.user_id}).sudo().browse"),),
            record_getter=f"model.browse({lead_id})",
        )
        with self.committed() as env:
            uuid = env["base.automation"].browse(rule_id).webhook_uuid
        url = f"http://{HOST}:{odoo.tools.config['http_port']}/web/hook/{uuid}"
        answer = requests.post(url, json={}, timeout=60)
        self.assertEqual(answer.json(), {"status": "ok"})
        self.assertRobotWrote(1)

    def test_on_state_set(self):
        with self.committed() as env:
            field = env["ir.model.fields"]._get("mailing.mailing", "state")
            choice = field.selection_ids.filtered(lambda s: s.value == "in_queue").id
            model_id = env["ir.model"]._get_id("crm.lead")
        values = {"subject": "News", "mailing_model_id": model_id}
        mailing_id = self.create(
            "mailing.mailing", {**values, "user_id": self.user_id}
        )[0]
        self.create_rule(
            "on_state_set",
            (MAIL,),
            model="mailing.mailing",
            trg_selection_field_id=choice,
        )
        self.call("mailing.mailing", "write", [mailing_id], {"state": "in_queue"})
        self.assertRobotWrote(1)
