"""A private Dovecot on loopback ports, from the Debian packages of the machine.

Nothing of the machine's own configuration, users or processes is used or touched.
"""

import contextlib
import grp
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .dovecot_config import configuration

START_TIMEOUT = 60  # seconds
STOP_TIMEOUT = 10  # seconds


def find_program():
    """Return (path, version) of Dovecot's master program, or None.

    Needs the packages ``dovecot-core`` and ``dovecot-imapd``.
    """
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not program or not pathlib.Path("/usr/lib/dovecot/imap").exists():
        return None
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout
    version = re.match(r"(\d+)\.(\d+)", said)
    return (program, tuple(map(int, version.groups()))) if version else None


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Dovecot:
    """A running server; a context manager.

    :param trustme.CA ca: signs the certificate for ``localhost``
    :param dict users: password by user name
    :param dict special_use: flag by folder name, e.g. ``{"Sent": r"\\Sent"}``; the
        folders are made at the first login
    :param str prefix: of the namespace, e.g. ``INBOX.``
    :param str separator: of the folder levels
    :param int quota_kb: size of each mailbox, None for no limit
    :param str capability: the capabilities to announce after login, instead of all
    :param str storage: ``maildir``, or ``sdbox``, whose locks die with a process
    """

    def __init__(self, ca, users, **options):
        found = find_program()
        if not found:
            raise FileNotFoundError("dovecot-imapd is not installed")
        self.program, self.version = found
        self.users = users
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.port = free_port()
        self.tls_port = free_port()
        self.process = None
        self._write_files(ca, options)

    def _write_files(self, ca, options):
        certificate = ca.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(str(self.directory / "key.pem"))
        for number, pem in enumerate(certificate.cert_chain_pems):
            pem.write_to_path(str(self.directory / "cert.pem"), append=number > 0)
        lines = [f"{user}:{{PLAIN}}{word}\n" for user, word in self.users.items()]
        (self.directory / "passwd").write_text("".join(lines))
        (self.directory / "mail").mkdir()
        owner = self._owner()
        if os.geteuid() == 0:
            # The mail processes and the log-in processes are no root.
            self.directory.chmod(0o755)
            shutil.chown(self.directory / "mail", *owner)
        text = configuration(
            self.version,
            directory=self.directory,
            port=self.port,
            tls_port=self.tls_port,
            owner=owner,
            is_root=os.geteuid() == 0,
            **options,
        )
        (self.directory / "dovecot.conf").write_text(text)

    def _owner(self):
        """Return (user, group) that the mail belongs to."""
        if os.geteuid() == 0:
            return "nobody", "nogroup"
        return pwd.getpwuid(os.getuid())[0], grp.getgrgid(os.getgid())[0]

    def start(self):
        """Start and wait until it greets.

        A port may be taken for a moment, by a child of a killed predecessor or by
        somebody's outgoing connection: then Dovecot gives up and is started again.
        """
        deadline = time.monotonic() + START_TIMEOUT
        self._launch()
        while not self._is_greeting():
            if time.monotonic() > deadline:
                words = self.log()
                self.stop()
                raise RuntimeError(f"Dovecot does not start: {words[-2000:]}")
            time.sleep(0.02)
            if self.process.poll() is not None:
                self._launch()

    def _launch(self):
        with open(self.directory / "stderr", "ab") as stderr:
            self.process = subprocess.Popen(
                [self.program, "-F", "-c", str(self.directory / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )

    def _is_greeting(self):
        with contextlib.suppress(OSError):
            address = ("127.0.0.1", self.port)
            with socket.create_connection(address, timeout=1) as sock:
                return sock.recv(4) == b"* OK"
        return False

    def log(self):
        """Return what Dovecot has written to its log and to stderr."""
        paths = [self.directory / "stderr", self.directory / "log"]
        return "".join(p.read_text(errors="replace") for p in paths if p.exists())

    def kill(self):
        """End all its processes at once, in the middle of whatever they do.

        Who is killed while a transaction log is made or rotated leaves a lock behind
        that names no process. Dovecot respects it for 180 s without a change
        (MAIL_TRANSACTION_LOG_LOCK_CHANGE_TIMEOUT): here that time has passed at once.
        """
        self._end(signal.SIGKILL)
        for lock in (self.directory / "mail").rglob("*.newlock"):
            lock.unlink()

    def leave_lock(self, user):
        """Lock a user's list of folders as a killed process does."""
        folder = self.directory / "mail" / user / "sdbox"
        folder.mkdir(parents=True)
        lock = folder / "dovecot.list.index.log.newlock"
        lock.touch()
        if os.geteuid() == 0:
            for path in (folder.parent, folder, lock):
                shutil.chown(path, *self._owner())
        return lock

    def stop(self):
        self._end(signal.SIGTERM)

    def _end(self, signum):
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # Its children are in the session that start() has made for it.
            os.killpg(self.process.pid, signum)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc_info):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
