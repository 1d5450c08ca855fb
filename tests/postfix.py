"""A private Postfix on loopback ports that asks a private Dovecot for logins.

From the Debian packages of the machine; nothing of its own configuration, queues or
processes is used. No mail leaves it: what is for other domains is discarded.
"""

import contextlib
import email
import email.policy
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .dovecot import Dovecot, free_port

START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 10.0  # seconds
DELIVERY_TIMEOUT = 60.0  # seconds

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin"
SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
SETTINGS = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
alternate_config_directories = {directory}
myhostname = localhost
mydestination =
local_transport = error:no local users
default_transport = discard:
relay_transport = discard:
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
alias_database =
biff = no
message_size_limit = {size_limit}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = example.org
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_cert_file = {directory}/cert.pem
smtpd_tls_key_file = {directory}/key.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl_socket}
smtpd_sender_login_maps = inline:{{ {senders} }}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_sender_login_mismatch, permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
"""  # noqa: E501


class SaslDovecot(Dovecot):
    """A Dovecot with a socket for Postfix's questions."""

    def _write_files(self, ca, options):
        super()._write_files(ca, options)
        self.sasl_socket = self.directory / "sasl"
        with open(self.directory / "dovecot.conf", "a") as file:
            file.write(
                "auth_mechanisms = plain login\nservice auth {\n"
                f"  unix_listener {self.sasl_socket} {{\n    mode = 0666\n  }}\n}}\n"
            )


def missing():
    """Return why no private Postfix can be started here, empty if one can."""
    if os.geteuid() != 0:
        return "Postfix must be started by root"
    for program in ("postfix", "dovecot"):
        if not shutil.which(program, path=PATH):
            return f"{program} is not installed"
    return ""


class Postfix:
    """A running server; a context manager.

    :param ca: signs the certificate for ``localhost``
    :param users: password by user name
    :param senders: user name by sender address that this user may use
    :param mailboxes: addresses at example.org that exist
    """

    def __init__(self, ca, users, senders, mailboxes, size_limit=10_000_000):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postfix-"))
        self.port, self.tls_port = free_port(), free_port()
        self.dovecot = SaslDovecot(ca, users)
        owner = pwd.getpwnam("nobody")
        self.directory.chmod(0o755)
        for name, user in (("queue", "root"), ("data", "postfix"), ("mail", "nobody")):
            (self.directory / name).mkdir()
            shutil.chown(self.directory / name, user)
        certificate = ca.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(self.directory / "key.pem")
        (self.directory / "key.pem").chmod(0o600)
        for number, pem in enumerate(certificate.cert_chain_pems):
            pem.write_to_path(self.directory / "cert.pem", append=number > 0)
        values = {
            "directory": self.directory,
            "sasl_socket": self.dovecot.sasl_socket,
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
            "size_limit": size_limit,
            "mailboxes": ", ".join(f"{{ {name} = {name}/ }}" for name in mailboxes),
            "senders": ", ".join(
                f"{{ {sender} = {user} }}" for sender, user in senders.items()
            ),
        }
        (self.directory / "main.cf").write_text(SETTINGS.format(**values))
        (self.directory / "master.cf").write_text(
            SERVICES.format(port=self.port, tls_port=self.tls_port)
        )

    def _command(self, name):
        program = shutil.which("postfix", path=PATH)
        return subprocess.run(
            [program, "-c", str(self.directory), name],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": PATH},
        )

    def __enter__(self):
        try:
            self.dovecot.start()
            said = self._command("start")
            if said.returncode:
                raise RuntimeError(f"Postfix does not start: {said.stderr}{self.log()}")
            self._wait(self._is_greeting, START_TIMEOUT, "a greeting")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """End the master process by its id; it takes its children along."""
        with contextlib.suppress(OSError, ValueError):
            path = self.directory / "queue" / "pid" / "master.pid"
            master = int(path.read_text())
            os.kill(master, signal.SIGTERM)
            deadline = time.monotonic() + STOP_TIMEOUT
            while time.monotonic() < deadline:
                os.kill(master, 0)
                time.sleep(0.02)
            os.kill(master, signal.SIGKILL)
        self.dovecot.__exit__()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _is_greeting(self):
        with contextlib.suppress(OSError):
            address = ("127.0.0.1", self.port)
            with socket.create_connection(address, timeout=5) as link:
                return link.recv(3) == b"220"
        return False

    def _wait(self, condition, timeout, what):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"No {what} from Postfix: {self.log()[-2000:]}")
            time.sleep(0.02)

    def log(self):
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def mails(self, mailbox, count):
        """Return the messages in a mailbox as soon as there are so many."""
        folder = self.directory / "mail" / mailbox / "new"
        self._wait(
            lambda: folder.is_dir() and len(list(folder.iterdir())) >= count,
            DELIVERY_TIMEOUT,
            f"{count} mails for {mailbox}",
        )
        paths = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in paths
        ]
