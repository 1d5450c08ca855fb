"""Queue tests with real cursors, threads and a real mail server.

What they create is committed, for lanes have connections of their own; it is removed
again afterwards.
"""

import contextlib
import itertools
import json
import os
import tempfile
import time
from unittest.mock import patch

from odoo import api
from odoo.modules.registry import Registry
from odoo.tests.common import BaseCase, get_db_name

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ..tools.transport.smtp import pipelining
from .fake_ca import make_ca
from .fake_smtp import FakeSmtpServer

PASSWORD = "correct horse"
QUEUE_JOB = "user_email_alias.ir_cron_process"
MAILING_JOB = "mass_mailing.ir_cron_mass_mailing_queue"
LANE_LOGGER = "odoo.addons.user_email_alias.sending.lane"


class QueueCase(BaseCase):
    """A committed user with an alias at a mail server that really listens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.ca = make_ca(folder.name)
        trusted = patch.dict(
            os.environ, SSL_CERT_FILE=os.path.join(folder.name, "ca.pem")
        )
        trusted.start()
        cls.addClassCleanup(trusted.stop)
        # core refuses to send while tests run; these are about sending
        allowed = patch.object(IrMail_Server, "_disable_send", classmethod(_never))
        allowed.start()
        cls.addClassCleanup(allowed.stop)

    def setUp(self):
        super().setUp()
        # what was learnt of a server that had the same port
        pipelining._off.clear()
        self.server = FakeSmtpServer(users={"ada": PASSWORD}, ca=self.ca).start()
        self.addCleanup(self.server.stop)
        with self.committed() as env:
            # nothing of the demo data or of another test is to be sent from here
            env.cr.execute(
                "UPDATE mail_mail SET state = 'cancel' WHERE state = 'outgoing'"
            )
            env["ir.config_parameter"].set_param(
                "user_email_alias.allowed_targets", "127.0.0.1, ::1, localhost"
            )
            self.user_id = self._create_user(env, "queue_ada").id
            self.alias_id = self.create_alias(env).id
        self.addCleanup(self._remove)

    def reset_jobs(self):
        """No cron worker runs in a test: let the jobs look as if one did."""
        with self.committed() as env:
            for xmlid in (QUEUE_JOB, MAILING_JOB):
                cron = env.ref(xmlid)
                env.cr.execute(
                    "UPDATE ir_cron SET active = true,"
                    " nextcall = now() AT TIME ZONE 'UTC' + interval '5 minutes'"
                    " WHERE id = %s",
                    [cron.id],
                )
                env.cr.execute(
                    "DELETE FROM ir_cron_trigger WHERE cron_id = %s", [cron.id]
                )

    @contextlib.contextmanager
    def committed(self, uid=api.SUPERUSER_ID):
        """Have an environment whose changes everybody sees afterwards."""
        with self.registry.cursor() as cr:
            yield api.Environment(cr, uid, {})

    def _create_user(self, env, login):
        return (
            env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": "Ada Lovelace",
                    "login": login,
                    "email": f"{login}@example.com",
                    "group_ids": [
                        (4, env.ref("base.group_user").id),
                        (4, env.ref("sales_team.group_sale_salesman").id),
                        (4, env.ref("mass_mailing.group_mass_mailing_user").id),
                    ],
                }
            )
        )

    def create_alias(self, env, **values):
        return (
            env["user.email.alias"]
            .with_user(self.user_id)
            .create(
                {
                    "name": "Work",
                    "alias_name": "Ada Lovelace",
                    "email_from": "ada@example.com",
                    "smtp_server": f"localhost:{self.server.starttls_port}",
                    "smtp_user": "ada",
                    "smtp_password": PASSWORD,
                    **values,
                }
            )
        )

    def _remove(self):
        with self.committed() as env:
            users = env["res.users"].search([("login", "=like", "queue\\_%")])
            aliases = (
                env["user.email.alias"]
                .with_context(active_test=False)
                .search([("user_id", "in", users.ids)])
            )
            mails = env["mail.mail"].search([("email_alias_id", "in", aliases.ids)])
            messages = mails.mail_message_id
            mails.unlink()
            messages.exists().unlink()
            aliases.unlink()
            partners = users.partner_id
            users.unlink()
            partners.unlink()

    # ------------------------------------------------------------------
    # Doing
    # ------------------------------------------------------------------

    def queue(self, *recipients, bulk=True, env=None, **values):
        """Let mails wait; return their ids."""

        def create(env):
            return (
                env["mail.mail"]
                .with_user(self.user_id)
                .sudo()
                .create(
                    [
                        {
                            "subject": f"To {recipient}",
                            "body_html": "<p>Hello</p>",
                            "email_to": recipient,
                            "email_alias_id": self.alias_id,
                            "email_alias_bulk": bulk,
                            **values,
                        }
                        for recipient in recipients
                    ]
                )
                .ids
            )

        if env:
            return create(env)
        with self.committed() as env:
            return create(env)

    def run_queue(self):
        """Do what the cron worker does; a lane that breaks fails the test."""
        with self.assertNoLogs(LANE_LOGGER, "ERROR"), self.committed() as env:
            env["user.email.alias.queue"]._cron_process()

    def write_alias(self, **values):
        if values.get("imap_server"):
            # the password comes along to the server that gets it from now on
            values.setdefault("smtp_password", PASSWORD)
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).write(values)

    def wait_until(self, condition, seconds=30):
        """Let a thread come so far; a busy machine may take its time."""
        ends_at = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), ends_at, "it never came so far")
            time.sleep(0.02)

    # ------------------------------------------------------------------
    # Seeing
    # ------------------------------------------------------------------

    def read_alias(self, *fnames):
        with self.committed() as env:
            return env["user.email.alias"].browse(self.alias_id).read(fnames)[0]

    def read_mails(self, ids, *fnames):
        with self.committed() as env:
            return env["mail.mail"].browse(ids).read(fnames)

    def file_copies(self):
        """Do what the cron worker does."""
        with self.committed() as env:
            env["user.email.alias"]._cron_file_copies()

    def read_notices(self):
        """What was told to the browsers of the alias's owner, in order."""
        with self.committed() as env:
            rows = env["bus.bus"].search([], order="id")
            sent = [json.loads(row.message) for row in rows]
        return [
            message["payload"]
            for message in sent
            if message["type"] == "user_email_alias/trouble"
            and message["payload"]["alias_id"] == self.alias_id
        ]

    def read_log(self):
        with self.committed() as env:
            return (
                env["user.email.alias.log"]
                .search([("alias_id", "=", self.alias_id)], order="id")
                .read()
            )

    def served(self):
        """The recipients the server took, in order."""
        return [rcpt for message in self.server.messages for rcpt in message.rcpt_tos]

    def gaps(self):
        """Seconds from a reply to the next MAIL FROM, as the server saw them."""
        messages = self.server.messages
        return [
            later.started_monotonic - earlier.replied_monotonic
            for earlier, later in itertools.pairwise(messages)
        ]


def _never(cls):
    return False
