"""Rights that were there when something was chosen, and are gone when it is used."""

import threading

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..tools.imap.folder import Folder
from .common_queue import PASSWORD, QueueCase
from .fake_imap import FakeFolder, FakeImap


class PermissionCase(QueueCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self._take_back)

    def _take_back(self):
        """The clean-up finds no archived user."""
        self.write_user(active=True)

    def add_administrator(self):
        with self.committed() as env:
            user = self._create_user(env, "queue_admin")
            user.group_ids += env.ref("base.group_erp_manager")
            return user.id

    def write_user(self, **values):
        with self.committed() as env:
            env["res.users"].browse(self.user_id).write(values)

    def remove_group(self, xmlid):
        with self.committed() as env:
            self.write_user(group_ids=[Command.unlink(env.ref(xmlid).id)])

    def add_group(self, xmlid):
        with self.committed() as env:
            self.write_user(group_ids=[Command.link(env.ref(xmlid).id)])

    def read_as(self, uid, *fnames):
        with self.committed(uid) as env:
            return env["user.email.alias"].browse(self.alias_id).read(fnames)[0]

    def states(self, ids):
        return [mail["state"] for mail in self.read_mails(ids, "state")]


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailbox(PermissionCase):
    """Copies in an incoming server of the database, and in a mailbox of one's own."""

    def setUp(self):
        super().setUp()
        self.imap = self.enterContext(FakeImap(self.ca._ca, implicit_tls=True))
        self.imap.passwords = {"admin": "admin's own"}
        for name in ("Sent", "Contracts", "Salaries"):
            self.imap.folders[name] = FakeFolder()
        self.addCleanup(self._remove_incoming)
        with self.committed() as env:
            self.incoming_id = (
                env["fetchmail.server"]
                .create(
                    {
                        "name": "Office",
                        "server_type": "imap",
                        "server": "localhost",
                        "port": self.imap.port,
                        "is_ssl": True,
                        "user": "admin",
                        "password": "admin's own",
                        "email_alias_user_ids": [Command.link(self.user_id)],
                    }
                )
                .id
            )
            alias = env["user.email.alias"].browse(self.alias_id)
            alias.with_user(self.user_id).imap_mailbox_id = self.incoming_id

    def _remove_incoming(self):
        with self.committed() as env:
            env["fetchmail.server"].with_context(active_test=False).browse(
                self.incoming_id
            ).unlink()
            env["ir.config_parameter"].set_param("user_email_alias.own_imap", "True")

    def write_incoming(self, **values):
        with self.committed() as env:
            env["fetchmail.server"].browse(self.incoming_id).write(values)

    def switch_own_imap(self, value):
        with self.committed() as env:
            env["ir.config_parameter"].set_param("user_email_alias.own_imap", value)

    def send(self):
        self.queue("a@example.org", bulk=False)
        self.run_queue()

    def copy_states(self):
        return [row["sent_copy_state"] for row in self.read_log()]

    def make_due(self):
        with self.committed() as env:
            env.cr.execute(
                "UPDATE user_email_alias_log SET sent_copy_due = sent_copy_first_at, "
                "sent_copy_first_at = sent_copy_first_at - interval '10 days' "
                "WHERE alias_id = %s AND sent_copy_state = 'waiting'",
                [self.alias_id],
            )

    def assertWaitsClosed(self, words):
        """Copies wait for good, the server is not spoken to, the owner knows why."""
        before = len(self.imap.received)
        for _try in range(3):
            self.file_copies()
            self.make_due()
        self.assertEqual(len(self.imap.received), before, "nothing was said")
        self.assertEqual(set(self.copy_states()), {"waiting"})
        self.assertIn(words, self.read_alias("sent_copy_error")["sent_copy_error"])
        told = [notice for notice in self.read_notices() if words in notice["message"]]
        self.assertEqual(len(told), 1)

    def test_user_who_may_file_mail_there_does(self):
        self.send()
        self.file_copies()
        self.assertEqual(self.copy_states(), ["filed"])
        self.assertEqual(len(self.imap.folders["Sent"].messages), 1)

    def test_copies_of_a_user_taken_off_the_list_wait_until_they_are_back(self):
        self.send()
        self.write_incoming(email_alias_user_ids=[Command.unlink(self.user_id)])
        self.send()
        self.assertWaitsClosed("Office")
        self.write_incoming(email_alias_user_ids=[Command.link(self.user_id)])
        self.file_copies()
        self.assertEqual(self.copy_states(), ["filed", "filed"])
        self.assertFalse(self.read_alias("sent_copy_error")["sent_copy_error"])

    def test_copies_for_an_archived_server_wait(self):
        self.send()
        self.write_incoming(active=False)
        self.assertWaitsClosed("Office")

    def test_user_taken_off_the_list_reaches_the_server_by_no_button(self):
        self.write_incoming(email_alias_user_ids=[Command.unlink(self.user_id)])
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            message = alias.action_test_connection()["params"]["message"]
            self.assertIn("Office", message)
            with self.assertRaisesRegex(UserError, "Office"):
                alias.action_choose_folder()
        self.assertFalse(self.imap.received)

    def test_copies_wait_while_mailboxes_of_ones_own_are_not_allowed(self):
        self.imap.passwords = {"ada": PASSWORD}
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).imap_server_id = False
        self.imap.implicit_tls = False
        self.write_alias(imap_server=f"localhost:{self.imap.port}")
        self.send()
        self.switch_own_imap("False")
        self.assertWaitsClosed("administrator")
        self.switch_own_imap("True")
        self.file_copies()
        self.assertEqual(self.copy_states(), ["filed"])

    def test_of_an_administrators_mailbox_only_the_sent_folder_is_shown(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            action = alias.action_choose_folder()
            wizard = env[action["res_model"]].browse(action["res_id"])
            self.assertEqual(wizard.line_ids.mapped("name"), ["Sent"])
            wizard.line_id = wizard.line_ids
            wizard.action_apply()
        self.send()
        self.file_copies()
        self.assertEqual(len(self.imap.folders["Sent"].messages), 1)

    def test_no_other_folder_of_an_administrators_mailbox_is_chosen(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            with self.assertRaises(UserError):
                alias.imap_folder_name = "Salaries"
            with self.assertRaises(UserError):
                alias.write(
                    {
                        "imap_mailbox_id": self.incoming_id,
                        "imap_folder_name": "Salaries",
                    }
                )
            env.cr.rollback()
            action = alias.action_choose_folder()
            wizard = env[action["res_model"]].browse(action["res_id"])
            wizard.line_ids.folder = Folder("Salaries").chosen().as_text()
            wizard.line_id = wizard.line_ids
            wizard.action_apply()
            wizard.name = "Contracts"
            with self.assertRaises(UserError):
                wizard.action_apply()
            env.cr.rollback()
        # a choice that was made for another mailbox
        with self.committed() as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            alias.imap_folder = Folder("Salaries").chosen().as_text()
        self.send()
        self.file_copies()
        self.assertFalse(self.imap.folders["Salaries"].messages)
        self.assertEqual(len(self.imap.folders["Sent"].messages), 1)

    def test_folders_of_ones_mailbox_are_not_for_colleagues(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            env[alias.action_choose_folder()["res_model"]]
        with self.committed() as env:
            bob_id = self._create_user(env, "queue_bob").id
        with self.committed(bob_id) as env:
            self.assertFalse(env["user.email.alias.folder.line"].search([]))
            self.assertFalse(env["user.email.alias.folder"].search([]))

    def test_copies_of_an_archived_user_wait(self):
        self.send()
        self.write_user(active=False)
        before = len(self.imap.received)
        self.file_copies()
        self.assertEqual(len(self.imap.received), before)
        self.assertEqual(self.copy_states(), ["waiting"])
        self.write_user(active=True)
        self.file_copies()
        self.assertEqual(self.copy_states(), ["filed"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestOwner(PermissionCase):
    def assertWaits(self, ids, words):
        self.run_queue()
        self.assertEqual(set(self.states(ids)), {"outgoing"})
        admin_id = self.add_administrator()
        reason = self.read_as(admin_id, "waiting_reason")["waiting_reason"]
        self.assertIn(words, reason)
        self.assertFalse(self.served())

    def test_mail_of_an_archived_user_waits_until_they_are_back(self):
        ids = self.queue("a@example.org") + self.queue("b@example.org", bulk=False)
        self.write_user(active=False)
        self.assertWaits(ids, "archived")
        self.write_user(active=True)
        self.run_queue()
        self.assertFalse(self.served(), "not before they say so")
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_resume()
        self.run_queue()
        self.assertEqual(self.states(ids), ["sent", "sent"])

    def test_mail_of_a_user_who_is_not_internal_any_more_waits(self):
        ids = self.queue("a@example.org") + self.queue("b@example.org", bulk=False)
        with self.committed() as env:
            groups = [Command.set(env.ref("base.group_portal").ids)]
        self.write_user(group_ids=groups)
        self.assertWaits(ids, "not an internal user")

    def test_user_who_is_not_internal_any_more_sends_nothing_new(self):
        with self.committed() as env:
            groups = [Command.set(env.ref("base.group_portal").ids)]
        self.write_user(group_ids=groups)
        with self.committed(self.user_id) as env, self.assertRaises(UserError):
            env["user.email.alias"].browse(self.alias_id)._check_usable()

    def test_user_who_is_archived_in_the_middle_of_a_campaign_stops_it(self):
        self.write_alias(delay_ms=1500)
        ids = self.queue(*(f"{number}@example.org" for number in range(4)))
        worker = threading.Thread(target=self.run_queue)
        worker.start()
        self.server.wait_for(1)
        self.write_user(active=False)
        worker.join(30)
        self.assertEqual(self.states(ids).count("outgoing"), 3)
        self.assertEqual(self.served(), ["0@example.org"])

    def test_send_now_of_an_archived_users_mail_sends_nothing(self):
        ids = self.queue("a@example.org", bulk=False)
        self.write_user(active=False)
        with self.committed() as env, self.assertRaises(UserError):
            env["mail.mail"].browse(ids).send(raise_exception=True)
        self.assertFalse(self.served())


@tagged("post_install", "-at_install", "user_email_alias")
class TestRecord(PermissionCase):
    """The record that a mail was written on."""

    GROUP = "sales_team.group_sale_salesman"

    def setUp(self):
        super().setUp()
        self.addCleanup(self._remove_leads)
        with self.committed(self.user_id) as env:
            self.lead_ids = env["crm.lead"].create([{"name": "A"}, {"name": "B"}]).ids

    def _remove_leads(self):
        with self.committed() as env:
            env["crm.lead"].browse(self.lead_ids).exists().unlink()

    def post(self, lead_id, recipient, bulk=False):
        """Write to a customer as the chatter does; return the mail's id."""
        with self.committed(self.user_id) as env:
            lead = env["crm.lead"].browse(lead_id)
            message = lead.with_context(email_alias_bulk=bulk).message_post(
                body="Hello",
                subject="Offer",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                outgoing_email_to=f"{recipient}@example.org",
                email_alias_id=self.alias_id,
            )
            mail = env["mail.mail"].sudo()
            return mail.search([("mail_message_id", "=", message.id)]).ids

    def make_due(self):
        with self.committed() as env:
            env.cr.execute(
                "UPDATE mail_mail SET email_alias_due = extract(epoch FROM now())"
                " WHERE email_alias_id = %s",
                [self.alias_id],
            )

    def notices(self):
        return [n["message"] for n in self.read_notices() if "record" in n["message"]]

    def assertServed(self, *recipients):
        self.assertCountEqual(
            self.served(), [f"{recipient}@example.org" for recipient in recipients]
        )

    def test_mail_waits_while_its_author_may_not_read_the_record(self):
        first, second = self.lead_ids
        ids = self.post(first, "a") + self.post(second, "b")
        ids += self.post(first, "c", bulk=True) + self.post(second, "d", bulk=True)
        self.remove_group(self.GROUP)
        self.queue("free@example.org", bulk=False)
        for _try in range(3):
            self.run_queue()
            self.make_due()
        self.assertEqual(self.states(ids), ["outgoing"] * 4)
        self.assertServed("free")
        self.assertEqual(len(self.notices()), 1)
        card = self.read_as(self.user_id, "waiting_reason", "state")
        self.assertIn("4 emails wait", card["waiting_reason"])
        [why] = {m["failure_reason"] for m in self.read_mails(ids, "failure_reason")}
        self.assertIn("read the record", why)
        self.add_group(self.GROUP)
        self.run_queue()
        self.assertServed("free", "a", "b", "c", "d")
        self.assertFalse(self.read_alias("waiting_reason")["waiting_reason"])

    def test_record_that_is_given_to_somebody_else_keeps_its_mail_waiting(self):
        given, kept = self.lead_ids
        ids = self.post(given, "given")
        self.post(kept, "kept")
        admin_id = self.add_administrator()
        with self.committed() as env:
            env["crm.lead"].browse(given).user_id = admin_id
        self.run_queue()
        self.assertEqual(self.states(ids), ["outgoing"])
        self.assertServed("kept")

    def test_mail_of_a_record_that_is_gone_leaves(self):
        self.post(self.lead_ids[0], "a")
        with self.committed() as env:
            env["crm.lead"].browse(self.lead_ids[0]).unlink()
        self.run_queue()
        self.assertServed("a")

    def test_send_now_sends_nothing_of_a_record_one_may_not_read(self):
        ids = self.post(self.lead_ids[0], "a")
        self.remove_group(self.GROUP)
        with (
            self.committed(self.user_id) as env,
            self.assertRaisesRegex(MailDeliveryException, "record"),
        ):
            env["mail.mail"].sudo().browse(ids).send(raise_exception=True)
        self.assertFalse(self.served())
