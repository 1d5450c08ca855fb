"""Test Connection stores a copy, says why it cannot, and leaves nothing behind."""

from odoo.tests import tagged

from ..tools.imap.folder import Folder
from ..tools.imap.proof import MESSAGE
from .common_imap import DovecotCase, FakeCase, message
from .fake_imap import FakeFolder


@tagged("-at_install", "post_install")
class TestDovecotProof(DovecotCase):
    def prove(self, server):
        connection = self.signed_in(server.port)
        return connection.prove_filing(connection.find_sent_folder())

    def test_nothing_is_left_and_nothing_else_is_removed(self):
        server = self.dovecot(special_use={"Sent": r"\Sent"})
        kept = message(1)[0]
        client = self.look(server)
        client.append("Sent", r"(\Deleted)", None, kept)
        client.append("Sent", r"(\Seen \Deleted)", None, MESSAGE)
        self.assertTrue(self.prove(server))
        ((flags, _date, octets),) = self.read_folder(server, "Sent")
        self.assertEqual(kept, octets)
        self.assertIn(b"\\Deleted", flags)

    def test_full_mailbox_says_so(self):
        server = self.dovecot(special_use={"Sent": r"\Sent"}, quota_kb=1)
        self.look(server).append("Sent", None, None, b"x" * 1000)
        with self.assertRaisesRegex(Exception, "full"):
            self.prove(server)

    def test_server_that_cannot_remove_one_message_gets_none(self):
        server = self.dovecot(special_use={"Sent": r"\Sent"}, capability="IMAP4rev1")
        self.assertTrue(self.prove(server))
        client = self.look(server)
        client.select("Sent")
        self.assertEqual([b"0"], client.response("EXISTS")[1] or [b"0"])


@tagged("-at_install", "post_install")
class TestProof(FakeCase):
    def setUp(self):
        super().setUp()
        self.server = self.fake()
        self.folder = self.server.folders["Sent"] = FakeFolder()
        self.folder.deleted.add(self.folder.add(message(1)[0]))

    def prove(self):
        return self.signed_in(self.server).prove_filing(Folder("Sent"))

    def check_untouched(self):
        self.assertEqual([message(1)[0]], [m[2] for m in self.folder.messages])

    def test_courier_takes_the_copy_and_shows_it_later(self):
        self.server.is_courier = True
        self.assertTrue(self.prove())
        self.check_untouched()

    def test_read_only_folder_says_so(self):
        self.server.read_only = True
        failure = self.fails(self.prove)
        self.assertEqual("folder", failure.kind)
        self.assertIn("read-only", str(failure))
        self.check_untouched()

    def test_right_to_insert_is_asked_for(self):
        self.server.capabilities += " ACL"
        self.server.rights = "lrs"
        self.assertIn("may not store", str(self.fails(self.prove)))
        self.check_untouched()

    def test_who_may_not_remove_stores_nothing(self):
        self.server.capabilities += " ACL"
        for rights, read_only in (("lrsi", False), ("lri", True)):
            self.server.rights, self.server.read_only = rights, read_only
            self.assertTrue(self.prove())
            self.assertFalse([c for c in self.server.commands if "APPEND" in c])
        self.check_untouched()

    def test_full_mailbox_says_so_without_a_message(self):
        self.server.capabilities = self.server.capabilities.replace("UIDPLUS", "QUOTA")
        self.assertTrue(self.prove())
        self.server.quota = (1000, 1000)
        self.assertEqual("quota", self.fails(self.prove).kind)
        self.server.quota = (5, 0)
        self.assertTrue(self.prove(), "no limit")
        nonsense = '* QUOTAROOT Sent\r\n* QUOTA "" (STORAGE x y)\r\n{tag} OK done'
        self.server.replies = {"GETQUOTAROOT": nonsense}
        self.assertTrue(self.prove(), "nonsense is no reason")
        self.assertFalse([c for c in self.server.commands if "APPEND" in c])
        self.check_untouched()

    def test_refused_message_is_told_in_the_servers_words(self):
        for reply, kind in (
            ("NO [OVERQUOTA] full", "quota"),
            ("NO [NOPERM] not you", "refused"),
            ("NO Permission denied", "refused"),
        ):
            self.server.replies = {"APPEND": "{tag} " + reply}
            failure = self.fails(self.prove)
            self.assertEqual(kind, failure.kind)
            self.assertIn(reply[3:], str(failure))
        self.check_untouched()

    def test_server_that_tells_no_uid_or_stores_no_flags_is_left_clean(self):
        for knob in ("has_uidplus", "drops_flags"):
            setattr(self.server, knob, knob == "drops_flags")
            self.assertTrue(self.prove())
            self.check_untouched()

    def test_wrong_uid_removes_nobodys_mail(self):
        self.server.replies = {"APPEND": "+ go\r\n{tag} OK [APPENDUID 1 1] stored"}
        self.assertFalse(self.prove())
        self.check_untouched()

    def test_message_that_stays_is_admitted(self):
        self.server.replies = {"UID EXPUNGE": "{tag} NO not now"}
        self.assertFalse(self.prove())
