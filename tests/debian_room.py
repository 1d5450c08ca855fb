"""A Debian package that runs as if it were installed, while nobody else notices.

Two mail servers cannot be installed beside each other, and each wants its own users and
folders. So the unpacked package is laid over the machine's files in a mount namespace;
all that is written there goes to memory and ends with it. Ports are the machine's.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from ..devtools.servers import FOLDER

START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 10.0  # seconds
DELIVERY_TIMEOUT = 60.0  # seconds

# $1 the package, $2 files of the test, $3 the program
_ENTER = """\
set -e
memory="$2/memory"
mkdir "$memory"
mount -t tmpfs tmpfs "$memory"
cd "$memory"
mkdir package above work root
cp -a "$1/." package/
mount -t overlay overlay -o lowerdir=package:/,upperdir=above,workdir=work root
cat "$2/users" >> root/etc/passwd
cat "$2/groups" >> root/etc/group
cp -a "$2/root/." root/
for folder in dev tmp; do mount --rbind "/$folder" "root/$folder"; done
mount -t proc proc root/proc
exec chroot root /bin/sh -c "$3"
"""


def missing(name):
    """Return why this server cannot be started here, empty if it can."""
    if os.geteuid() != 0:
        return "a mount namespace needs root"
    if not (FOLDER / name).is_dir():
        return f"{name} is not unpacked: ./dev servers"
    return ""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Room:
    """One server; a context manager. A subclass writes its files and says its command.

    :param name: of the unpacked package, see ``devtools/servers.py``
    :param users: names of system users to be there; ``uids`` has their numbers
    """

    def __init__(self, name, users=()):
        self.name = name
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.directory.chmod(0o755)
        self.port = free_port()
        self.process = None
        self.uids = {user: 64_100 + number for number, user in enumerate(users)}
        lines = [(user, uid) for user, uid in self.uids.items()]
        (self.directory / "users").write_text(
            "".join(f"{user}:x:{uid}:{uid}::/:/bin/false\n" for user, uid in lines)
        )
        (self.directory / "groups").write_text(
            "".join(f"{user}:x:{uid}:\n" for user, uid in lines)
        )
        (self.directory / "root").mkdir()

    def write(self, path, text, mode=0o644):
        """Lay a file over the machine's."""
        target = self.directory / "root" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def make_folder(self, name, user=None):
        """Return a folder that both sides see, and this user owns."""
        folder = self.directory / name
        folder.mkdir(parents=True, exist_ok=True)
        if user:
            os.chown(folder, self.uids[user], self.uids[user])
        return folder

    def write_certificate(self, ca):
        """Write ``cert.pem`` and ``key.pem`` for localhost; return both paths."""
        certificate = ca.issue_cert("localhost", "127.0.0.1")
        key, chain = self.directory / "key.pem", self.directory / "cert.pem"
        certificate.private_key_pem.write_to_path(key)
        for number, pem in enumerate(certificate.cert_chain_pems):
            pem.write_to_path(chain, append=number > 0)
        return chain, key

    def command(self):
        """Return what the shell runs, in the foreground."""
        raise NotImplementedError

    def log(self):
        """Return what the server wrote."""
        return (self.directory / "output").read_text(errors="replace")

    def __enter__(self):
        script = ("/bin/bash", "-c", _ENTER, "room", FOLDER / self.name, self.directory)
        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"]
                + [str(part) for part in (*script, self.command())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_greeting():
            if time.monotonic() > deadline or self.process.poll() is not None:
                words = self.log()
                self.__exit__()
                raise RuntimeError(f"{self.name} does not start: {words[-2000:]}")
            time.sleep(0.02)
        return self

    def wait_for_files(self, folder, count):
        """Return the files in a folder, by age, as soon as there are so many."""
        deadline = time.monotonic() + DELIVERY_TIMEOUT
        while not folder.is_dir() or len(list(folder.iterdir())) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"No {count} files in {folder}: {self.log()[-2000:]}"
                )
            time.sleep(0.02)
        return sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)

    def _is_greeting(self):
        with contextlib.suppress(OSError):
            address = ("127.0.0.1", self.port)
            with socket.create_connection(address, timeout=5) as link:
                return link.recv(4) in (b"220 ", b"220-", b"* OK")
        return False

    def __exit__(self, *_exc_info):
        """End the namespace's first process by its id; it takes the others along."""
        if self.process:
            pid = self.process.pid
            with contextlib.suppress(OSError):
                children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
                for child in children.split():
                    os.kill(int(child), signal.SIGKILL)
            self.process.wait(STOP_TIMEOUT)
            self.process = None
        if self.directory.exists():
            shutil.rmtree(self.directory)
