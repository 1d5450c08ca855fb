"""File copies of sent mail in a folder, each exactly once."""

import dataclasses
import re

from . import failure as imap_failure
from . import wire
from .failure import ImapFailure, plain_words
from .sent_copy import SentCopy, utc
from .sent_index import SentIndex, normal_id

BATCH_MESSAGES = 50  # in one APPEND
BATCH_OCTETS = 1_000_000  # as many as a slow line takes within one run
_APPENDUID = re.compile(rb"\[APPENDUID (\d{1,10}) ([\d:,]{1,2000})\]", re.IGNORECASE)
REFUSALS = 3  # copies refused in a row, not for good, until the rest is not tried


@dataclasses.dataclass(frozen=True)
class Filed:
    """A copy that is in the folder.

    ``uid`` is its UID if the server told it (RFC 4315), ``already`` tells that it was
    there before.
    """

    uid: int | None
    already: bool


class SentBox:
    """One folder for sent mail, over one open connection.

    ``trouble`` is the ImapFailure after which nothing more was tried, or None.

    :param ImapConnection connection: signed in
    :param Folder folder: as found by ``sent_folder``
    """

    def __init__(self, connection, folder):
        self._connection = connection
        self._client = connection.client
        self._path = folder.path
        self._index = SentIndex(self._client, folder.path)
        self._refusals = 0
        self.trouble = None

    def file(self, message, message_id, sent_at):
        """File one copy and return its Filed; parameters as for SentCopy.

        :raise ImapFailure: a ``LOST`` one that is ``unsure`` may have stored the copy;
            the next ``file``, on a new connection, sees it
        """
        (result,) = self.file_many([(message, message_id, sent_at)])
        if isinstance(result, ImapFailure):
            raise result
        return result

    def file_many(self, copies):
        """File copies in large steps.

        Nothing is raised: once the connection is lost, that is the result of all
        copies that were not filed.

        :param copies: iterable of the parameters of ``file``
        :return: list of Filed or ImapFailure, in the same order
        """
        copies = [SentCopy(*copy) for copy in copies]
        for batch in _batches(copies):
            try:
                if not self.trouble:
                    self._file_batch(batch)
            except ImapFailure as failure:
                self.trouble = failure
            for copy in batch:
                copy.result = copy.result or self.trouble
        return [copy.result for copy in copies]

    def contains(self, message_id, sent_at=None):
        """Tell whether a message is in the folder.

        :param sent_at: about when it was sent; None looks through the whole folder
        """
        wanted = {normal_id(message_id)} - {""}
        day = None if sent_at is None else utc(sent_at).date()
        with plain_words(imap_failure.FOLDER):
            return bool(wanted and self._index.find(wanted, day))

    def _file_batch(self, batch, together=True):
        """Give each copy of a batch its result.

        :raise ImapFailure: what concerns all the rest as well
        """
        new = self._unfiled(batch)
        plain = [copy for copy in new if copy.is_plain]
        together = together and self._connection.has_capability("MULTIAPPEND")
        if together and len(plain) > 1:
            try:
                self._append(plain)
            except ImapFailure as failure:
                if failure.is_fatal:
                    raise
                # All or nothing (RFC 3502 6.3.11): one message may be to blame.
                self._file_batch(new, together=False)
                return
            new = [copy for copy in new if not copy.is_plain]
        for copy in new:
            try:
                self._append([copy])
            except ImapFailure as failure:
                if failure.is_fatal or self._is_closed(failure):
                    raise
                copy.result = failure

    def _unfiled(self, batch):
        """Mark the copies that are in the folder and return the others.

        A message that is twice in the batch is returned once and marked once.
        """
        limit = self._size_limit()
        takes_nul = self._connection.has_capability("BINARY")
        with plain_words(imap_failure.FOLDER):
            there = self._index.find(
                {name for copy in batch for name in copy.names},
                min(copy.sent_at.date() for copy in batch),
            )
        new = []
        for copy in batch:
            copy.result = copy.objection(limit, takes_nul)
            if copy.result:
                continue
            found = [there[name] for name in copy.names if name in there]
            if found:
                copy.result = Filed(found[0], already=True)
            else:
                new.append(copy)
                there.update(dict.fromkeys(copy.names))
        return new

    def _append(self, copies):
        """APPEND copies in one command and note their results."""
        form = self._get_form(*copies) if len(copies) == 1 else wire.PLAIN
        try:
            with plain_words(imap_failure.REFUSED):
                text = self._client.append_messages(
                    self._path, [copy.dated for copy in copies], b"\\Seen", form
                )
        except ImapFailure as failure:
            failure.unsure = failure.kind == imap_failure.LOST
            raise
        self._refusals = 0
        uids = appended_uids(text, len(copies))
        for copy, uid in zip(copies, uids, strict=True):
            self._index.add(copy.names, uid)
            copy.result = Filed(uid, already=False)

    def _get_form(self, copy):
        """Return how a copy is written, after making it fit for this server."""
        if copy.has_raw_header:
            with plain_words(imap_failure.LOST):
                if self._client.enable_utf8():
                    return wire.UTF8
            copy.encode_header()
        return wire.BINARY if copy.has_nul else wire.PLAIN

    def _is_closed(self, failure):
        """Tell whether the folder takes nothing at all, not just not one mail."""
        self._refusals += failure.retryable
        return failure.retryable and self._refusals >= REFUSALS

    def _size_limit(self):
        """Return the octets a message may have (RFC 7889), 0 if not told."""
        with plain_words(imap_failure.LOST):
            for name in self._connection.client.capabilities():
                limit = re.fullmatch(rb"APPENDLIMIT=(\d{1,15})", name)
                if limit:
                    return int(limit.group(1))
        return 0


def _batches(copies):
    """Yield lists of at most BATCH_MESSAGES copies and about BATCH_OCTETS octets."""
    batch = []
    octets = 0
    for copy in copies:
        size = len(copy.message)
        if batch and (len(batch) >= BATCH_MESSAGES or octets + size > BATCH_OCTETS):
            yield batch
            batch = []
            octets = 0
        batch.append(copy)
        octets += size
    if batch:
        yield batch


def appended_uids(text, count):
    """Return the UIDs of an APPEND's reply, or as many None (RFC 4315 3)."""
    match = _APPENDUID.search(text)
    uids = []
    for part in match.group(2).decode().split(",") if match else ():
        first, _colon, last = part.partition(":")
        try:
            low, high = sorted((int(first), int(last or first)))
        except ValueError:
            return [None] * count
        if high - low >= count:
            return [None] * count
        uids.extend(range(low, high + 1))
    return uids if len(uids) == count else [None] * count
