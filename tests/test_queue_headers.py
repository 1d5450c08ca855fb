"""From the record to the mail server: what people read is what was written."""

import email
import email.header
import email.utils

from odoo.tests import tagged

from .common_queue import QueueCase
from .test_header import SCRIPTS, SPECIALS, decode, read

URL = "https://www.example.com/unsubscribe/" + "token" * 40 + "?res_id=1&email=a%40b"


@tagged("-at_install", "post_install", "user_email_alias")
class TestQueueHeaders(QueueCase):
    def send(self, *recipients, **values):
        """Let a mail for each leave; return the headers as Python reads them."""
        self.server.clear()
        return self.leave(self.queue(*recipients, bulk=False, **values))

    def leave(self, ids):
        self.run_queue()
        for mail in self.read_mails(ids, "state", "failure_reason"):
            self.assertEqual(mail["state"], "sent", mail["failure_reason"])
        self.assertEqual(len(self.server.messages), len(ids))
        return [
            {
                name.lower(): read(f"{name}: {value}\r\n".encode())
                for name, value in email.message_from_bytes(message.data).items()
            }
            for message in self.server.messages
        ]

    def test_subjects_and_names_of_all_scripts_arrive(self):
        texts = [
            f"{letters} {more}{letters}".strip()
            for letters in SCRIPTS.values()
            for more in ("", SPECIALS, " " + letters * 9)
        ]
        with self.committed() as env:
            partners = env["res.partner"].create(
                [{"name": text, "email": "bob@example.org"} for text in texts]
            )
            ids = [
                self.queue(
                    False,
                    env=env,
                    bulk=False,
                    subject=text,
                    recipient_ids=[(4, partner.id)],
                )[0]
                for text, partner in zip(texts, partners, strict=True)
            ]
        self.addCleanup(self._unlink, partners)
        for text, headers in zip(texts, self.leave(ids), strict=True):
            with self.subTest(text=text):
                self.assertEqual(decode(headers["subject"]), text)
                [(name, address)] = email.utils.getaddresses([headers["to"]])
                self.assertEqual(decode(name), text)
                self.assertEqual(address, "bob@example.org")

    def test_what_looks_like_an_encoded_word_arrives_as_it_was_typed(self):
        texts = (
            "a=?utf-8?q?b?=c",
            "=?utf-8?q?b?=",
            "=?utf-8?q?hi=0D=0ABcc:_eve@example.org?=",
            "Ünter =?x-none?b?YQ==?= uns, =?",
        )
        for text in texts:
            with self.committed() as env:
                partner = env["res.partner"].create(
                    {"name": text, "email": "bob@example.org"}
                )
            [headers] = self.send(False, subject=text, recipient_ids=[(4, partner.id)])
            with self.subTest(text=text):
                self.assertEqual(decode(headers["subject"]), text)
                [(name, address)] = email.utils.getaddresses([headers["to"]])
                self.assertEqual((decode(name), address), (text, "bob@example.org"))
                self.assertNotIn("bcc", headers)
            self._unlink(partner)

    def test_whoever_else_got_a_message_stands_in_to_by_their_name(self):
        for text in (
            "Bob Brown",
            "Müller, Änne",
            '"Bob" (the \\builder\\)',
            "=?utf-8?q?b?=",
            "=?utf-8?q?x=0D=0ABcc:_eve@evil.example?=",
            "=?utf-8?q?x,_eve@evil.example,?= y",
        ):
            self.server.clear()
            with self.committed(self.user_id) as env:
                lead = env["crm.lead"].create({"name": "Lead"})
                customers = env["res.partner"].create(
                    [
                        {"name": "Ann", "email": "ann@example.org"},
                        {"name": text, "email": "bob@example.org"},
                    ]
                )
                lead.message_post(
                    body="Hello",
                    message_type="comment",
                    subtype_xmlid="mail.mt_comment",
                    partner_ids=customers.ids,
                    email_alias_id=self.alias_id,
                )
            self.run_queue()
            self._unlink(lead, customers)
            with self.subTest(text=text):
                self.assertCountEqual(
                    self.served(), ["ann@example.org", "bob@example.org"]
                )
                for message in self.server.messages:
                    [to] = email.message_from_bytes(message.data).get_all("To")
                    to = read(f"To: {to}\r\n".encode())
                    found = email.utils.getaddresses([to])
                    self.assertCountEqual(
                        [(decode(name), address) for name, address in found],
                        [("Ann", "ann@example.org"), (text, "bob@example.org")],
                    )

    def test_links_with_umlauts_and_blanks_can_be_followed(self):
        [headers] = self.send(
            "bob@example.org",
            headers=repr(
                {
                    "List-Unsubscribe": "<https://BÜCHER.example/weg?wer=Bob Smith>, "
                    "<mailto:weg@bücher.example?subject=bitte nicht mehr>",
                    "List-Id": '"Die \\"großen\\" <alten> Bücher" '
                    "<news.bücher.example>",
                }
            ),
        )
        self.assertEqual(
            headers["list-unsubscribe"],
            "<https://xn--bcher-kva.example/weg?wer=Bob%20Smith>, "
            "<mailto:weg@xn--bcher-kva.example?subject=bitte%20nicht%20mehr>",
        )
        self.assertEqual(
            decode(headers["list-id"]),
            'Die "großen" <alten> Bücher <news.xn--bcher-kva.example>',
        )

    def _unlink(self, *records):
        with self.committed() as env:
            for record in records:
                record.with_env(env).unlink()

    def test_fifty_recipients_keep_their_names(self):
        names = [f"{letters}, Nr. {n}" for n, letters in enumerate(SCRIPTS.values())]
        meant = [
            (names[n % len(names)].strip(), f"lead{n}@example.org") for n in range(50)
        ]
        [headers] = self.send(", ".join(map(email.utils.formataddr, meant)))
        found = email.utils.getaddresses([headers["to"]])
        self.assertEqual([(decode(name), address) for name, address in found], meant)
        self.assertEqual(self.served(), [address for _, address in meant])

    def test_the_alias_name_arrives_in_any_script(self):
        for letters in SCRIPTS.values():
            name = f"{letters}, {letters} (Müller & Co.)".strip()
            self.write_alias(alias_name=name)
            [headers] = self.send("bob@example.org")
            with self.subTest(name=name):
                [(found, address)] = email.utils.getaddresses([headers["from"]])
                self.assertEqual(decode(found), name)
                self.assertEqual(address, "ada@example.com")

    def test_links_to_unsubscribe_and_ids_leave_as_they_are(self):
        ids = " ".join(f"<{'x' * 80}.{number}@example.com>" for number in range(12))
        unsubscribe = f"<{URL}>"
        [headers] = self.send(
            "bob@example.org",
            references=ids,
            headers=repr(
                {
                    "List-Unsubscribe": unsubscribe,
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "X-Odoo-Note": "x" * 300,
                }
            ),
        )
        self.assertEqual(headers["list-unsubscribe"], unsubscribe)
        self.assertEqual(headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click")
        self.assertEqual(headers["references"], ids)
        self.assertEqual(headers["x-odoo-note"], "x" * 300)
        self.assertNotIn("return-path", headers)

    def test_what_was_pasted_unseen_does_not_stop_a_mail(self):
        for pasted, meant in (
            ("\x1f", ""),
            ("\x07", ""),
            ("\u2028", " "),
            ("\x0b", " "),
            ("\r\n", " "),
            ("\u00a0", "\u00a0"),
            ("\u200b", "\u200b"),
        ):
            with self.committed() as env:
                partner = env["res.partner"].create(
                    {"name": f"Bob{pasted}Smith", "email": "bob@example.org"}
                )
                file = env["ir.attachment"].create(
                    {"name": f"a{pasted}b.txt", "raw": b"x", "mimetype": "text/plain"}
                )
            [headers] = self.send(
                False,
                subject=f"Our{pasted}offer",
                recipient_ids=[(4, partner.id)],
                attachment_ids=[(4, file.id)],
            )
            with self.subTest(pasted=ascii(pasted)):
                self.assertEqual(decode(headers["subject"]), f"Our{meant}offer")
                [(name, address)] = email.utils.getaddresses([headers["to"]])
                self.assertEqual(decode(name), f"Bob{meant}Smith")
                self.assertEqual(address, "bob@example.org")
            self._unlink(partner, file)

    def test_what_was_pasted_into_an_address_unseen_is_left_out(self):
        places = ("bob{}@example.org", "bob@example.org{}", "{}bob@example.org")
        unseen = ("\u200b", "\u00a0", "\u00ad", "\ufeff", "\x1f")
        for headers in self.send(
            *(f"Bob <{place.format(char)}>" for char in unseen for place in places)
        ):
            self.assertEqual(headers["to"], '"Bob" <bob@example.org>')
        self.assertEqual(set(self.served()), {"bob@example.org"})
