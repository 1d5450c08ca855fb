from unittest.mock import patch

from odoo.tests import tagged

from ..tools.transport.smtp import may_greet_again, transaction
from ..tools.transport.smtp.reply import Phase
from .common_smtp import FROM, MESSAGE, TO, SmtpCase
from .raw_peer import RawPeer
from .test_smtp_submission import TestEnvelope, TestRecipients, TestTimeLimit

OFFER = b"250-hi\r\n250 PIPELINING\r\n"


@tagged("-at_install", "post_install")
class TestEnvelopePipelined(TestEnvelope):
    server_options = {"pipelining": True}


@tagged("-at_install", "post_install")
class TestRecipientsPipelined(TestRecipients):
    server_options = {"pipelining": True}


@tagged("-at_install", "post_install")
class TestTimeLimitPipelined(TestTimeLimit):
    server_options = {"pipelining": True}


@tagged("-at_install", "post_install")
class TestPipelining(SmtpCase):
    """RFC 2920: what is sent in one go, and to what each reply belongs."""

    A, B = "a@x.example", "b@x.example"

    def play(self, *replies, recipients=(TO,), then=b"250 queued\r\n"):
        """Submit to a server that answers the envelope in one piece.

        :return: the result or failure, the envelope's lines, what came after it
        """
        seen = {}

        def script(client, peer):
            client.sendall(b"220 hi\r\n")
            peer.read_line(client)
            client.sendall(OFFER)
            count = len(recipients) + 2
            seen["envelope"] = [peer.read_line(client) for _ in range(count)]
            client.sendall(b"".join(replies))
            seen["next"] = b""
            while not seen["next"].endswith((b"\r\n.\r\n", b"RSET\r\n")):
                seen["next"] += peer.read_line(client)
                if seen["next"] == b".\r\n":
                    break
            client.sendall(then)
            while peer.read(client):
                pass

        with RawPeer(script) as peer:
            connection = self.connect(
                peer.port, "127.0.0.1", disable_tls=True, seconds=2
            )
            try:
                result = connection.submit(FROM, list(recipients), MESSAGE)
            except Exception as error:
                result = error
        return result, seen, connection

    def test_the_envelope_takes_one_round_trip(self):
        result, seen, _connection = self.play(
            b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"
        )
        self.assertEqual(
            seen["envelope"],
            [
                f"MAIL FROM:<{FROM}>\r\n".encode(),
                f"RCPT TO:<{TO}>\r\n".encode(),
                b"DATA\r\n",
            ],
        )
        self.assertEqual(seen["next"], MESSAGE + b".\r\n")
        self.assertEqual(result.accepted, [TO])

    def test_each_reply_belongs_to_its_recipient(self):
        recipients = [self.A, "no address", self.B]
        result, _seen, _connection = self.play(
            b"250-ok\r\n250 really\r\n",
            b"550 5.1.1 unknown\r\n",
            b"250 ok\r\n",
            b"354 go\r\n",
            recipients=[self.A, self.B],
        )
        self.assertEqual(result.accepted, [self.B])
        self.assertEqual(list(result.refused), [self.A])
        self.server.pipelining = True
        self.server.on("rcpt", reply="550 5.1.1 unknown", match=self.A)
        result = self.log_in().submit(FROM, recipients, MESSAGE)
        self.assertEqual(result.accepted, [self.B])
        self.assertEqual(list(result.refused), [self.A, "no address"])

    def test_a_refused_sender_is_no_refused_recipient(self):
        failure, seen, _connection = self.play(
            b"451 4.3.0 later\r\n",
            b"503 need MAIL\r\n",
            b"503 need RCPT\r\n",
            then=b"250 reset\r\n",
        )
        self.assertEqual(failure.phase, Phase.MAIL)
        self.assertEqual(failure.reply.code, 451)
        self.assertEqual(seen["next"], b"RSET\r\n", "all replies have been read")

    def test_who_wants_a_message_for_nobody_gets_a_single_dot(self):
        failure, seen, _connection = self.play(
            b"250 ok\r\n",
            b"550 5.1.1 unknown\r\n",
            b"354 go\r\n",
            then=b"554 no valid recipients\r\n250 reset\r\n",
        )
        self.assertEqual(failure.phase, Phase.RCPT)
        self.assertEqual(seen["next"], b".\r\n")

    def test_nobody_gets_an_empty_message(self):
        for first in (b"451 4.7.1 slower\r\n", b"530 5.7.0 log in\r\n"):
            with self.subTest(first=first):
                failure, seen, connection = self.play(
                    b"250 ok\r\n",
                    first,
                    b"250 ok\r\n",
                    b"354 go\r\n",
                    recipients=[self.A, self.B],
                )
                self.assertEqual(failure.outcome.scope, "alias")
                self.assertEqual(seen["next"], b"", "the connection just ends")
                self.assertFalse(connection.usable)

    def test_a_cut_among_the_replies_leaves_nothing_uncertain(self):
        for count in range(3):
            replies = [b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"][:count]
            with self.subTest(count=count):
                self.server.pipelining = True
                self.server.clear()
                phase = ("mail", "rcpt", "data")[count]
                self.server.on(phase, drop=True)
                connection = self.log_in()
                failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
                self.assertEqual(failure.phase.value, phase, replies)
                self.assertEqual(failure.outcome.kind, "deferred")
                self.assertEqual(self.server.messages, [])

    def test_more_recipients_than_go_in_one_piece(self):
        self.server.pipelining = True
        recipients = [f"r{number}@x.example" for number in range(250)]
        self.server.on("rcpt", reply="550 5.1.1 unknown", match="r120@")
        result = self.log_in().submit(FROM, recipients, MESSAGE)
        self.assertEqual(list(result.refused), ["r120@x.example"])
        self.assertEqual(self.server.messages[0].rcpt_tos, result.accepted)
        self.assertEqual(len(result.accepted), 249)


@tagged("-at_install", "post_install")
class TestConfusion(SmtpCase):
    """Servers that offer it and cannot do it get one command after the other."""

    def serve_script(self, answer):
        """Return a server that offers PIPELINING, and a connection to it.

        :param answer: what it says to octets that came in one piece
        """

        def script(client, peer):
            client.sendall(b"220 hi\r\n")
            peer.read_line(client)
            client.sendall(OFFER)
            while data := peer.read(client):
                client.sendall(answer(data))

        peer = self.enterContext(RawPeer(script))
        return peer, lambda: self.connect(
            peer.port, "127.0.0.1", disable_tls=True, seconds=4
        )

    def reply_to(self, line):
        """Answer like a server that waits for each command."""
        if line.endswith(b".\r\n"):
            return b"250 queued\r\n"
        if line == b"DATA\r\n":
            return b"354 go\r\n"
        return (
            b"250 ok\r\n"
            if line.startswith((b"MAIL", b"RCPT", b"RSET", b"QUIT"))
            else b""
        )

    def assert_sent_one_by_one(self, peer, connection):
        start = len(peer.received)
        result = connection.submit(FROM, [TO, "b@x.example"], MESSAGE)
        self.assertEqual(result.accepted, [TO, "b@x.example"])
        self.assertTrue(bytes(peer.received[start:]).endswith(MESSAGE + b".\r\n"))

    def test_server_that_drops_what_comes_behind_a_command(self):
        peer, connect = self.serve_script(
            lambda data: self.reply_to(
                data if data.endswith(b".\r\n") else data.partition(b"\n")[0] + b"\n"
            )
        )
        with patch.object(transaction, "SILENCE_SECONDS", 1):
            failure = self.failure_of(connect().submit, FROM, [TO], MESSAGE)
        self.assertEqual(failure.outcome.kind, "deferred")
        self.assertTrue(may_greet_again(failure.outcome), "a new connection goes on")
        self.assert_sent_one_by_one(peer, connect())

    def test_server_that_forbids_it_gets_the_mail_on_the_same_connection(self):
        for replies in (
            b"554 5.5.0 Error: improper command pipelining\r\n" * 4,
            b"250 ok\r\n" + b"503 5.5.1 bad sequence of commands\r\n" * 3,
            b"250 ok\r\n" * 3 + b"502 5.5.2 Error: command not recognized\r\n",
            b"250 ok\r\n" * 2 + b"500 what?\r\n" + b"503 no\r\n",
        ):
            with self.subTest(replies=replies):
                peer, connect = self.serve_script(
                    lambda data, replies=replies: (
                        replies if data.count(b"\r\n") == 4 else self.reply_to(data)
                    )
                )
                self.assert_sent_one_by_one(peer, connect())
                self.assertEqual(len(peer._sockets), 1)

    def test_server_that_cuts_a_command_in_two_is_left(self):
        """One reply too many: what comes next belongs to something else."""
        for replies in (
            b"250 ok\r\n" + b"502 what?\r\n" * 2 + b"250 ok\r\n354 go\r\n",
            b"250 ok\r\n" * 4 + b"354 go\r\n",
        ):
            with self.subTest(replies=replies):
                peer, connect = self.serve_script(
                    lambda data, replies=replies: (
                        replies if data.count(b"\r\n") == 4 else self.reply_to(data)
                    )
                )
                connection = connect()
                failure = self.failure_of(
                    connection.submit, FROM, [TO, "b@x.example"], MESSAGE
                )
                self.assertFalse(connection.usable)
                self.assertNotIn(b"\r\n.\r\n", peer.received)
                self.assertTrue(may_greet_again(failure.outcome))
                self.assert_sent_one_by_one(peer, connect())

    def test_refused_all_the_same_is_a_refusal_like_any_other(self):
        self.server.pipelining = True
        self.server.on("rcpt", reply="503 5.5.1 you go first", match="a@")
        failure = self.failure_of(
            self.log_in().submit, FROM, ["a@x.example", TO], MESSAGE
        )
        self.assertTrue(may_greet_again(failure.outcome), "one is owed the message")
        self.assertEqual(self.server.messages, [])
        result = self.log_in().submit(FROM, ["a@x.example", TO], MESSAGE)
        self.assertEqual(result.accepted, [TO])
        self.assertEqual(list(result.refused), ["a@x.example"])
