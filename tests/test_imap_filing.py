"""Filing copies: each message once, byte for byte.

In a real Dovecot, read back with an independent client.
"""

import calendar
import threading
import time
from collections import Counter

from odoo.tests import tagged

from ..tools.imap import sent_copy, sent_index
from ..tools.imap.failure import ImapFailure
from ..tools.imap.folder import Folder
from .common_imap import SENT_AT, USER, DovecotCase, copies, message
from .cutting_proxy import CuttingProxy

SENT = {"Sent": r"\Sent"}


@tagged("-at_install", "post_install")
class TestDovecotFiling(DovecotCase):
    def box(self, port, **options):
        return self.signed_in(port, **options).sent_box(Folder("Sent"))

    def count(self, server):
        """Return how often each message is in the folder."""
        read = self.read_folder(server, "Sent")
        return Counter(octets for _flags, _date, octets in read)

    def test_copy_is_the_message_seen_and_dated(self):
        server = self.dovecot(special_use=SENT)
        octets, message_id = message(1, size=20_000)
        octets += "ü".encode() + b"\r\n.\r\n..\r\n"
        for port, implicit in ((server.port, False), (server.tls_port, True)):
            filed = self.box(port, implicit=implicit).file(octets, message_id, SENT_AT)
            self.assertEqual((1, implicit), (filed.uid, filed.already))
        ((flags, date, read),) = self.read_folder(server, "Sent")
        self.assertEqual(octets, read)
        self.assertIn(b"\\Seen", flags)
        self.assertEqual(SENT_AT, time.mktime(date))

    def test_summer_dates_and_naive_datetimes_are_utc(self):
        server = self.dovecot(special_use=SENT)
        moment = calendar.timegm((2025, 7, 4, 23, 30, 0))
        naive = sent_copy.utc(moment).replace(tzinfo=None)
        self.box(server.port).file(*message(1), naive)
        ((_flags, date, _read),) = self.read_folder(server, "Sent")
        self.assertEqual(moment, time.mktime(date))

    def test_each_message_once_however_often_it_is_filed(self):
        server = self.dovecot(special_use=SENT)
        many = copies(120)
        box = self.box(server.port)
        first = box.file_many([*many, many[3], many[119]])
        self.assertEqual(120, sum(not filed.already for filed in first))
        self.assertTrue(first[-1].already and first[-2].already)
        for again in (box, self.box(server.port)):
            results = again.file_many(many)
            self.assertTrue(all(filed.already for filed in results))
            self.assertEqual([f.uid for f in first[:120]], [f.uid for f in results])
        self.assertEqual(Counter(octets for octets, *_more in many), self.count(server))

    def test_message_that_another_client_has_filed_meanwhile(self):
        server = self.dovecot(special_use=SENT)
        box = self.box(server.port)
        box.file(*message(1), SENT_AT)
        octets, message_id = message(2)
        self.look(server).append("Sent", "", None, octets)
        self.assertTrue(box.file(octets, message_id, SENT_AT).already)

    def test_part_of_a_message_id_is_not_the_message_id(self):
        server = self.dovecot(special_use=SENT)
        box = self.box(server.port)
        box.file(*message(11), SENT_AT)
        for prefix, number in (("m", 1), ("", "m11@example.com> <")):
            octets, message_id = message(number, prefix=prefix)
            self.assertFalse(box.contains(message_id))
            self.assertFalse(box.file(octets, message_id, SENT_AT).already)

    def test_long_folded_and_hostile_message_ids(self):
        server = self.dovecot(special_use=SENT)
        long_id = f"<{'a' * 400}.{'b' * 400}@example.com>"
        for message_id, header in (
            (long_id, f"\r\n {long_id}"),
            (long_id + "x", f"\r\n\t{long_id[:300]}\r\n {long_id[300:]}x"),
            ('<"a\\"b) OR ALL {5+}"@[x]>', ' <"a\\"b) OR ALL {5+}"@[x]>'),
            ("<ü@exämple.com>", " <ü@exämple.com>"),
        ):
            octets = f"Message-ID:{header}\r\nFrom: a@b.c\r\n\r\nx\r\n".encode()
            with self.subTest(message_id[:20]):
                for port, already in ((server.port, False), (server.port, True)):
                    box = self.box(port)
                    self.assertEqual(already, box.contains(message_id, SENT_AT))
                    filed = box.file(octets, message_id, SENT_AT)
                    self.assertEqual(already, filed.already)

    def test_contains_tells_what_is_there(self):
        server = self.dovecot(special_use=SENT)
        self.box(server.port).file(*message(1), SENT_AT)
        box = self.box(server.port)
        for sent_at in (None, SENT_AT, SENT_AT + 86_400):
            self.assertTrue(box.contains(message(1)[1], sent_at))
        self.assertFalse(box.contains(message(2)[1]))
        self.assertFalse(box.contains(""))

    def test_crowded_folder_is_searched_and_the_search_is_exact(self):
        server = self.dovecot(special_use=SENT)
        self.patch(sent_index, "CROWDED", 50)
        self.patch(sent_index, "MESSAGES_PER_SEARCH", 20)
        self.box(server.port).file_many(copies(200))
        for number, already in ((7, True), (2000, False), (199, True)):
            box = self.box(server.port)
            filed = box.file(*message(number), SENT_AT)
            self.assertEqual(already, filed.already)
            self.assertLess(len(box._index._uids), 20, "all was read")
        self.assertEqual({1}, set(self.count(server).values()))

    def test_server_without_fast_extensions(self):
        server = self.dovecot(
            special_use=SENT, capability="IMAP4rev1 NAMESPACE SPECIAL-USE"
        )
        many = copies(30, size=20_000)
        results = self.box(server.port).file_many(many)
        self.assertFalse(any(filed.already for filed in results))
        self.assertEqual({1}, set(self.count(server).values()))

    def test_full_mailbox_is_told_and_keeps_what_fits(self):
        for capability in (None, "IMAP4rev1"):
            server = self.dovecot(special_use=SENT, quota_kb=30, capability=capability)
            many = copies(2, size=10_000) + copies(8, size=11_000, prefix="n")
            results = self.box(server.port).file_many(many)
            self.assertFalse(results[0].already or results[1].already)
            for failure in results[2:]:
                self.assertEqual(("quota", True), (failure.kind, failure.retryable))
            self.assertIn("full", str(results[-1]))
            self.assertEqual(2, self.count(server).total())

    def test_folder_that_is_gone(self):
        server = self.dovecot()
        (failure,) = self.box(server.port).file_many(copies(1))
        self.assertEqual(("folder", True), (failure.kind, failure.retryable))


