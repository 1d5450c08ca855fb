"""Neutralised or without the add-on: no waiting mail leaves by another door."""

import itertools
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import file_open

from ..hooks import uninstall_hook
from ..models.user_email_alias_oauth_settings import SECRETS
from ..tools import oauth
from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestNeutralize(AliasCommon):
    def test_copy_of_the_database_knows_no_password_and_sends_nothing(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        names = list(itertools.product(oauth.PROVIDERS, SECRETS))
        for key, setting in names:
            # those that somebody can enter
            if f"email_alias_{key}_{setting}" in self.env["res.config.settings"]:
                Settings._set_secret__(key, setting, "canary")
        self.env.flush_all()
        with file_open("user_email_alias/data/neutralize.sql") as file:
            self.env.cr.execute(file.read())
        self.env.invalidate_all()
        self.env.registry.clear_cache("stable")
        for key, setting in names:
            self.assertFalse(Settings._get_param(key, setting), setting)
        aliases = self.alias_alice | self.alias_alice_2 | self.alias_bob
        for alias in aliases.with_env(self.env):
            self.assertFalse(alias.active)
            self.assertFalse(alias.is_default)
            for fname in alias._fields:
                if fname.endswith("_secret"):
                    self.assertFalse(alias[fname], fname)
        self.assertFalse(self.env["user.email.alias"].search([]))


@tagged("post_install", "-at_install", "user_email_alias")
class TestUninstall(AliasCommon):
    def uninstall(self):
        self.env.flush_all()
        uninstall_hook(self.env)
        self.env.invalidate_all()

    def test_waiting_mail_is_cancelled(self):
        self.open_composer(self.user_alice, self.leads).action_send_mail()
        ours = self.find_mails(self.alias_alice)
        failed = ours[0]
        failed.state = "exception"
        self.open_composer(
            self.user_alice, self.leads, email_alias_id=False
        ).action_send_mail()
        others = self.find_mails()
        self.uninstall()
        self.assertEqual(set(ours.mapped("state")), {"cancel"})
        self.assertIn("uninstalled", ours[0].failure_reason)
        self.assertEqual(set(others.mapped("state")), {"outgoing"})

    def test_mailing_on_its_way_is_a_draft_again(self):
        mailing = self.create_mailing(self.user_alice)
        other = self.create_mailing(self.user_alice, email_alias_id=False)
        (mailing | other).action_put_in_queue()
        self.uninstall()
        self.assertEqual(mailing.state, "draft")
        self.assertEqual(other.state, "in_queue")

    def test_messages_for_later_stay_unsent(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        scheduled, other = (
            self.open_composer(
                self.user_alice, self.lead, scheduled_date=later, **values
            )._action_schedule_message()
            for values in ({}, {"email_alias_id": False})
        )
        message = self.send_message(
            self.user_alice,
            self.lead,
            email_alias_id=self.alias_alice.id,
            scheduled_date=later,
        )
        self.uninstall()
        self.assertGreater(scheduled.scheduled_date.year, 9000)
        self.assertTrue(scheduled.body)
        self.assertLess(other.scheduled_date.year, 9000)
        self.assertFalse(
            self.env["mail.message.schedule"].search(
                [("mail_message_id", "=", message.id)]
            )
        )
        self.assertTrue(message.exists())
        parameters = scheduled.notification_parameters
        self.assertNotIn("email_alias", parameters)
        self.assertNotIn("alice@a.example.com", parameters)
        self.assertIn("email_from", other.notification_parameters)

    def test_nothing_looks_as_if_it_were_on_its_way(self):
        message = self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id
        )
        served = self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id
        )
        served.notification_ids.sudo().notification_status = "sent"
        mailing = self.create_mailing(self.user_alice)
        mailing.action_launch()
        self.run_mailing_cron()
        left, *_others = mailing.mailing_trace_ids
        left.sudo().trace_status = "sent"
        self.uninstall()
        self.assertEqual(message.notification_ids.notification_status, "canceled")
        self.assertEqual(served.notification_ids.notification_status, "sent")
        self.assertEqual(
            sorted(mailing.mailing_trace_ids.mapped("trace_status")),
            ["cancel", "cancel", "sent"],
        )

    def test_a_mailing_that_is_sent_once_more_has_another_from(self):
        mailing = self.create_mailing(self.user_alice)
        mailing.action_launch()
        self.run_mailing_cron()
        self.assertEqual(mailing.state, "done")
        self.uninstall()
        self.assertFalse(mailing.email_alias_id)
        self.assertNotIn("alice@a.example.com", mailing.email_from)

    def test_no_setting_and_no_secret_stays(self):
        Params = self.env["ir.config_parameter"]
        Params.set_param("user_email_alias.google_client_secret", "x")
        Params.set_param("user_email_aliasx", "somebody else's")
        self.uninstall()
        self.assertFalse(Params.search([("key", "=like", "user_email_alias.%")]))
        self.assertEqual(Params.get_param("user_email_aliasx"), "somebody else's")
