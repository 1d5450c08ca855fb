"""Find one message of ours in folders of a mailbox, and read its header.

Of other messages no more is read than their Message-IDs and subjects. EXAMINE and
BODY.PEEK mark nothing (RFC 3501 6.3.2, 6.4.5).
"""

import contextlib
import dataclasses
import datetime
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from imapclient.response_parser import parse_fetch_response

from . import failure as imap_failure
from .failure import ServerRefusal, plain_words
from .folder_names import folded
from .wire import quoted

# The newest messages of a folder that are looked through.
NEWEST = 100

# Older ones are found by a search, and so many of them are looked at.
CANDIDATES = 20

INBOX = "INBOX"
JUNK_FLAG = "\\junk"
JUNK_FOLDERS = 2  # that are looked at: the one with the flag, and one by its name

# What servers without flags (RFC 6154) call it; as :func:`folder_names.folded`.
JUNK_NAMES = (
    *("junk", "spam", "junk email", "junk e mail", "bulk mail", "bulk", "spamverdacht"),
    *(
        "indésirables",
        "courrier indésirable",
        "correo no deseado",
        "posta indesiderata",
    ),
    *("ongewenste e mail", "lixo eletrônico", "спам", "垃圾邮件", "迷惑メール"),
)

# Where providers that give a message another Message-ID keep the one it had.
KEPT_IDS = ("X-Microsoft-Original-Message-ID", "X-Google-Original-Message-ID")

HEADER_OCTETS = 256_000  # of one message; a longer header is cut off

_FIELDS = " ".join(("MESSAGE-ID", "SUBJECT", *(name.upper() for name in KEPT_IDS)))
_BRIEF = f"(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS ({_FIELDS})])"
_FOLD = re.compile(r"\r?\n(?=[ \t])")


@dataclasses.dataclass(frozen=True)
class Sought:
    """What our message is known by, whatever became of its Message-ID.

    :param message_id: as it was sent
    :param token: ASCII, in its subject and in no other one
    """

    message_id: str
    token: str

    def is_in(self, header):
        """Tell whether some fields of a header, octets, are of this message."""
        text = _FOLD.sub("", header.decode("utf-8", "replace"))
        if self.message_id.strip("<> ") in text or self.token in text:
            return True
        return any(self.token in _decode(line) for line in text.splitlines())


@dataclasses.dataclass(frozen=True)
class Found:
    """A message of ours; ``received`` is its INTERNALDATE, aware, or None."""

    folder: str
    uid: int
    received: datetime.datetime | None


def get_inboxes(connection):
    """Return the paths of the folders a message may arrive in: INBOX, and for spam.

    A filter may know another folder for spam than the one with the flag.
    """
    folders = connection.list_folders()
    junk = [f.path for f in folders if JUNK_FLAG in f.flags]
    junk += [f.path for f in folders if _has_junk_name(f)]
    return [INBOX, *list(dict.fromkeys(junk))[:JUNK_FOLDERS]]


def _has_junk_name(folder):
    delimiter = folder.delimiter
    name = folder.path.rpartition(delimiter)[2] if delimiter else folder.path
    return folded(name) in map(folded, JUNK_NAMES)


def find(connection, path, sought):
    """Return a list of Found: our message in one folder, each time it is there.

    :param ImapConnection connection: signed in
    :raise ImapFailure: the folder cannot be read
    """
    client = connection.client
    with plain_words(imap_failure.FOLDER):
        told = client.select_folder(path, readonly=True)
        count = int(told.get(b"EXISTS") or 0)
        found = {}
        if count:
            newest = f"{max(1, count - NEWEST + 1)}:{count}"
            found = _fetch(client.wire, "FETCH", newest, sought)
        if not found and count > NEWEST and (uids := _search(client.wire, sought)):
            found = _fetch(client.wire, "UID FETCH", uids, sought)
        return [Found(path, uid, received) for uid, received in sorted(found.items())]


def read_header(connection, found):
    """Return the whole header of a message, as octets; empty if it is gone."""
    client = connection.client
    with plain_words(imap_failure.FOLDER):
        client.select_folder(found.folder, readonly=True)
        client.wire.run("UID", "FETCH", str(found.uid), "(UID BODY.PEEK[HEADER])")
        told = parse_fetch_response(client.wire.take_untagged("FETCH"))
        return _get_header(told.get(found.uid, {}))[:HEADER_OCTETS]


def _fetch(wire, command, sequence_set, sought):
    """Return {UID: INTERNALDATE} of those messages of a set that are ours."""
    wire.run(*command.split(), sequence_set, _BRIEF)
    told = parse_fetch_response(wire.take_untagged("FETCH"), normalise_times=False)
    return {
        uid: mail.get(b"INTERNALDATE")
        for uid, mail in told.items()
        if sought.is_in(_get_header(mail))
    }


def _search(wire, sought):
    """Return the UIDs that the server finds by subject, as a set for FETCH."""
    with contextlib.suppress(ServerRefusal):
        wire.run("UID", "SEARCH", "SUBJECT", quoted(sought.token))
        numbers = b" ".join(wire.take_untagged("SEARCH")).split()
        uids = sorted(int(number) for number in numbers if number.isdigit())
        return ",".join(map(str, uids[-CANDIDATES:]))
    return ""


def _get_header(mail):
    # Courier answers with another spelling of the item than it was asked for
    items = (value for item, value in mail.items() if item.startswith(b"BODY[HEADER"))
    return next(items, None) or b""


def _decode(line):
    if "=?" not in line:
        return line
    try:
        return str(make_header(decode_header(line)))
    except (HeaderParseError, LookupError, ValueError):
        return line
