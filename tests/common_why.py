"""Seeded faults, and what their reader is told of them."""

import contextlib

from odoo.fields import Command

from ..sending.lock import LANE_LOCK, locked
from .common_queue import QUEUE_JOB, QueueCase


class WhyCase(QueueCase):
    """Ada has an alias; Sue administers everything, Carl only reads mailings."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.reset_jobs)
        self.reset_jobs()
        with self.committed() as env:
            # bus notices go to a partner, whose name is told
            self.system_id = self._create_user(env, "queue_sue").id
            self.colleague_id = self._create_user(env, "queue_carl").id
            env["res.users"].browse(self.system_id).group_ids += env.ref(
                "base.group_system"
            )

    # ------------------------------------------------------------------
    # Seeding
    # ------------------------------------------------------------------

    def write_mails(self, ids, **values):
        with self.committed() as env:
            env["mail.mail"].browse(ids).write(values)

    def write_user(self, **values):
        with self.committed() as env:
            env["res.users"].browse(self.user_id).write(values)

    def write_job(self, xmlid=QUEUE_JOB, **values):
        with self.committed() as env:
            env.ref(xmlid).write(values)

    def set_param(self, key, value):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(key, value)
        self.addCleanup(self._drop_param, key)

    def _drop_param(self, key):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(key, False)

    def add_group(self, xmlid):
        with self.committed() as env:
            group = env.ref(xmlid)
            self.write_user(group_ids=[Command.link(group.id)])

    def now(self):
        with self.committed() as env:
            return env["user.email.alias"]._now()

    def log_sent(self, seconds_ago=1.0, **values):
        """Let an email have left."""
        with self.committed() as env:
            at = env["user.email.alias"]._now() - seconds_ago
            env["user.email.alias.log"].create(
                {
                    "alias_id": self.alias_id,
                    "is_bulk": True,
                    "outcome": "sent",
                    "claimed_at": at - 0.1,
                    "replied_at": at,
                    **values,
                }
            )

    @contextlib.contextmanager
    def lanes_at_work(self, *alias_ids):
        with contextlib.ExitStack() as stack:
            for alias_id in alias_ids:
                env = stack.enter_context(locked(self.registry, LANE_LOCK, alias_id))
                self.assertTrue(env)
            yield

    # ------------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------------

    def read_row(self, mail_id, uid=None):
        """The sentence and the time in the waiting list."""
        with self.committed(uid or self.user_id) as env:
            row = env["user.email.alias.waiting"].browse(mail_id)
            return row.read(["why", "next_at"])[0]

    def read_reasons(self, uid=None):
        with self.committed(uid or self.user_id) as env:
            return env["user.email.alias"].browse(self.alias_id).read_why()

    def assertWhy(self, mail_id, key, words, clicks=(), uid=None):
        """The list and the dialogue name this reason first, and these clicks."""
        row = self.read_row(mail_id, uid)
        self.assertIn(words, row["why"])
        reasons = self.read_reasons(uid)
        first = reasons[0]
        self.assertEqual(first["key"], key, reasons)
        self.assertEqual(first["text"], row["why"])
        self.assertEqual([click["label"] for click in first["clicks"]], list(clicks))
        return first

    def click(self, reason, label, uid=None):
        """Do what the button of a reason does."""
        [click] = [c for c in reason["clicks"] if c["label"] == label]
        with self.committed(uid or self.user_id) as env:
            records = env[click["model"]].browse(click["id"])
            records = records.with_context(**click.get("context", {}))
            return getattr(records, click["method"])()
