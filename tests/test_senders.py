"""The list of Odoo's senders is whole, and its dialogues offer From."""

import ast
from email.message import EmailMessage
from pathlib import Path

from odoo.modules import Manifest
from odoo.tests import BaseCase, tagged
from odoo.tools.misc import file_path

from .common import AliasCommon
from .senders import (
    AS_EVER,
    AUTOMATIC,
    BRIDGES,
    FROM,
    HELPER,
    LOG,
    NOT_AT_HAND,
    SENDERS,
    WIRE_TESTS,
)

SEND = {
    "_notify_attendees",
    "message_mail_with_source",
    "message_notify",
    "send_mail",
    "send_mail_batch",
}
POST = {"message_post", "message_post_with_source"}
MODELS = ("'mail.mail'", "'mail.compose.message'")


def _search(folder):
    """Yield (add-on, class and method) of whatever sends email below a folder."""
    for path in sorted(folder.rglob("*.py")):
        addon, *inner = path.relative_to(folder).parts
        text = path.read_text("utf-8")
        if addon.startswith("test_") or "tests" in inner:
            continue
        if not any(word in text for word in (*SEND, *POST, "mail.mail")):
            continue
        for cls in ast.parse(text).body:
            if isinstance(cls, ast.ClassDef):
                bases = {ast.unparse(base) for base in cls.bases}
                for method in cls.body:
                    if isinstance(method, ast.FunctionDef) and any(
                        _is_sender(call, "models.TransientModel" in bases)
                        for call in ast.walk(method)
                        if isinstance(call, ast.Call)
                    ):
                        yield addon, f"{cls.name}.{method.name}"


def _is_sender(call, is_dialogue):
    if not isinstance(call.func, ast.Attribute):
        return False
    name, of = call.func.attr, ast.unparse(call.func.value)
    if name in POST and not of.startswith("super("):
        return is_dialogue or _posts_to_somebody(call, name)
    if name in SEND:
        return not of.startswith("super(")
    return name == "create" and any(model in of for model in MODELS)


def _posts_to_somebody(call, name):
    """A note without recipients, and not by a template, stands in the chatter only."""
    words = ("partner_ids=", "mt_comment", "'comment'")
    if any(word in ast.unparse(call) for word in words):
        return True
    if name == "message_post_with_source":
        # a view is named, a template comes as a record and has recipients
        source = call.args[0] if call.args else None
        if not isinstance(source, ast.Constant):
            return True
    subtypes = [
        ast.unparse(keyword.value)
        for keyword in call.keywords
        if keyword.arg in ("subtype_id", "subtype_xmlid")
    ]
    return any("note" not in subtype for subtype in subtypes)


def _search_set_off(folder):
    """Yield (add-on, class and method) of what tests below a folder set off."""
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for found in node.decorator_list:
                    if isinstance(found, ast.Call) and ast.unparse(found.func) == (
                        "sets_off"
                    ):
                        yield from map(ast.literal_eval, found.args)


@tagged("post_install", "-at_install", "user_email_alias")
class TestList(BaseCase):
    def test_every_place_that_sends_is_on_the_list(self):
        listed = {row[:2] for row in SENDERS}
        self.assertEqual(len(listed), len(SENDERS), "a row stands twice")
        found = set(_search(Path(file_path("mail")).parent))
        addons = {addon for addon, _ in found}
        self.assertLessEqual({"account", "calendar", "hr_recruitment"}, addons)
        self.assertEqual(sorted(found - listed), [], "say what these are")
        self.assertEqual(sorted(listed - found), [], "these are gone")

    def test_each_row_says_what_it_is(self):
        for addon, place, kind, more in SENDERS:
            with self.subTest(place=f"{addon} {place}"):
                self.assertIn(kind, (FROM, AS_EVER, AUTOMATIC, LOG, HELPER))
                self.assertEqual(bool(more), kind in (FROM, AS_EVER))
                if kind == FROM:
                    self.assertIn(more, WIRE_TESTS)

    def test_each_automatic_sender_is_set_off(self):
        automatic = {row[:2] for row in SENDERS if row[2] == AUTOMATIC}
        due = {row for row in automatic if row[0] not in NOT_AT_HAND}
        tried = set(_search_set_off(Path(__file__).parent))
        self.assertEqual(sorted(due - tried), [], "say in a test: sets_off")
        self.assertEqual(sorted(tried - due), [], "no row of the list")
        rowless = NOT_AT_HAND - {addon for addon, _ in automatic}
        self.assertEqual(sorted(rowless), [])

    def test_each_dialogue_is_tried_on_the_wire(self):
        root = Path(__file__).parent.parent
        for model, place in WIRE_TESTS.items():
            path = root / place
            path = path / "tests" / "test_dialogues.py" if path.is_dir() else path
            with self.subTest(model=model):
                self.assertTrue(path.exists(), path)
                if place.startswith(BRIDGES):
                    self.assertIn(f'"{model}"', path.read_text("utf-8"))


