"""A provider of ours: takes mail by SMTP, delivers it into a real Dovecot."""

import contextlib
import email
import imaplib
import ssl
import threading
import time
import unittest
from dataclasses import dataclass, field
from email import policy
from unittest.mock import patch

from odoo.modules import module

from .common_queue import PASSWORD, QueueCase
from .dovecot import Dovecot, find_program

SPECIAL_USE = {"Sent": r"\Sent", "Junk": r"\Junk"}


@dataclass
class Knobs:
    """What the provider does with a message on its way to the mailbox.

    :ivar delay: seconds until it arrives, None for never
    :ivar folder: where it arrives
    :ivar replaced: header -> another value; None takes it away
    :ivar added: (header, value), on top
    :ivar id_kept_as: gives another Message-ID, and keeps ours in this header; empty:
        nowhere; None: keeps it
    :ivar own_copies: copies it puts in the Sent folder, with a Message-ID of its own
    """

    delay: float | None = 0.0
    folder: str = "INBOX"
    replaced: dict = field(default_factory=dict)
    added: list = field(default_factory=list)
    id_kept_as: str | None = None
    own_copies: int = 0


class Provider:
    """Delivers what a :class:`FakeSmtpServer` has taken; a context manager."""

    def __init__(self, smtp, dovecot, ca, user):
        self.knobs = Knobs()
        self._smtp = smtp
        self._dovecot = dovecot
        self._user = user
        self._context = ssl.create_default_context()
        ca.configure_trust(self._context)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join(10)

    def _run(self):
        count = 0
        while not self._is_over.wait(0.02):
            for received in self._smtp.messages[count:]:
                count += 1
                self._deliver(received.data)

    def _deliver(self, data):
        knobs = self.knobs
        message = email.message_from_bytes(data, policy=policy.compat32)
        if knobs.id_kept_as is not None:
            if knobs.id_kept_as:
                message[knobs.id_kept_as] = message["Message-ID"]
            message.replace_header("Message-ID", "<another@provider.example>")
        for _ in range(knobs.own_copies):
            self.store("Sent", message.as_bytes())
        for name, value in knobs.replaced.items():
            del message[name]
            if value is not None:
                message[name] = value
        if knobs.delay is None or self._is_over.wait(knobs.delay):
            return
        top = "".join(f"{name}: {value}\r\n" for name, value in knobs.added)
        self.store(knobs.folder, top.encode() + message.as_bytes())

    @contextlib.contextmanager
    def mailbox(self):
        with imaplib.IMAP4("127.0.0.1", self._dovecot.port) as client:
            client.starttls(self._context)
            client.login(self._user, PASSWORD)
            yield client

    def store(self, folder, data, flags=None):
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        with self.mailbox() as client:
            typ, said = client.append(folder, flags, None, data)
            if typ != "OK":
                raise RuntimeError(said)

    def read_flags(self, folder):
        """The flags of each message, in order."""
        with self.mailbox() as client:
            client.select(folder, readonly=True)
            _typ, told = client.fetch("1:*", "(FLAGS)")
            return [line.decode() for line in told if line]


class TestMailCase(QueueCase):
    """Ada's alias at a provider whose mailbox can be read."""

    def setUp(self):
        super().setUp()
        if not find_program():
            raise unittest.SkipTest("dovecot-imapd is not installed")
        self.reset_jobs()
        ca = self.ca._ca
        dovecot = Dovecot(ca, {"ada": PASSWORD}, special_use=SPECIAL_USE)
        self.dovecot = self.enterContext(dovecot)
        self.provider = self.enterContext(
            Provider(self.server, self.dovecot, ca, "ada")
        )
        self.write_alias(imap_server=f"localhost:{self.dovecot.port}")
        # as in a server: transactions end while others are waited for
        outside = patch.object(module, "current_test", None)
        outside.start()
        self.patch_back = outside.stop
        self.addCleanup(self._patch_back)

    def _patch_back(self):
        with contextlib.suppress(RuntimeError):
            self.patch_back()

    def step(self, method, uid=None):
        """Take one step of the dialogue, or press a button."""
        with self.committed(uid or self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            return getattr(alias, method)()

    def run_test(self):
        """Go through all steps; return the lines by their level."""
        progress = self.step("send_test_mail")
        if progress["goes_on"]:
            progress = self.step("look_for_test_mail")
        return progress["lines"]

    def assertLine(self, lines, level, words):
        found = [line for line in lines if words in line["text"]]
        self.assertEqual([line["level"] for line in found], [level], lines)

    def wait_for_delivery(self, folder="INBOX", count=1):
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with self.provider.mailbox() as client:
                _typ, told = client.select(folder, readonly=True)
                if int(told[0]) >= count:
                    return
            time.sleep(0.1)
        self.fail(f"nothing arrived in {folder}")
