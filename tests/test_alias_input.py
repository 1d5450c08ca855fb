"""What may be typed into an alias."""

from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestBadInput(AliasCommon):
    def assertSentence(self, vals, label, words=""):
        """Refused on create and on write, with the field's label first."""
        for action in (
            lambda: self.alias_alice.write(vals),
            lambda: self.create_alias(
                self.user_alice, **{"email_from": "x@y.example", "name": "X", **vals}
            ),
        ):
            with (
                self.subTest(vals=str(vals)[:80]),
                self.assertRaises(ValidationError) as caught,
            ):
                action()
            text = str(caught.exception)
            self.assertTrue(text.startswith(f"{label}: "), text)
            self.assertIn(words, text)
            self.assertLess(len(text), 250, "a sentence, not the input")

    def test_mail_server(self):
        for server, words in (
            ("mail example.com", "spaces"),
            ("smtp://mail.example.com/inbox", "behind"),
            (":465", "Enter the mail server"),
            ("mail.example.com:0", "port"),
            ("mail.example.com:70000", "port"),
            ("mail.example.com:", "port"),
            ("mail.example.com:smtp", "port"),
            ("xn--a.example", "not a valid name"),
            ("-bad-.example", "not a valid name"),
            ("ß" * 400, "too long"),
            ("::1:2525", "square brackets"),
            ("user@mail.example.com", "user name"),
            ("mail.example.com/path", "behind"),
        ):
            self.assertSentence({"smtp_server": server}, "SMTP Server:Port", words)

    def test_addresses(self):
        for fname, label in (
            ("email_from", "From Address"),
            ("reply_to", "Reply to Address"),
        ):
            for text, words in (
                ("a@x.example, b@y.example", "exactly one"),
                ("a@x.example;b@y.example", "exactly one"),
                ("a@x.example\nBcc: b@y.example", "line break"),
                ("a@x.example\x00", "invisible"),
                ("a" * 400 + "@x.example", "too long"),
                ("nobody", "name@example.com"),
                ("Al a@x.example", "without name"),
                ("a@localhost", "domain"),
                ("a@-.example", "domain"),
            ):
                self.assertSentence({fname: text}, label, words)

    def test_names(self):
        for fname, label in (
            ("alias_name", "Alias Name"),
            ("name", "Description"),
            ("smtp_user", "SMTP User Name"),
        ):
            for text, words in (
                ("Al\r\nBcc: b@y.example", "line break"),
                ("Al\u202e", "invisible"),
                ("=?utf-8?q?hi=0D=0ABcc:_x?=", "coded"),
                ("A" * 201, "too long"),
            ):
                self.assertSentence({fname: text}, label, words)

    def test_delay(self):
        for delay in (-1, 3_600_001, 10**12):
            self.assertSentence(
                {"delay_ms": delay},
                "Delay Between Emails (milliseconds)",
                "from 0 to 3,600,000",
            )
        self.alias_alice.delay_ms = 3_600_000
        self.alias_alice.delay_ms = 0

    def test_daily_limit(self):
        for limit in (-1, 10**12):
            self.assertSentence({"daily_limit": limit}, "Daily Limit", "0 for no limit")

    def test_account_needs_a_description(self):
        for vals in ({"email_from": "x@y.example"}, {"smtp_server": "mx.example.com"}):
            with self.assertRaisesRegex(ValidationError, "^Description: "):
                self.env["user.email.alias"].with_user(self.user_plain).create(vals)

    def test_description_used_already(self):
        for name in ("Work", "work", " WORK "):
            with self.subTest(name=name), self.assertRaises(ValidationError) as caught:
                self.alias_alice_2.name = name
            self.assertIn("“Work”", str(caught.exception))
            with self.subTest(name=name), self.assertRaises(ValidationError) as caught:
                self.create_alias(self.user_alice, "x@y.example", name=name)
            self.assertIn("“Work”", str(caught.exception))

    def test_description_is_compared_as_people_do(self):
        self.alias_alice.name = "Straße"
        with self.assertRaisesRegex(ValidationError, "Straße"):
            self.alias_alice_2.name = "STRASSE"

    def test_description_of_an_archived_alias_is_named_as_such(self):
        self.alias_alice.active = False
        with self.assertRaisesRegex(ValidationError, "archived alias is called “Work”"):
            self.alias_alice_2.name = "Work"

    def test_two_users_may_use_the_same_description(self):
        self.assertEqual(self.alias_alice.name, self.alias_bob.name)

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_doubled_description(self):
        with self.assertRaises(IntegrityError):
            self.env.cr.execute(
                "UPDATE user_email_alias SET name = 'wORK' WHERE id = %s",
                [self.alias_alice_2.id],
            )

    def test_owner_stays(self):
        with self.assertRaisesRegex(UserError, "stays with its user"):
            self.alias_bob.with_user(self.user_manager).user_id = self.user_alice
        with self.assertRaises(UserError):
            self.user_alice.with_user(self.user_manager).email_alias_ids = [
                Command.link(self.alias_bob.id)
            ]

    def test_import_tells_the_line_and_loses_nothing(self):
        result = (
            self.env["user.email.alias"]
            .with_user(self.user_plain)
            .load(
                ["name", "email_from", "smtp_server"],
                [
                    ["Good", "pat@x.example", "mx.example.com"],
                    ["Bad", "two@x.example, three@x.example", "mx.example.com"],
                ],
            )
        )
        self.assertFalse(result["ids"])
        text = str(result["messages"])
        self.assertIn("exactly one", text)
        self.assertFalse(self.user_plain.email_alias_ids)
