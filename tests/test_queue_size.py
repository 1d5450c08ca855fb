"""What is too big for the alias's own server leaves with links to its attachments."""

from odoo.tests import tagged

from .common_queue import PASSWORD, QueueCase
from .fake_smtp import FakeSmtpServer

LEADS = ("lead1@example.org", "lead2@example.org")
BIG = b"0123456789abcdef" * 100_000  # 1.6 MB


@tagged("-at_install", "post_install", "user_email_alias")
class TestQueueSize(QueueCase):
    def setUp(self):
        super().setUp()
        self.small = FakeSmtpServer(
            users={"ada": PASSWORD}, ca=self.ca, size_limit=1_000_000
        ).start()
        self.addCleanup(self.small.stop)
        with self.committed() as env:
            lead = env["crm.lead"].create({"name": "Big files"})
            file = env["ir.attachment"].create(
                {
                    "name": "plan.bin",
                    "raw": BIG,
                    "res_model": "crm.lead",
                    "res_id": lead.id,
                }
            )
            lead_id, file_id = lead.id, file.id
        self.addCleanup(self._unlink, lead_id, file_id)
        self.values = {"attachment_ids": [(4, file_id)]}

    def _unlink(self, lead_id, file_id):
        with self.committed() as env:
            env["ir.attachment"].browse(file_id).unlink()
            env["crm.lead"].browse(lead_id).unlink()

    def use_small_server(self):
        self.write_alias(
            smtp_server=f"localhost:{self.small.starttls_port}", smtp_password=PASSWORD
        )

    def test_file_is_sent_where_the_server_takes_it(self):
        self.queue(LEADS[0], bulk=False, **self.values)
        self.run_queue()
        self.assertGreater(len(self.server.messages[0].data), len(BIG))

    def test_file_becomes_a_link_where_the_server_does_not_take_it(self):
        self.use_small_server()
        ids = self.queue(*LEADS, **self.values)
        self.run_queue()
        self.assertEqual(
            [m.rcpt_tos for m in self.small.messages], [[x] for x in LEADS]
        )
        for message in self.small.messages:
            self.assertLess(len(message.data), 100_000)
            self.assertIn(b"/web/content/", message.data)
        self.assertEqual({r["state"] for r in self.read_mails(ids, "state")}, {"sent"})
        self.assertEqual(self.read_alias("max_bytes")["max_bytes"], 1_000_000)

    def test_mail_that_is_sent_at_once_knows_the_size_as_well(self):
        self.use_small_server()
        [mail_id] = self.queue(LEADS[0], bulk=False, **self.values)
        with self.committed() as env:
            env["mail.mail"].browse(mail_id).send()
        self.run_queue()
        self.assertEqual(len(self.small.messages), 1)
        self.assertIn(b"/web/content/", self.small.messages[0].data)

    def test_another_server_may_take_more_again(self):
        self.use_small_server()
        self.queue(LEADS[0], bulk=False, **self.values)
        self.run_queue()
        self.write_alias(
            smtp_server=f"localhost:{self.server.starttls_port}", smtp_password=PASSWORD
        )
        self.queue(LEADS[1], bulk=False, **self.values)
        self.run_queue()
        self.assertGreater(len(self.server.messages[0].data), len(BIG))
