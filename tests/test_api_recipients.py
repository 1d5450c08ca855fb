"""Whoever the queue means gets it and nobody else, whatever the headers said before."""

import email
import email.utils

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.header.mailboxes import Mailbox
from ..tools.header.writer import write_addresses
from ..tools.message import UnsafeMessage
from ..tools.transport.http.recipients import address_to
from .fake_api import get_recipients

NAMES = st.sampled_from(
    (
        "",
        "Ann",
        "Berg, Änne",
        'Quote " and \\',
        "đột phá (x)",
        "@home <not>",
        "名前 " * 11 + "名前",
        "A very long name, " * 6 + "indeed",
    )
)
LOCALS = st.text("abcXYZ019.+-_'", min_size=1, max_size=12).map(
    lambda text: text.strip(".").replace("..", ".") or "x"
)
DOMAINS = st.sampled_from(("example.org", "EXAMPLE.net", "müller.example", "x.test"))
ADDRESSES = st.builds(lambda local, domain: f"{local}@{domain}", LOCALS, DOMAINS)
MAILBOXES = st.lists(st.builds(Mailbox, NAMES, ADDRESSES), max_size=6)
BODY = b"Hello\r\n\r\nBcc: nobody@example.org\r\n"


def write(to, cc):
    lines = [b"From: me@example.com\r\n"]
    lines += [write_addresses("To", to)] if to else []
    lines += [b"Subject: Hi\r\n there\r\n"]
    lines += [write_addresses("Cc", cc)] if cc else []
    return b"".join(lines) + b"\r\n" + BODY


def in_ascii(addresses):
    """Return addresses as the envelope spells them, the domain's case ignored.

    A local part says the same in quotes, which two dots in a row need (RFC 5321 4.1.2).
    """
    found = set()
    for address in addresses:
        local, _, domain = address.rpartition("@")
        local = local[1:-1] if local.startswith('"') else local
        found.add(f"{local}@{domain.lower().encode('idna').decode()}")
    return found


@tagged("-at_install", "post_install")
class TestRecipients(BaseCase):
    @settings(
        max_examples=500,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(MAILBOXES, MAILBOXES, st.lists(ADDRESSES, max_size=4), st.data())
    def test_served_are_exactly_those_that_are_meant(self, to, cc, others, data):
        named = [mailbox.address for mailbox in to + cc]
        still = (
            data.draw(st.lists(st.sampled_from(named), unique=True)) if named else []
        )
        wanted = sorted(in_ascii(still + others))
        if not wanted:
            return
        message = address_to(write(to, cc), wanted)
        self.assertEqual(in_ascii(get_recipients(message)), set(wanted))
        self.assertEqual(len(get_recipients(message)), len(wanted))
        self.assertTrue(message.endswith(b"\r\n\r\n" + BODY))
        parsed = email.message_from_bytes(message)
        self.assertEqual(parsed["Subject"].split(), ["Hi", "there"])
        self.assertEqual(parsed["From"], "me@example.com")
        visible = email.utils.getaddresses(
            parsed.get_all("To", []) + parsed.get_all("Cc", [])
        )
        shown = in_ascii(address for _, address in visible)
        self.assertLessEqual(shown, in_ascii(named))

    def test_message_that_names_the_right_people_is_left_alone(self):
        to = [Mailbox("Berg, Änne", "a@example.org"), Mailbox("", "b@example.org")]
        message = write(to, [])
        wanted = ["b@example.org", "a@example.org"]
        self.assertEqual(address_to(message, wanted), message)

    def test_blind_copies_of_the_message_itself_are_not_served(self):
        message = b"Bcc: spy@example.org\r\n" + write([Mailbox("", "a@x.test")], [])
        found = address_to(message, ["a@x.test"])
        self.assertEqual(get_recipients(found), ["a@x.test"])

    def test_message_without_an_end_of_the_headers_is_refused(self):
        with self.assertRaises(UnsafeMessage):
            address_to(b"To: a@x.test\r\n", ["a@x.test"])
