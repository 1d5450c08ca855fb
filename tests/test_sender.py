"""Whatever a caller puts in, a mail is from its alias and says what was meant.

500 examples; USER_EMAIL_ALIAS_EXAMPLES=10000 tries more. What takes longer, by way of
chatter and composer, which end in the same place, is tried a fifth as often.
"""

import ast
import email.utils
import os
import re
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ..sending.message import Account, build
from ..sending.queries import get_account
from ..tools.address import AddressError
from ..tools.header.text import clean
from ..tools.message import UnsafeMessage
from .common import AliasCommon
from .common_queue import QueueCase
from .test_header import SCRIPTS, decode

EXAMPLES = int(os.environ.get("USER_EMAIL_ALIAS_EXAMPLES", "500"))
# Those that really go over the wire cost more.
WIRE_EXAMPLES = max(10, EXAMPLES // 25)
MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
SOME = settings(MANY, max_examples=max(10, EXAMPLES // 5))
FEW = settings(MANY, max_examples=WIRE_EXAMPLES)

EVE = "eve@evil.example"
CUSTOMER = "cleo@customer.example.com"

# What has added a header, a recipient or another sender somewhere before.
HOSTILE = (
    f"\r\nBcc: {EVE}",
    f"\nFrom: {EVE}\n\nbody",
    f"\r\n\r\n.\r\nMAIL FROM:<{EVE}>",
    f"=?utf-8?q?x=0D=0ABcc:_{EVE}?=",
    "=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=",
    "=?utf-7?q?+AA0ACg-Bcc?=",
    f"<{EVE}>",
    f'" <{EVE}>, "',
    f"{EVE},",
    f"undisclosed:{EVE};",
    "\\",
    '"',
    "(",
    ">",
    "\x0b\x0c\x1c\u0085\u2028\u2029",
    "\u202e\u200b\ufeff",
    "{{ object.env.user.email }}",
    "{{ 7 * 6 }}",
    "${object.name}",
    "%(email)s %s {0}",
)
LETTERS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30
)
SCRIPT_TEXTS = st.sampled_from(list(SCRIPTS.values()))
TEXTS = st.lists(
    st.one_of(st.sampled_from(HOSTILE), LETTERS, SCRIPT_TEXTS), max_size=5
).map("".join)
SENDERS = st.one_of(
    TEXTS,
    st.just(EVE),
    st.just(f'"Alice" <{EVE}>'),
    st.builds(lambda name: f'"{name}" <{EVE}>', TEXTS),
)
NAMES = st.one_of(
    st.sampled_from(
        (
            "From",
            "from",
            "Sender",
            "Return-Path",
            "Bcc",
            "Resent-From",
            "Resent-Bcc",
            "To",
            "Cc",
            "Subject",
            "Reply-To",
            "Message-Id",
            "Date",
            "Content-Type",
            "MIME-Version",
            "X-Forge-To",
            "X-Odoo-Message-Id",
            "List-Unsubscribe",
            "References",
            "X-Own",
            "X-Own\r\nBcc",
            "X-Own: x\nFrom",
            "",
        )
    ),
    TEXTS,
)
HEADERS = st.one_of(
    st.none(),
    st.dictionaries(NAMES, st.one_of(TEXTS, SENDERS), max_size=4).map(repr),
    TEXTS,
    st.sampled_from(("[]", "None", "{'X-Own': 1}", "{1: 2}", "{'a': ['b']}", "((")),
)
MAILS = st.fixed_dictionaries(
    {
        "subject": TEXTS,
        "reply_to": SENDERS,
        "email_from": SENDERS,
        "headers": HEADERS,
        "references": TEXTS,
        "body_html": TEXTS,
    }
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "default_email_from": SENDERS,
        "default_reply_to": SENDERS,
        "default_headers": HEADERS,
        "default_email_to": st.just(EVE),
        "default_email_cc": st.just(EVE),
        "default_author_id": st.just(1),
        "default_subject": TEXTS,
    },
)

# What core or we write by ourselves.
USUAL = frozenset(
    (
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "references",
        "reply-to",
        "subject",
        "to",
        "x-odoo-message-id",
        "x-odoo-objects",
    )
)
NEVER = frozenset(("bcc", "resent-bcc", "return-path", "sender"))


def written(**more):
    """What a caller may write into a message, and what else."""
    return st.fixed_dictionaries(
        {"subject": TEXTS, "body": TEXTS},
        optional={"email_from": SENDERS, "reply_to": SENDERS, **more},
    )


def read_headers(data):
    """The headers as they stand in the bytes: list of (name, value on one line).

    In UTF-8 where an address asks for it (RFC 6532), which Python's old reader cannot.
    """
    block, _blank, _body = bytes(data).partition(b"\r\n\r\n")
    lines = re.sub(r"\r\n(?=[ \t])", "", block.decode()).split("\r\n")
    parts = [line.partition(":") for line in lines]
    return [(name.lower(), value.removeprefix(" ")) for name, _colon, value in parts]


class SenderAssertions:
    def assertFromAlias(self, data, envelope_from, recipients, alias, asked):
        """The bytes are what was meant, by Python's old reader.

        :param asked: names of headers that the caller has asked for
        """
        self.assertEqual(envelope_from, alias.email_from)
        self.assertEqual(recipients, [CUSTOMER])
        headers = read_headers(data)
        names = [name for name, _value in headers]
        self.assertEqual(names.count("from"), 1)
        self.assertFalse(NEVER.intersection(names))
        asked = {name.lower() for name in asked}
        self.assertLessEqual(set(names), USUAL | asked)
        for name in USUAL & set(names):
            self.assertEqual(names.count(name), 1, name)
        values = dict(headers)
        [(name, address)] = email.utils.getaddresses([values["from"]])
        self.assertEqual((decode(name), address), (alias.alias_name, alias.email_from))
        # by that one core lets a caller say what stands in To; nobody else gets it
        if "x-forge-to" not in asked:
            to = [
                address for _name, address in email.utils.getaddresses([values["to"]])
            ]
            self.assertEqual(to, [CUSTOMER])
        return values

    def assertSubject(self, values, subject):
        self.assertEqual(decode(values.get("subject", "")).strip(), subject.strip())


@tagged("post_install", "-at_install", "user_email_alias")
class TestSender(SenderAssertions, AliasCommon):
    """The bytes that a lane would submit."""

    def setUp(self):
        super().setUp()
        self.enterContext(
            patch.object(IrMail_Server, "_disable_send", classmethod(lambda cls: False))
        )
        self.alias = self.alias_alice
        self.mail_server = self.env["ir.mail_server"].create(
            {"name": "Elsewhere", "smtp_host": "elsewhere.example"}
        )
        self.left = self.refused = 0

    def tearDown(self):
        super().tearDown()
        # about half; what hypothesis draws differs from run to run
        self.assertGreater(3 * self.left, self.refused, "too little of it leaves")

    def build(self, mail):
        """Build a mail as a lane does; None if it is refused."""
        self.env.flush_all()
        mail = mail.with_env(self.env)
        account = Account(*get_account(self.env.cr, mail.email_alias_id.id))
        try:
            return build(mail, account, False)
        except (UnsafeMessage, AddressError):
            return None

    def judge(self, mail, asked=()):
        """Build a mail and look at it.

        :return: its headers, None if it does not leave
        """
        self.assertEqual(mail.email_alias_id, self.alias.with_env(mail.env))
        message = self.build(mail)
        if not message:
            self.refused += 1
            return None
        self.left += 1
        self.assertEqual(message.log_values["alias_id"], self.alias.id)
        return self.assertFromAlias(
            message.data, message.envelope_from, message.recipients, self.alias, asked
        )

    def asked_headers(self, *texts):
        """The names that a caller has asked for, and their values."""
        asked = {}
        for text in texts:
            try:
                found = ast.literal_eval(text)
            except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
                continue
            if isinstance(found, dict):
                asked.update({str(name): value for name, value in found.items()})
        return asked

    @MANY
    @given(values=MAILS, context=CONTEXTS)
    def test_mail_made_by_code_is_from_its_alias(self, values, context):
        with self.env.cr.savepoint() as savepoint:
            mail = (
                self.env["mail.mail"]
                .with_user(self.user_alice)
                .sudo()
                .with_context(**context)
                .create(
                    {
                        **values,
                        "email_to": CUSTOMER,
                        "email_cc": False,
                        "email_alias_id": self.alias.id,
                    }
                )
            )
            asked = self.asked_headers(values["headers"] or "")
            found = self.judge(mail, asked)
            if found:
                self.assertSubject(found, clean(values["subject"]))
                own = found.get("x-own")
                if own is not None and isinstance(asked.get("X-Own"), str):
                    self.assertEqual(decode(own).strip(), clean(asked["X-Own"]).strip())
            savepoint.rollback()

    @SOME
    @given(
        values=written(mail_server_id=st.just(True), model_description=TEXTS),
        context=CONTEXTS,
    )
    def test_message_in_the_chatter_is_from_its_alias(self, values, context):
        with self.env.cr.savepoint() as savepoint:
            lead = self.lead.with_user(self.user_alice).with_context(**context)
            if "mail_server_id" in values:
                values = {**values, "mail_server_id": self.mail_server.id}
            message = lead.message_post(
                **values,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=self.customer.ids,
                email_alias_id=self.alias.id,
            )
            mail = self.env["mail.mail"].search([("mail_message_id", "=", message.id)])
            if found := self.judge(mail):
                subject = values["subject"]
                self.assertSubject(found, clean(subject) if subject else self.lead.name)
            savepoint.rollback()

    @SOME
    @given(
        values=written(reply_to_force_new=st.booleans()),
        context=CONTEXTS,
    )
    def test_mass_mail_with_expressions_is_from_its_alias(self, values, context):
        lead = self.leads[1]
        lead.write({"email_from": CUSTOMER, "name": "{{ 6 * 7 }} =?utf-8?q?a?="})
        with self.env.cr.savepoint() as savepoint:
            try:
                composer = self.open_composer(
                    self.user_alice,
                    lead,
                    context=context,
                    composition_mode="mass_mail",
                    email_alias_id=self.alias.id,
                    partner_ids=[],
                    **values,
                )
                composer._action_send_mail()
            except (UserError, ValidationError, AccessError):
                # an expression that may not be used: nothing leaves
                self.assertFalse(self.find_mails(self.alias))
            else:
                mail = self.find_mails(self.alias)
                if mail:
                    self.judge(mail)
            savepoint.rollback()

    @SOME
    @given(name=TEXTS, customer=TEXTS, user=TEXTS)
    def test_names_say_what_they_are_and_nothing_else(self, name, customer, user):
        with self.env.cr.savepoint() as savepoint:
            try:
                self.alias.alias_name = name
            except ValidationError:
                self.alias.invalidate_recordset()
            if customer.strip():
                self.customer.name = customer
            if user.strip():
                self.user_alice.partner_id.name = user
            self.env.flush_all()
            message = self.send_message(
                self.user_alice, self.lead, email_alias_id=self.alias.id
            )
            mail = self.env["mail.mail"].search([("mail_message_id", "=", message.id)])
            if self.alias.alias_name:
                self.judge(mail)
            savepoint.rollback()
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "user_email_alias")
class TestSenderOnTheWire(SenderAssertions, QueueCase):
    """What a mail server gets to see."""

    @FEW
    @given(values=MAILS)
    def test_mail_made_by_code_arrives_from_its_alias(self, values):
        self.server.clear()
        [mail_id] = self.queue(CUSTOMER, bulk=False, auto_delete=False, **values)
        self.run_queue()
        [mail] = self.read_mails([mail_id], "state", "failure_reason")
        if mail["state"] != "sent":
            self.assertEqual(mail["state"], "exception")
            self.assertTrue(mail["failure_reason"])
            self.assertFalse(self.server.messages)
            return
        [message] = self.server.messages
        asked = TestSender.asked_headers(self, values["headers"] or "")
        with self.committed() as env:
            found = self.assertFromAlias(
                message.data,
                message.mail_from,
                message.rcpt_tos,
                env["user.email.alias"].browse(self.alias_id),
                asked,
            )
        self.assertSubject(found, clean(values["subject"]))
