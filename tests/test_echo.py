"""A server that repeats passwords, at any moment: nothing of it is kept or shown."""

import base64
import itertools

from odoo.tests import tagged

from ..tools.address import ServerAddress
from ..tools.deadline import Deadline
from ..tools.imap import ImapAccount
from ..tools.imap.failure import ImapFailure
from ..tools.redact import WITHHELD, Blotter
from .common_imap import HOST, ImapCase
from .common_queue import PASSWORD as QUEUE_PASSWORD
from .common_queue import QueueCase
from .common_smtp import FROM, MESSAGE, PASSWORD, TO, USER, SmtpCase
from .fake_imap import FakeFolder, FakeImap
from .test_redact import ways_to_write

ECHOES = {
    way: text
    for way, text in ways_to_write(PASSWORD, USER).items()
    # what one reply can hold
    if "\n" not in text and len(text.encode()) < 400
}


@tagged("-at_install", "post_install")
class TestSmtpEcho(SmtpCase):
    def said(self, failure):
        return f"{failure} {failure!r} {failure.reply}"

    def assert_silent(self, failure, text):
        self.assertIn(WITHHELD, str(failure))
        self.assertNotIn(text, self.said(failure))

    def test_reply_at_no_phase_repeats_it(self):
        for phase, (way, text) in itertools.product(
            ("mail", "rcpt", "data", "dot"), ECHOES.items()
        ):
            with self.subTest(phase=phase, way=way):
                self.server.on(phase, reply=f"550 5.7.1 you are {text}", times=1)
                connection = self.log_in()
                failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
                self.assert_silent(failure, text)
                connection.close()

    def test_success_repeats_nothing_in_the_log(self):
        self.server.on("dot", reply=f"250 2.0.0 thank you {PASSWORD}")
        result = self.log_in().submit(FROM, [TO], MESSAGE)
        self.assertEqual(str(result.reply), f"250 2.0.0 {WITHHELD}")

    def test_lines_of_a_reply_are_read_together(self):
        half = len(PASSWORD) // 2
        reply = f"550-5.7.1 {PASSWORD[:half]}\r\n550 5.7.1 {PASSWORD[half:]}"
        self.server.on("mail", reply=reply)
        failure = self.failure_of(self.log_in().submit, FROM, [TO], MESSAGE)
        self.assertEqual(failure.reply.text, WITHHELD)

    def test_words_at_the_end_of_a_long_reply_are_looked_at(self):
        start = "\r\n".join(["550-x" + " " * 397 + "x"] * 19)
        # the password begins just before the place where a reply is cut
        last = "x" + " " * 389 + PASSWORD
        self.server.on("mail", reply=f"{start}\r\n550 {last}")
        failure = self.failure_of(self.log_in().submit, FROM, [TO], MESSAGE)
        self.assertEqual(failure.reply.text, WITHHELD)

    def test_later_connection_repeats_nothing_before_it_is_told_again(self):
        for phase, (way, text) in itertools.product(
            ("connect", "ehlo", "starttls"), ECHOES.items()
        ):
            with self.subTest(phase=phase, way=way):
                self.server.on(phase, reply=f"550 we know {text}", times=1)
                failure = self.failure_of(self.connect, redact=Blotter(PASSWORD))
                self.assert_silent(failure, text)

    def test_refused_login_repeats_nothing(self):
        for way, text in ECHOES.items():
            with self.subTest(way=way):
                self.server.on("auth", reply=f"535 5.7.8 not {text}", times=1)
                connection = self.connect()
                failure = self.failure_of(connection.login_password, USER, PASSWORD)
                self.assert_silent(failure, text)

    def test_one_letter_cannot_be_read_off_from_what_is_left(self):
        self.server.users = {USER: "e"}
        shown = set()
        for words in ("every letter", "no such"):
            self.server.on("mail", reply=f"550 5.7.1 {words}", times=1)
            connection = self.connect()
            connection.login_password(USER, "e")
            failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
            shown.add(failure.reply.text)
            connection.close()
        self.assertEqual(shown, {WITHHELD})

    def test_what_the_server_offers_is_read_all_the_same(self):
        self.server.users = {USER: "SIZE"}
        connection = self.connect(redact=Blotter("SIZE"))
        connection.login_password(USER, "SIZE")
        self.assertEqual(connection.submit(FROM, [TO], MESSAGE).accepted, [TO])


