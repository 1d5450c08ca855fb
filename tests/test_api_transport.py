"""Sending through the providers' interfaces: who gets it, once, and what is said."""

import time

from odoo.tests import tagged

from ..tools.transport.smtp.reply import Phase
from .common_api import FROM, TO, ApiCase, make_message

BIG = b"x" * 70 + b"\r\n"


class SubmissionTests:
    """What holds for every interface; a mixin, run once for each below."""

    def test_the_bytes_arrive_as_they_were_meant(self):
        connection = self.open()
        for body in (b"", b".\r\n", b"\xff\xfe\x00\r\n", BIG * 10_000):
            message = make_message(body=body)
            result = connection.submit(FROM, [TO], message)
            self.assertEqual(self.api.submissions[-1].data, message)
            self.assertEqual(result.accepted, [TO])
            self.assertFalse(result.refused or result.deferred)
            self.assertIn("Accepted by", str(result.reply))
        self.assertEqual(self.api.connections, 1)

    def test_whoever_is_not_meant_any_more_gets_nothing_again(self):
        connection = self.open()
        to = "Ann <a@example.org>, Bob <b@example.org>, c@EXAMPLE.org"
        message = make_message(to, "Cc: d@example.org, Eva <e@example.org>")
        for wanted in (
            ["a@example.org"],
            ["b@example.org", "e@example.org"],
            ["c@example.org", "hidden@example.org"],
            ["hidden@example.org"],
            ["a@example.org", "b@example.org", "c@example.org", "d@example.org"],
        ):
            connection.submit(FROM, wanted, message)
            got = [who.lower() for who in self.api.submissions[-1].recipients]
            self.assertEqual(sorted(got), sorted(wanted))

    def test_whoever_no_header_names_is_hidden_from_the_others(self):
        self.open().submit(FROM, [TO, "secret@example.org"], make_message())
        head = self.api.submissions[0].data.partition(b"\r\n\r\n")[0]
        visible = [line for line in head.split(b"\r\n") if not line.startswith(b"Bcc")]
        self.assertNotIn(b"secret@", b"\r\n".join(visible))
        self.assertIn(b"Bcc: secret@example.org", head)

    def test_first_byte_leaves_when_the_pause_is_over(self):
        connection = self.open()
        connection.submit(FROM, [TO], make_message())
        start_at = time.monotonic() + 0.3
        connection.submit(FROM, [TO], make_message(), not_before=start_at)
        self.assertGreaterEqual(self.api.submissions[-1].started_at, start_at)

    def test_pause_is_kept_on_a_new_connection_as_well(self):
        start_at = time.monotonic() + 0.5
        self.open().submit(FROM, [TO], make_message(), not_before=start_at)
        self.assertGreaterEqual(self.api.submissions[-1].started_at, start_at)

    def test_cut_before_all_had_left_is_tried_again_later(self):
        for cut in ("before", "middle"):
            connection = self.open()
            self.api.knobs.cut = cut
            failure = self.submit_failing(connection, make_message(body=BIG * 28_000))
            self.assertEqual(failure.outcome.kind, "deferred", cut)
            self.assertEqual(failure.outcome.scope, "alias")
            self.assertFalse(self.api.submissions)
            connection.submit(FROM, [TO], make_message())
            self.assertEqual(len(self.api.submissions), 1)
            self.api.submissions.clear()

    def test_cut_after_all_had_left_is_uncertain(self):
        for is_taken in (True, False):
            self.api.knobs.cut = "after"
            self.api.knobs.takes_what_is_cut = is_taken
            failure = self.submit_failing(self.open())
            self.assertEqual(failure.outcome.kind, "uncertain")
            self.assertIs(failure.phase, Phase.DOT)

    def test_no_answer_in_time_is_uncertain(self):
        self.api.knobs.delay = 12.0
        started = time.monotonic()
        failure = self.submit_failing(self.open(seconds=1.0))
        self.assertEqual(failure.outcome.kind, "uncertain")
        self.assertLess(time.monotonic() - started, 10)

    def test_nobody_there_is_tried_again_later(self):
        connection = self.open(url="https://localhost:9")
        failure = self.submit_failing(connection)
        self.assertEqual(failure.outcome.kind, "deferred")
        self.assertEqual(failure.outcome.reason, "unreachable")

    def test_certificate_that_nobody_vouches_for_gets_no_token(self):
        failure = self.submit_failing(self.open(ca_bundle=""))
        self.assertEqual(failure.outcome.reason, "certificate")
        self.assertEqual(failure.outcome.kind, "deferred")
        self.assertFalse(self.api.requests)

    def test_refused_token_is_renewed_once(self):
        connection = self.open()
        self.idp.access_tokens.clear()
        connection.submit(FROM, [TO], make_message())
        self.assertEqual(len(self.renewed), 1)
        connection.submit(FROM, [TO], make_message())
        self.assertEqual(len(self.renewed), 1)
        self.assertEqual(self.api.served, [TO, TO])

    def test_token_that_stays_refused_holds_the_alias(self):
        self.idp.revoke_all()
        connection = self.open(renew=lambda token: token)
        failure = self.submit_failing(connection)
        self.assertEqual(failure.outcome.hold, "sign_in")
        connection = self.open(renew=None)
        self.assertEqual(self.submit_failing(connection).outcome.hold, "sign_in")

    def test_only_the_documented_answer_is_a_success(self):
        for status in (200, 201, 202, 204, 206):
            if status == self.success:
                continue
            self.api.knobs.answers = [(status, {}, {"ok": True})]
            failure = self.submit_failing(self.open())
            self.assertEqual(failure.outcome.kind, "uncertain", status)

    def test_redirect_is_not_followed(self):
        target = {"Location": f"{self.api.url}/elsewhere"}
        for status in (301, 302, 307, 308):
            self.api.knobs.answers = [(status, target, {})]
            failure = self.submit_failing(self.open())
            self.assertEqual(failure.outcome.hold, "provider")
        self.assertFalse(any("elsewhere" in path for _, path in self.api.requests))

    def test_token_is_in_no_words(self):
        connection = self.open()
        token = connection._token_secret
        words = self.api.error("odd", f"Your token {token} is odd")
        self.api.knobs.answers = [(400, {"request-id": token}, words)]
        failure = self.submit_failing(connection)
        self.assertNotIn(token, f"{failure} {failure!r} {failure.reply}")
        self.assertNotIn(token, repr(connection) + repr(connection._access))

    def test_sender_is_checked_without_sending(self):
        connection = self.open()
        connection.check_sender(FROM)
        self.assertFalse(self.api.submissions)
        self.idp.revoke_all()
        with self.assertRaises(Exception) as caught:
            self.open(renew=None).check_sender(FROM)
        self.assertEqual(caught.exception.outcome.hold, "sign_in")

    def test_message_that_cannot_be_addressed_is_refused_alone(self):
        for message in (
            b"To: a@x.test\r\n",
            make_message("=?utf-8?q?a=0Ab?= <a@x.test>, b@y"),
        ):
            failure = self.submit_failing(self.open(), message, ["c@x.test"])
            self.assertEqual(failure.outcome.kind, "refused")
            self.assertEqual(failure.outcome.reason, "unsafe")
        self.assertFalse(self.api.requests)

    def test_answers_that_are_no_json_object_do_no_harm(self):
        for data in ([], "text", 5, None, {"error": 7}, {"error": {"errors": "x"}}):
            self.api.knobs.answers = [(400, {}, data)]
            failure = self.submit_failing(self.open())
            self.assertEqual(failure.outcome.kind, "refused")

    def test_too_big_is_said_before_anything_leaves(self):
        connection = self.open()
        body = b"x" * connection.max_bytes
        failure = self.submit_failing(connection, make_message(body=body))
        self.assertEqual(failure.outcome.reason, "too_big")
        self.assertEqual(failure.outcome.kind, "refused")
        self.assertFalse(self.api.requests)


