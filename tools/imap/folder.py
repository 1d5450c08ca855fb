"""Find the folder that holds a mailbox's sent mail.

By what the server says first (RFC 6154 special use), by the names that mail programs
give it in the languages of the world next. A folder is known again after it was
renamed by its MAILBOXID (RFC 8474) or UIDVALIDITY (RFC 3501 2.3.1.1).
"""

import contextlib
import dataclasses
import json

from imapclient.exceptions import ProtocolError
from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.imap_utf7 import encode as encode_utf7
from imapclient.response_parser import parse_response

from . import failure as imap_failure
from .failure import ImapFailure, ServerRefusal, plain_words
from .folder_names import rank

BY_FLAG = "flag"
BY_NAME = "name"
CHOSEN = "chosen"
CREATED = "created"

IDENTITY_OCTETS = 255  # of a MAILBOXID, RFC 8474 5.1
IDENTITY_LIMIT = 300  # folders asked for their identity when one has been renamed
FOLDER_LIMIT = 20_000  # folders that are read, in about a second
NEW_NAME = "Sent"
OTHER_PURPOSES = {"\\trash", "\\junk", "\\drafts", "\\all", "\\flagged"}


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder of the mailbox.

    ``path`` is the full path, decoded; ``found`` is one of the constants above, or
    empty in a list. ``as_text`` is what to remember of it.
    """

    path: str
    delimiter: str = ""
    found: str = ""
    flags: frozenset = frozenset()
    uid_validity: int = 0
    mailbox_id: str = ""

    def as_text(self):
        """Return the folder as one line of text that ``from_text`` takes."""
        values = dataclasses.asdict(self)
        del values["flags"]
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_text(cls, text):
        """Return the Folder of ``as_text``, or None if there is no sense in it."""
        try:
            folder = cls(**json.loads(text))
        except (TypeError, ValueError):
            return None
        return folder if isinstance(folder.path, str) and folder.path else None

    def chosen(self):
        """Return this folder marked as the user's own choice."""
        return dataclasses.replace(self, found=CHOSEN)

    def is_same(self, other):
        """Tell whether both are one folder, whatever their paths."""
        if self.mailbox_id and other.mailbox_id:
            return self.mailbox_id == other.mailbox_id
        return bool(self.uid_validity) and self.uid_validity == other.uid_validity


def list_folders(connection):
    """Return the folders in the user's own namespace that can hold mail.

    Of more than FOLDER_LIMIT these are the ones with the shortest paths. A name that
    repeats the password is left out: it would be stored and shown.
    """
    with plain_words(imap_failure.FOLDER):
        replies = _list_replies(connection)
        if len(replies) > FOLDER_LIMIT:
            replies = sorted(replies, key=_get_distance)[:FOLDER_LIMIT]
        folders = [_parse(reply) for reply in replies]
    foreign = _namespaces(connection)[1]
    is_told = connection.client.wire.redact.is_told
    # A server may list a folder twice, with different flags.
    by_path = {folder.path: folder for folder in reversed(folders) if folder}
    return [
        folder
        for folder in reversed(by_path.values())
        if not folder.flags & {"\\noselect", "\\nonexistent"}
        and not folder.path.startswith(foreign)
        and not is_told(folder.path)
    ]


def find(connection, remembered=None, create=False):
    """Return the Folder for sent mail, with its identity.

    A folder that the user has chosen stays chosen as long as it can be found. Else
    a folder with the flag wins over a remembered one, and that over a known name.

    :param Folder remembered: what was found last time
    :param bool create: make a folder if there is none
    :raise ImapFailure: ``FOLDER`` if there is none
    """
    folders = list_folders(connection)
    chosen = remembered and remembered.found == CHOSEN
    found = chosen and _recognise(connection, folders, remembered)
    found = found or _flagged(folders)
    found = found or (remembered and _recognise(connection, folders, remembered))
    found = found or _named(connection, folders)
    if not found and create:
        found = _create(connection)
    if not found:
        raise ImapFailure(
            imap_failure.FOLDER,
            "No folder for sent mail was found. Choose one.",
            retryable=False,
        )
    return identified(connection, found) or found


def identified(connection, folder):
    """Return the folder with UIDVALIDITY and MAILBOXID; None if it is not there."""
    items = ["UIDVALIDITY"]
    if connection.has_capability("OBJECTID"):
        items.append("MAILBOXID")
    with plain_words(imap_failure.FOLDER):
        try:
            told = connection.client.folder_status(folder.path, items)
        except ServerRefusal:
            return None
        mailbox_id = told.get(b"MAILBOXID") or (b"",)
        return dataclasses.replace(
            folder,
            uid_validity=int(told.get(b"UIDVALIDITY") or 0),
            mailbox_id=b"".join(mailbox_id).decode("ascii")[:IDENTITY_OCTETS],
        )


def _list_replies(connection):
    # IMAPClient's list_folders cannot ask for flags, and ends at the first odd name.
    wire = connection.client.wire
    if connection.has_capability("SPECIAL-USE"):
        with contextlib.suppress(ServerRefusal):
            wire.run("LIST", '""', '"*"', "RETURN (SPECIAL-USE)")
            if replies := wire.take_untagged("LIST"):
                return replies
    wire.run("LIST", '""', '"*"')
    return wire.take_untagged("LIST")


