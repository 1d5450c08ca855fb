"""Why is nothing leaving, and a test mail: pressed in a browser, wide and narrow."""

from odoo.tests import tagged

from .common_browser import BrowserCase
from .common_test_mail import TestMailCase
from .common_why import WhyCase

TAGS = ("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
WAITING = "/odoo/action-user_email_alias.user_email_alias_waiting_action"


@tagged(*TAGS)
class TestWhyBrowser(BrowserCase, WhyCase):
    def _ask(self):
        self.queue("a@x.example")
        self.write_alias(is_paused=True)
        if self.browser_size.startswith("1366"):
            self.start_tour(WAITING, "user_email_alias_why_list")
        path = f"/odoo/user.email.alias/{self.alias_id}"
        self.start_tour(path, "user_email_alias_why")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_a_paused_alias_is_resumed_in_the_dialogue(self):
        self._ask()

    def test_on_a_narrow_screen(self):
        self.browser_size = "400,860"
        self._ask()

    def test_the_dialogue_stays_when_the_connection_is_tested_in_it(self):
        self.queue("a@x.example")
        self.server.users["ada"] = "another one"
        self.run_queue()
        self.start_tour(WAITING, "user_email_alias_why_test")


@tagged(*TAGS)
class TestTestMailBrowser(BrowserCase, TestMailCase):
    def _send(self):
        # within a test no request commits: what would be written meanwhile is there
        self.run_test()
        self.patch_back()
        self.provider.knobs.delay = 1.0
        path = f"/odoo/user.email.alias/{self.alias_id}"
        self.start_tour(path, "user_email_alias_test_mail", seconds=120)
        self.assertEqual(len(self.served()), 2)

    def test_a_test_mail_is_sent_and_read_back(self):
        self._send()

    def test_on_a_narrow_screen(self):
        self.browser_size = "400,860"
        self._send()