@tagged("-at_install", "post_install")
class TestCutConnection(DovecotCase):
    def box(self, port):
        return self.signed_in(port).sent_box(Folder("Sent"))

    def check_once(self, server, expected):
        read = Counter(octets for *_more, octets in self.read_folder(server, "Sent"))
        self.assertEqual(Counter(octets for octets, *_more in expected), read)

    def cut_and_retry(self, proxy, octets, message_id, size, deaf):
        """Return whether the cut was noticed, after filing again."""
        box = self.box(proxy.port)
        box.contains(message_id, SENT_AT)
        proxy.cut_after(size, deaf)
        try:
            box.file(octets, message_id, SENT_AT)
            failed = False
        except ImapFailure as failure:
            failed = True
            self.assertEqual(("lost", True), (failure.kind, failure.retryable))
        proxy.cut_after(None)
        self.box(proxy.port).file(octets, message_id, SENT_AT)
        return failed

    def test_cut_at_fifty_points_leaves_one_copy_each(self):
        server = self.dovecot(special_use=SENT)
        many = copies(50, size=20_000)
        with CuttingProxy(server.port) as proxy:
            box = self.box(proxy.port)
            box.contains("<x>", SENT_AT)
            before = proxy.forwarded
            box.file(*message("size", 20_000), SENT_AT)
            total = proxy.forwarded - before
            failed = 0
            for number, (octets, message_id, _sent_at) in enumerate(many):
                deaf = number % 5 == 4
                size = total - number if deaf else total * number // len(many)
                failed += self.cut_and_retry(proxy, octets, message_id, size, deaf)
        self.assertGreaterEqual(failed, 48)
        expected = [*many, (*message("size", 20_000), SENT_AT)]
        self.check_once(server, expected)

    def test_server_killed_fifty_times_leaves_one_copy_each(self):
        server = self.dovecot(special_use=SENT, storage="sdbox")
        everything = []
        lost = 0
        for number in range(50):
            many = copies(60, size=20_000, prefix=f"{number}.")
            everything += many
            box = self.box(server.port)
            timer = threading.Timer(0.001 * number, server.kill)
            timer.start()
            results = box.file_many(many)
            timer.join()
            failures = [r for r in results if isinstance(r, ImapFailure)]
            self.assertLessEqual({failure.kind for failure in failures}, {"lost"})
            lost += bool(failures)
            server.start()
        self.assertGreater(lost, 20)
        self.retry(server, everything)
        self.check_once(server, everything)

    def retry(self, server, everything):
        """File until nothing fails: a killed server may need a moment for repairs."""
        deadline = time.monotonic() + 20
        failures = [None]
        while failures:
            self.assertLess(time.monotonic(), deadline, failures[-1])
            results = self.box(server.port).file_many(everything)
            failures = [r for r in results if isinstance(r, ImapFailure)]

    def test_lock_of_a_killed_server_costs_a_turn_and_no_copy(self):
        server = self.dovecot(special_use=SENT, storage="sdbox")
        lock = server.leave_lock(USER)
        many = copies(3)
        with self.assertRaises(ImapFailure) as caught:
            self.signed_in(server.port, timeout=8).find_sent_folder()
        self.assertIn("does not answer in time", str(caught.exception))
        lock.unlink()
        self.box(server.port).file_many(many)
        self.check_once(server, many)
