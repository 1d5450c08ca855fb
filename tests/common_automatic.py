"""What Odoo sends by itself, set off really and seen on the wire.

A test names the row of ``senders.py`` it sets off, see :func:`sets_off`; that row's
code has to run in it. ``test_senders.py`` looks that no row is left out.
"""

import contextlib
import email.message
import functools
import sys
from email.utils import getaddresses, parseaddr
from unittest.mock import patch

import requests
from lxml import html

import odoo
from odoo.modules.registry import Registry
from odoo.tests.common import HOST, get_db_name

from .common_dialogue import DialogueCase
from .common_queue import PASSWORD
from .fake_smtp import FakeSmtpServer

ALIAS = "ada@example.com"
# Ada's own address in Odoo, which is not that of her alias.
ADA = "queue_ada@example.com"
ROBOT = "robot@corp.example"
GUEST = "guest0@example.org"


def sets_off(*rows):
    """Mark a test of automatic senders: each of them has to run in it.

    :param rows: (add-on, class and method), as in ``senders.py``
    """

    def decorate(test):
        @functools.wraps(test)
        def watched(self):
            with contextlib.ExitStack() as stack:
                seen = {row: stack.enter_context(_watch(*row)) for row in rows}
                test(self)
            for row, calls in seen.items():
                self.assertTrue(calls, f"{row} was not set off")

        return watched

    return decorate


@contextlib.contextmanager
def _watch(addon, place):
    """Count the calls of a method of core, which does what it always does."""
    class_name, name = place.split(".")
    owner = _find_class(addon, class_name, name)
    original = vars(owner)[name]
    calls = []

    @functools.wraps(original)
    def counted(*args, **kwargs):
        calls.append(place)
        return original(*args, **kwargs)

    # the map of routes holds on to the methods of controllers
    registry = Registry(get_db_name())
    registry.clear_cache("routing")
    with patch.object(owner, name, counted):
        yield calls
    registry.clear_cache("routing")


def _find_class(addon, class_name, name):
    for module_name, module in sorted(sys.modules.items()):
        if module_name.startswith(f"odoo.addons.{addon}."):
            cls = vars(module).get(class_name)
            if getattr(cls, "__module__", "") == module_name and name in vars(cls):
                return cls
    raise LookupError(f"{addon} has no {class_name}.{name}")