@tagged("-at_install", "post_install")
class TestGraph(SubmissionTests, ApiCase):
    transport = "graph"
    success = 202

    def test_from_of_somebody_else_holds_the_alias(self):
        message = make_message().replace(FROM.encode(), b"boss@example.com")
        failure = self.submit_failing(self.open(), message)
        self.assertEqual(failure.outcome.hold, "from_refused")
        self.api.send_as.add("boss@example.com")
        self.open().submit("boss@example.com", [TO], message)
        self.assertEqual(self.api.served, [TO])

    def test_account_without_mailbox_is_found_out_before_sending(self):
        self.api.without_mailbox.add(FROM)
        with self.assertRaises(Exception) as caught:
            self.open().check_sender(FROM)
        self.assertEqual(caught.exception.outcome.hold, "mailbox_missing")
        failure = self.submit_failing(self.open())
        self.assertEqual(failure.outcome.hold, "mailbox_missing")

    def test_confirmation_bears_the_request_id(self):
        result = self.open().submit(FROM, [TO], make_message())
        self.assertRegex(str(result.reply), r"request-id [0-9a-f-]{36}")


@tagged("-at_install", "post_install")
class TestGmail(SubmissionTests, ApiCase):
    transport = "gmail"
    success = 200

    def test_api_that_is_not_enabled_is_found_out_before_sending(self):
        words = self.api.error(
            "accessNotConfigured", "Gmail API has not been used", 403
        )
        self.api.knobs.answers = [(403, {}, words)]
        with self.assertRaises(Exception) as caught:
            self.open().check_sender(FROM)
        self.assertEqual(caught.exception.outcome.hold, "provider")

    def test_success_without_an_id_is_none(self):
        self.api.knobs.answers = [(200, {}, {"threadId": "1"})]
        failure = self.submit_failing(self.open())
        self.assertEqual(failure.outcome.kind, "uncertain")
