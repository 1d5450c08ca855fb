# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""How fast copies of sent mail are filed in a Dovecot on the same machine."""

import importlib
import ssl
import time

import trustme

import odoo.addons

from ..console import DevError
from ..paths import ADDON, ADDONS
from . import figure

COPIES = 1000
BYTES = 20_000
PASSWORD = "bench"
GOAL = 200
"""Copies a second, over one connection with TLS."""


@figure.figures("copy.rate")
def copy_rate(context):
    """File a campaign's copies through the add-on's own code."""
    dovecot = _load("tests.dovecot")
    if not dovecot.find_program():
        raise DevError("copy.rate needs Debian's dovecot-imapd")
    ca = trustme.CA()
    tls = ssl.create_default_context()
    ca.configure_trust(tls)
    count = context.count(COPIES, least=200)
    mailbox = dovecot.Dovecot(ca, {"ann": PASSWORD}, special_use={"Sent": r"\Sent"})
    with mailbox, _connect(mailbox.tls_port, tls) as connection:
        sent = connection.sent_box(connection.find_sent_folder())
        copies = [_copy(number) for number in range(count)]
        began = time.monotonic()
        results = sent.file_many(copies)
        rate = count / (time.monotonic() - began)
    failed = sum(isinstance(result, Exception) for result in results)
    if failed:
        raise DevError(f"{failed} of {count} copies were not filed")
    detail = f"{count} copies of {BYTES // 1000} kB, TLS, one connection"
    yield figure.bounded("copy.rate", rate, "copies/s", GOAL, least=True, detail=detail)


def _load(name):
    if str(ADDONS) not in odoo.addons.__path__:
        odoo.addons.__path__.append(str(ADDONS))
    return importlib.import_module(f"odoo.addons.{ADDON}.{name}")


def _connect(port, tls):
    imap = _load("tools.imap")
    connection = imap.ImapConnection.open(
        _load("tools.address").ServerAddress("localhost", port),
        _load("tools.guard").Guard("localhost, 127.0.0.1, ::1"),
        _load("tools.deadline").Deadline(),
        ssl_context=tls,
        implicit_tls_ports={port},
    )
    connection.login_password("ann", PASSWORD)
    return connection


def _copy(number):
    message_id = f"<bench{number}@example.com>"
    head = f"From: a@example.com\r\nSubject: {number}\r\nMessage-ID: {message_id}\r\n"
    line = b"x" * 76 + b"\r\n"
    data = head.encode() + b"\r\n" + line * (BYTES // len(line))
    return data, message_id, time.time()
