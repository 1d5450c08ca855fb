"""Where a queue is at home: what tells a database from its copies."""

import contextlib
import ipaddress
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

FOLDER = "user_email_alias"
MACHINE_ID = Path("/etc/machine-id")  # machine-id(5): of one installation, for good

# A server that is reached from the machine it runs on: by a socket, or by loopback.
LOCAL = "machine:"
MAX_HOSTS = 16  # places of one server that are kept: its networks, its standbys


@dataclass(frozen=True)
class Home:
    """What is known of a database, and of the server it is on.

    The first fields tell copies that PostgreSQL has made or read in. A copy of the
    whole cluster has them all in common; what is left are the places: of the cluster's
    files, and of the server.

    :param uuid: Odoo's own; a new one after Odoo's Duplicate
    :param database: PostgreSQL's number of it; another one after ``createdb -T``, the
        same after it was renamed
    :param table: the number of a table of it; another one after dump and restore
    :param system: the cluster's identifier, None if we may not read it
    :param version: PostgreSQL's major version
    :param token: lies in the data directory of the server as well
    :param directory: of the cluster's files; empty if we may not read it
    :param port: of the cluster
    :param socket: folder of its socket, where that is the way to it
    :param hosts: addresses of the server; ``machine:...`` where it runs beside us
    """

    uuid: str = ""
    database: str = ""
    table: str = ""
    system: str | None = None
    version: int = 0
    token: str = ""
    directory: str = ""
    port: str = ""
    socket: str = ""
    hosts: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text):
        """Read what :meth:`to_json` wrote; None if it is nothing of the kind."""
        try:
            values = json.loads(text or "null")
            known = {field.name for field in fields(cls)}
            found = {key: values[key] for key in known & values.keys()}
            return cls(**{**found, "hosts": tuple(found.get("hosts", ()))})
        except (AttributeError, TypeError, ValueError):
            return None

    def to_json(self):
        return json.dumps(asdict(self), sort_keys=True)

    def at(self, port, address, directory, way):
        """Return this home with its places.

        :param address: the server's end of our connection, None for a socket
        :param directory: of the cluster's files, None if we may not read it
        :param way: what we connect to: a name, or the folder of a socket
        """
        is_socket = not address and (way or "").startswith("/")
        return replace(
            self,
            directory=directory or "",
            port=port,
            socket=os.path.realpath(way) if is_socket else "",
            hosts=(name_host(address),),
        )

    def is_same(self, now, has_token):
        """Whether ``now`` is this very database and not a copy of it.

        PostgreSQL's next major version makes a new cluster of the old one, and a
        standby takes the place of its primary; the server in front of it stays, with
        its data directory.

        :param has_token: called to know whether our token lies in this server's data
            directory
        """
        if self.uuid != now.uuid:
            return False
        if (self.database, self.table) == (now.database, now.table) and (
            not self.system or not now.system or self.system == now.system
        ):
            return self._is_same_cluster(now, has_token)
        return now.version > self.version > 0 and has_token()

    def _is_same_cluster(self, now, has_token):
        """Whether ``now`` is in this very cluster and not in a copy of its files."""
        if self._is_elsewhere(now):
            # another machine: a standby, unless the machine came along with its cluster
            return not now.is_local and has_token()
        return all(
            not mine or not theirs or mine == theirs
            for mine, theirs in (
                (self.directory, now.directory),
                (self.port, now.port),
                (self.socket, now.socket),
            )
        )

    def _is_elsewhere(self, now):
        """Whether the server is on another machine, as far as that can be told.

        Whoever runs beside it does not know its address, and the reverse.
        """
        told = [host for host in now.hosts if host != LOCAL]
        comparable = [
            host
            for host in self.hosts
            if host.startswith(LOCAL) == now.is_local and host != LOCAL
        ]
        return bool(told and comparable and not set(told) & set(comparable))

    @property
    def is_local(self):
        return any(host.startswith(LOCAL) for host in self.hosts)

    def knows(self, now):
        """Whether all that is known of ``now``, which is the same, is kept here."""
        return self.merged(now) == self

    def merged(self, now):
        """Return this home with what is new in ``now``, and the hosts of both."""
        hosts = (*(host for host in self.hosts if host not in now.hosts), *now.hosts)
        return replace(
            now,
            token=self.token,
            system=now.system or self.system,
            directory=now.directory or self.directory,
            port=now.port or self.port,
            socket=now.socket or self.socket,
            hosts=self.hosts if set(now.hosts) <= {*self.hosts} else hosts[-MAX_HOSTS:],
        )


def name_host(address):
    """Return how a server is named: by its address, or by the machine if it is ours.

    :param address: the server's end of our connection, None for a socket
    """
    with contextlib.suppress(ValueError):
        ip = ipaddress.ip_address((address or "").partition("/")[0])
        if not ip.is_loopback:
            return str(ip)
    with contextlib.suppress(OSError):
        return LOCAL + MACHINE_ID.read_text(encoding="ascii", errors="replace").strip()
    return LOCAL


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
