"""A small HTTPS server on this machine, for the fakes that speak HTTP."""

import functools
import json
import ssl
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import trustme


class FakeHttpsServer:
    """Serve ``respond`` on a free port in threads; a context manager.

    :param ca: a ``trustme.CA`` to share with other servers of the same test
    """

    def __init__(self, ca=None):
        self.ca = ca or trustme.CA()
        # path's end: seconds between the bytes of the answer's body
        self.drips = {}
        # (method, path) of all requests, in the order of their arrival
        self.requests = []

    def respond(self, path, query, form, bearer):
        """Return (HTTP status, answer): JSON data, bytes of HTML, or a location."""
        raise NotImplementedError

    def listen(self):
        """Return the server, bound and not yet encrypted."""
        return Listener(_handler(self))

    def __enter__(self):
        self.server = self.listen()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        # The handshake belongs to the thread of the connection, not to accept().
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.ca_file = tempfile.NamedTemporaryFile(suffix=".pem")
        self.ca.cert_pem.write_to_path(self.ca_file.name)
        self.url = f"https://localhost:{self.server.server_port}"
        serve = functools.partial(self.server.serve_forever, poll_interval=0.02)
        self.thread = threading.Thread(target=serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_exc_info):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        self.ca_file.close()


class Listener(ThreadingHTTPServer):
    """Bound to a free port of this machine."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, *_args):
        """Say nothing: clients that hang up or distrust us are part of the tests."""


def _handler(fake):
    """Return a handler class whose requests end in ``fake.respond``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._serve(None)

        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            self._serve(dict(parse_qsl(self.rfile.read(length).decode())))

        def _serve(self, form):
            parts = urlsplit(self.path)
            fake.requests.append((self.command, parts.path))
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            query = dict(parse_qsl(parts.query))
            self._answer(*fake.respond(parts.path, query, form, bearer))

        def _answer(self, status, answer):
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", answer)
                answer = b""
            is_json = not isinstance(answer, bytes)
            kind = "application/json" if is_json else "text/html; charset=utf-8"
            body = json.dumps(answer).encode() if is_json else answer
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for end, seconds in fake.drips.items():
                if urlsplit(self.path).path.endswith(end):
                    for byte in body:
                        self.wfile.write(bytes((byte,)))
                        time.sleep(seconds)
                    return
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    return Handler
