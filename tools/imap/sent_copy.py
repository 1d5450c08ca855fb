"""A copy of a sent mail on its way to a folder: what of it a server may not take."""

import contextlib
import datetime
import re

from ..header.text import UnwritableHeader, fold, write_text
from ..header.writer import ID_HEADERS, write_header
from . import failure as imap_failure
from .failure import ImapFailure
from .sent_index import MONTHS, header_ids, normal_id

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_NEXT_FIELD = re.compile(r"\r\n(?![ \t])")


class SentCopy:
    """A message and its result.

    :param bytes message: as it was sent; only line ends that are not CRLF, which no
        mail may have (RFC 5322 2.3), are made so
    :param str message_id: as in its header
    :param sent_at: datetime (UTC if naive) or seconds since the epoch
    """

    def __init__(self, message, message_id, sent_at):
        self.message = _with_crlf(message)
        self.sent_at = utc(sent_at)
        header = self._split()[0]
        # Both, should they differ: a search finds what is in the header.
        self.names = header_ids(header) | ({normal_id(message_id or "")} - {""})
        self.has_id = bool(header_ids(header))
        self.has_nul = b"\0" in self.message
        self.has_raw_header = not header.isascii()
        self.result = None

    @property
    def is_plain(self):
        """Whether every server takes it as it is."""
        return not self.has_nul and not self.has_raw_header

    @property
    def dated(self):
        """What APPEND sends: INTERNALDATE in quotes, and the octets."""
        return internal_date(self.sent_at), self.message

    def encode_header(self):
        """Make the header ASCII, for a server that knows nothing else.

        What is read stays as it is (RFC 2047), but for message ids, in which nothing
        may be encoded and by which copies are known.
        """
        header, end, body = self._split()
        text = header.decode("utf-8", "replace")
        fields = [_encoded(field) for field in _NEXT_FIELD.split(text)]
        self.message = "\r\n".join(fields).encode() + end + body

    def objection(self, limit, takes_nul):
        """Return the failure of a message that needs not be tried, or None.

        :param int limit: octets the server takes, 0 if not told
        :param bool takes_nul: whether the server takes octets of any kind
        """
        if not self.has_id:
            return _final(
                "The mail has no Message-ID: its copy could not be told from others."
            )
        if limit and len(self.message) > limit:
            return _final(
                "The mail is larger than the IMAP server takes.",
                f"APPENDLIMIT={limit}",
            )
        if self.has_nul and not takes_nul:
            return _final(
                "The mail holds a NUL character, which this IMAP server cannot store."
            )
        return None

    def _split(self):
        return self.message.partition(b"\r\n\r\n")


def _final(sentence, reply=""):
    return ImapFailure(imap_failure.REFUSED, sentence, reply, retryable=False)


def _with_crlf(message):
    crlf = message.count(b"\r\n")
    if message.count(b"\n") == crlf == message.count(b"\r"):
        return message
    return _BARE_LINE_END.sub(b"\r\n", message)


def _encoded(field):
    """Return a header field, folds included, without raw letters."""
    name, _colon, value = field.partition(":")
    if field.isascii() or name.lower() in ID_HEADERS:
        return field
    with contextlib.suppress(UnwritableHeader):
        lines = write_header(name, value.strip())
        if not lines.isascii():
            # An address with such letters has no other form: it stays readable.
            lines = fold(name, write_text(name, value.replace("\r\n", "").strip()))
        return lines.decode("ascii").removesuffix("\r\n")
    return field


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
