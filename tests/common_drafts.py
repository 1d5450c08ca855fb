"""Messages with files, for the interface that takes large ones as drafts."""

import email
import email.policy
import os
from email.message import EmailMessage

from ..tools.attachments import SharedParts
from ..tools.header.mailboxes import Mailbox
from ..tools.message import join, write_pieces
from .common_api import FROM, TO

MEGABYTE = 1_000_000
ME = Mailbox("Anna Berg", FROM)


def make_files(*megabytes):
    """Return (name, content, media type) of files that no compression helps."""
    return [
        (f"file {n} ü.bin", os.urandom(int(size * MEGABYTE)), "application/pdf")
        for n, size in enumerate(megabytes)
    ]


def make_message_with(files, to=TO, cc=""):
    """Return the bytes of a message as the queue writes it."""
    message = EmailMessage()
    message["From"], message["To"] = FROM, to
    if cc:
        message["Cc"] = cc
    message["Subject"] = "Große Dateien"
    message["Message-Id"] = "<1@example.com>"
    message["References"] = "<0@example.com> <1@example.com>"
    message.set_content("Hello\n")
    message.add_alternative("<p>Hello</p>", subtype="html")
    shared = SharedParts()
    for name, content, kind in files:
        shared.attach(message, name, content, kind)
    return join(write_pieces(message, ME, shared))


def read_files(data):
    """Return (name, content, media type) of the files that a message arrives with."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    return [
        (part.get_filename(), part.get_content(), part.get_content_type())
        for part in message.iter_attachments()
    ]