@tagged("-at_install", "post_install")
class TestImapEcho(ImapCase):
    password = "pass word-canary"

    def setUp(self):
        super().setUp()
        self.fake = self.enterContext(FakeImap(self.ca))
        self.fake.passwords["ann"] = self.password

    def open(self):
        return self.connect(self.fake.port, redact=Blotter(self.password))

    def failure_of(self, call, *args):
        with self.assertRaises(ImapFailure) as caught:
            call(*args)
        return caught.exception

    def echoes(self):
        for way, text in ways_to_write(self.password, "ann").items():
            if text.isascii() and text.isprintable():
                yield way, text

    def test_refusals_repeat_nothing(self):
        told = dict(self.echoes())
        for command, way, status in (
            *itertools.product(("LIST", "AUTHENTICATE", "STARTTLS"), told, ("NO",)),
            *itertools.product(
                ("LIST", "AUTHENTICATE", "CAPABILITY", "STARTTLS"),
                ("as it is", "SASL PLAIN"),
                ("BAD",),
            ),
        ):
            with self.subTest(command=command, way=way, status=status):
                self.fake.replies = {command: f"{{tag}} {status} {told[way]}"}
                failure = self.failure_of(self.find_folder)
                self.assertNotIn(told[way], f"{failure} {failure!r}")

    def find_folder(self):
        connection = self.open()
        connection.login_password("ann", self.password)
        connection.find_sent_folder()

    def test_goodbye_repeats_nothing(self):
        for way, text in list(self.echoes())[::4]:
            with self.subTest(way=way):
                self.fake.replies = {"LIST": f"* BYE {text}\r\n{{tag}} OK"}
                failure = self.failure_of(self.find_folder)
                self.assertNotIn(text, f"{failure} {failure!r}")

    def test_name_of_a_folder_repeats_nothing(self):
        self.fake.folders = {
            name: FakeFolder() for name in ("INBOX", "Sent", f"Sent {self.password}")
        }
        connection = self.open()
        connection.login_password("ann", self.password)
        paths = [folder.path for folder in connection.list_folders()]
        self.assertEqual(sorted(paths), ["INBOX", "Sent"])

    def test_account_knows_its_password_before_it_signs_in(self):
        told = base64.b64encode(self.password.encode()).decode()
        self.fake.replies = {"STARTTLS": f"{{tag}} NO {told}"}
        server = ServerAddress(HOST, self.fake.port)
        account = ImapAccount(server, self.guard, "ann", self.password)
        failure = self.failure_of(account.open, Deadline(20))
        self.assertIn(WITHHELD, str(failure))
        self.assertNotIn(told, str(failure))


@tagged("post_install", "-at_install", "user_email_alias")
class TestStoredEcho(QueueCase):
    """Whatever is stored of a server's words repeats nothing."""

    def stored(self):
        """All rows that keep words of a mail server, as text."""
        with self.committed() as env:
            env.cr.execute(
                """
                SELECT string_agg(row::text, ' ') FROM (
                    SELECT row_to_json(a)::text AS row FROM user_email_alias a
                     UNION ALL
                    SELECT row_to_json(l)::text FROM user_email_alias_log l
                     UNION ALL
                    SELECT row_to_json(m)::text FROM mail_mail m
                     WHERE m.email_alias_id IS NOT NULL
                     UNION ALL
                    SELECT row_to_json(t)::text FROM mailing_trace t
                     UNION ALL
                    SELECT row_to_json(n)::text FROM mail_notification n
                     UNION ALL
                    SELECT row_to_json(b)::text FROM bus_bus b) rows
                """
            )
            return env.cr.fetchone()[0]

    def test_no_row_keeps_what_a_server_repeats(self):
        ways = ways_to_write(QUEUE_PASSWORD, "ada")
        for way in ("as it is", "spaced", "reversed", "SASL PLAIN", "HEX", "url"):
            for phase, code in (
                ("connect", 421),
                ("auth", 535),
                ("mail", 451),
                ("rcpt", 550),
                ("dot", 554),
                ("dot", 250),
            ):
                reply = f"{code} {str(code)[0]}.0.0 canary {ways[way]}"
                with self.subTest(way=way, phase=phase):
                    self.server.on(phase, reply=reply, times=1)
                    self.write_alias(smtp_password=QUEUE_PASSWORD)
                    self.queue("lead@example.org")
                    self.run_queue()
                    stored = self.stored()
                    self.assertIn(WITHHELD, stored)
                    self.assertNotIn("canary", stored)
                    self.assertNotIn(ways[way], stored)
