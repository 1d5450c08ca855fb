"""Filing copies: each message once, byte for byte.

In a real Dovecot, read back with an independent client, and at odder servers.
"""

import calendar
import email
import email.header
import email.policy
import threading
import time
from collections import Counter

from odoo.tests import tagged

from ..tools.imap import sent_box, sent_copy, sent_index
from ..tools.imap.failure import ImapFailure
from ..tools.imap.folder import Folder
from .common_imap import SENT_AT, USER, DovecotCase, FakeCase, copies, message
from .cutting_proxy import CuttingProxy
from .fake_imap import FakeFolder

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
            self.signed_in(server.port, timeout=2).find_sent_folder()
        self.assertIn("does not answer in time", str(caught.exception))
        lock.unlink()
        self.box(server.port).file_many(many)
        self.check_once(server, many)


@tagged("-at_install", "post_install")
class TestOtherFiling(FakeCase):
    def box(self, fake, **options):
        fake.folders.setdefault("Sent", FakeFolder(uid_validity=3))
        return self.signed_in(fake, **options).sent_box(Folder("Sent"))

    def test_broken_searches_never_double_and_never_lose(self):
        for search in ("exact", "words", "nothing", "bad"):
            for crowded in (0, 2000):
                with self.subTest(search=search, crowded=crowded):
                    self.patch(sent_index, "CROWDED", crowded)
                    self.patch(sent_index, "MESSAGES_PER_SEARCH", 1)
                    fake = self.fake()
                    fake.search = search
                    many = copies(60)
                    self.box(fake).file_many(many)
                    for number, already in ((5, True), (59, True), (600, False)):
                        filed = self.box(fake).file(*message(number), SENT_AT)
                        self.assertEqual(already, filed.already)
                    self.assertEqual(61, len(fake.folders["Sent"].messages))

    def test_server_without_uidplus_and_uidnext(self):
        fake = self.fake()
        fake.has_uidplus = False
        box = self.box(fake)
        many = copies(5)
        for filed in box.file_many(many):
            self.assertEqual((None, False), (filed.uid, filed.already))
        self.assertEqual([1, 2, 3, 4, 5], [f.uid for f in box.file_many(many)])
        self.assertEqual(
            [1, 2, 3, 4, 5], [f.uid for f in self.box(fake).file_many(many)]
        )
        self.assertEqual(5, len(fake.folders["Sent"].messages))
        appends = [c for c in fake.commands if c.startswith("APPEND")]
        self.assertEqual(5, len(appends), "several in one command")

    def test_header_in_quotes(self):
        fake = self.fake()
        fake.quotes_headers = True
        octets = b'Message-ID: <"a\\"b UID 99"@x>\r\n\r\n'
        fake.folders["Sent"] = FakeFolder()
        fake.folders["Sent"].add(octets)
        filed = self.box(fake).file(octets, '<"a\\"b UID 99"@x>', SENT_AT)
        self.assertEqual((1, True), (filed.uid, filed.already))

    def test_stored_but_reply_lost(self):
        fake = self.fake()
        fake.capabilities += " MULTIAPPEND LITERAL+"
        fake.stores_then_hangs_up = True
        many = copies(10)
        for failure in self.box(fake).file_many(many):
            self.assertEqual(("lost", True), (failure.kind, failure.retryable))
            self.assertTrue(failure.unsure)
        self.assertTrue(all(f.already for f in self.box(fake).file_many(many)))
        self.assertEqual(10, len(fake.folders["Sent"].messages))

    def test_one_refused_message_does_not_keep_the_others_out(self):
        fake = self.fake()
        fake.capabilities += " LITERAL+ APPENDLIMIT=3000"
        big = (*message(9, size=5000), SENT_AT)
        many = [*copies(3), big, *copies(3, prefix="n")]
        many.append((b"From: nobody\r\n\r\nno Message-ID\r\n", "<x@y>", SENT_AT))
        results = self.box(fake).file_many(many)
        bad = [place for place, r in enumerate(results) if isinstance(r, ImapFailure)]
        self.assertEqual([3, 7], bad)
        for place in bad:
            self.assertEqual("refused", results[place].kind)
            self.assertFalse(results[place].retryable)
        self.assertEqual(6, len(fake.folders["Sent"].messages))

    def test_batch_refused_as_a_whole_is_filed_one_by_one(self):
        fake = self.fake()
        fake.capabilities += " LITERAL+ MULTIAPPEND"
        fake.refuses = lambda octets: b"Subject: 2\r\n" in octets
        results = self.box(fake).file_many(copies(4))
        kinds = [getattr(result, "kind", "filed") for result in results]
        self.assertEqual(["filed", "filed", "refused", "filed"], kinds)
        self.assertEqual(3, len(fake.folders["Sent"].messages))

    def test_full_mailbox_is_not_tried_for_ever(self):
        fake = self.fake()
        fake.replies = {"APPEND": "{tag} NO [OVERQUOTA] full"}
        results = self.box(fake).file_many(copies(120))
        self.assertEqual({"quota"}, {failure.kind for failure in results})
        tried = [c for c in fake.commands if c.startswith("APPEND")]
        self.assertEqual(sent_box.REFUSALS, len(tried))

    def test_bare_line_ends_become_crlf(self):
        fake = self.fake()
        octets = b"Message-ID: <1@x>\nFrom: a@b.c\r\n\r\nx\ry\n"
        self.box(fake).file(octets, "<1@x>", SENT_AT)
        stored = fake.folders["Sent"].messages[0][2]
        self.assertEqual(b"Message-ID: <1@x>\r\nFrom: a@b.c\r\n\r\nx\r\ny\r\n", stored)
        self.assertTrue(self.box(fake).file(octets, "<1@x>", SENT_AT).already)

    def test_courier_gets_each_message_once(self):
        fake = self.fake()
        fake.is_courier = True
        box = self.box(fake)
        for many, expected in (
            (copies(3), [False] * 3),
            (copies(5), [True] * 3 + [False] * 2),
        ):
            self.assertEqual(expected, [f.already for f in box.file_many(many)])
        self.assertTrue(all(f.already for f in self.box(fake).file_many(copies(5))))
        self.assertEqual(5, len(fake.folders["Sent"].messages))

    def test_folder_is_left_without_removing_what_is_marked_as_deleted(self):
        for capability in ("", " UNSELECT"):
            fake = self.fake()
            fake.capabilities += capability
            folder = fake.folders["Sent"] = FakeFolder()
            folder.deleted.add(folder.add(message(1)[0]))
            self.box(fake).file(*message(2), SENT_AT)
            self.assertEqual(2, len(folder.messages))
            self.assertNotIn("SELECT", {c.split()[0] for c in fake.commands})

    def test_renumbered_folder_is_read_anew(self):
        fake = self.fake()
        box = self.box(fake)
        box.file_many(copies(3))
        folder = fake.folders["Sent"]
        folder.uid_validity, folder.next_uid, folder.messages = 9, 1, []
        folder.add(message(1)[0])
        results = box.file_many(copies(3))
        self.assertEqual([False, True, False], [r.already for r in results])

    def test_nul_is_sent_where_it_is_taken_and_final_elsewhere(self):
        octets = b"Message-ID: <nul@x>\r\n\r\n\0\r\n"
        fake = self.fake()
        failure = self.fails(self.box(fake).file, octets, "<nul@x>", SENT_AT)
        self.assertEqual(("refused", False), (failure.kind, failure.retryable))
        self.assertIn("NUL", str(failure))
        for capability in (" BINARY", " BINARY LITERAL+ MULTIAPPEND"):
            fake = self.fake()
            fake.capabilities += capability
            many = [*copies(2), (octets, "<nul@x>", SENT_AT)]
            self.assertFalse([f for f in self.box(fake).file_many(many) if f.already])
            self.assertEqual(octets, fake.folders["Sent"].messages[2][2])
            self.assertIn(b" ~{", fake.received)

    def test_raw_header_is_sent_where_it_is_taken(self):
        octets = "Subject: Größe\r\nMessage-ID: <u@x>\r\n\r\nü\r\n".encode()
        fake = self.fake()
        fake.capabilities += " ENABLE UTF8=ACCEPT"
        fake.folders["Gesendet ä"] = FakeFolder()
        box = self.signed_in(fake).sent_box(Folder("Gesendet ä"))
        fake.folders["Gesendet &AOQ-"] = FakeFolder()
        box.file_many([*copies(1), (octets, "<u@x>", SENT_AT), *copies(1, prefix="n")])
        self.assertEqual(1, len(fake.folders["Gesendet &AOQ-"].messages))

    def test_raw_header_is_encoded_elsewhere(self):
        fake = self.fake()
        head = (
            'From: "Jörg, Müller" <joerg@exämple.com>\r\n'
            "To: Bob <bob@example.com>,\r\n  Ünal Ö <ue@exämple.com>\r\n"
            'Cc: Carl <carl@example.com>, "Ü, Al" <ü@exämple.com>\r\n'
            "Subject: Eine große Überraschung für Sie 送信済み\r\n\tund mehr\r\n"
            "X-Plain: nothing\r\nMessage-ID: <u@x>\r\n"
        )
        body = "\r\nKörper\r\n".encode()
        filed = self.box(fake).file(head.encode() + body, "<u@x>", SENT_AT)
        self.assertFalse(filed.already)
        stored = fake.folders["Sent"].messages[0][2]
        header, rest = stored.split(b"\r\n\r\n")
        self.assertTrue(header.isascii())
        self.assertEqual("Körper\r\n", rest.decode())
        self.assertLessEqual(max(map(len, header.splitlines())), 120)
        read = email.message_from_bytes(stored, policy=email.policy.default)
        self.assertEqual(
            "Eine große Überraschung für Sie 送信済み und mehr", read["Subject"]
        )
        (sender,) = read["From"].addresses
        self.assertEqual("Jörg, Müller", sender.display_name)
        self.assertEqual("joerg@xn--exmple-cua.com", sender.addr_spec)
        bob, unal = read["To"].addresses
        self.assertEqual(("Bob", "bob@example.com"), (bob.display_name, bob.addr_spec))
        self.assertEqual("Ünal Ö", unal.display_name)
        cc = email.message_from_bytes(stored)["Cc"]
        cc = str(email.header.make_header(email.header.decode_header(cc)))
        for word in ("Carl", "carl@example.com", "Ü, Al", "ü@exämple.com"):
            self.assertIn(word, cc)
        self.assertTrue(self.box(fake).file(stored, "<u@x>", SENT_AT).already)

    def test_folder_that_takes_nothing_is_not_tried_for_ever(self):
        fake = self.fake()
        fake.replies = {"APPEND": "{tag} NO Permission denied"}
        box = self.box(fake)
        results = box.file_many(copies(120))
        self.assertEqual({True}, {failure.retryable for failure in results})
        self.assertIs(box.trouble, results[-1])
        tried = [c for c in fake.commands if c.startswith("APPEND")]
        self.assertEqual(sent_box.REFUSALS, len(tried))

    def test_folder_that_vanishes_or_cannot_be_opened(self):
        fake = self.fake()
        box = self.box(fake)
        self.assertFalse(box.contains("<x@y>"))
        del fake.folders["Sent"]
        failure = self.fails(box.file, *message(1), SENT_AT)
        self.assertEqual(("folder", True), (failure.kind, failure.retryable))
