"""Attachments, encoded once for all the messages that carry them."""

import hashlib
from collections import OrderedDict
from email.message import EmailMessage

from .header.parameters import read_parameters, write_parameters
from .header.text import clean, unfold
from .parts import FILE, fit_as_is, get_type, read_type, to_base64

SHARED_BYTES = 32_000_000  # of what is kept for each lane, as text and as bytes


class SharedParts:
    """Keeps what was encoded last, as much as fits."""

    def __init__(self, max_bytes: int = SHARED_BYTES):
        self.max_bytes = max_bytes
        self.size = 0
        # (digest, media type asked for) -> (media type, encoding, payload)
        self._kept = OrderedDict()
        # payload -> the same as bytes, which all messages share
        self._bytes = {}

    def get_bytes(self, payload: str) -> bytes | None:
        """Return a payload as it is written if it is one of ours, else None."""
        return self._bytes.get(payload)

    def get_own_size(self, pieces: list[bytes]) -> int:
        """Return how many bytes of a message no other one shares."""
        shared = {id(data) for data in self._bytes.values()}
        return sum(len(piece) for piece in pieces if id(piece) not in shared)

    def attach(
        self, message: EmailMessage, filename: str, content: bytes, mimetype: str | None
    ) -> None:
        """Add a file, as ``EmailMessage.add_attachment`` would.

        A forwarded message stays one where its bytes allow that, else it is a file.
        The parameters of the type stay: without its method an invitation is none.
        """
        word, parameters = read_parameters(mimetype or "")
        asked = read_type(word)
        kind, encoding, payload = self._get_encoded(content, asked)
        part = EmailMessage(policy=message.policy)
        parameters = parameters if kind == asked != FILE else {}
        lines = write_parameters("Content-Type", kind, parameters)
        part["Content-Type"] = unfold(lines)
        part["Content-Transfer-Encoding"] = encoding
        named = {"filename": clean(filename or "")}
        lines = write_parameters("Content-Disposition", "attachment", named)
        part["Content-Disposition"] = unfold(lines)
        part.set_payload(payload)
        if get_type(message)[0] != "multipart/mixed":
            message.make_mixed()
        message.attach(part)

    def _get_encoded(self, content, kind):
        """Return (media type, encoding, payload) of a file's content."""
        key = (hashlib.sha256(content).digest(), kind)
        found = self._kept.get(key)
        if found:
            self._kept.move_to_end(key)
            return found
        found = _encode(content, kind)
        payload = found[2]
        if 2 * len(payload) <= self.max_bytes and payload not in self._bytes:
            self._kept[key] = found
            self._bytes[payload] = payload.encode("ascii")
            self.size += 2 * len(payload)
        while self.size > self.max_bytes:
            _, (_, _, payload) = self._kept.popitem(last=False)
            del self._bytes[payload]
            self.size -= 2 * len(payload)
        return found


def _encode(content, kind):
    """A message may only go unencoded, and a file is never a multipart."""
    if kind.startswith("message/"):
        fitting = fit_as_is(content)
        if fitting is not None:
            return kind, "7bit", fitting.decode("ascii")
    if kind.startswith(("message/", "multipart/")):
        kind = FILE
    return kind, "base64", to_base64(content)
