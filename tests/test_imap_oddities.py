"""Copies of sent mail at servers that are not Dovecot: other, broken and hostile ones."""

import ssl
import time

import trustme
from odoo.tests import tagged

from ..tools import imap_wire, sent_folder_names, sent_index
from ..tools.imap_failure import WORDS_LIMIT, ImapFailure, ServerRefusal, printable
from ..tools.imap_failure import refusal_failure
from ..tools.sent_folder import Folder
from .common_imap import SENT_AT, ImapCase, copies, message
from .fake_imap import FakeFolder, FakeImap, dripping, endless

USER, PASSWORD, TOKEN = "ann", "secret", "token"


class FakeCase(ImapCase):
    def fake(self, **options):
        """Return a FakeImap that lives until the end of the test."""
        fake = FakeImap(self.ca, **options)
        self.addCleanup(fake.__exit__)
        return fake.__enter__()

    def signed_in(self, fake, **options):
        connection = self.connect(fake.port, **options)
        connection.login_password(USER, PASSWORD)
        return connection

    def fails(self, call, *args, **kwargs):
        """Return the ImapFailure of a call."""
        with self.assertRaises(ImapFailure) as caught:
            call(*args, **kwargs)
        failure = caught.exception
        self.assertIsNone(failure.__cause__)
        self.assertTrue(failure.__suppress_context__)
        return failure


