"""What people reported of senders through the providers' interfaces, played here.

microsoftgraph/msgraph-sdk-java 1487, 52; microsoftgraph/msgraph-sdk-javascript 297;
microsoftgraph/microsoft-graph-docs 13979; Microsoft Q&A 2286986; SMTP2Graph 28;
O365/python-o365 1027; jasperchan/gmail-to-outlook-proxy 2; taers232c/GAMADV-XTD3 337;
GAM-team/got-your-back 309; googleapis/google-api-ruby-client 20544;
kevinburke/multi-emailer 1. Those of files and drafts are in test_graph_drafts.py.
"""

import time

from odoo.tests import tagged

from .common_api_queue import ApiQueueCase
from .common_oauth_queue import ADA

LEAD, OTHER, HIDDEN = "lead@example.org", "other@example.org", "hidden@example.org"


class Reports:
    def refuse(self, status, code, text="No.", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        words = self.api.error(code, text)
        self.api.knobs.answers.append((status, headers, words))

    def get_wait(self):
        with self.committed() as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            return alias.backoff_until - alias._now()

    def go_on(self):
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).sudo().backoff_until = 0
        self.run_queue()

    def get_outcomes(self):
        return [row["outcome"] for row in self.read_log()]

    def test_gateway_that_gives_up_waiting_may_have_sent_it(self):
        # four copies arrived, one for each 504 that was tried again
        for status in (502, 504):
            self.refuse(status, "UnknownError")
        self.queue(LEAD, OTHER, bulk=False)
        for _ in range(3):
            self.go_on()
        self.assertEqual(self.get_outcomes(), ["uncertain", "uncertain"])
        self.assertFalse(self.api.submissions)

    def test_hidden_recipient_is_served_and_seen_by_nobody(self):
        with self.committed() as env:
            partners = env["res.partner"].create(
                [{"name": "L", "email": LEAD}, {"name": "H", "email": HIDDEN}]
            )
            self.addCleanup(self._unlink, partners.ids)
        self.queue(False, bulk=False, recipient_ids=[(6, 0, partners.ids)])
        self.run_queue()
        self.assertCountEqual(self.api.served, [LEAD, HIDDEN])
        for item in self.api.submissions:
            self.assertEqual(len(item.recipients), 1)

    def _unlink(self, ids):
        with self.committed() as env:
            env["res.partner"].browse(ids).unlink()

    def test_name_that_looks_like_an_address_is_quoted(self):
        self.write_alias(alias_name=ADA.email)
        self.queue(LEAD, bulk=False)
        self.run_queue()
        [item] = self.api.submissions
        self.assertIn(f'From: "{ADA.email}" <{ADA.email}>'.encode(), item.data)

    def test_wait_that_is_a_date_is_kept(self):
        moment = time.strftime(
            "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90)
        )
        self.refuse(429, "ApplicationThrottled", Retry_After=moment)
        self.queue(LEAD, bulk=False)
        self.run_queue()
        self.assertAlmostEqual(self.get_wait(), 90, delta=15)

    def test_provider_that_always_says_a_second_is_left_alone_longer(self):
        self.queue(LEAD, bulk=False)
        waits = []
        for _ in range(6):
            self.refuse(429, "rateLimitExceeded", Retry_After="1")
            self.go_on()
            waits.append(self.get_wait())
        self.assertLess(max(waits[:3]), 2)
        self.assertGreater(min(waits[3:]), 50)
        self.assertGreater(waits[-1], waits[3])
        self.go_on()
        self.assertEqual(self.api.served, [LEAD])


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGraphReports(Reports, ApiQueueCase):
    flavour, transport = "microsoft", "graph"

    def test_accepted_with_a_wait_is_sent_and_not_sent_again(self):
        keep = self.api.submit

        def submit(*args):
            status, headers, data = keep(*args)
            return status, {**headers, "Retry-After": "1"}, data

        self.api.submit = submit
        ids = self.queue(LEAD, bulk=False)
        for _ in range(2):
            self.go_on()
        self.assertEqual(self.api.served, [LEAD])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")

    def test_two_hundred_is_no_success(self):
        self.api.knobs.answers = [(200, {}, None)]
        self.queue(LEAD, bulk=False)
        for _ in range(2):
            self.go_on()
        self.assertEqual(self.get_outcomes(), ["uncertain"])


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGmailReports(Reports, ApiQueueCase):
    flavour, transport = "google", "gmail"

    def test_quota_of_a_minute_is_no_missing_permission(self):
        text = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute"
        self.refuse(403, "rateLimitExceeded", text)
        self.queue(LEAD, bulk=False)
        self.run_queue()
        self.assertEqual(self.read_alias("state")["state"], "ok")
        self.go_on()
        self.assertEqual(self.api.served, [LEAD])

    def test_moment_in_words_that_is_over_already_is_no_invitation_to_hurry(self):
        for seconds, least, most in ((600, 580, 620), (-3600, 50, 100)):
            moment = time.gmtime(time.time() + seconds)
            text = time.strftime("%Y-%m-%dT%H:%M:%S.123Z", moment)
            text = f"User-rate limit exceeded.  Retry after {text}"
            self.refuse(429, "rateLimitExceeded", text)
            self.queue(LEAD, bulk=False)
            self.go_on()
            self.assertTrue(least < self.get_wait() < most, self.get_wait())
            self.go_on()
        self.assertEqual(self.api.served, [LEAD, LEAD])

    def test_backend_error_may_have_sent_it(self):
        self.refuse(500, "backendError", "Backend Error")
        self.queue(LEAD, bulk=False)
        for _ in range(2):
            self.go_on()
        self.assertEqual(self.get_outcomes(), ["uncertain"])
