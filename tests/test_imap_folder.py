"""Finding the folder for sent mail: in a real Dovecot, and at odder servers."""

import contextlib

from odoo.tests import tagged

from ..tools.imap import folder as sent_folder
from ..tools.imap import folder_names as sent_folder_names
from ..tools.imap.failure import ImapFailure
from ..tools.imap.folder import Folder
from .common_imap import SENT_AT, DovecotCase, FakeCase, message
from .fake_imap import FakeFolder, answering

SENT = {"Sent": r"\Sent"}


@tagged("-at_install", "post_install")
class TestDovecotFolders(DovecotCase):
    def make(self, server, *wire_paths):
        client = self.look(server)
        for path in wire_paths:
            self.assertEqual("OK", client.create(f'"{path}"')[0])

    def find(self, server, **options):
        return self.signed_in(server.port).find_sent_folder(**options)

    def test_flag_wins_over_a_better_known_name(self):
        server = self.dovecot(special_use={"Archiv/2026": r"\Sent"})
        self.make(server, "Sent")
        folder = self.find(server)
        self.assertEqual(("Archiv/2026", "/"), (folder.path, folder.delimiter))
        self.assertEqual("flag", folder.found)

    def test_folder_below_the_prefix_is_found_with_its_full_path(self):
        server = self.dovecot(prefix="INBOX.", separator=".")
        self.make(server, "INBOX.Sent", "INBOX.Projects.Sent")
        folder = self.find(server)
        self.assertEqual(("INBOX.Sent", "."), (folder.path, folder.delimiter))
        self.assertEqual("name", folder.found)

    def test_flag_below_the_prefix(self):
        server = self.dovecot(
            prefix="INBOX.", separator=".", special_use={"Gesendet": r"\Sent"}
        )
        self.assertEqual("INBOX.Gesendet", self.find(server).path)

    def test_names_of_many_languages(self):
        server = self.dovecot()
        client = self.look(server)
        for name, wire in (
            ("Sent Items", "Sent Items"),
            ("[Gmail]/Sent Mail", "[Gmail]/Sent Mail"),
            ("Gesendete Objekte", "Gesendete Objekte"),
            ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"),
            ("Wysłane", "Wys&AUI-ane"),
            ("Odeslaná pošta", "Odeslan&AOE- po&AWE-ta"),
            ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
            ("已发送", "&XfJT0ZAB-"),
            ("送信済み", "&kAFP4W4IMH8-"),
            ("보낸편지함", "&vPSwuNO4ycDVaA-"),
            ("المرسلة", "&BicGRAZFBjEGMwZEBik-"),
        ):
            with self.subTest(name):
                self.assertEqual("OK", client.create(f'"{wire}"')[0])
                self.assertEqual(name, self.find(server).path)
                client.delete(f'"{wire}"')

    def test_copy_lands_in_a_folder_with_a_non_ascii_name(self):
        server = self.dovecot()
        self.make(server, "&XfJT0ZAB-")
        connection = self.signed_in(server.port)
        box = connection.sent_box(connection.find_sent_folder())
        box.file(*message(1), SENT_AT)
        self.assertEqual(1, len(self.read_folder(server, "&XfJT0ZAB-")))

    def test_no_folder_is_a_failure_or_a_new_subscribed_folder(self):
        for options, path in (
            ({}, "Sent"),
            ({"prefix": "INBOX.", "separator": "."}, "INBOX.Sent"),
        ):
            with self.subTest(path):
                server = self.dovecot(**options)
                with self.assertRaises(ImapFailure) as caught:
                    self.find(server)
                self.assertEqual("folder", caught.exception.kind)
                folder = self.find(server, create=True)
                self.assertEqual((path, "created"), (folder.path, folder.found))
                _ok, subscribed = self.look(server).lsub()
                self.assertIn(path.encode(), b" ".join(subscribed))

    def test_renamed_folder_is_found_again(self):
        server = self.dovecot()
        self.make(server, "Mine", "Sent", "Other")
        connection = self.signed_in(server.port)
        mine = next(f for f in connection.list_folders() if f.path == "Mine")
        chosen = connection.find_sent_folder(mine.chosen())
        self.assertEqual(("Mine", "chosen"), (chosen.path, chosen.found))
        self.look(server).rename("Mine", '"Theirs &AOQ-"')
        remembered = Folder.from_text(chosen.as_text())
        found = self.find(server, remembered=remembered)
        self.assertEqual(("Theirs ä", "chosen"), (found.path, found.found))

    def test_new_folder_with_the_old_name_does_not_replace_the_renamed_one(self):
        server = self.dovecot()
        self.make(server, "Mine")
        remembered = self.find(server, remembered=Folder("Mine").chosen())
        self.look(server).rename("Mine", "Ours")
        self.make(server, "Mine")
        self.assertEqual("Ours", self.find(server, remembered=remembered).path)

    def test_deleted_choice_gives_way_to_the_usual_folder(self):
        server = self.dovecot(special_use=SENT)
        self.make(server, "Mine")
        remembered = self.find(server, remembered=Folder("Mine").chosen())
        self.look(server).delete("Mine")
        self.assertEqual("Sent", self.find(server, remembered=remembered).path)

    def test_folder_in_the_trash_is_not_followed(self):
        server = self.dovecot(special_use={**SENT, "Trash": r"\Trash"})
        self.make(server, "Mine")
        remembered = self.find(server, remembered=Folder("Mine").chosen())
        self.look(server).rename("Mine", "Trash/Mine")
        self.assertEqual("Sent", self.find(server, remembered=remembered).path)