@tagged("-at_install", "post_install")
class TestConnecting(FakeCase):
    def check_no_secret(self, fake):
        for secret in (b"secret", b"AGFubgBzZWNyZXQ=", b"LOGIN", b"AUTHENTICATE"):
            self.assertNotIn(secret, fake.received)

    def test_bad_certificates_get_no_secret(self):
        other = trustme.CA()
        for implicit in (False, True):
            fake = FakeImap(other, implicit_tls=implicit)
            with fake:
                call = self.signed_in
                self.assertEqual("tls", self.fails(call, fake, implicit=implicit).kind)
                self.check_no_secret(fake)
            fake = self.fake(implicit_tls=implicit, names=("other.example.com",))
            failure = self.fails(self.signed_in, fake, implicit=implicit)
            self.assertEqual("tls", failure.kind)
            self.assertIn("localhost", str(failure))
            self.check_no_secret(fake)

    def test_missing_or_refused_starttls_gets_no_secret(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 AUTH=PLAIN"
        self.assertEqual("tls", self.fails(self.signed_in, fake).kind)
        fake.capabilities = "IMAP4rev1 AUTH=PLAIN STARTTLS"
        for reply in ("{tag} NO not today", "{tag} BAD what", "{tag} OK\r\n* hm"):
            fake.replies = {"STARTTLS": reply}
            self.assertEqual("tls", self.fails(self.signed_in, fake).kind)
        self.check_no_secret(fake)

    def test_text_before_tls_is_not_believed(self):
        fake = self.fake()
        fake.after_starttls = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
        self.assertEqual("tls", self.fails(self.signed_in, fake).kind)
        self.check_no_secret(fake)

    def test_preauth_greeting_is_refused(self):
        for options in ({}, {"disable_tls": True}, {"implicit": True}):
            fake = self.fake(implicit_tls=options.get("implicit", False))
            fake.greeting = "* PREAUTH welcome back"
            failure = self.fails(self.signed_in, fake, **options)
            self.assertEqual(("tls", False), (failure.kind, failure.retryable))
            self.assertFalse([c for c in fake.commands if c != "CAPABILITY"])

    def test_capabilities_are_asked_for_again_after_starttls(self):
        fake = self.fake()
        fake.greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready"
        self.signed_in(fake)
        self.assertEqual(2, fake.commands.count("CAPABILITY"))

    def test_nothing_is_told_about_what_is_no_imap_server(self):
        texts = set()
        fake = self.fake()
        for greeting in ("SSH-2.0-OpenSSH_9.2", "* BYE go away", "\0" * 50, ""):
            fake.greeting = greeting
            failure = self.fails(self.connect, fake.port)
            self.assertEqual(("unreachable", True), (failure.kind, failure.retryable))
            texts.add(str(failure))
        fake.__exit__()
        texts.add(str(self.fails(self.connect, fake.port)))
        self.guard = type(self.guard)("")
        texts.add(str(self.fails(self.connect, fake.port)))
        self.assertEqual(1, len(texts))

    def test_silent_server_is_given_up(self):
        fake = self.fake()
        fake.greeting = "* OK"
        fake.replies = {"CAPABILITY": dripping(b"", 0)}
        fake.replies = {"CAPABILITY": lambda session, tag: time.sleep(5)}
        start = time.monotonic()
        failure = self.fails(self.connect, fake.port, timeout=0.3)
        self.assertEqual("unreachable", failure.kind)
        self.assertLess(time.monotonic() - start, 2)


@tagged("-at_install", "post_install")
class TestSigningIn(FakeCase):
    def test_xoauth2(self):
        fake = self.fake()
        self.connect(fake.port).login_xoauth2(USER, TOKEN)
        self.assertIn("AUTHENTICATE XOAUTH2", fake.commands)

    def test_refused_token_is_answered_with_an_empty_line(self):
        fake = self.fake()
        failure = self.fails(self.connect(fake.port).login_xoauth2, USER, "stale-xyz")
        self.assertEqual(("login", False), (failure.kind, failure.retryable))
        self.assertIn(b"<answer:>", fake.received)
        self.assertIn("status 400", str(failure))

    def test_echoed_secret_is_blotted_out(self):
        fake = self.fake()
        failures = [
            self.fails(self.connect(fake.port).login_password, USER, "wr0ng-pass"),
            self.fails(self.connect(fake.port).login_xoauth2, USER, "wr0ng-pass"),
        ]
        fake.capabilities = "IMAP4rev1 STARTTLS"
        connection = self.connect(fake.port)
        failures.append(self.fails(connection.login_password, USER, "wr0ng-pass"))
        for failure in failures:
            for text in (str(failure), repr(failure)):
                self.assertNotIn("wr0ng-pass", text)
                self.assertNotIn("d3IwbmctcGFzc", text)
                self.assertNotIn("YW5uAHdyMG5nLXBhc3", text)
                self.assertNotIn("dXNlcj1hbm4BYXV0aD1CZWFyZXIgd3IwbmctcGFzc", text)

    def test_login_command_quotes_what_is_typed(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 STARTTLS"
        name, password = 'an" NOOP', 'a\\b" {3}'
        fake.passwords[name] = password
        self.connect(fake.port).login_password(name, password)
        for bad in ("x\r\nA1 NOOP", "x\0"):
            self.fails(self.connect(fake.port).login_password, USER, bad)
            self.fails(self.connect(fake.port).login_password, bad, PASSWORD)
        self.assertNotIn("NOOP", [command.split()[0] for command in fake.commands])

    def test_logindisabled_sends_no_password(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 STARTTLS LOGINDISABLED"
        failure = self.fails(self.connect(fake.port).login_password, USER, PASSWORD)
        self.assertEqual("tls", failure.kind)
        self.assertNotIn(b"secret", fake.received)

    def test_passing_refusal_of_a_login_can_be_tried_again(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 STARTTLS"
        for reply, retryable in (
            ("NO [UNAVAILABLE] backend down", True),
            ("NO [ALERT] Too many simultaneous connections. (Failure)", True),
            ("NO User is authenticated but not connected.", True),
            ("NO [AUTHENTICATIONFAILED] Invalid credentials", False),
            ("NO no", False),
            ("BAD [CLIENTBUG] what", False),
        ):
            fake.replies = {"LOGIN": "{tag} " + reply}
            failure = self.fails(self.connect(fake.port).login_password, USER, PASSWORD)
            self.assertEqual(("login", retryable), (failure.kind, failure.retryable))

    def test_lost_while_signing_in(self):
        fake = self.fake()
        fake.hang_up_on = "AUTHENTICATE"
        failure = self.fails(self.connect(fake.port).login_password, USER, PASSWORD)
        self.assertEqual(("lost", True), (failure.kind, failure.retryable))

    def test_name_is_given_where_a_server_wants_one(self):
        fake = self.fake()
        fake.capabilities += " ID"
        self.signed_in(fake)
        self.assertIn('ID ("name" "Odoo")', fake.commands)


@tagged("-at_install", "post_install")
class TestFolders(FakeCase):
    def test_provider_that_files_by_itself(self):
        fake = self.fake()
        self.assertFalse(self.signed_in(fake).files_by_itself)
        fake.capabilities += " X-GM-EXT-1"
        self.assertTrue(self.signed_in(fake).files_by_itself)
        connection = self.signed_in(fake)
        fake.capabilities = fake.capabilities.replace(" X-GM-EXT-1", "")
        for host, expected in (
            ("Outlook.Office365.com.", True),
            ("imap.gmail.com", True),
            ("imap.gmail.com.example.org", False),
        ):
            connection = self.signed_in(fake)
            connection.client.host = host
            self.assertEqual(expected, connection.files_by_itself)

    def test_flag_in_a_plain_list(self):
        fake = self.fake()
        fake.folders["[Gmail]"] = FakeFolder(flags=r"\Noselect \HasChildren")
        fake.folders["[Gmail]/&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"] = FakeFolder(
            flags=r"\HasNoChildren \Sent"
        )
        folder = self.signed_in(fake).find_sent_folder()
        self.assertEqual(("[Gmail]/Отправленные", "flag"), (folder.path, folder.found))

    def test_folder_of_somebody_else_is_not_taken(self):
        fake = self.fake()
        fake.capabilities += " NAMESPACE"
        fake.folders["Other/bob/Sent"] = FakeFolder(flags=r"\Sent")
        connection = self.signed_in(fake)
        self.assertEqual("folder", self.fails(connection.find_sent_folder).kind)
        fake.folders["Sent Items"] = FakeFolder()
        self.assertEqual("Sent Items", self.signed_in(fake).find_sent_folder().path)

    def test_unselectable_folder_is_not_taken(self):
        fake = self.fake()
        fake.folders["Sent"] = FakeFolder(flags=r"\Noselect \Sent")
        fake.folders["Verzonden"] = FakeFolder()
        self.assertEqual("Verzonden", self.signed_in(fake).find_sent_folder().path)

    def test_mailbox_id_beats_renumbering(self):
        fake = self.fake()
        fake.capabilities += " OBJECTID"
        fake.folders["Mine"] = FakeFolder(uid_validity=7, mailbox_id="F-1_a")
        remembered = self.signed_in(fake).find_sent_folder(Folder("Mine").chosen())
        self.assertEqual(("F-1_a", 7), (remembered.mailbox_id, remembered.uid_validity))
        fake.folders["New"] = fake.folders.pop("Mine")
        fake.folders["New"].uid_validity = 9
        fake.folders["Mine"] = FakeFolder(uid_validity=7, mailbox_id="F2")
        found = self.signed_in(fake).find_sent_folder(remembered)
        self.assertEqual(("New", 9), (found.path, found.uid_validity))

    def test_renumbered_folder_stays_where_it_was(self):
        fake = self.fake()
        fake.folders["Mine"] = FakeFolder(uid_validity=7)
        remembered = self.signed_in(fake).find_sent_folder(Folder("Mine").chosen())
        fake.folders["Mine"].uid_validity = 8
        found = self.signed_in(fake).find_sent_folder(remembered)
        self.assertEqual(("Mine", 8), (found.path, found.uid_validity))

    def test_same_uid_validity_everywhere_is_no_proof(self):
        fake = self.fake()
        fake.folders.update({name: FakeFolder() for name in ("Mine", "A", "B", "Sent")})
        remembered = self.signed_in(fake).find_sent_folder(Folder("Mine").chosen())
        del fake.folders["Mine"]
        self.assertEqual("Sent", self.signed_in(fake).find_sent_folder(remembered).path)

    def test_moved_flag_is_followed_unless_the_user_has_chosen(self):
        fake = self.fake()
        fake.folders["One"] = FakeFolder(flags=r"\Sent", uid_validity=5)
        fake.folders["Two"] = FakeFolder(uid_validity=6)
        remembered = self.signed_in(fake).find_sent_folder()
        fake.folders["One"].flags, fake.folders["Two"].flags = "", r"\Sent"
        self.assertEqual("Two", self.signed_in(fake).find_sent_folder(remembered).path)
        chosen = remembered.chosen()
        self.assertEqual("One", self.signed_in(fake).find_sent_folder(chosen).path)

    def test_listing_survives_odd_names(self):
        fake = self.fake()
        lines = (
            '() "/" INBOX',
            '() NIL "flat"',
            r'() "\\" "a \"b\" \\ c"',
            '() "." 0123',
            '() "/" "&broken"',
            "() \"/\" {5}\r\nS\xe9nt!",
            '() "/" {9}\r\nin braces',
            "(() nonsense",
        )
        reply = "".join(f"* LIST {line}\r\n" for line in lines) + "{tag} OK done"
        fake.replies = {"LIST": reply.encode("latin-1").decode("latin-1")}
        names = [folder.path for folder in self.signed_in(fake).list_folders()]
        self.assertEqual(["INBOX", "flat", r'a "b" \ c', "0123", "in braces"], names)

    def test_names_in_the_table_are_told_apart_from_others(self):
        rank = sent_folder_names.rank
        for path in ("SENT", "sent-mail", "Sent_Items", "INBOX/Sent", "Mail/sent",
                     "gesendete  Objekte", "E\u0301le\u0301ments envoyés"):
            self.assertIsNotNone(rank(path, "/", [""]), path)
        for path in ("Unsent", "Sent/2025", "Clients/Sent", "Drafts", "Outbox", ""):
            self.assertIsNone(rank(path, "/", [""]), path)
        self.assertIsNotNone(rank("INBOX.Sent", ".", ["INBOX."]))
        self.assertLess(rank("Sent", "/", [""]), rank("Gesendet", "/", [""]))

    def test_remembered_nonsense_is_nothing(self):
        for text in ("", "{}", "[]", '{"path": 3}', '{"path": ""}', "x", '{"a": 1}'):
            self.assertIsNone(Folder.from_text(text))


@tagged("-at_install", "post_install")
class TestFiling(FakeCase):
    def box(self, fake, **options):
        fake.folders.setdefault("Sent", FakeFolder(uid_validity=3))
        return self.signed_in(fake, **options).sent_box(Folder("Sent"))

    def test_broken_searches_never_double_and_never_lose(self):
        for search in ("exact", "words", "nothing", "bad"):
            for crowded in (0, 2000):
                with self.subTest(search=search, crowded=crowded):
                    self.patch(sent_index, "CROWDED", crowded)
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
        self.assertEqual([1, 2, 3, 4, 5], [f.uid for f in self.box(fake).file_many(many)])
        self.assertEqual(5, len(fake.folders["Sent"].messages))

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
        def too_big(session, tag):
            return True

        fake = self.fake()
        fake.capabilities += " LITERAL+ APPENDLIMIT=3000"
        many = copies(3) + [(*message(9, size=5000), SENT_AT)] + copies(3, prefix="n")
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
        append = FakeFolder.add

        def add(folder, octets, date=b""):
            if b"Subject: 2\r\n" in octets or len(fake.commands[-1].split("{}")) > 2:
                raise KeyError
            return append(folder, octets, date)

        self.patch(FakeFolder, "add", add)
        results = self.box(fake).file_many(copies(4))
        kinds = [getattr(result, "kind", "filed") for result in results]
        self.assertEqual(["filed", "filed", "refused", "filed"], kinds)
        self.assertEqual(3, len(fake.folders["Sent"].messages))

    def test_bare_line_ends_become_crlf(self):
        fake = self.fake()
        octets = b"Message-ID: <1@x>\nFrom: a@b.c\r\n\r\nx\ry\n"
        self.box(fake).file(octets, "<1@x>", SENT_AT)
        stored = fake.folders["Sent"].messages[0][2]
        self.assertEqual(b"Message-ID: <1@x>\r\nFrom: a@b.c\r\n\r\nx\r\ny\r\n", stored)
        self.assertTrue(self.box(fake).file(octets, "<1@x>", SENT_AT).already)

    def test_folder_that_vanishes_or_cannot_be_opened(self):
        fake = self.fake()
        box = self.box(fake)
        self.assertFalse(box.contains("<x@y>"))
        del fake.folders["Sent"]
        failure = self.fails(box.file, *message(1), SENT_AT)
        self.assertEqual(("folder", True), (failure.kind, failure.retryable))


@tagged("-at_install", "post_install")
class TestHostileServers(FakeCase):
    def check_bounded(self, name, reply):
        fake = self.fake()
        fake.folders["Sent"] = FakeFolder()
        fake.replies = {name: reply}
        connection = self.signed_in(fake, timeout=0.5)
        start = time.monotonic()
        failure = self.fails(self._use, connection)
        self.assertLess(time.monotonic() - start, 8)
        self.assertTrue(failure.is_fatal, failure)
        self.assertLessEqual(len(failure.words), WORDS_LIMIT)

    def _use(self, connection):
        folder = connection.find_sent_folder()
        connection.sent_box(folder).file(*message(1), SENT_AT)

    def test_endless_and_huge_answers(self):
        many = b"* 1 EXISTS\r\n" * 10_000
        for name in ("LIST", "STATUS", "EXAMINE", "NOOP", "UID SEARCH", "APPEND"):
            with self.subTest(name):
                self.check_bounded(name, endless(b"x" * 100_000))
        self.check_bounded("LIST", endless(many))
        self.check_bounded("LIST", endless(b'* LIST () "/" {99999999999}\r\n'))
        self.check_bounded("UID FETCH", endless(b"* 1 FETCH (UID 1 X {200000}\r\n"))
        self.check_bounded("LIST", "* LIST () \"/\" {" + "9" * 5000 + "}")

    def test_dripping_answer(self):
        self.patch(imap_wire, "PATIENCE", 3)
        self.check_bounded("LIST", dripping(b"* OK still here\r\n", 0.1))

    def test_server_that_takes_nothing(self):
        fake = self.fake()
        fake.folders["Sent"] = FakeFolder()
        fake.capabilities += " LITERAL+"
        box = self.signed_in(fake, timeout=0.5).sent_box(Folder("Sent"))
        box.contains("<x@y>")
        fake.replies = {"NOOP": lambda session, tag: time.sleep(5)}
        failure = self.fails(box.file, *message(1, size=8_000_000), SENT_AT)
        self.assertEqual("lost", failure.kind)

    def test_nonsense_is_a_failure_like_any_other(self):
        for name, reply in (
            ("NAMESPACE", "* NAMESPACE " + "(" * 100_000 + "\r\n{tag} OK"),
            ("NAMESPACE", "* NAMESPACE\r\n{tag} OK"),
            ("STATUS", "* STATUS\r\n{tag} OK"),
            ("EXAMINE", "* OK [UIDNEXT x] y\r\n{tag} OK"),
            ("UID FETCH", "* x FETCH )))\r\n{tag} OK"),
            ("APPEND", "+ go\r\n{tag} OK [APPENDUID 1 1:999999999] hm"),
            ("APPEND", "{tag} NO \x1b[31mred\x07 " + "x" * 5000),
        ):
            with self.subTest(f"{name} {reply[:30]}"):
                fake = self.fake()
                fake.capabilities += " NAMESPACE"
                fake.folders["Sent"] = FakeFolder()
                fake.replies = {name: reply}
                try:
                    self._use(self.signed_in(fake, timeout=2))
                except ImapFailure as failure:
                    self.assertTrue(str(failure).isprintable())
                    self.assertLess(len(str(failure)), 500)


@tagged("-at_install", "post_install")
class TestFailures(ImapCase):
    def test_words_are_printable_short_and_without_secrets(self):
        self.assertEqual("a b ***", printable("a\x00\x1b\r\nb geheim", ["geheim", ""]))
        self.assertEqual(WORDS_LIMIT, len(printable("x" * 10_000_000)))
        self.assertEqual("\ufffd", printable(b"\xff"))

    def test_refusals_of_a_copy(self):
        for status, text, kind, retryable in (
            ("NO", "[OVERQUOTA] Quota exceeded", "quota", True),
            ("NO", "Mailbox is full / over quota", "quota", True),
            ("NO", "[TRYCREATE] no", "folder", True),
            ("NO", "[NOPERM] no", "refused", False),
            ("NO", "[TOOBIG] no", "refused", False),
            ("NO", "[UNAVAILABLE] later", "refused", True),
            ("NO", "internal error", "refused", True),
            ("BAD", "invalid message", "refused", False),
        ):
            failure = refusal_failure(ServerRefusal(status, text), "refused")
            self.assertEqual((kind, retryable), (failure.kind, failure.retryable))

    def test_default_trust_is_the_systems(self):
        self.assertEqual(ssl.CERT_REQUIRED, ssl.create_default_context().verify_mode)
