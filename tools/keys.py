"""Where the vault's keys come from: the environment, ``odoo.conf``, our own file."""

import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from .vault import OPTION_KEYS, KeyMissing, Vault, generate_key

ENVIRONMENT_KEYS = "USER_EMAIL_ALIAS_KEYS"
KEY_FILE = "user_email_alias.key"
MAX_KEY_FILE_SIZE = 16384  # bytes: some 350 keys

_PRIVATE_MODES = (0o600, 0o400)


def load_keys(
    option: str | None, environ: Mapping[str, str], data_dir: str | os.PathLike
) -> list[str]:
    """Return the configured keys, the one that encrypts first.

    The first source that names a key wins: the environment, then ``odoo.conf``, then
    a file in the data directory that is made once.

    :param option: value of ``user_email_alias_keys``, keys separated by commas
    :param environ: where ``USER_EMAIL_ALIAS_KEYS`` may stand, in the same form
    :raises KeyMissing: the file cannot be made or read, or is not private
    """
    for source in (environ.get(ENVIRONMENT_KEYS), option):
        keys = _split_keys(source or "")
        if keys:
            return keys
    path = Path(data_dir) / KEY_FILE
    try:
        return _read_key_file(path)
    except FileNotFoundError:
        _make_key_file(path)
    try:
        return _read_key_file(path)
    except FileNotFoundError:
        raise _unusable(path, "it disappeared while it was read") from None


def _split_keys(text):
    return re.split(r"[\s,]+", text.strip(" \t\r\n,")) if text.strip(" \t\r\n,") else []


def _unusable(path, why):
    return KeyMissing(
        f"The key file {path} cannot be used: {why}. Restore it from a backup,"
        f" or set {OPTION_KEYS} in odoo.conf."
    )


def _read_key_file(path):
    """Return the keys of the file.

    :raises FileNotFoundError: there is no such file
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be opened") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "it is not a plain file")
        mode = stat.S_IMODE(status.st_mode)
        if mode not in _PRIVATE_MODES:
            raise _unusable(path, f"its permissions are {mode:04o} instead of 0600")
        data = os.read(handle, MAX_KEY_FILE_SIZE)
    finally:
        os.close(handle)
    try:
        keys = _split_keys(data.decode("ascii"))
        Vault(keys)
    except (UnicodeDecodeError, KeyMissing):
        raise _unusable(path, "it holds no valid key") from None
    return keys


def _make_key_file(path):
    """Make the file complete or not at all; another process may be the first.

    The key is written and synced under a name of its own and then linked to its
    place, which fails if the place is taken: nobody ever reads half a key.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.fchmod(handle, 0o600)
            os.write(handle, generate_key().encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            os.unlink(draft)
        _sync_directory(path.parent)
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be made") from None


def _sync_directory(directory):
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
