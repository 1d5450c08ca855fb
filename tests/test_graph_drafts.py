"""Large messages through Microsoft Graph: a draft, its files, and then it is sent."""

import email

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.transport.graph_draft import RANGE_BYTES
from ..tools.transport.graph_parts import UnsplittableMessage, get_addresses, split
from ..tools.transport.http.recipients import address_to
from .common_api import FROM, TO, ApiCase, make_message
from .common_drafts import make_files, make_message_with, read_files
from .fake_api import get_recipients
from .fake_graph_drafts import STEPS
from .test_api_recipients import ADDRESSES, BODY, in_ascii

BEFORE_SENDING = ("create", "file", "session", "put")


@tagged("-at_install", "post_install")
class TestDrafts(ApiCase):
    transport = "graph"

    def setUp(self):
        super().setUp()
        self.noted = []

    def make_provider(self, **changes):
        return super().make_provider(large_attachments="True", **changes)

    def open(self, **changes):
        connection = super().open(**{"has_drafts": True, **changes})
        connection.on_draft = lambda *noted: self.noted.append(noted)
        return connection

    def send(self, files, recipients=(TO,), **options):
        message = make_message_with(files, **options)
        result = self.open().submit(FROM, list(recipients), message)
        self.assertEqual(result.accepted, list(recipients))
        self.assertIn("Accepted by Microsoft", str(result.reply))
        return message

    def assert_nothing_left(self):
        self.assertFalse(self.api.drafts)
        self.assertEqual(self.noted[-1], ("", False))

    def test_files_arrive_byte_for_byte_and_in_their_order(self):
        for sizes in (
            (2.0,),
            (2.9999,),
            (3.0001,),
            (RANGE_BYTES / 1e6,),
            (2 * RANGE_BYTES / 1e6,),
            (0.01, 5.5, 0.02, 2.5),
            (0.5,) * 8,
        ):
            with self.subTest(sizes=sizes):
                files = make_files(*sizes)
                self.send(files)
                taken = self.api.submissions[-1]
                got = read_files(taken.data)
                self.assertCountEqual(got, files)
                self.assertEqual(taken.recipients, [TO])
                self.assertFalse(self.api.drafts)

    def test_the_rest_of_the_message_stays_as_it_was(self):
        message = self.send(make_files(4.0))
        head = message.partition(b"\r\n\r\n")[0]
        self.assertEqual(self.api.submissions[0].data.partition(b"\r\n\r\n")[0], head)
        parsed = email.message_from_bytes(self.api.submissions[0].data)
        self.assertEqual(parsed["References"], "<0@example.com> <1@example.com>")
        kinds = [part.get_content_type() for part in parsed.walk()]
        self.assertIn("multipart/alternative", kinds)

    def test_small_message_needs_no_draft(self):
        self.open().submit(FROM, [TO], make_message())
        self.assertFalse(self.api.steps or self.noted)
        self.assertEqual(self.api.served, [TO])

    def test_draft_is_noted_before_anything_else_and_again_before_it_is_sent(self):
        seen = {}
        for step in ("session", "send"):
            self.api.knobs.step_hooks[step] = lambda step=step: seen.update(
                {step: (list(self.api.drafts), list(self.noted))}
            )
        self.send(make_files(4.0))
        [draft_id], noted = seen["session"]
        self.assertEqual(noted, [(draft_id, False)])
        [draft_id], noted = seen["send"]
        self.assertEqual(noted, [(draft_id, False), (draft_id, True)])

    def test_what_cannot_be_noted_is_not_sent_and_leaves_no_draft(self):
        for number in (1, 2):
            connection = self.open()
            calls = []

            def on_draft(*noted, calls=calls, number=number):
                calls.append(noted)
                if len(calls) == number:
                    raise RuntimeError("the database is gone")

            connection.on_draft = on_draft
            with self.assertRaisesRegex(RuntimeError, "gone"):
                connection.submit(FROM, [TO], make_message_with(make_files(4.0)))
            self.assertFalse(self.api.submissions or self.api.drafts)

    def test_file_is_put_without_our_token(self):
        self.send(make_files(9.0))
        self.assertEqual(len(self.api.upload_headers), 3)
        for headers in self.api.upload_headers:
            self.assertNotIn("Authorization", headers)

    def test_cut_at_any_step_before_the_last_is_tried_again_later(self):
        for step in BEFORE_SENDING:
            for cut in ("before", "middle", "after", "answer"):
                with self.subTest(step=step, cut=cut):
                    self.noted.clear()
                    self.api.drafts.clear()
                    self.api.knobs.step_cuts = {step: cut}
                    message = make_message_with(make_files(2.5, 4.0))
                    failure = self.submit_failing(self.open(), message)
                    self.assertEqual(failure.outcome.kind, "deferred")
                    self.assertFalse(self.api.submissions)
                    if step != "create":
                        self.assert_nothing_left()

    def test_any_answer_to_a_step_before_the_last_is_never_uncertain(self):
        for step in BEFORE_SENDING:
            for status in (200, 202, 204, 302, 400, 403, 404, 409, 429, 500, 503, 504):
                if (step, status) in (("put", 200),):
                    continue
                with self.subTest(step=step, status=status):
                    self.noted.clear()
                    words = self.api.error("odd", "Odd.")
                    self.api.knobs.step_answers = {step: [(status, {}, words)]}
                    message = make_message_with(make_files(2.5, 4.0))
                    failure = self.submit_failing(self.open(), message)
                    self.assertNotEqual(failure.outcome.kind, "uncertain")
                    self.assertFalse(self.api.submissions)
                    if step != "create":
                        self.assert_nothing_left()

    def test_cut_while_it_is_sent_is_uncertain_and_nothing_is_deleted(self):
        for cut in ("after", "answer"):
            self.noted.clear()
            self.api.knobs.step_cuts = {"send": cut}
            message = make_message_with(make_files(4.0))
            failure = self.submit_failing(self.open(), message)
            self.assertEqual(failure.outcome.kind, "uncertain")
            self.assertNotIn("delete", self.api.steps)
            self.assertTrue(self.noted[-1][1])

    def test_refusal_to_send_deletes_the_draft(self):
        for status, code, kind, hold in (
            (400, "ErrorInvalidRecipients", "refused", None),
            (400, "ErrorMessageSizeExceeded", "refused", None),
            (403, "ErrorSendAsDenied", "deferred", "from_refused"),
            (429, "ApplicationThrottled", "deferred", None),
            (404, "ErrorItemNotFound", "deferred", None),
        ):
            words = self.api.error(code, "No.")
            self.api.knobs.step_answers = {"send": [(status, {}, words)]}
            message = make_message_with(make_files(4.0))
            failure = self.submit_failing(self.open(), message)
            self.assertEqual((failure.outcome.kind, failure.outcome.hold), (kind, hold))
            self.assert_nothing_left()
        self.assertFalse(self.api.submissions)

    def test_draft_that_cannot_be_deleted_stays_noted(self):
        self.api.knobs.step_cuts = {"put": "before", "delete": "before"}
        message = make_message_with(make_files(4.0))
        self.submit_failing(self.open(), message)
        [draft_id] = self.api.drafts
        self.assertEqual(self.noted, [(draft_id, False)])
        connection = self.open()
        connection.discard(draft_id, "")
        self.assertFalse(self.api.drafts)
        # it is gone: that is as good
        connection.discard(draft_id, "")

    def test_draft_whose_id_is_not_known_is_found_by_its_message_id(self):
        for cut in ("after", "answer"):
            self.api.knobs.step_cuts = {"create": cut}
            message = make_message_with(make_files(4.0))
            self.submit_failing(self.open(), message)
            self.assertEqual((len(self.api.drafts), self.noted), (1, []))
            self.open().discard("", "<other'@example.com>")
            self.assertEqual(len(self.api.drafts), 1)
            self.open().discard("", "<1@example.com>")
            self.assertFalse(self.api.drafts)

    def test_address_for_files_that_has_expired_is_tried_again_later(self):
        words = self.api.error("InvalidAuthenticationToken", "Lifetime expired.")
        for status in (401, 403, 404, 410):
            self.api.knobs.step_answers = {"put": [(status, {}, words)]}
            message = make_message_with(make_files(4.0))
            failure = self.submit_failing(self.open(), message)
            self.assertEqual(failure.outcome.kind, "deferred")
            self.assertEqual(
                (failure.outcome.scope, failure.outcome.hold), ("mail", None)
            )

    def test_first_piece_that_is_taken_for_the_whole_file_sends_nothing(self):
        # microsoftgraph/msgraph-sdk-java#52
        self.api.knobs.step_answers = {"put": [(201, {}, None)]}
        message = make_message_with(make_files(9.0))
        failure = self.submit_failing(self.open(), message)
        self.assertEqual(failure.outcome.kind, "deferred")
        self.assertFalse(self.api.submissions)

    def test_address_for_files_that_is_none_sends_nothing(self):
        for url in ("", "http://localhost/x", "ftp://x", 5, "/relative"):
            words = {"uploadUrl": url}
            self.api.knobs.step_answers = {"session": [(201, {}, words)]}
            message = make_message_with(make_files(4.0))
            failure = self.submit_failing(self.open(), message)
            self.assertEqual(failure.outcome.kind, "deferred", url)

    def test_address_for_files_is_in_no_words(self):
        secret = "authtoken=" + "s3cr3t" * 6
        url = f"{self.api.url}/api/v2.0/AttachmentSessions/x?{secret}"
        self.api.knobs.step_answers = {
            "session": [(201, {}, {"uploadUrl": url})],
            "put": [(400, {}, self.api.error("odd", f"{url} is odd"))],
        }
        message = make_message_with(make_files(4.0))
        failure = self.submit_failing(self.open(), message)
        self.assertNotIn("s3cr3t", f"{failure} {failure!r} {failure.reply}")

    def test_missing_permission_lets_others_pass(self):
        wanted = self.api.get_draft_scope()
        for token, (grant, ends_at, scope) in self.idp.access_tokens.items():
            narrower = scope.replace(wanted, "")
            self.idp.access_tokens[token] = (grant, ends_at, narrower)
        message = make_message_with(make_files(4.0))
        failure = self.submit_failing(self.open(), message)
        self.assertEqual(failure.outcome.reason, "draft_permission")
        self.assertEqual((failure.outcome.scope, failure.outcome.hold), ("mail", None))
        self.assertFalse(self.noted or self.api.drafts)

    def test_text_that_is_too_large_by_itself_is_refused_before_anything_leaves(self):
        message = make_message(body=b"x" * 70 + b"\r\n" * 1_200_000)
        failure = self.submit_failing(self.open(), message)
        self.assertEqual(failure.outcome.reason, "too_big")
        self.assertFalse(self.api.steps)

    def test_without_drafts_the_limit_is_that_of_one_request(self):
        connection = self.open(has_drafts=False)
        self.assertEqual(connection.max_bytes, 2_200_000)
        failure = self.submit_failing(connection, make_message_with(make_files(2.0)))
        self.assertEqual(failure.outcome.reason, "too_big")
        for asked, expected in ((2_900_000, 2_900_000), (50_000_000, 3_000_000)):
            connection = self.open(has_drafts=False, request_bytes=asked)
            self.assertEqual(connection.max_bytes, expected)

    def test_recipients_that_the_provider_forgot_are_written_again(self):
        self.api.is_deaf_to_bcc = True
        self.send(make_files(4.0), [TO, "hidden@example.org"])
        self.assertIn("patch", self.api.steps)
        self.assertCountEqual(self.api.served, [TO, "hidden@example.org"])

    def test_provider_that_would_serve_others_sends_nothing(self):
        self.api.is_deaf_to_bcc = self.api.is_deaf_to_patches = True
        message = make_message_with(make_files(4.0))
        failure = self.submit_failing(self.open(), message, [TO, "hidden@example.org"])
        self.assertEqual(failure.outcome.kind, "refused")
        self.assertEqual(failure.outcome.reason, "recipients")
        self.assertFalse(self.api.submissions)
        self.assert_nothing_left()

    def test_served_are_exactly_those_that_are_meant(self):
        to = "Ann <a@example.org>, Bob <b@example.org>, c@EXAMPLE.org"
        files = make_files(4.0)
        message = make_message_with(
            files, to=to, cc="d@example.org, Eva <e@müller.example>"
        )
        for wanted in (
            ["a@example.org"],
            ["b@example.org", "e@xn--mller-kva.example"],
            ["c@example.org", "hidden@example.org"],
            ["hidden@example.org"],
        ):
            self.open().submit(FROM, wanted, message)
            taken = self.api.submissions[-1]
            self.assertEqual(in_ascii(taken.recipients), set(wanted))
            shown = get_recipients(taken.data.replace(b"\r\nBcc:", b"\r\nX:"))
            self.assertNotIn("hidden@example.org", shown)

    def test_every_step_is_played(self):
        self.api.is_deaf_to_bcc = True
        self.send(make_files(2.5, 4.0), [TO, "hidden@example.org"])
        self.api.knobs.step_cuts = {"put": "before"}
        self.submit_failing(self.open(), make_message_with(make_files(4.0)))
        self.open().discard("", "<1@example.com>")
        self.assertEqual(set(self.api.steps) | {"put"}, set(STEPS))


