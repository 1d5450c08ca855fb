"""Web servers of many names on one port of this machine, down to the bytes they say."""

import contextlib
import ssl
from urllib.parse import urlsplit

import trustme

from .listener import Listener

XML = "text/xml; charset=utf-8"


def answer(body, kind=XML, status="200 OK", **headers):
    """Return the bytes of a whole answer."""
    body = body.encode() if isinstance(body, str) else body
    headers = {
        "Content-Type": kind,
        "Content-Length": len(body),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"HTTP/1.1 {status}", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(location):
    return answer("", status="302 Found", Location=location)


class FakeWeb(Listener):
    """Serve HTTPS at one address of loopback; a context manager.

    :param names: whom its certificate is for
    :param place: where, see :class:`Listener`
    """

    def __init__(self, ca: trustme.CA, *names, **place):
        super().__init__(**place)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(*names).configure_cert(self._context)
        # (host, path) -> bytes, or what is called with the connection
        self.pages = {}
        # (host, target) of all requests; whatever connected, also without any
        self.requests = []
        self.connections = 0

    def serve_client(self, client):
        self.connections += 1
        with contextlib.suppress(OSError), client:
            client.settimeout(20)
            with self._context.wrap_socket(client, server_side=True) as tls:
                self._talk(tls)

    def _talk(self, tls):
        reader = tls.makefile("rb")
        target = reader.readline().split()[1].decode()
        host = ""
        while (line := reader.readline().strip()) != b"":
            if line.lower().startswith(b"host:"):
                host = line.split(b":", 1)[1].strip().decode()
        self.requests.append((host, target))
        page = self.pages.get((host, urlsplit(target).path))
        if callable(page):
            page(tls)
        else:
            tls.sendall(page or answer("", status="404 Not Found"))
