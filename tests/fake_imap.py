"""A small IMAP server in memory, with a knob for each fault and oddity.

It speaks the part of IMAP that filing a copy needs, as servers other than Dovecot do.
"""

import ssl
import time

from .fake_imap_session import Session
from .listener import Listener


class FakeFolder:
    """A folder: ``messages`` holds (UID, INTERNALDATE, octets), ``deleted`` UIDs."""

    def __init__(self, flags="", uid_validity=1, mailbox_id="", delimiter="/"):
        self.flags = flags
        self.uid_validity = uid_validity
        self.mailbox_id = mailbox_id
        self.delimiter = delimiter
        self.messages = []
        self.deleted = set()
        self.next_uid = 1

    def add(self, octets, date=b"01-Jan-2026 00:00:00 +0000"):
        self.messages.append((self.next_uid, date, octets))
        self.next_uid += 1
        return self.next_uid - 1


class FakeImap(Listener):
    """A server on a free loopback port; a context manager.

    The knobs are attributes:

    - ``capabilities``, ``greeting``: as announced; a function instead of a greeting is
      called with the session and None
    - ``pause``: seconds before each reply
    - ``search``: ``exact``; ``words`` finds every message that has one part of the
      text; ``nothing`` finds no header; ``bad`` refuses
    - ``replies``: {command: raw reply instead of doing it}, ``{tag}`` is replaced
    - ``after_starttls``: what is sent in the clear right behind the OK
    - ``refuses``: function of a message's octets, tells whether APPEND refuses it, with
      the words of ``refusal``
    - ``has_uidplus``: whether UIDs are told
    - ``quotes_headers``: FETCH answers with quoted strings, the UID behind them
    - ``hang_up_on``: a command that is answered by closing the connection
    - ``stores_then_hangs_up``: the next APPEND is stored, its reply is lost
    - ``is_courier``: what is open for reading takes no APPEND, what was appended is
      seen after opening again, no UIDNEXT, names of fields in quotes, as Courier 5.0.13
    - ``read_only``, ``rights``, ``quota``: SELECT says READ-ONLY, what MYRIGHTS tells,
      (usage, limit) of GETQUOTAROOT in kB
    - ``drops_flags``: APPEND stores no flags
    - ``is_below_inbox``: CREATE takes names below the inbox only

    What clients said is in ``received`` (octets, decrypted).
    """

    def __init__(self, ca=None, implicit_tls=False, names=("localhost",)):
        super().__init__()
        self.context = None
        if ca:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert(*names).configure_cert(self.context)
        self.implicit_tls = implicit_tls
        self.capabilities = "IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=XOAUTH2 UIDPLUS"
        self.greeting = "* OK fake ready"
        self.folders = {"INBOX": FakeFolder()}
        self.passwords = {"ann": "secret"}
        self.tokens = {"ann": "token"}
        self.search = "exact"
        self.replies = {}
        self.after_starttls = b""
        self.refuses = lambda octets: False
        self.refusal = "NO [CANNOT] such a message"
        self.has_uidplus = True
        self.quotes_headers = False
        self.hang_up_on = None
        self.stores_then_hangs_up = False
        self.pause = 0
        self.is_courier = False
        self.read_only = False
        self.rights = "lrswipkxtea"
        self.quota = (0, 1000)
        self.drops_flags = False
        self.is_below_inbox = False
        self.received = b""
        self.commands = []

    def create(self, name):
        self.folders[name] = FakeFolder()

    def serve_client(self, client):
        Session(self, client).run()


def endless(data, seconds=30):
    """Return a reply for ``replies`` that repeats octets for ever."""

    def reply(session, tag):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            session.sock.sendall(data)
        return False

    return reply


def dripping(data, pause):
    """Return a reply for ``replies`` that sends one octet, waits, and so on."""

    def reply(session, tag):
        for octet in data * 1000:
            session.sock.sendall(bytes([octet]))
            time.sleep(pause)
        return False

    return reply


def answering(*lines):
    """Return a reply for ``replies``: these untagged lines, then OK."""
    return "".join(f"* {line}\r\n" for line in lines) + "{tag} OK done"
