"""Where a queue is at home: what tells a database from its copies."""

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FOLDER = "user_email_alias"


@dataclass(frozen=True)
class Home:
    """What is known of a database, and of the server it is on.

    :param uuid: Odoo's own; a new one after Odoo's Duplicate
    :param database: PostgreSQL's number of it; another one after ``createdb -T``, the
        same after it was renamed
    :param table: the number of a table of it; another one after dump and restore
    :param system: the cluster's identifier, None if we may not read it
    :param version: PostgreSQL's major version
    :param token: lies in the data directory of the server as well
    """

    uuid: str = ""
    database: str = ""
    table: str = ""
    system: str | None = None
    version: int = 0
    token: str = ""

    @classmethod
    def from_json(cls, text):
        """Read what :meth:`to_json` wrote; None if it is nothing of the kind."""
        try:
            values = json.loads(text or "null")
            known = {field.name for field in fields(cls)}
            return cls(**{key: values[key] for key in known & values.keys()})
        except (AttributeError, TypeError, ValueError):
            return None

    def to_json(self):
        return json.dumps(asdict(self), sort_keys=True)

    def is_same(self, now, has_token):
        """Whether ``now`` is this very database and not a copy of it.

        PostgreSQL's next major version makes a new cluster of the old one; the server
        in front of it stays, with its data directory.

        :param has_token: called to know whether our token lies in this server's data
            directory
        """
        if self.uuid != now.uuid:
            return False
        if (self.database, self.table) == (now.database, now.table) and (
            not self.system or not now.system or self.system == now.system
        ):
            return True
        return now.version > self.version > 0 and has_token()


def write_token(data_dir):
    """Leave a token in the data directory; return it, or nothing if we may not."""
    token = secrets.token_hex(16)
    path = _get_path(data_dir, token)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        return token
    return ""


def has_token(data_dir, token):
    """Whether the token lies in the data directory."""
    with contextlib.suppress(OSError):
        return token.isalnum() and _get_path(data_dir, token).is_file()
    return False


def _get_path(data_dir, token):
    return Path(os.fspath(data_dir)) / FOLDER / f"home-{token}"
