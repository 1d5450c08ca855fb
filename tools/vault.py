"""The only code that turns a secret into cipher text and back.

A token reads ``v1:<key id>:<Fernet token>``. The key id tells which key is needed;
the plain text starts with a hash of the row it belongs to, so that cipher text which
was copied to another row does not decrypt there.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken

OPTION_KEYS = "user_email_alias_keys"  # of odoo.conf: where the errors send people

_VERSION = "v1"
_BINDING_SIZE = 32  # bytes of SHA-256
_TOKEN = re.compile(r"v1:([0-9a-f]{12}):([A-Za-z0-9_=-]+)", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=", re.ASCII)


class VaultError(Exception):
    """A secret that cannot be read; the text says what to do and holds no secret."""

    hold = "vault"


class KeyMissing(VaultError):
    """There is no usable key at all."""


class WrongKey(VaultError):
    """There are keys, but not the one this secret was encrypted with."""


class WrongRow(VaultError):
    """The cipher text was changed, or belongs to another row."""


class Binding(NamedTuple):
    """The one place where a cipher text is valid, and where its secret may go."""

    database: str
    model: str
    record_id: int
    field: str
    target: str = ""

    def digest(self) -> bytes:
        parts = [self.database, self.model, int(self.record_id), self.field]
        parts.append(self.target)
        return hashlib.sha256(json.dumps(parts).encode()).digest()


class Vault:
    """Encrypts with the first key, decrypts with each of them.

    :param keys: Fernet keys (32 bytes in URL-safe base64), the current one first
    :raises KeyMissing: no key, or one that is none
    """

    def __init__(self, keys: Sequence[str | bytes]):
        self._fernets = {}
        for number, key in enumerate(keys, start=1):
            key_id, fernet = _read_key(key, number)
            self._fernets.setdefault(key_id, fernet)
        if not self._fernets:
            raise KeyMissing(
                f"There is no encryption key: set {OPTION_KEYS} in odoo.conf."
            )
        self._current = next(iter(self._fernets))

    def __repr__(self):
        return f"<Vault with keys {', '.join(self._fernets)}>"

    def encrypt(self, secret: str, binding: Binding) -> str:
        """Return the token of a secret, valid for this binding only."""
        plain = binding.digest() + secret.encode("utf-8", "surrogatepass")
        token = self._fernets[self._current].encrypt(plain).decode("ascii")
        return f"{_VERSION}:{self._current}:{token}"

    def decrypt(self, token: str, binding: Binding) -> str:
        """Return the secret in clear: use it at once, keep it nowhere.

        :raises WrongKey: the key of this token is not among ours
        :raises WrongRow: the token was changed, or moved here from another row
        """
        key_id, fernet_token = _split_token(token)
        if key_id not in self._fernets:
            raise WrongKey(
                f"The stored secret was encrypted with the key {key_id}, which is not"
                f" configured any more: add that key to {OPTION_KEYS} in odoo.conf,"
                " or enter the secret again."
            )
        try:
            plain = self._fernets[key_id].decrypt(fernet_token.encode("ascii"))
        except InvalidToken:
            raise _wrong_row() from None
        if not hmac.compare_digest(plain[:_BINDING_SIZE], binding.digest()):
            raise _wrong_row()
        return plain[_BINDING_SIZE:].decode("utf-8", "surrogatepass")

    def rotate(self, token: str, binding: Binding) -> str:
        """Return the same secret encrypted anew with the first key.

        :raises WrongKey, WrongRow: as `decrypt`
        """
        return self.encrypt(self.decrypt(token, binding), binding)

    def is_current(self, token: str) -> bool:
        """Tell whether the token was made with the key that encrypts now."""
        try:
            return _split_token(token)[0] == self._current
        except WrongRow:
            return False

    @property
    def key_ids(self) -> list[str]:
        """The ids of our keys, the one that encrypts first; an id opens nothing."""
        return list(self._fernets)


def _wrong_row():
    return WrongRow(
        "The stored secret was changed or does not belong to this record:"
        " enter it again."
    )


def _split_token(token):
    """Return key id and Fernet token of the one canonical spelling of a token.

    Base64 decoding overlooks the unused low bits of the last character: without the
    comparison a changed token could still be accepted.
    """
    match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
    if not match:
        raise _wrong_row()
    try:
        raw = base64.urlsafe_b64decode(match[2])
    except (binascii.Error, ValueError):
        raise _wrong_row() from None
    if base64.urlsafe_b64encode(raw).decode("ascii") != match[2]:
        raise _wrong_row()
    return match[1], match[2]


def _read_key(key, number):
    """Return the id of a key and its Fernet; the error never shows the key."""
    text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
    # Stricter than Fernet, whose base64 decoder overlooks what is not base64.
    if not _KEY.fullmatch(text.strip()):
        raise KeyMissing(
            f"Encryption key number {number} is not a valid key:"
            " it must be 32 bytes in URL-safe base64 (44 characters)."
        )
    raw = base64.urlsafe_b64decode(text.strip())
    digest = hashlib.sha256(b"user_email_alias key id:" + raw)
    return digest.hexdigest()[:12], Fernet(text.strip())


def generate_key() -> str:
    """Return a new random key."""
    return Fernet.generate_key().decode("ascii")
