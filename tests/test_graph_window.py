"""No mailbox sends more bytes within some minutes than Microsoft Graph takes.

Microsoft's window of 150 MB in 5 minutes is driven as one of 8 MB in 6 seconds.
"""

import collections
import itertools
import random
import time
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged

from ..tools.deadline import Deadline
from ..tools.transport import API_TRANSPORTS
from ..tools.transport.graph import GraphTransport
from ..tools.transport.http import ApiAccess
from .common_api_queue import ApiQueueCase
from .common_oauth_queue import ADA
from .test_graph_drafts_queue import DraftsQueueCase

MOST, SECONDS = 8_000_000, 6.0
LEADS = [f"lead{number}@example.org" for number in range(8)]
BIG = f"<p>{'big ' * 150_000}</p>"


@tagged("-at_install", "post_install")
class TestRest(BaseCase):
    """The arithmetic of bulk mail, by Microsoft's own figures."""

    def setUp(self):
        super().setUp()
        access = ApiAccess("https://graph.example", "token")
        self.graph = GraphTransport(access, Deadline())
        self.most, self.seconds = GraphTransport.window

    def test_a_campaign_of_letters_needs_no_rest(self):
        load = self.graph.get_load(22_000)
        self.assertEqual(self.graph.get_rest(22_000, 300 * load), 0.0)
        self.assertGreater(self.graph.get_rest(22_000, 400 * load), 0.05)

    def test_no_window_holds_more_than_it_may_and_most_of_it_is_used(self):
        chance = random.Random(15)  # noqa: S311 - a repeatable draw
        for sizes in ((22_000,), (2_200_000,), (500, 22_000, 800_000, 2_200_000)):
            now, sent, idle_at = 0.0, collections.deque(), 3000.0
            most = taken = total = 0
            while now < 6000.0:
                if now > idle_at:
                    # nobody sends for a while, then all begins anew
                    now, idle_at = now + 400.0, float("inf")
                size = chance.choice(sizes)
                load = self.graph.get_load(size)
                while sent and sent[0][0] <= now - self.seconds:
                    taken -= sent.popleft()[1]
                sent.append((now, load))
                taken += load
                total += load
                most = max(most, taken)
                now += self.graph.get_rest(size, taken)
            self.assertLessEqual(most, self.most)
            self.assertGreater(total / (6000.0 - 400.0) * self.seconds, 0.9 * self.most)

    def test_other_transports_need_none(self):
        access = ApiAccess("https://gmail.example", "token")
        gmail = API_TRANSPORTS["gmail"](access, Deadline())
        self.assertEqual(gmail.get_rest(30_000_000, 10**12), 0.0)
        self.assertEqual(gmail.get_load(30_000_000), 0)


class WindowTests:
    def setUp(self):
        super().setUp()
        self.enterContext(patch.object(GraphTransport, "window", (MOST, SECONDS)))

    def serve(self, count, seconds=60):
        """Do what the cron does until so many emails have left."""
        ends_at = time.monotonic() + seconds
        while len(self.api.submissions) < count and time.monotonic() < ends_at:
            self.run_queue()
            with self.committed() as env:
                alias = env["user.email.alias"].browse(self.alias_id)
                self.assertLessEqual(alias.backoff_until - alias._now(), SECONDS + 1)
            time.sleep(0.3)
        self.assertEqual(len(self.api.submissions), count)

    def assert_never_above(self):
        taken = sorted(self.api.submissions, key=lambda item: item.started_at)
        for number, last in enumerate(taken):
            inside = [
                item.size
                for item in taken[: number + 1]
                if last.started_at - item.answered_at <= SECONDS
            ]
            self.assertLessEqual(sum(inside), MOST)
        return taken


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestWindow(WindowTests, ApiQueueCase):
    flavour, transport = "microsoft", "graph"

    def test_one_to_one_mail_goes_at_once_while_there_is_room_and_then_waits(self):
        self.queue(*LEADS, bulk=False, body_html=BIG)
        self.run_queue()
        first = len(self.api.submissions)
        self.assertIn(first, range(2, 7))
        alias = self.read_alias("state", "state_message", "backoff_until")
        self.assertEqual(alias["state"], "ok")
        self.assertIn("within a few minutes", alias["state_message"])
        self.serve(len(LEADS))
        taken = self.assert_never_above()
        gaps = [b.started_at - a.answered_at for a, b in itertools.pairwise(taken)]
        self.assertLess(max(gaps[: first - 1]), 3.0, "no pause while there is room")
        self.assertFalse(self.read_alias("state_message")["state_message"])

    def test_both_kinds_share_it(self):
        self.queue(*LEADS[:4], bulk=True, body_html=BIG)
        self.queue(*LEADS[4:], bulk=False, body_html=BIG)
        self.serve(len(LEADS))
        self.assert_never_above()
        first = [item.recipients[0] for item in self.api.submissions[:3]]
        self.assertTrue(set(first) <= set(LEADS[4:]), "one-to-one mail overtakes")

    def test_aliases_of_one_mailbox_share_it(self):
        with self.committed() as env:
            other = self.create_alias(env, name="Other")
        self.assertEqual(self.sign_in(ADA, other.id), "Status: OK")
        self.queue(*LEADS[:4], bulk=False, body_html=BIG)
        self.run_queue()
        first, self.alias_id = self.alias_id, other.id
        self.queue(*LEADS[4:], bulk=False, body_html=BIG)
        self.run_queue()
        self.assertLess(len(self.api.submissions), len(LEADS))
        self.serve(len(LEADS))
        self.assertNotEqual(first, self.alias_id)
        self.assert_never_above()

    def test_who_waits_for_the_outcome_is_told_when_to_come_again(self):
        self.queue(*LEADS[:6], bulk=False, body_html=BIG)
        self.run_queue()
        [mail_id] = self.queue("now@example.org", bulk=False, body_html=BIG)
        with self.committed(self.user_id) as env:
            mail = env["mail.mail"].sudo().browse(mail_id)
            with self.assertRaisesRegex(UserError, "within a few minutes"):
                mail.send(raise_exception=True)
        self.assertNotIn("now@example.org", self.api.served)


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestWindowOfDrafts(WindowTests, DraftsQueueCase):
    def test_files_count_as_well(self):
        for number in range(3):
            self.queue_large(f"lead{number}@example.org", megabytes=2.4)
        self.serve(3)
        self.assertTrue(self.api.steps)
        self.assert_never_above()