@tagged("-at_install", "post_install")
class TestOtherFolders(FakeCase):
    def test_provider_that_files_by_itself(self):
        fake = self.fake()
        self.assertIsNone(self.signed_in(fake).self_filing)
        fake.capabilities += " X-GM-EXT-1"
        self.assertEqual("google", self.signed_in(fake).self_filing.key)
        connection = self.signed_in(fake)
        fake.capabilities = fake.capabilities.replace(" X-GM-EXT-1", "")
        for host, expected in (
            ("Outlook.Office365.com.", "microsoft"),
            ("imap.gmail.com", "google"),
            ("imap.gmail.com.example.org", None),
        ):
            connection = self.signed_in(fake)
            connection.client.host = host
            found = connection.self_filing
            self.assertEqual(expected, found and found.key)

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

    def test_odd_namespaces_hide_no_folder(self):
        fake = self.fake()
        fake.capabilities += " NAMESPACE"
        fake.folders["Sent"] = FakeFolder()
        for parts in (
            '(("" "/")) ((5 "/")) NIL',
            '((NIL "/")) NIL NIL',
            '((NIL NIL)) ((NIL "/")) ((NIL "/"))',
            "NIL NIL NIL",
            '(("" "/" "X-PARAM" ("A"))) NIL NIL',
        ):
            with self.subTest(parts):
                fake.replies = {"NAMESPACE": answering(f"NAMESPACE {parts}")}
                with contextlib.suppress(ImapFailure):
                    self.assertEqual(
                        "Sent", self.signed_in(fake).find_sent_folder().path
                    )
                    continue
                self.assertIn("PARAM", parts)
        fake.replies = {"NAMESPACE": "{tag} NO not here"}
        self.assertEqual("Sent", self.signed_in(fake).find_sent_folder().path)

    def test_folder_listed_twice_is_one(self):
        fake = self.fake()
        fake.replies = {
            "LIST": answering(
                r'LIST (\HasNoChildren) "/" "Sent"',
                r'LIST (\Marked \HasNoChildren) "/" "Sent"',
                r'LIST () "/" "sent"',
            )
        }
        names = [folder.path for folder in self.signed_in(fake).list_folders()]
        self.assertEqual(["Sent", "sent"], names)
        fake.folders["Sent"] = FakeFolder()
        self.assertEqual("Sent", self.signed_in(fake).find_sent_folder().path)

    def test_sent_folder_is_found_among_more_folders_than_are_read(self):
        self.patch(sent_folder, "FOLDER_LIMIT", 50)
        for flags, name in ((r"\Sent", "Versand/Alles was ging"), ("", "Sent Items")):
            fake = self.fake()
            many = {f"Customers/{number:04}": FakeFolder() for number in range(200)}
            fake.folders = {**many, name: FakeFolder(flags=flags)}
            connection = self.signed_in(fake)
            self.assertEqual(name, connection.find_sent_folder().path)
            self.assertEqual(50, len(connection.list_folders()))

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

    def test_server_that_takes_folders_below_the_inbox_only(self):
        fake = self.fake()
        fake.is_below_inbox = True
        folder = self.signed_in(fake).find_sent_folder(create=True)
        self.assertEqual(("INBOX/Sent", "created"), (folder.path, folder.found))
        fake.replies = {"CREATE": "{tag} NO you may not"}
        del fake.folders["INBOX/Sent"]
        failure = self.fails(self.signed_in(fake).find_sent_folder, create=True)
        self.assertIn("you may not", str(failure))

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
            '() "/" {5}\r\nS\xe9nt!',
            '() "/" {9}\r\nin braces',
            "(() nonsense",
        )
        reply = "".join(f"* LIST {line}\r\n" for line in lines) + "{tag} OK done"
        fake.replies = {"LIST": reply.encode("latin-1").decode("latin-1")}
        names = [folder.path for folder in self.signed_in(fake).list_folders()]
        self.assertEqual(["INBOX", "flat", r'a "b" \ c', "0123", "in braces"], names)

    def test_listing_survives_servers_that_promise_too_much(self):
        for name, reply in (
            ("LIST", lambda line: "OK" if "RETURN" in line else '* "/" Sent'),
            ("LIST", lambda line: "BAD" if "RETURN" in line else '* "." Sent'),
            ("NAMESPACE", lambda line: "BAD command syntax error"),
        ):
            fake = self.fake()
            fake.capabilities += " SPECIAL-USE NAMESPACE"
            fake.folders["Sent"] = FakeFolder()

            def answer(session, tag, reply=reply):
                said = reply(session.fake.commands[-1])
                if said.startswith("*"):
                    session.send(f"* LIST (\\HasNoChildren \\) {said[2:]}")
                    session.send('* LIST (\\HasNoChildren) "." b.[49')
                    said = "OK"
                session.send(f"{tag} {said}")
                return True

            fake.replies = {name: answer}
            connection = self.signed_in(fake, disable_tls=True)
            self.assertEqual("Sent", connection.find_sent_folder().path)

    def test_names_in_the_table_are_told_apart_from_others(self):
        rank = sent_folder_names.rank
        for path in (
            "SENT",
            "sent-mail",
            "Sent_Items",
            "INBOX/Sent",
            "Mail/sent",
            "gesendete  Objekte",
            "E\u0301le\u0301ments envoyés",
        ):
            self.assertIsNotNone(rank(path, "/", [""]), path)
        for path in ("Unsent", "Sent/2025", "Clients/Sent", "Drafts", "Outbox", ""):
            self.assertIsNone(rank(path, "/", [""]), path)
        self.assertIsNotNone(rank("INBOX.Sent", ".", ["INBOX."]))
        self.assertIsNotNone(rank("#mine.Sent", ".", ["", "#mine."]))
        self.assertLess(rank("Sent", "/", [""]), rank("Gesendet", "/", [""]))

    def test_remembered_nonsense_is_nothing(self):
        for text in ("", "{}", "[]", '{"path": 3}', '{"path": ""}', "x", '{"a": 1}'):
            self.assertIsNone(Folder.from_text(text))
