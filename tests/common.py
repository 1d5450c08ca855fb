"""Users, aliases and records to test with, and assertions in the words of mail."""

import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.service.model import call_kw

from odoo.addons.mail.tests.common import MailCommon, mail_new_test_user

from ..tools.keys import ENVIRONMENT_KEYS
from ..tools.vault import generate_key

PASSWORD = "correct horse battery"

MAILING_GROUPS = (
    "base.group_user,base.group_partner_manager,"
    "sales_team.group_sale_salesman_all_leads,mass_mailing.group_mass_mailing_user"
)


class AliasCommon(MailCommon):
    """Alice and Bob write mailings and have aliases; nothing really leaves.

    ``user_plain`` has the least rights an internal user can have, ``user_manager``
    administers users but no technical model, ``user_admin`` everything.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        keys = patch.dict(os.environ, {ENVIRONMENT_KEYS: generate_key()})
        keys.start()
        cls.addClassCleanup(keys.stop)
        # counted outside of the test's transaction: the next test would find them
        cls.env["ir.config_parameter"].set_param(
            "user_email_alias.attempts_per_minute", "0"
        )
        cls.user_alice = cls.create_user("alice_alias", "Alice Adams")
        cls.user_bob = cls.create_user("bob_alias", "Bob Brown")
        cls.user_plain = cls.create_user("plain_alias", "Pat Plain", "base.group_user")
        cls.user_manager = cls.create_user(
            "manager_alias",
            "Max Manager",
            f"{MAILING_GROUPS},base.group_erp_manager",
        )
        cls.user_portal = cls._create_portal_user()
        cls.alias_alice = cls.create_alias(cls.user_alice, "alice@a.example.com")
        cls.alias_alice_2 = cls.create_alias(
            cls.user_alice, "alice@other.example.com", name="Second"
        )
        cls.alias_bob = cls.create_alias(cls.user_bob, "bob@b.example.com")
        cls.customer = cls.env["res.partner"].create(
            {"name": "Cleo Customer", "email": "cleo@customer.example.com"}
        )
        cls.leads = (
            cls.env["crm.lead"]
            .with_user(cls.user_alice)
            .create(
                [
                    {
                        "name": f"Lead {number}",
                        "email_from": f"lead{number}@example.org",
                    }
                    for number in range(3)
                ]
            )
        )
        cls.lead = cls.leads[0]

    @classmethod
    def create_user(cls, login, name, groups=MAILING_GROUPS, **values):
        return mail_new_test_user(
            cls.env,
            login=login,
            password=login,
            name=name,
            groups=groups,
            email=f"{login}@users.example.com",
            notification_type="email",
            **values,
        )

    @classmethod
    def create_template(cls, subject, **values):
        """Create a template for leads, to the customer if nothing else is said."""
        return cls.env["mail.template"].create(
            {
                "name": subject,
                "model_id": cls.env["ir.model"]._get_id("crm.lead"),
                "subject": subject,
                "body_html": f"<p>{subject}</p>",
                "partner_to": str(cls.customer.id),
                **values,
            }
        )

    @classmethod
    def create_alias(cls, user, email_from, **values):
        """Create an alias as its owner does."""
        return (
            cls.env["user.email.alias"]
            .with_user(user)
            .create(
                {
                    "name": "Work",
                    "email_from": email_from,
                    "smtp_server": "smtp.mail.example.com:465",
                    "smtp_user": email_from,
                    "smtp_password": PASSWORD,
                    **values,
                }
            )
        )

    # ------------------------------------------------------------------
    # Doing
    # ------------------------------------------------------------------

    def rpc(self, user, records, method, *args, context=None, **kwargs):
        """Call a method as the web client does: public ones only, fresh cache."""
        self.env.flush_all()
        self.env.invalidate_all()
        model = self.env(user=user, su=False, context={})[records._name]
        is_model_method = getattr(getattr(type(records), method), "_api_model", False)
        arguments = list(args) if is_model_method else [records.ids, *args]
        kwargs["context"] = context or {}
        return call_kw(model, method, arguments, kwargs)

    def send_message(self, user, record, **values):
        """Post what "Send message" of the full composer would."""
        return record.with_user(user).message_post(
            **{
                "body": "Good morning",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
                "partner_ids": self.customer.ids,
                **values,
            }
        )

    def open_composer(self, user, records, context=None, **values):
        """Open the full composer on a record, the mass composer on several.

        As a person does: the web client's onchange has proposed the alias.
        """
        is_mass = len(records) > 1
        return (
            self.env["mail.compose.message"]
            .with_user(user)
            .with_context(
                active_model=records._name,
                active_ids=records.ids,
                **{"email_alias_person": True, **(context or {})},
            )
            .create(
                {
                    "composition_mode": "mass_mail" if is_mass else "comment",
                    "model": records._name,
                    "res_ids": str(records.ids),
                    "subject": "Offer",
                    "body": "<p>Good morning</p>",
                    **({} if is_mass else {"partner_ids": self.customer.ids}),
                    **values,
                }
            )
        )

    def create_mailing(self, user, context=None, **values):
        return (
            self.env["mailing.mailing"]
            .with_user(user)
            .with_context(**{"email_alias_person": True, **(context or {})})
            .create(
                {
                    "subject": "News",
                    "body_html": "<p>News</p>",
                    "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "mailing_domain": f"[('id', 'in', {self.leads.ids})]",
                    **values,
                }
            )
        )

    def run_mailing_cron(self):
        """Let OdooBot do what waits."""
        cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()

    # ------------------------------------------------------------------
    # Seeing
    # ------------------------------------------------------------------

    def find_mails(self, alias=None, **values):
        """The mails that wait in an alias's queue; without alias in Odoo's own."""
        domain = [(fname, "=", value) for fname, value in values.items()]
        domain.append(("email_alias_id", "=", alias.id if alias else False))
        domain.append(("id", "in", self.all_mail_ids() - self.mails_before))
        return self.env["mail.mail"].search(domain, order="id")

    def all_mail_ids(self):
        return set(self.env["mail.mail"].search([]).ids)

    def setUp(self):
        super().setUp()
        self.mails_before = self.all_mail_ids()

    def assertLeavesBy(self, alias, mails, count=None, bulk=None):
        """The mails wait for this alias, and say so in their From."""
        self.assertTrue(mails, "no mail was queued")
        if count is not None:
            self.assertEqual(len(mails), count)
        self.assertEqual(mails.email_alias_id, alias.with_env(self.env))
        self.assertEqual(set(mails.mapped("state")), {"outgoing"})
        self.assertFalse(mails.mail_server_id)
        self.assertTrue(all(mail.email_alias_due > 0 for mail in mails))
        header_from = alias.sudo()._get_formatted_from()
        self.assertEqual(set(mails.mapped("email_from")), {header_from})
        if bulk is not None:
            self.assertEqual(set(mails.mapped("email_alias_bulk")), {bulk})

    def assertLeavesAsEver(self, mails, count=None):
        """The mails know no alias: Odoo sends them by its own servers."""
        self.assertTrue(mails, "no mail was queued")
        if count is not None:
            self.assertEqual(len(mails), count)
        self.assertFalse(mails.email_alias_id)
        for alias in (self.alias_alice, self.alias_alice_2, self.alias_bob):
            for mail in mails:
                self.assertNotIn(alias.sudo().email_from, mail.email_from or "")

    def assertRefused(self, action, *args, error=AccessError, **kwargs):
        """The action fails with a sentence and leaves no mail of anybody's alias."""
        with self.assertRaises(error) as caught:
            action(*args, **kwargs)
        self.env.invalidate_all()
        self.assertFalse(self.find_mails(self.alias_bob))
        return str(caught.exception)
