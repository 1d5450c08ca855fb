"""Debian's OpenSMTPD, which wants a new connection after each hundred mails."""

import unittest

from odoo.tests import tagged

from .common_queue import QueueCase
from .debian_room import missing
from .opensmtpd import SESSION_MAILS, OpenSmtpd


@tagged("-at_install", "post_install", "user_email_alias")
@unittest.skipIf(missing("opensmtpd"), missing("opensmtpd"))
class TestOpenSmtpd(QueueCase):
    def test_a_campaign_goes_on_with_fresh_connections(self):
        server = self.enterContext(OpenSmtpd())
        self.write_alias(
            smtp_server=f"localhost:{server.port}",
            smtp_user=False,
            smtp_password=False,
            disable_tls=True,
        )
        count = 2 * SESSION_MAILS + 30
        ids = self.queue(*(f"lead{number}@example.org" for number in range(count)))
        self.run_queue()
        states = [mail["state"] for mail in self.read_mails(ids, "state")]
        self.assertEqual(states.count("sent"), count)
        rows = self.read_log()
        self.assertEqual(len([row for row in rows if row["outcome"] == "sent"]), count)
        [refused] = [row for row in rows if row["outcome"] != "sent"]
        self.assertEqual((refused["outcome"], refused["scope"]), ("deferred", "alias"))
        alias = self.read_alias("connection_mails", "backoff_count", "pause_ms")
        self.assertEqual(alias["connection_mails"], SESSION_MAILS)
        self.assertEqual((alias["backoff_count"], alias["pause_ms"]), (0, 0))
        self.assertEqual(len(server.mails(count)), count)
