"""File copies of sent mail in a folder, each exactly once."""

import dataclasses
import datetime
import re

from . import failure as imap_failure
from .failure import ImapFailure, plain_words
from .sent_index import MONTHS, SentIndex, header_ids, normal_id

BATCH_MESSAGES = 50  # in one APPEND
BATCH_OCTETS = 4_000_000
_APPENDUID = re.compile(rb"\[APPENDUID (\d{1,10}) ([\d:,]{1,2000})\]", re.IGNORECASE)
FULL = 3  # copies refused for quota in a row until the rest is not tried
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")


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

    :param ImapConnection connection: signed in
    :param Folder folder: as found by ``sent_folder``
    """

    def __init__(self, connection, folder):
        self._connection = connection
        self._wire = connection.client.wire
        self._path = folder.path
        self._index = SentIndex(self._wire, folder.path)
        self._full = 0

    def file(self, message, message_id, sent_at):
        """File one copy and return its Filed.

        :param bytes message: as it was sent; only line ends that are not CRLF, which
            no mail may have (RFC 5322 2.3), are made so
        :param str message_id: as in its header
        :param sent_at: datetime (UTC if naive) or seconds since the epoch
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
        copies = [Copy(*copy) for copy in copies]
        fatal = None
        for batch in _batches(copies):
            try:
                if not fatal:
                    self._file_batch(batch)
            except ImapFailure as failure:
                fatal = failure
            for copy in batch:
                copy.result = copy.result or fatal
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
        together = together and self._connection.has_capability("MULTIAPPEND")
        if together and len(new) > 1:
            try:
                self._append(new)
            except ImapFailure as failure:
                if failure.is_fatal:
                    raise
                # All or nothing (RFC 3502 6.3.11): one message may be to blame.
                self._file_batch(new, together=False)
            return
        for copy in new:
            try:
                self._append([copy])
            except ImapFailure as failure:
                if failure.is_fatal or self._is_full(failure):
                    raise
                copy.result = failure

    def _unfiled(self, batch):
        """Mark the copies that are in the folder and return the others.

        A message that is twice in the batch is returned once and marked once.
        """
        limit = self._size_limit()
        with plain_words(imap_failure.FOLDER):
            there = self._index.find(
                {name for copy in batch for name in copy.names},
                min(copy.sent_at.date() for copy in batch),
            )
        new = []
        for copy in batch:
            copy.result = copy.objection(limit)
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
        try:
            with plain_words(imap_failure.REFUSED):
                text = self._wire.append_messages(
                    self._path,
                    [(internal_date(copy.sent_at), copy.message) for copy in copies],
                    literal_plus=self._connection.has_capability("LITERAL+"),
                )
        except ImapFailure as failure:
            failure.unsure = failure.kind == imap_failure.LOST
            raise
        self._full = 0
        for copy, uid in zip(copies, _appended_uids(text, len(copies)), strict=True):
            self._index.add(copy.names, uid)
            copy.result = Filed(uid, already=False)

    def _is_full(self, failure):
        """Tell whether the mailbox has proved to be full, not just for one mail."""
        self._full += failure.kind == imap_failure.QUOTA
        return failure.kind == imap_failure.QUOTA and self._full >= FULL

    def _size_limit(self):
        """Return the octets a message may have (RFC 7889), 0 if not told."""
        with plain_words(imap_failure.LOST):
            for name in self._connection.client.capabilities():
                limit = re.fullmatch(rb"APPENDLIMIT=(\d{1,15})", name)
                if limit:
                    return int(limit.group(1))
        return 0


class Copy:
    """A message on its way to the folder; parameters as for ``SentBox.file``."""

    def __init__(self, message, message_id, sent_at):
        self.message = _with_crlf(message)
        self.sent_at = utc(sent_at)
        header = self.message.partition(b"\r\n\r\n")[0]
        # Both, should they differ: a search finds what is in the header.
        self.names = header_ids(header) | ({normal_id(message_id or "")} - {""})
        self.has_id = bool(header_ids(header))
        self.result = None

    def objection(self, limit):
        """Return the failure of a message that needs not be tried, or None."""
        if not self.has_id:
            return ImapFailure(
                imap_failure.REFUSED,
                "The mail has no Message-ID: its copy could not be told from others.",
                retryable=False,
            )
        if limit and len(self.message) > limit:
            return ImapFailure(
                imap_failure.REFUSED,
                "The mail is larger than the IMAP server takes.",
                f"APPENDLIMIT={limit}",
                retryable=False,
            )
        return None


def _with_crlf(message):
    crlf = message.count(b"\r\n")
    if message.count(b"\n") == crlf == message.count(b"\r"):
        return message
    return _BARE_LINE_END.sub(b"\r\n", message)


def utc(moment):
    """Return a datetime (UTC if naive) or seconds since the epoch as aware UTC."""
    if not isinstance(moment, datetime.datetime):
        return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=datetime.timezone.utc)
    return moment.astimezone(datetime.timezone.utc)


def internal_date(moment):
    """Return an aware UTC datetime as date-time (RFC 3501 9), whatever the locale."""
    month = MONTHS[moment.month]
    return f'"{moment.day:2}-{month}-{moment:%Y %H:%M:%S} +0000"'.encode()


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


def _appended_uids(text, count):
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
