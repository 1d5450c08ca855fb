"""Filing copies at servers odder than Dovecot: each message once, whatever they say."""

import email
import email.header
import email.policy

from odoo.tests import tagged

from ..tools.imap import sent_box, sent_index
from ..tools.imap.failure import ImapFailure
from ..tools.imap.folder import Folder
from .common_imap import SENT_AT, FakeCase, copies, message
from .fake_imap import FakeFolder


@tagged("-at_install", "post_install")
class TestOddFiling(FakeCase):
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
