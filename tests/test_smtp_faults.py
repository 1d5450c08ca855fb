import random
import resource
import time

from odoo.tests import tagged

from ..tools.transport.smtp.failure import SmtpFailure
from ..tools.transport.smtp.outcome import classify
from ..tools.transport.smtp.reply import Phase, Reply
from .common_smtp import FROM, MESSAGE, PASSWORD, TO, USER, SmtpCase
from .cutting_proxy import CuttingProxy
from .raw_peer import RawPeer, lines

IN_TRANSACTION = ("mail", "rcpt", "data", "dot")
REPLIES = (
    "421 4.3.2 closing",
    "421 4.7.0 slower",
    "432 4.3.2 busy",
    "450 4.2.0 later",
    "451 4.3.0 error",
    "451 4.7.1 slower",
    "452 4.3.1 full",
    "454 4.7.0 later",
    "500 what",
    "530 5.7.0 Authentication required",
    "535 5.7.139 disabled",
    "550 5.1.1 unknown",
    "550 5.4.5 Daily limit exceeded",
    "550 5.7.1 spam",
    "550 5.7.60 not allowed",
    "552 5.3.4 too big",
    "553 no",
    "554 5.7.1 no",
)


@tagged("-at_install", "post_install")
class TestScriptedReplies(SmtpCase):
    def test_each_reply_in_each_phase_of_a_transaction(self):
        for phase in IN_TRANSACTION:
            connection = self.log_in()
            for reply in REPLIES:
                with self.subTest(phase=phase, reply=reply):
                    self.server.clear()
                    if not connection.usable:
                        connection = self.log_in()
                    self.server.on(phase, reply=reply, times=1)
                    failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
                    parsed = Reply.parse(int(reply[:3]), reply[4:])
                    self.assertEqual(failure.phase, Phase(phase))
                    self.assertEqual(failure.reply, parsed)
                    self.assertEqual(failure.outcome, classify(Phase(phase), parsed))
                    self.assertIn(reply, str(failure))
                    self.assertEqual(connection.usable, reply[:3] != "421")
                    self.assertEqual(self.server.messages, [])
                    if connection.usable:
                        connection.submit(FROM, [TO], MESSAGE)
                        self.assertEqual(len(self.server.messages), 1)

    def test_each_reply_before_the_transaction(self):
        for phase, expected in (
            ("connect", Phase.CONNECT),
            ("ehlo", Phase.EHLO),
            ("starttls", Phase.TLS),
            ("auth", Phase.AUTH),
        ):
            for reply in REPLIES:
                if phase == "ehlo" and reply[:3] in ("500", "502"):
                    continue  # the client tries HELO then
                with self.subTest(phase=phase, reply=reply):
                    self.server.clear()
                    self.server.on(phase, reply=reply)
                    failure = self.failure_of(self.log_in)
                    self.assertEqual(failure.phase, expected)
                    self.assertIn(reply, str(failure))
                    self.assertEqual(failure.outcome.kind, "deferred")
                    self.assertEqual(failure.outcome.scope, "alias")

    def test_a_failed_reset_closes_the_connection(self):
        for rule in ({"reply": "500 no"}, {"drop": True}):
            self.server.clear()
            connection = self.log_in()
            self.server.on("rcpt", reply="550 5.1.1 unknown")
            self.server.on("rset", **rule)
            self.failure_of(connection.submit, FROM, [TO], MESSAGE)
            self.assertFalse(connection.usable)

    def test_a_closed_connection_fails_and_stays_closed(self):
        connection = self.log_in()
        connection.close()
        failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
        self.assertEqual((failure.phase, failure.outcome.reason), (Phase.MAIL, "lost"))


