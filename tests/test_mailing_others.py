"""What others do beside a mailing: its pictures, traces, contacts and forms."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_mailing import MailingCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestBesideAMailing(MailingCase):
    def create_picture(self):
        picture = (
            self.env["ir.attachment"]
            .with_user(self.user_bob)
            .create(
                {
                    "name": "offer.png",
                    "raw": b"good",
                    "res_model": "mailing.mailing",
                    "res_id": self.mailing.id,
                    "public": True,
                }
            )
        )
        self.mailing.body_html = f'<p><img src="/web/image/{picture.id}"/></p>'
        return picture

    def test_pictures_are_the_owners_once_it_is_on_its_way(self):
        picture = self.create_picture()
        self.rpc(self.user_alice, picture, "write", {"raw": b"draft"})
        self.mailing.action_launch()
        for step in (lambda: None, self.run_mailing_cron):
            step()
            for user in (self.user_alice, self.user_admin):
                for method, args in (("write", [{"raw": b"evil"}]), ("unlink", [])):
                    with (
                        self.subTest(user=user.login, method=method),
                        self.assertRaises(AccessError),
                    ):
                        self.rpc(user, picture, method, *args)
        self.assertEqual(picture.raw, b"draft")
        self.rpc(self.user_bob, picture, "write", {"raw": b"better"})

    def test_where_its_links_lead_is_the_owners(self):
        self.mailing.body_html = '<p><a href="https://good.example.com/">Offer</a></p>'
        self.mailing.action_launch()
        self.run_mailing_cron()
        link = self.env["link.tracker"].search(
            [("mass_mailing_id", "=", self.mailing.id)]
        )
        self.assertEqual(link.url, "https://good.example.com/")
        elsewhere = self.env["link.tracker"].create(
            {"url": "https://evil.example.com/"}
        )
        evil = {"url": "https://evil.example.com/"}
        for user, record, method, args in (
            (self.user_alice, link, "write", [evil]),
            (self.user_alice, link, "write", [{"mass_mailing_id": False, **evil}]),
            (self.user_alice, link, "unlink", []),
            (self.user_admin, link, "write", [evil]),
            (self.user_admin, link, "write", [{"code": "abc"}]),
            (self.user_admin, link.link_code_ids, "write", [{"code": "abc"}]),
            (
                self.user_admin,
                link.link_code_ids,
                "write",
                [{"link_id": elsewhere.id}],
            ),
            (self.user_admin, link.link_code_ids, "unlink", []),
        ):
            with (
                self.subTest(user=user.login, method=method, args=args),
                self.assertRaises(AccessError),
            ):
                self.rpc(user, record, method, *args)
        self.rpc(self.user_bob, link, "write", {"url": "https://better.example.com/"})
        self.rpc(self.user_alice, elsewhere, "write", {"url": "https://x.example.com/"})

    def test_files_of_a_note_on_it_are_anybodys(self):
        self.mailing.action_launch()
        note = self.as_(self.user_alice).message_post(
            body="Look", attachments=[("x.txt", b"x")]
        )
        self.rpc(self.user_alice, note.attachment_ids, "unlink")

    def test_nobody_is_marked_as_written_to_in_somebodys_draft(self):
        trace = {"model": "crm.lead", "res_id": self.lead.id, "trace_status": "sent"}
        for user in (self.user_alice, self.user_admin):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.rpc(
                    user,
                    self.env["mailing.trace"],
                    "create",
                    [{**trace, "mass_mailing_id": self.mailing.id}],
                )
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                vals = {"mailing_trace_ids": [(0, 0, trace)]}
                self.rpc(user, self.mailing, "write", vals)
        self.mailing.action_launch()
        self.run_mailing_cron()
        self.assertEqual(len(self.find_mails(self.alias_bob)), 3)

    def test_another_contact_of_a_record_without_address_is_not_written_to(self):
        event = (
            self.env["calendar.event"]
            .with_user(self.user_bob)
            .create(
                {
                    "name": "Fair",
                    "start": "2030-01-01 10:00:00",
                    "stop": "2030-01-01 11:00:00",
                }
            )
        )
        for change in (False, True):
            with self.subTest(change=change):
                mailing = self.create_mailing(
                    self.user_bob,
                    mailing_model_id=self.env["ir.model"]._get_id("calendar.event"),
                    mailing_domain=f"[('id', '=', {event.id})]",
                )
                mailing.action_launch()
                if change:
                    event.sudo().user_id = self.user_alice
                known = self.all_mail_ids()
                self.run_mailing_cron()
                self.assertEqual(bool(self.all_mail_ids() - known), not change)

    def test_no_form_tells_of_an_alias_that_a_default_names(self):
        for model, fname in (
            ("mail.compose.message", "email_alias_id"),
            ("mail.scheduled.message", "email_alias_id"),
            ("mail.followers.edit", "email_alias_id"),
            ("calendar.popover.delete.wizard", "email_alias_id"),
            ("calendar.event", "email_alias_id"),
            ("mailing.mailing", "email_alias_id"),
            ("user.email.alias.cancel", "alias_id"),
            ("user.email.alias.folder", "alias_id"),
        ):
            for user, knows in ((self.user_alice, False), (self.user_bob, True)):
                told = self.rpc(
                    user,
                    self.env[model],
                    "onchange",
                    {},
                    [],
                    {fname: {"fields": {"display_name": {}}}},
                    context={f"default_{fname}": self.alias_bob.id},
                )
                with self.subTest(model=model, user=user.login):
                    is_told = "bob@b.example.com" in str(told)
                    self.assertEqual(is_told, knows)
