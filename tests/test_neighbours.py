"""What other add-ons do to a mail while core builds it."""

import contextlib
import email
import email.policy
from unittest.mock import patch

from odoo.tests import tagged

from .common_queue import QueueCase

MANY = [f"lead{number}@example.org" for number in range(5)]
TAG = "Seen: %s"


@tagged("-at_install", "post_install", "user_email_alias")
class TestNeighbours(QueueCase):
    @contextlib.contextmanager
    def tracking(self, marks=lambda mail: True):
        """An add-on that has a row for each mail and the row's id in a header."""
        self.built = []
        model = self.registry["mail.mail"]
        core = model._prepare_outgoing_list

        def prepare(mail, *args, **kwargs):
            emails = core(mail, *args, **kwargs)
            self.built.append(mail.id)
            for values in emails:
                if marks(mail):
                    row = mail.env["res.partner.category"].create(
                        {"name": TAG % mail.id}
                    )
                    values["headers"]["X-Seen"] = str(row.id)
            return emails

        self.addCleanup(self._remove_rows)
        with patch.object(model, "_prepare_outgoing_list", prepare):
            yield

    def _remove_rows(self):
        with self.committed() as env:
            env["res.partner.category"].search([("name", "=like", TAG % "%")]).unlink()

    def read_rows(self):
        with self.committed() as env:
            rows = env["res.partner.category"].search([("name", "=like", TAG % "%")])
            return sorted((row.name, str(row.id)) for row in rows)

    def seen(self):
        """The ids in what the server took."""
        return [
            line.partition(b":")[2].strip().decode()
            for message in self.server.messages
            for line in message.data.split(b"\r\n")
            if line.startswith(b"X-Seen:")
        ]

    def test_rows_survive_once_for_each_mail(self):
        for bulk in (True, False):
            for delay in (0, 150):
                self._remove_rows()
                self.server.clear()
                self.write_alias(delay_ms=delay)
                ids = self.queue(*MANY, bulk=bulk)
                with self.subTest(bulk=bulk, delay=delay), self.tracking():
                    self.run_queue()
                    self.assertEqual(self.served(), MANY)
                    rows = self.read_rows()
                    self.assertEqual([name for name, _ in rows], [TAG % i for i in ids])
                    self.assertEqual(self.seen(), [key for _, key in rows])
                    if bulk:
                        self.assertTrue(all(gap >= delay / 1000 for gap in self.gaps()))

    def test_rows_of_one_mail_among_others_survive(self):
        ids = self.queue(*MANY)
        with self.tracking(lambda mail: mail.id == ids[2]):
            self.run_queue()
        self.assertEqual(self.served(), MANY)
        self.assertEqual(self.read_rows(), [(TAG % ids[2], self.seen()[0])])

    def test_rows_of_a_mail_that_is_refused_survive_once(self):
        self.server.on("dot", reply="554 5.6.0 no", times=1)
        ids = self.queue(MANY[0])
        with self.tracking():
            self.run_queue()
        self.assertEqual([name for name, _ in self.read_rows()], [TAG % ids[0]])

    def test_a_mail_that_is_cancelled_while_it_waits_leaves_no_row(self):
        self.write_alias(delay_ms=300)
        ids = self.queue(*MANY[:2])

        def cancel(mail):
            if mail.id == ids[1]:
                with self.committed() as env:
                    env["mail.mail"].browse(ids[1]).write({"state": "cancel"})
            return True

        with self.tracking(cancel):
            self.run_queue()
        self.assertEqual(self.served(), MANY[:1])
        self.assertEqual([name for name, _ in self.read_rows()], [TAG % ids[0]])

    def test_without_rows_each_mail_is_built_once_and_ahead(self):
        ids = self.queue(*MANY)
        with self.tracking(lambda mail: False):
            self.run_queue()
        self.assertEqual(self.built, ids)

    def test_send_now_keeps_the_rows(self):
        ids = self.queue(MANY[0], bulk=False)
        with self.tracking(), self.committed(self.user_id) as env:
            env["mail.mail"].sudo().browse(ids).send(raise_exception=True)
        self.assertEqual(self.served(), MANY[:1])
        self.assertEqual([name for name, _ in self.read_rows()], [TAG % ids[0]])

    def test_whatever_from_is_written_the_alias_is_the_sender(self):
        model = self.registry["ir.mail_server"]
        core = model._prepare_email_message__

        def prepare(server, message, session):
            _from, recipients, message = core(server, message, session)
            message.replace_header("From", "Ada <static@corp.example>")
            message["Sender"] = "robot@corp.example"
            message["Return-Path"] = "bounce@corp.example"
            return "static@corp.example", recipients, message

        self.queue(MANY[0], bulk=False)
        with patch.object(model, "_prepare_email_message__", prepare):
            self.run_queue()
        [message] = self.server.messages
        self.assertEqual(message.mail_from, "ada@example.com")
        self.assertIn(b'From: "Ada Lovelace" <ada@example.com>\r\n', message.data)
        self.assertNotIn(b"corp.example", message.data)
        [row] = self.read_log()
        self.assertEqual(row["email_from"], '"Ada Lovelace" <ada@example.com>')

    def test_answers_go_where_the_owner_wants_them(self):
        model = self.registry["ir.mail_server"]
        core = model._prepare_email_message__

        def prepare(server, message, session):
            sender, recipients, message = core(server, message, session)
            del message["Reply-To"]
            message["Reply-To"] = "static@corp.example"
            return sender, recipients, message

        for own, mails, seen in (
            ("answers@b\u00fccher.example",) * 2 + (b"answers@xn--bcher-kva.example",),
            ("a@b.example", '"Ada, L." <a@b.example>', b'"Ada, L." <a@b.example>'),
            ("a@b.example", "catchall@odoo.example", b"static@corp.example"),
            ("", "catchall@odoo.example", b"static@corp.example"),
        ):
            self.server.clear()
            self.write_alias(reply_to=own)
            self.queue(MANY[0], bulk=False, reply_to=mails)
            with (
                self.subTest(own=own, mails=mails),
                patch.object(model, "_prepare_email_message__", prepare),
            ):
                self.run_queue()
                [message] = self.server.messages
                self.assertIn(b"\r\nReply-To: " + seen + b"\r\n", message.data)

    def test_an_answer_in_the_chatter_is_built_once(self):
        with self.tracking(lambda mail: False):
            with self.committed(self.user_id) as env:
                customer = env["res.partner"].create(
                    {"name": "Bob", "email": "bob@example.org"}
                )
                lead = env["crm.lead"].create({"name": "Lead"})
                lead.message_post(
                    body="Hello",
                    message_type="comment",
                    subtype_xmlid="mail.mt_comment",
                    partner_ids=customer.ids,
                    email_alias_id=self.alias_id,
                )
            self.run_queue()
        self.addCleanup(self._remove_records, lead, customer)
        self.assertEqual(self.served(), ["bob@example.org"])
        self.assertEqual(len(self.built), 1)

    def test_links_to_files_that_are_not_attached_can_be_opened(self):
        with self.committed() as env:
            file = env["ir.attachment"].create(
                {"name": "Film", "type": "url", "url": "https://files.example/film"}
            )
        self.addCleanup(self._remove_records, file)
        self.queue(*MANY[:2], attachment_ids=[(4, file.id)])
        self.run_queue()
        with self.committed() as env:
            token = env["ir.attachment"].browse(file.id).access_token
        self.assertTrue(token)
        for message in self.server.messages:
            parsed = email.message_from_bytes(message.data, policy=email.policy.default)
            html = parsed.get_body(("html",)).get_content()
            self.assertIn(f"access_token={token}", html)

    def test_a_mail_that_core_refuses_says_why(self):
        for values in ({"email_to": False}, {"email_to": "nobody"}):
            ids = self.queue(MANY[0], **values)
            with self.subTest(values=values), self.tracking():
                self.run_queue()
                [mail] = self.read_mails(ids, "state", "failure_type", "failure_reason")
                self.assertEqual(mail["state"], "exception")
                self.assertIn(
                    mail["failure_type"], ("mail_email_missing", "mail_email_invalid")
                )
                self.assertTrue(mail["failure_reason"])
        self.assertFalse(self.server.messages)

    def _remove_records(self, *records):
        with self.committed() as env:
            for record in records:
                record.with_env(env).unlink()
