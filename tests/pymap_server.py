"""A private pymap: an IMAP server that shares no code with Dovecot, in memory."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

START_TIMEOUT = 60  # seconds


def find_program():
    """Return pymap's path, or None: a development tool of PyPI."""
    folder = pathlib.Path(sys.executable).parent
    return shutil.which("pymap", path=f"{folder}:{os.environ.get('PATH', '')}")


class Pymap:
    """A running server with one account; a context manager.

    Its folders are pymap's demonstration: INBOX, Sent, Trash, none of them flagged
    for a special use, the Sent folder with a few messages in it.

    :param trustme.CA ca: signs the certificate for ``localhost``
    """

    def __init__(self, ca, user, password):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pymap-"))
        certificate = ca.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(str(self.directory / "key.pem"))
        for number, pem in enumerate(certificate.cert_chain_pems):
            pem.write_to_path(str(self.directory / "cert.pem"), append=number > 0)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [
            find_program(),
            "--host=127.0.0.1",
            f"--port={self.port}",
            f"--cert={self.directory / 'cert.pem'}",
            f"--key={self.directory / 'key.pem'}",
            "dict",
            "--demo-data",
            f"--demo-user={user}",
            f"--demo-password={password}",
        ]
        self.process = None

    def log(self):
        """Return what the server wrote."""
        return (self.directory / "log").read_text(errors="replace")

    def __enter__(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_greeting():
            if time.monotonic() > deadline or self.process.poll() is not None:
                words = self.log()
                self.__exit__()
                raise RuntimeError(f"pymap does not start: {words[-2000:]}")
            time.sleep(0.05)
        return self

    def _is_greeting(self):
        address = ("127.0.0.1", self.port)
        try:
            with socket.create_connection(address, timeout=1) as sock:
                return sock.recv(4) == b"* OK"
        except OSError:
            return False

    def __exit__(self, *_exc_info):
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