def _get_distance(reply):
    """Sort LIST replies by how likely they are the Sent folder: flagged, then short."""
    text = reply if isinstance(reply, bytes) else b"".join(reply)
    return b"\\sent" not in text.lower(), len(text)


def _parse(reply):
    """Return the Folder of one LIST reply, None if its name cannot be used.

    RFC 3501 7.2.2, RFC 5258 3: flags, delimiter, name.
    """
    try:
        flags, delimiter, name = parse_response([reply])[:3]
        name = str(name).encode() if isinstance(name, int) else name
        path = decode_utf7(name)
        if encode_utf7(path) != name:
            return None
        return Folder(
            path=path,
            delimiter=(delimiter or b"").decode("ascii"),
            flags=frozenset(flag.decode("ascii", "replace").lower() for flag in flags),
        )
    except (AttributeError, LookupError, ProtocolError, TypeError, ValueError):
        return None


def _namespaces(connection):
    """Return the user's own prefixes and those of others (RFC 2342)."""
    parts = (None, None, None)
    if connection.has_capability("NAMESPACE"):
        with plain_words(imap_failure.FOLDER), contextlib.suppress(ServerRefusal):
            parts = connection.client.namespace()
    own, *foreign = [_prefixes(part) for part in parts]
    return own or ("",), tuple(filter(None, foreign[0] + foreign[1]))


def _prefixes(part):
    """Return the prefixes of one kind of namespace; NIL is taken for an empty one."""
    return tuple(
        decode_utf7(prefix) if isinstance(prefix, bytes) else str(prefix or "")
        for prefix, _delimiter in part or ()
    )


def _flagged(folders):
    flagged = [folder for folder in folders if "\\sent" in folder.flags]
    if not flagged:
        return None
    best = min(flagged, key=lambda folder: len(folder.path))
    return dataclasses.replace(best, found=BY_FLAG)


def _named(connection, folders):
    prefixes = _namespaces(connection)[0]
    ranked = [
        (place, len(folder.path), folder.path, folder)
        for folder in folders
        if (place := rank(folder.path, folder.delimiter, prefixes)) is not None
    ]
    if not ranked:
        return None
    best = min(ranked, key=lambda candidate: candidate[:-1])
    return dataclasses.replace(best[-1], found=BY_NAME)


def _recognise(connection, folders, remembered):
    """Return the remembered folder under the path that it has now, or None."""
    here = next((f for f in folders if f.path == remembered.path), None)
    now = here and identified(connection, here)
    if now and (now.is_same(remembered) or not remembered.uid_validity):
        return dataclasses.replace(now, found=remembered.found)
    others = _possible_renames(folders, here)
    renamed = [
        folder
        for folder in (identified(connection, f) for f in others)
        if folder and folder.is_same(remembered)
    ]
    if len(renamed) == 1:
        return dataclasses.replace(renamed[0], found=remembered.found)
    # Nothing else is it: the server has renumbered the folder in its old place.
    return now and dataclasses.replace(now, found=remembered.found)


def _possible_renames(folders, here):
    """Return the folders that may be a renamed one.

    Not those with another purpose, and nothing that lies in the trash.
    """
    bins = tuple(f.path + f.delimiter for f in folders if "\\trash" in f.flags)
    return [
        folder
        for folder in folders
        if folder is not here
        and folder.path.casefold() != "inbox"
        and not folder.flags & OTHER_PURPOSES
        and not folder.path.startswith(bins)
    ][:IDENTITY_LIMIT]


def _create(connection):
    """Make a folder for sent mail, flagged where the server can (RFC 6154 3)."""
    wire = connection.client.wire
    use = ()
    if connection.has_capability("CREATE-SPECIAL-USE"):
        use = ("(USE (\\Sent))",)
    prefix = _namespaces(connection)[0][0]
    with plain_words(imap_failure.FOLDER):
        path = prefix + NEW_NAME
        try:
            wire.run("CREATE", connection.client.quoted_path(path), *use)
        except ServerRefusal:
            below = "" if prefix else _below_inbox(connection)
            try:
                wire.run("CREATE", connection.client.quoted_path(path))
            except ServerRefusal:
                if not below:
                    raise
                # Some take folders below the inbox only, and do not say so.
                path = below
                wire.run("CREATE", connection.client.quoted_path(path))
        # Not subscribed it holds copies all the same, but mail programs may hide it.
        with contextlib.suppress(ServerRefusal):
            wire.run("SUBSCRIBE", connection.client.quoted_path(path))
    found = next((f for f in list_folders(connection) if f.path == path), None)
    return found and dataclasses.replace(found, found=CREATED)


def _below_inbox(connection):
    """Return the path of the new folder below the inbox; empty if there is no such."""
    inbox = next(
        (f for f in list_folders(connection) if f.path.upper() == "INBOX"), None
    )
    if not inbox or not inbox.delimiter:
        return ""
    return inbox.path + inbox.delimiter + NEW_NAME