class AutomaticCase(DialogueCase):
    """Ada has a default alias; the database has an outgoing mail server of its own.

    What she sets off has to come in at the latter, and nothing at the former.
    """

    def setUp(self):
        super().setUp()
        self.odoo_server = FakeSmtpServer(users={"odoo": PASSWORD}, ca=self.ca).start()
        self.addCleanup(self.odoo_server.stop)
        with self.committed() as env:
            others = env["ir.mail_server"].search([])
            others.active = False
        self.addCleanup(self._activate, others.ids)
        self.create(
            "ir.mail_server",
            {
                "name": "Odoo",
                "smtp_host": "localhost",
                "smtp_port": self.odoo_server.plain_port,
                "smtp_encryption": "none",
                "smtp_user": "odoo",
                "smtp_pass": PASSWORD,
            },
        )
        with self.committed() as env:
            user = env["res.users"].browse(self.user_id)
            user.notification_type = "email"
            alias = env["user.email.alias"].browse(self.alias_id)
            self.assertTrue(alias.is_default)
            self.company = env.company.partner_id.email_normalized
            self.robot = env.ref("base.user_root").email_normalized

    def _activate(self, server_ids):
        with self.committed() as env:
            env["ir.mail_server"].browse(server_ids).active = True

    # ------------------------------------------------------------------
    # Doing
    # ------------------------------------------------------------------

    def create(self, model, *vals_list, **options):
        """Extend: nobody is told that something was made for them."""
        quiet = {"mail_auto_subscribe_no_notify": True, **options}
        return super().create(model, *vals_list, **quiet)

    def set_parameter(self, key, value):
        """Change a system parameter until the end of the test."""
        with self.committed() as env:
            before = env["ir.config_parameter"].set_param(key, value)
        self.addCleanup(self._set_parameter, key, before)

    def _set_parameter(self, key, value):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(key, value)

    def clear(self):
        """Forget what has been sent so far."""
        with self.committed() as env:
            env["mail.mail"].process_email_queue()
        self.odoo_server.clear()

    def create_colleague(self, login="queue_colleague", **values):
        """Create a user who is told of things by email; return the id."""
        with self.committed() as env:
            user = self._create_user(env, login)
            user.write({"notification_type": "email", **values})
            return user.id

    def create_lead(self, **values):
        lead = {"name": "Lead", "user_id": self.user_id, **values}
        return self.create("crm.lead", lead)[0]

    def create_template(self, model="crm.lead", **values):
        """Create a template to the first guest, with a From of its own."""
        with self.committed() as env:
            model_id = env["ir.model"]._get_id(model)
        template = {
            "name": "Robot",
            "model_id": model_id,
            "email_from": ROBOT,
            "subject": "Robot",
            "body_html": "<p>Hello</p>",
            "email_to": GUEST,
            "use_default_to": False,
        }
        return self.create("mail.template", {**template, **values})[0]

    def run_job(self, xmlid, user_id=None):
        """Let a scheduled action run as it does by itself, but in Ada's name."""
        with self.committed() as env:
            cron = env.ref(xmlid).with_context(mail_auto_subscribe_no_notify=True)
            before = cron.user_id
            cron.user_id = user_id or self.user_id
        try:
            with self.committed() as env:
                env.ref(xmlid).method_direct_trigger()
        finally:
            with self.committed() as env:
                env.ref(xmlid).user_id = before

    def receive(self, model="crm.lead", to="nobody@example.net", **headers):
        """Let an email come in, by the mail gate that Ada has set up."""
        message = email.message.EmailMessage()
        sent = {"From": "Guest <guest0@example.org>", "To": to, "Subject": "Hello"}
        sent["Message-Id"] = f"<{id(message)}.guest@example.org>"
        for name, value in {**sent, **headers}.items():
            message[name.replace("_", "-")] = value
        message.set_content("Good morning")
        return self.call("mail.thread", "message_process", model, message.as_string())

    def browse_to(self, path, **form):
        """Open a page as a visitor does, fill its form in and send it."""
        with requests.Session() as session:
            url = f"http://{HOST}:{odoo.tools.config['http_port']}{path}"
            page = session.get(url, timeout=60)
            token = html.fromstring(page.text).xpath("//input[@name='csrf_token']")
            form["csrf_token"] = token[0].get("value")
            answer = session.post(url, data=form, timeout=60)
        self.assertEqual(answer.status_code, 200)
        return answer

    # ------------------------------------------------------------------
    # Seeing
    # ------------------------------------------------------------------

    def assertLeavesAsEver(self, sender, *recipients):
        """Each of these gets one email with this From, by the database's server."""
        self.assertAllLeavesAsEver(*((sender, recipient) for recipient in recipients))

    def assertAllLeavesAsEver(self, *pairs):
        """All leaves by the database's server, and nothing by Ada's alias.

        :param pairs: (address in From, recipient)
        """
        with self.committed() as env:
            env["mail.mail"].process_email_queue()
        self.assertNothingLeaves()
        self.assertFalse(self.server.sessions, "the alias's server was asked")
        self.assertLeftAsEver(*pairs)
        with self.committed() as env:
            for model in ("mail.mail", "mail.message"):
                named = env[model].search([("email_alias_id", "=", self.alias_id)])
                self.assertFalse(named, f"{model} with an alias")

    def assertLeftAsEver(self, *pairs):
        """This came in at the database's server, and no more; the rest is open."""
        found = []
        for message in self.odoo_server.messages:
            headers = email.message_from_bytes(message.data)
            self.assertEqual(message.login, "odoo")
            self.assertNotEqual(message.mail_from, ALIAS)
            for name in ("From", "Reply-To", "Sender", "Return-Path"):
                named = getaddresses(headers.get_all(name, []))
                self.assertNotIn(ALIAS, [address for _, address in named], name)
            sender = parseaddr(headers["From"])[1]
            found += [(sender, rcpt, headers["Subject"]) for rcpt in message.rcpt_tos]
        self.assertEqual(sorted(row[:2] for row in found), sorted(pairs), found)
