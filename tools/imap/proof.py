"""Prove that a folder takes copies, and leave nothing behind."""

import contextlib
import imaplib
import time

from . import failure as imap_failure
from .failure import ImapFailure, ServerRefusal, plain_words
from .sent_box import appended_uids
from .sent_copy import internal_date, utc
from .sent_index import fetch_ids
from .wire import quoted

MESSAGE_ID = "<connection-test@user-email-alias.invalid>"
MESSAGE = (
    "From: Odoo <connection-test@user-email-alias.invalid>\r\n"
    "Subject: Connection test, to be deleted\r\n"
    f"Message-ID: {MESSAGE_ID}\r\n"
    "\r\n"
    "Odoo tried whether copies of sent mail can be stored here.\r\n"
).encode()
LEFTOVERS = 100  # messages of interrupted tests that are removed as well


def prove_filing(connection, folder):
    """Store a message in the folder and remove it.

    It is marked as deleted from the start. Only UID EXPUNGE (RFC 4315 2.1) removes one
    message and no other; where the server or the user's rights do not allow that,
    nothing is stored, and what the server tells about the folder has to do.

    :param ImapConnection connection: signed in
    :param Folder folder: as found by ``sent_folder``
    :return: whether the folder is as it was before
    :raise ImapFailure: no copy would be taken, and why
    """
    client = connection.client
    with plain_words(imap_failure.FOLDER):
        rights = _get_rights(connection, folder)
        if rights and "i" not in rights:
            raise _closed("You may not store mail in the folder for sent mail.")
        try:
            client.select_folder(folder.path)
        except imaplib.IMAP4.readonly:
            if not rights:
                raise _closed("The folder for sent mail is read-only.") from None
            return True
        may_remove = not rights or {"t", "e"} <= rights or "d" in rights
        if not may_remove or not connection.has_capability("UIDPLUS"):
            _check_quota(connection, folder)
            return True
    with plain_words(imap_failure.REFUSED):
        dated = internal_date(utc(time.time())), MESSAGE
        told = client.append_messages(folder.path, [dated], rb"\Seen \Deleted")
    with plain_words(imap_failure.FOLDER):
        # Courier shows the new message to nobody who had opened the folder before.
        client.select_folder(folder.path)
        return _remove(client, appended_uids(told, 1)[0])


def _closed(sentence):
    sentence = f"{sentence} Choose another folder."
    return ImapFailure(imap_failure.FOLDER, sentence, retryable=True)


def _get_rights(connection, folder):
    """Return the letters of the user's rights (RFC 4314 2.1), none if not told."""
    if not connection.has_capability("ACL"):
        return set()
    wire = connection.client.wire
    with contextlib.suppress(ServerRefusal):
        wire.run("MYRIGHTS", connection.client.quoted_path(folder.path))
    told = wire.take_untagged("MYRIGHTS")
    return set(told[-1].decode("ascii").split()[-1]) if told else set()


def _check_quota(connection, folder):
    """Raise if the mailbox is full and the server says so (RFC 9208)."""
    if not connection.has_capability("QUOTA"):
        return
    client, is_full = connection.client, False
    # Nonsense about room is no reason: the reply has been read to its end.
    with contextlib.suppress(ServerRefusal, *imap_failure.NONSENSE):
        _root, quotas = client.get_quota_root(client.quoted_path(folder.path))
        # Many servers say 0 for no limit.
        is_full = any(0 < quota.limit <= quota.usage for quota in quotas)
    if is_full:
        raise ImapFailure(imap_failure.QUOTA, retryable=True)


def _remove(client, uid):
    """Expunge our message, and what an interrupted test has left in the open folder.

    :param uid: of the message, None if the server did not tell
    :return: whether it is gone
    """
    candidates = {uid, *_search(client)} - {None}
    there = _mine(client, sorted(candidates))
    if not there:
        return False
    with contextlib.suppress(ServerRefusal):
        client.uid_expunge(there)
    if left := _mine(client, there):
        # Some servers store no flag that comes with the message.
        with contextlib.suppress(ServerRefusal):
            client.add_flags(left, [rb"\Deleted"], silent=True)
            client.uid_expunge(left)
        left = _mine(client, left)
    return not left


def _search(client):
    with contextlib.suppress(ServerRefusal):
        client.wire.run("UID", "SEARCH", "HEADER", "MESSAGE-ID", quoted(MESSAGE_ID))
    numbers = b" ".join(client.wire.take_untagged("SEARCH")).split()
    return [int(number) for number in numbers if number.isdigit()][:LEFTOVERS]


def _mine(client, uids):
    """Return those of the messages that are there and ours, whatever was told."""
    if not uids:
        return []
    told = fetch_ids(client.wire, ",".join(map(str, uids)))
    return [uid for uid, names in told.items() if MESSAGE_ID in names]
