"""What is told and what is picked: random queues, where both must say the same."""

import random
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..sending import why
from ..sending.queries import get_limiting_submission, get_next
from ..sending.why import Why, find_sample
from ..tools import pacing
from .common_why import WhyCase

ROUNDS = 150
# far enough from now that the time between two statements does not count
MOMENTS = (-5000.0, -50.0, 50.0, 5000.0)


@tagged("post_install", "-at_install", "user_email_alias")
class TestWhyAgrees(WhyCase):
    def test_it_says_leaves_now_exactly_of_what_is_picked(self):
        seen = set()
        with self.committed() as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            self.queue(*(f"{n}@x.example" for n in range(6)), env=env)
            mails = env["mail.mail"].search([("email_alias_id", "=", alias.id)])
            self.reset_jobs_in(env)
            for seed in range(ROUNDS):
                choose = random.Random(seed)  # noqa: S311
                with self.subTest(seed=seed):
                    self._shuffle(choose, alias, mails)
                    env.flush_all()
                    seen |= self._compare(env, alias, mails)
            env.cr.rollback()
        # each of them was there, or the test says nothing
        self.assertLessEqual(
            {"now", "pause", "turn", "pace", "limit", "backoff", "paused", "archived",
             "hold", "owner", "mailing_paused", "deferred", "window", "widened"},
            seen,
        )  # fmt: skip

    def reset_jobs_in(self, env):
        """The mails just queued have set triggers, which count from now."""
        env.cr.execute("DELETE FROM ir_cron_trigger")

    def _shuffle(self, choose, alias, mails):
        now = alias._now()

        def rarely(value, other):
            return value if choose.random() < 0.12 else other

        alias.user_id.active = rarely(False, True)
        alias.write(
            {
                "active": rarely(False, True),
                "state": rarely("hold", "ok"),
                "is_paused": rarely(True, False),
                "delay_ms": choose.choice((0, 100_000)),
                "pause_ms": choose.choice((0, 200_000)),
                "daily_limit": choose.choice((0, 0, 1, 3)),
                "backoff_until": rarely(now + choose.choice(MOMENTS), 0),
                "backoff_count": 1,
            }
        )
        for mail in mails:
            mail.write(
                {
                    "email_alias_due": now + choose.choice(MOMENTS),
                    "email_alias_bulk": choose.random() < 0.6,
                    "email_alias_is_paused": rarely(True, False),
                }
            )
        Log = alias.env["user.email.alias.log"]
        Log.search([("alias_id", "=", alias.id)]).unlink()
        for n in range(choose.choice((0, 1, 3))):
            at = now - choose.choice((50.0, 150.0, 5000.0)) - n
            Log.create(
                {
                    "alias_id": alias.id,
                    "is_bulk": True,
                    "outcome": "sent",
                    "claimed_at": at - 1,
                    "replied_at": at,
                    "rest_ms": choose.choice((0, 0, 300_000)),
                }
            )

    def _compare(self, env, alias, mails):
        picked = get_next(env.cr, alias.id)
        if picked and alias.daily_limit:
            # as the lane asks, before it builds
            row = get_limiting_submission(env.cr, alias.id, alias.daily_limit)
            if row and pacing.daily_slot(row[0], float(row[1])) > float(row[1]):
                picked = None
        leaves_now = (
            {picked[0]} if picked and (not picked[1] or picked[2] <= 0) else set()
        )
        explained = Why(env, mails.ids)
        reasons = {mail.id: explained.explain(mail.id) for mail in mails}
        self.assertEqual(
            {id_ for id_, reason in reasons.items() if reason.key == "now"}, leaves_now
        )
        if picked:
            reason = reasons[picked[0]]
            self.assertIn(reason.key, ("now", "pause", "widened", "window"))
            if reason.key != "now":
                left = reason.at - alias._now()
                self.assertAlmostEqual(left, picked[2], delta=1)
        for reason in reasons.values():
            self.assertTrue(reason.at is None or reason.at > alias._now() - 1)
        return {reason.key for reason in reasons.values()}

    def test_a_long_list_is_explained_by_a_few_queries(self):
        ids = self.queue(*(f"{n}@x.example" for n in range(80)))
        self.write_alias(delay_ms=1000)
        counts = []
        for part in (ids[:2], ids):
            with self.committed(self.user_id) as env:
                rows = env["user.email.alias.waiting"].browse(part)
                rows.mapped("alias_id.waiting_count")
                before = env.cr.sql_log_count
                rows.mapped("why")
                counts.append(env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 1)

    def test_the_dialogue_has_something_of_each_kind(self):
        bulk = self.queue(*(f"{n}@x.example" for n in range(9)))
        direct = self.queue("d@x.example", "e@x.example", bulk=False)
        self.write_mails(bulk[5:6], email_alias_due=self.now() + 500)
        self.write_mails(bulk[6:7], email_alias_is_paused=True)
        self.write_mails(bulk[7:8], state="exception")
        self.write_mails(direct[1:], email_alias_due=self.now() + 500)
        with self.committed() as env:
            found = find_sample(env, self.alias_id)
        self.assertLessEqual({*direct, bulk[0], *bulk[5:8]}, set(found))

    def test_nobody_else_is_told(self):
        [mail_id] = self.queue("a@x.example")
        for method in ("read_why", "action_why"):
            with self.committed(self.colleague_id) as env:
                for model, id_ in (
                    ("user.email.alias", self.alias_id),
                    ("user.email.alias.waiting", mail_id),
                ):
                    with self.assertRaises(AccessError):
                        getattr(env[model].browse(id_), method)()
            with self.committed(self.system_id) as env:
                row = env["user.email.alias.waiting"].browse(mail_id)
                self.assertTrue(getattr(row, method)())

    def test_the_screen_without_a_selection_explains_what_is_on_it(self):
        ids = self.queue("a@x.example", "b@x.example")
        with self.committed(self.user_id) as env:
            Waiting = env["user.email.alias.waiting"]
            domain = [("alias_id", "=", self.alias_id)]
            action = Waiting.with_context(active_domain=domain).action_why()
        self.assertEqual(set(action["params"]["ids"]), set(ids))
        self.assertEqual(action["tag"], "email_alias_why")

    def test_who_is_far_behind_costs_no_more(self):
        ids = self.queue(*(f"{n}@x.example" for n in range(3)))
        with (
            patch.object(why, "COUNTED", 2),
            patch.object(why, "COUNTED_LEAST", 2),
        ):
            self.assertIn("before it: 1", self.read_row(ids[1])["why"])
            self.assertIn("before it: more than 2", self.read_row(ids[2])["why"])
