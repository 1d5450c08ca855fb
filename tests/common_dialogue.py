"""Dialogues in which a person writes and presses Send, down to the wire."""

import email
from email.header import decode_header, make_header

from lxml import etree

from odoo.exceptions import AccessError
from odoo.service.model import call_kw

from .common_queue import QueueCase

DELAY_MS = 150
SENDER = "Ada Lovelace <ada@example.com>"
REPLY_TO = "answers@example.com"


class DialogueCase(QueueCase):
    """Ada opens a dialogue as the web client does, fills it in and presses a button.

    What she may do is ``groups``; what a test creates by :meth:`create` is deleted
    again afterwards.
    """

    groups = ()
    # whether a colleague may press the dialogue as in core, where no alias is picked
    is_shared_without_alias = False

    def setUp(self):
        super().setUp()
        self.created = []
        self.addCleanup(self._delete_created)
        with self.committed() as env:
            user = env["res.users"].browse(self.user_id)
            user.group_ids += env["res.groups"].concat(*map(env.ref, self.groups))
        self.write_alias(delay_ms=DELAY_MS, reply_to=REPLY_TO)

    def create(self, model, *vals_list, **options):
        """Create records everybody sees; return their ids."""
        with self.committed() as env:
            records = env[model].with_context(**options).create(list(vals_list))
            self.created.append((model, records.ids))
            return records.ids

    def create_partners(self, count):
        return self.create(
            "res.partner",
            *(
                {"name": f"Guest {n}", "email": f"guest{n}@example.org"}
                for n in range(count)
            ),
        )

    def _delete_created(self):
        with self.committed() as env:
            for model, ids in reversed(self.created):
                records = env[model].browse(ids).exists()
                if "message_ids" in records:
                    records.message_ids.unlink()
                records.unlink()

    # ------------------------------------------------------------------
    # Doing
    # ------------------------------------------------------------------

    def call(self, model, method, *args, context=None, uid=None, **kwargs):
        """Call a method as Ada's browser does, or somebody else's, and commit."""
        with self.committed(uid or self.user_id) as env:
            kwargs["context"] = context or {}
            return call_kw(env[model], method, args, kwargs)

    def open(self, model, context=None, view=None):
        """Open a new dialogue; return what its fields are filled with."""
        view_id = False
        if view:
            with self.committed() as env:
                view_id = env.ref(view).id
        arch = self.call(model, "get_views", [[view_id, "form"]])["views"]["form"][
            "arch"
        ]
        self.fields = etree.fromstring(arch).xpath(
            "//field[not(ancestor::field)]/@name"
        )
        spec = {name: {} for name in self.fields}
        spec["email_alias_id"] = {"fields": {"display_name": {}}}
        values = self.call(model, "onchange", [], {}, [], spec, context=context)[
            "value"
        ]
        return {name: _as_written(value) for name, value in values.items()}

    def press(self, button, model, context=None, view=None, **values):
        """Open a dialogue, fill it in, press a button; return what that returns."""
        filled = {**self.open(model, context, view), **values}
        self.dialogue_id = self.call(
            model, "web_save", [], filled, {}, context=context
        )[0]["id"]
        self.assertIsForWhoeverOpenedIt(model, button, context)
        return self.call(model, button, [self.dialogue_id], context=context)

    # ------------------------------------------------------------------
    # Seeing
    # ------------------------------------------------------------------

    def assertIsForWhoeverOpenedIt(self, model, button, context=None):
        """A colleague with the same rights has no hand in an open dialogue."""
        with self.committed() as env:
            colleague = env["res.users"].search([("login", "=", "queue_colleague")])
            colleague = colleague or self._create_user(env, "queue_colleague")
            colleague.group_ids += env["res.groups"].concat(*map(env.ref, self.groups))
            dialogue = env[model].browse(self.dialogue_id)
            is_as_in_core = self.is_shared_without_alias and not dialogue.email_alias_id
            lines = [
                dialogue[name]
                for name, field in dialogue._fields.items()
                if field.type == "one2many"
                and dialogue[name]._transient
                and dialogue[name]
            ]
        found = self.call(model, "search", [], uid=colleague.id)
        if is_as_in_core:
            self.assertIn(self.dialogue_id, found)
            return
        self.assertNotIn(self.dialogue_id, found)
        calls = [("read", ["email_alias_id"]), ("write", {}), ("unlink",), (button,)]
        for name, *args in calls:
            with self.assertRaises(AccessError, msg=name):
                ids = [self.dialogue_id]
                self.call(model, name, ids, *args, uid=colleague.id, context=context)
        for records in lines:
            for name, *args in [("read", []), ("write", {}), ("unlink",)]:
                with self.assertRaises(AccessError, msg=f"{records}.{name}"):
                    self.call(records._name, name, records.ids, *args, uid=colleague.id)

    def assertOffersFrom(self, model, context=None, view=None):
        """The form shows From, and what fits is picked already."""
        filled = self.open(model, context, view)
        self.assertIn("email_alias_id", self.fields)
        self.assertTrue(filled["has_email_alias"])
        self.assertEqual(filled["email_alias_id"], self.alias_id)

    def assertLeaves(self, *recipients, reply_to=REPLY_TO, is_bulk=None):
        """Run the queue: each is written to by the alias, several at its pace.

        :param is_bulk: whether the pace is kept, if not the number of recipients says
        """
        self.run_queue()
        messages = self.server.messages
        self.assertEqual(sorted(self.served()), sorted(recipients))
        for message in messages:
            headers = email.message_from_bytes(message.data)
            self.assertEqual(_decode(headers["From"]).replace('"', ""), SENDER)
            self.assertEqual(message.mail_from, "ada@example.com")
            self.assertEqual(message.login, "ada")
            self.assertIn(message.rcpt_tos[0], headers["To"])
            if reply_to:
                self.assertIn(reply_to, headers["Reply-To"])
        is_bulk = len(recipients) > 1 if is_bulk is None else is_bulk
        self.assertEqual({row["is_bulk"] for row in self.read_log()}, {is_bulk})
        for gap in self.gaps() if is_bulk else ():
            self.assertGreaterEqual(gap, DELAY_MS / 1000)

    def assertNothingLeaves(self):
        self.run_queue()
        self.assertFalse(self.served())

    def assertOutcome(self, model, res_id, state="sent"):
        """Below a message in the record's chatter stands what became of it."""
        with self.committed(self.user_id) as env:
            messages = env[model].browse(res_id).message_ids
            outcomes = messages._email_alias_outcomes(env.user)
            states = {outcome["state"] for outcome in outcomes.values()}
            self.assertIn(state, states)
            from_ = {outcome["from"] for outcome in outcomes.values()}
            self.assertEqual(from_, {SENDER})

    def read_simple_notices(self):
        """What the browser was told in passing."""
        with self.committed() as env:
            bus = env["bus.bus"].search([("message", "like", "simple_notification")])
            return bus.mapped("message")


def _as_written(value):
    """What the web client sends back of what it was shown."""
    if isinstance(value, dict) and "id" in value:
        return value["id"]
    return value


def _decode(header):
    return str(make_header(decode_header(header)))
