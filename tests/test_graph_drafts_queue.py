"""Large emails as drafts, in the real queue: crashes, and what the alias says."""

import os
import signal
import time

from odoo.tests import tagged

from .common_api_queue import ApiQueueCase
from .common_drafts import MEGABYTE
from .common_oauth_queue import Process
from .common_queue import QueueCase
from .fake_oauth_organisation import OWN_TENANT
from .test_organisation_queue import OrganisationQueueTests

LEAD = "lead@example.org"


class DraftsQueueCase(ApiQueueCase):
    flavour, transport = "microsoft", "graph"
    has_drafts = "True"

    def configure(self, settings):
        super().configure(settings)
        settings |= {"large_attachments": self.has_drafts}

    def attach(self, megabytes=4.0, **values):
        with self.committed() as env:
            file = env["ir.attachment"].create(
                {
                    "name": "plan.pdf",
                    "raw": os.urandom(int(megabytes * MEGABYTE)),
                    **values,
                }
            )
            self.addCleanup(self._unlink, file.id)
            return file.id

    def _unlink(self, attachment_id):
        with self.committed() as env:
            env["ir.attachment"].browse(attachment_id).exists().unlink()

    def queue_large(self, recipient=LEAD, megabytes=4.0, bulk=False, **values):
        file = (4, self.attach(megabytes, **values))
        return self.queue(recipient, bulk=bulk, attachment_ids=[file])

    def go_on(self):
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).sudo().backoff_until = 0
            env.cr.execute(
                "UPDATE mail_mail SET email_alias_due = extract(epoch FROM now()) "
                "WHERE state = 'outgoing' AND email_alias_id = %s",
                (self.alias_id,),
            )
        self.run_queue()


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestDraftsQueue(DraftsQueueCase):
    def kill_at(self, step):
        """Kill the process that serves the queue when it asks for a step."""
        holder = {}
        self.api.knobs.step_hooks[step] = lambda: os.kill(holder["pid"], signal.SIGKILL)
        process = self._start(holder)
        self.assertIsNone(process.result(), "it was killed")
        # the fake may be at its answer
        time.sleep(0.2)
        self.api.knobs.step_hooks.clear()

    def _start(self, holder):
        def work():
            with self.committed() as env:
                env["user.email.alias.queue"]._cron_process()
            return "done"

        process = Process(self.registry, work)
        self.addCleanup(process.end)
        holder["pid"] = process.pid
        process.go()
        return process

    def test_large_email_leaves_with_its_file(self):
        ids = self.queue_large()
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
        [row] = self.read_log()
        self.assertEqual((row["outcome"], self.api.drafts), ("sent", {}))
        with self.committed() as env:
            self.assertFalse(env["user.email.alias.log"].browse(row["id"]).draft)
        self.assertEqual(self.read_alias("max_bytes")["max_bytes"], 35_000_000)

    def test_killed_before_it_is_sent_it_is_sent_once_and_its_draft_is_gone(self):
        for step in ("create", "session", "put"):
            with self.subTest(step=step):
                self.api.submissions.clear()
                ids = self.queue_large()
                self.kill_at(step)
                [draft_id] = self.api.drafts
                row = self.read_log()[-1]
                self.assertFalse(row["outcome"])
                with self.committed() as env:
                    noted = env["user.email.alias.log"].browse(row["id"]).draft
                self.assertEqual(noted, "?" if step == "create" else draft_id)
                self.go_on()
                self.assertEqual(self.api.served, [LEAD])
                self.assertFalse(self.api.drafts)
                self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
                outcomes = [row["outcome"] for row in self.read_log()][-2:]
                self.assertEqual(outcomes, ["deferred", "sent"])

    def test_killed_while_it_is_sent_it_is_uncertain_and_never_sent_again(self):
        ids = self.queue_large()
        self.kill_at("send")
        self.go_on()
        self.go_on()
        self.assertEqual(self.api.served, [LEAD])
        self.assertNotIn("delete", self.api.steps)
        [mail] = self.read_mails(ids, "state", "failure_type")
        self.assertEqual(mail["failure_type"], "email_alias_uncertain")

    def test_draft_that_could_not_be_deleted_is_deleted_by_the_next_lane(self):
        self.api.knobs.step_cuts = {"put": "before", "delete": "before"}
        self.queue_large()
        self.run_queue()
        self.assertEqual(len(self.api.drafts), 1)
        self.go_on()
        self.assertEqual((self.api.served, self.api.drafts), ([LEAD], {}))

    def test_draft_whose_making_was_cut_is_found_before_the_next_one_is_made(self):
        self.api.knobs.step_cuts = {"create": "after"}
        self.queue_large()
        self.run_queue()
        self.assertEqual(len(self.api.drafts), 1)
        self.go_on()
        self.assertEqual((self.api.served, self.api.drafts), ([LEAD], {}))
        self.assertEqual(self.api.steps.count("find"), 1)

    def test_draft_of_a_later_submission_is_never_taken_for_one_left_behind(self):
        self.api.knobs.step_cuts = {"create": "after"}
        self.queue_large()
        self.run_queue()
        found = self.api.find_drafts
        self.api.find_drafts = lambda *_: (503, {}, {})
        self.go_on()
        self.assertEqual(self.api.served, [LEAD])
        self.api.find_drafts = found
        self.queue("other@example.org", bulk=False)
        self.go_on()
        self.assertNotIn("delete", self.api.steps)
        self.assertEqual(self.api.served, [LEAD, "other@example.org"])

    def test_draft_of_a_mail_that_was_cancelled_is_deleted_as_well(self):
        self.api.knobs.step_cuts = {"put": "before", "delete": "before"}
        ids = self.queue_large()
        self.run_queue()
        with self.committed() as env:
            env["mail.mail"].browse(ids).write({"state": "cancel"})
        self.queue("other@example.org", bulk=False)
        self.go_on()
        self.assertEqual(self.api.served, ["other@example.org"])
        self.assertFalse(self.api.drafts)

    def test_draft_that_may_not_be_deleted_any_more_is_forgotten(self):
        self.api.knobs.step_cuts = {"put": "before", "delete": "before"}
        ids = self.queue_large()
        self.run_queue()
        with self.committed() as env:
            env["mail.mail"].browse(ids).write({"state": "cancel"})
        denied = self.api.error("ErrorAccessDenied", "Access is denied.")
        self.api.knobs.step_answers = {"delete": [(403, {}, denied)]}
        for number in range(2):
            self.queue(f"other{number}@example.org", bulk=False)
            self.go_on()
        self.assertEqual(len(self.api.served), 2)
        self.assertEqual(len(self.api.drafts), 1)

    def test_draft_that_its_owner_deletes_meanwhile_is_made_again(self):
        self.api.knobs.step_hooks["session"] = self.api.drafts.clear
        self.queue_large()
        self.run_queue()
        self.api.knobs.step_hooks.clear()
        self.assertFalse(self.api.submissions)
        self.go_on()
        self.assertEqual(self.api.served, [LEAD])

    def test_alias_says_how_large_emails_leave(self):
        words = self.read_alias("large_attachments", "oauth_permissions")
        self.assertIn("Mail.ReadWrite", words["oauth_permissions"])
        self.assertIn("Drafts", words["large_attachments"])
        self.assertIn("2.2 MB", words["large_attachments"])

    def test_switched_off_again_files_leave_as_links(self):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(
                "user_email_alias.microsoft_large_attachments", False
            )
            partner = env["res.partner"].create({"name": "Lead"})
            self.addCleanup(self._unlink_partner, partner.id)
        self.queue_large(res_model="res.partner", res_id=partner.id)
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD])
        self.assertFalse(self.api.steps)
        self.assertIn(
            b"/web/content", self.api.submissions[0].data.replace(b"=\r\n", b"")
        )

    def _unlink_partner(self, partner_id):
        with self.committed() as env:
            env["res.partner"].browse(partner_id).unlink()


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestNoDrafts(QueueCase):
    def test_alias_that_sends_by_smtp_now_minds_no_old_draft(self):
        with self.committed() as env:
            env["user.email.alias.log"].create(
                {"alias_id": self.alias_id, "draft": "AAk1", "outcome": "deferred"}
            )
        self.queue(LEAD)
        self.run_queue()
        self.assertEqual(self.served(), [LEAD])


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestDraftsOfOrganisation(DraftsQueueCase):
    sign_in, join = OrganisationQueueTests.sign_in, OrganisationQueueTests.join

    def configure(self, settings):
        super().configure(settings)
        settings |= {"organisation": "True", "tenant": OWN_TENANT}

    def test_large_email_leaves_once_the_permission_is_there(self):
        self.queue_large()
        self.queue("other@example.org", bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, ["other@example.org"])
        self.assertEqual(self.read_alias("state")["state"], "ok")
        row = next(r for r in self.read_log() if r["recipients"] == LEAD)
        self.assertIn("application permission", row["reply"])
        self.idp.application_permissions = ("Mail.Send", "Mail.ReadWrite")
        self.idp.access_tokens.clear()
        self.go_on()
        self.assertEqual(self.api.served[1:], [LEAD])
        self.assertIn("/v1.0/users/", str(self.api.requests))


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestDraftsNotGranted(DraftsQueueCase):
    """Signed in before the administrator allowed it: nothing more is asked for."""

    has_drafts = ""

    def test_token_is_refreshed_without_asking_for_more(self):
        self.allow()
        self.make_stale()
        self.queue(LEAD, bulk=False)
        self.run_queue()
        self.assertEqual((self.api.served, self.idp.refreshes), ([LEAD], 1))
        words = self.read_alias("large_attachments")["large_attachments"]
        self.assertIn("sign in again", words)
        self.assertEqual(self.read_alias("max_bytes")["max_bytes"], 2_200_000)

    def test_next_sign_in_asks_for_it(self):
        scopes = {scope for grant in self.idp.grants for scope in grant.scope.split()}
        self.assertNotIn(self.api.get_draft_scope(), scopes)
        self.allow()
        self.assertEqual(self.sign_in(), "Status: OK")
        self.queue_large()
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD])
        self.make_stale()
        self.queue_large()
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD, LEAD])

    def test_size_of_a_request_is_a_parameter(self):
        for text, expected in (
            ("2900000", 2_900_000),
            ("99", 2_200_000),
            ("many", 2_200_000),
            ("-5", 2_200_000),
            ("9" * 30, 2_200_000),
            ("٣٠٠٠٠٠", 2_200_000),
            ("4000000", 3_000_000),
        ):
            with self.committed() as env:
                env["ir.config_parameter"].set_param(
                    "user_email_alias.microsoft_request_bytes", text
                )
            self.queue(LEAD, bulk=False)
            self.run_queue()
            self.assertEqual(self.read_alias("max_bytes")["max_bytes"], expected, text)
            size = f"{expected / MEGABYTE:g} MB"
            self.assertIn(
                size, self.read_alias("large_attachments")["large_attachments"]
            )

    def allow(self):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(
                "user_email_alias.microsoft_large_attachments", "True"
            )