@tagged("-at_install", "post_install")
class TestCutLinks(SmtpCase):
    def test_a_cut_before_the_dot_leaves_the_mail_unsent(self):
        for phase in ("mail", "rcpt", "data"):
            with self.subTest(phase=phase):
                self.server.clear()
                self.server.on(phase, drop=True)
                connection = self.log_in()
                failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
                self.assertEqual(failure.phase.value, phase)
                self.assertEqual(failure.outcome.kind, "deferred")
                self.assertEqual(failure.outcome.scope, "alias")
                self.assertFalse(connection.usable)

    def test_a_cut_after_the_dot_is_uncertain_whatever_the_server_did(self):
        for accept in (False, True):
            with self.subTest(accept=accept):
                self.server.clear()
                self.server.on("dot", drop=True, accept=accept)
                connection = self.log_in()
                failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
                self.assertEqual(failure.phase, Phase.DOT)
                self.assertEqual(failure.outcome.kind, "uncertain")
                self.assertFalse(connection.usable)
                self.assertEqual(len(self.server.messages), accept)

    def test_a_cut_in_the_body_of_a_big_message_is_not_uncertain(self):
        """Big enough that the kernel cannot have taken all of it."""
        message = MESSAGE + b"x" * 76 + b"\r\n" + b"0123456789\r\n" * 2_000_000
        for cut_after in (1, 100_000):
            with self.subTest(cut_after=cut_after):
                self.server.clear()
                self.server.on("body", drop=True, after_bytes=cut_after)
                connection = self.log_in()
                failure = self.failure_of(connection.submit, FROM, [TO], message)
                self.assertEqual(failure.phase, Phase.BODY)
                self.assertEqual(failure.outcome.kind, "deferred")

    def test_the_words_of_a_server_that_gives_up_in_the_body_are_kept(self):
        self.server.on("body", reply="552 5.3.4 too much", after_bytes=1000)
        failure = self.failure_of(
            self.log_in().submit, FROM, [TO], MESSAGE + b"0123456789\r\n" * 2_000_000
        )
        self.assertIn(failure.phase, (Phase.BODY, Phase.DOT))
        if failure.reply:
            self.assertEqual(failure.outcome.reason, "too_big")

    def test_cuts_at_random_bytes_never_claim_too_much(self):
        """What counts as unsent must not have been accepted, and the reverse."""
        chance = random.Random(20_240_229)  # noqa: S311
        kinds = []
        for _ in range(60):
            self.server.clear()
            with CuttingProxy(self.server.plain_port) as proxy:
                connection = self.connect(proxy.port, "127.0.0.1", disable_tls=True)
                connection.login_password(USER, PASSWORD)
                is_deaf = chance.random() < 0.3
                proxy.cut_after(chance.randrange(1, 250), deaf=is_deaf)
                try:
                    connection.submit(FROM, [TO], MESSAGE)
                    kinds.append("sent")
                except SmtpFailure as error:
                    kinds.append(error.outcome.kind)
                    self.assertFalse(connection.usable)
            time.sleep(0.01)
            count = len(self.server.messages)
            if kinds[-1] == "deferred":
                self.assertEqual(count, 0, "unsent, but it has arrived")
            if kinds[-1] == "sent":
                self.assertEqual(count, 1, "sent, but it has not arrived")
        self.assertEqual(set(kinds), {"sent", "deferred", "uncertain"})


@tagged("-at_install", "post_install")
class TestHostileServers(SmtpCase):
    def check_bounded(self, script, reason, seconds=8, use=None, **options):
        """Use a server that never stops; time, CPU and memory must stay small."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        started, cpu = time.monotonic(), time.thread_time()

        def attempt():
            options.setdefault("seconds", 0.5)
            connection = self.connect(
                peer.port, "127.0.0.1", disable_tls=True, **options
            )
            (use or (lambda connection: None))(connection)

        with RawPeer(script) as peer:
            failure = self.failure_of(attempt)
        self.assertIn(failure.outcome.reason, reason)
        self.assertLess(time.monotonic() - started, seconds)
        self.assertLess(time.thread_time() - cpu, 0.1)
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.assertLess(after.ru_maxrss - before.ru_maxrss, 20_000, "kB")
        self.assertLess(len(str(failure)), 2500)

    def test_endless_banners(self):
        for name, piece in (
            ("lines", b"220-hello\r\n" * 1000),
            ("one line", b"220-" + b"x" * 10_000),
            ("one line without a code", b"x" * 10_000),
            ("line feeds", b"\n" * 10_000),
            ("zeros", b"\0" * 10_000),
        ):

            def script(client, peer, piece=piece):
                while True:
                    client.sendall(piece)

            with self.subTest(name=name):
                self.check_bounded(script, ("protocol",))

    def test_a_drip_of_bytes_does_not_stretch_the_time(self):
        def script(client, peer):
            for byte in b"220-" + b"x" * 5000:
                client.sendall(bytes([byte]))
                time.sleep(0.02)

        self.check_bounded(script, ("timeout",))

    def test_a_drip_of_lines_does_not_stretch_the_time(self):
        def script(client, peer):
            while True:
                client.sendall(b"220-wait\r\n")
                time.sleep(0.02)

        self.check_bounded(script, ("timeout",))

    def test_endless_features(self):
        def script(client, peer):
            client.sendall(b"220 hi\r\n")
            peer.read_line(client)
            while True:
                client.sendall(b"250-AUTH PLAIN " + b"x" * 1000 + b"\r\n")

        self.check_bounded(script, ("protocol",))

    def test_endless_challenges(self):
        def script(client, peer):
            client.sendall(b"220 hi\r\n")
            peer.read_line(client)
            client.sendall(b"250-hi\r\n250 AUTH LOGIN\r\n")
            while peer.read_line(client):
                client.sendall(b"334 VXNlciBOYW1lAA==\r\n")

        self.check_bounded(
            script,
            ("protocol",),
            use=lambda connection: connection.login_password(USER, PASSWORD),
        )

    def test_a_megabyte_of_reply_to_the_final_dot(self):
        replies = [b"220 hi\r\n", *[b"250 ok\r\n"] * 3, b"354 go\r\n"]

        def script(client, peer):
            lines(*replies, end=flood)(client, peer)

        def flood(client, peer):
            while True:
                client.sendall(b"250-ok\r\n" * 1000)

        self.check_bounded(
            script,
            ("unknown_outcome",),
            use=lambda connection: connection.submit(FROM, [TO], MESSAGE),
        )

    def test_a_reply_of_the_greatest_size_is_shown_short(self):
        reply = b"550-" + b"\x1b[31m \xe2\x80\xae" * 800 + b"\r\n"
        replies = [
            b"220 hi\r\n",
            b"250 hi\r\n",
            reply * 7 + b"550 end\r\n",
            b"250 ok\r\n",
        ]
        self.check_bounded(
            lines(*replies),
            ("from_refused",),
            use=lambda connection: connection.check_sender(FROM),
        )