@tagged("-at_install", "post_install")
class TestSplit(BaseCase):
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.integers(0, 40_000), max_size=6),
        st.integers(1_500, 120_000),
        st.lists(ADDRESSES, min_size=1, max_size=4, unique=True),
    )
    def test_no_byte_of_a_file_and_no_recipient_is_lost(self, sizes, most, people):
        files = make_files(*(size / 1e6 for size in sizes))
        message = make_message_with(files)
        message = address_to(message, sorted(in_ascii(people)))
        try:
            head, taken = split(message, most)
        except UnsplittableMessage:
            bare = address_to(make_message_with([]), sorted(in_ascii(people)))
            self.assertGreater(len(bare) + 200 * len(files) + 200, most)
            return
        self.assertLessEqual(len(head), most)
        found = read_files(head) + [(f.name, f.content, f.kind) for f in taken]
        self.assertCountEqual(found, files)
        self.assertEqual(get_addresses(head), get_addresses(message))
        named = [who for listed in get_addresses(head).values() for who in listed]
        self.assertEqual(in_ascii(named), in_ascii(people))

    def test_what_is_more_than_a_file_stays_in_the_message(self):
        message = make_message_with(
            [
                ("invite.ics", b"x" * 50_000, "text/calendar; method=REQUEST"),
                ("plain.txt", b"y" * 50_000, "text/plain"),
            ]
        )
        head, files = split(message, 100_000)
        self.assertEqual([file.name for file in files], ["plain.txt"])
        self.assertIn(b"REQUEST", head)

    def test_boundary_inside_of_a_text_is_none(self):
        message = make_message(body=BODY)
        self.assertEqual(split(message, 10_000), (message, []))