@tagged("post_install", "-at_install", "user_email_alias")
class TestDialogues(AliasCommon):
    def test_each_installed_dialogue_offers_from(self):
        """Whichever apps there are: with the bridges to them, their dialogues, too."""
        installed = set(self.env["ir.module.module"]._installed())
        for addon, _place, kind, model in SENDERS:
            if kind != FROM or addon not in installed or "mixin" in model:
                continue
            with self.subTest(model=model):
                fields = self.env[model]._fields
                self.assertIn("email_alias_id", fields)
                self.assertIn("has_email_alias", fields)
                views = self.env["ir.ui.view"].search(
                    [("model", "=", model), ("type", "=", "form")]
                )
                archs = [view.arch for view in views]
                self.assertTrue(any('"email_alias_from"' in arch for arch in archs))

    def test_what_is_not_set_off_is_not_at_hand(self):
        installed = set(self.env["ir.module.module"]._installed())
        self.assertEqual(sorted(installed & NOT_AT_HAND), [])

    def test_each_bridge_is_installed_with_its_app(self):
        bridges = [
            Manifest.for_addon(path.parent.name)
            for path in (Path(__file__).parent.parent / "bridges").glob(
                "*/__manifest__.py"
            )
        ]
        self.assertTrue(all(bridges), "bridges/ is not on the path of add-ons")
        installed = set(self.env["ir.module.module"]._installed())
        for bridge in bridges:
            with self.subTest(bridge=bridge.name):
                is_due = installed.issuperset(bridge["depends"])
                self.assertEqual(bridge.name in installed, is_due)


@tagged("post_install", "-at_install", "user_email_alias")
class TestAutomatic(AliasCommon):
    """What nobody wrote takes no alias, though whoever set it off has one."""

    def assertAutomatic(self, send):
        with self.mock_mail_gateway(mail_unlink_sent=False):
            send()
            self.flush_tracking()
        waiting = self._new_mails.exists()
        self.assertTrue(waiting or self._mails, "nothing was sent")
        self.assertFalse(waiting.email_alias_id)
        senders = waiting.mapped("email_from") + [m["email_from"] for m in self._mails]
        self.assertNotIn("alice@a.example.com", str(senders))

    def test_what_each_sender_of_the_base_apps_sends(self):
        alice = self.env(user=self.user_alice)
        event = alice["calendar.event"].create(
            {
                "name": "Lunch",
                "start": "2040-01-01 12:00:00",
                "stop": "2040-01-01 13:00:00",
                "partner_ids": self.customer.ids,
                "email_alias_id": self.alias_alice.id,
            }
        )
        alarm = self.env["calendar.alarm"].create(
            {
                "name": "Mail",
                "alarm_type": "email",
                "mail_template_id": self.env.ref(
                    "calendar.calendar_template_meeting_reminder"
                ).id,
            }
        )
        activity = alice["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "res_id": self.lead.id,
                "user_id": self.user_bob.id,
            }
        )
        template = self.create_template("T")
        lead = self.lead.with_user(self.user_alice)
        senders = {
            "an activity's assignment": activity.action_notify,
            "an assignment": lambda: lead.write({"user_id": self.user_bob.id}),
            "a template": lambda: template.with_env(alice).send_mail(lead.id),
            "several by a template": lambda: template.with_env(alice).send_mail_batch(
                lead.ids
            ),
            "a password reset": self.user_bob.with_env(alice)
            .sudo()
            .action_reset_password,
            "a changed login": lambda: (
                self.user_alice.with_env(alice)
                .sudo()
                ._notify_security_setting_update("Changed", "Your login has changed")
            ),
            "a bounce": lambda: alice["mail.thread"]._routing_create_bounce_email(
                "a@example.org", "<p>No such address</p>", EmailMessage()
            ),
            "a reminder": lambda: event.attendee_ids.with_user(
                self.env.ref("base.user_root")
            )._notify_attendees(alarm.mail_template_id, notify_author=True),
        }
        for what, send in senders.items():
            with self.subTest(what):
                self.assertAutomatic(send)
