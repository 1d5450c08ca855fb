"""A TCP server on loopback that says what a test wants, byte by byte."""

import contextlib
import socket
import threading


class RawPeer:
    """Play a script to each client and keep every byte the clients send.

    :param script: called with the connected socket in a thread of its own
    :param host: an address of this machine
    :param port: 0 = a free one
    """

    def __init__(self, script, host="127.0.0.1", port=0):
        self.received = bytearray()
        self._script = script
        self._sockets = []
        self._listener = socket.create_server((host, port))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._play, args=(client,), daemon=True).start()

    def _play(self, client):
        with contextlib.suppress(OSError), client:
            self._script(client, self)

    def read(self, client, size=65536):
        """Return what a client sent, after keeping it."""
        data = client.recv(size)
        self.received += data
        return data

    def read_line(self, client):
        line = bytearray()
        while not line.endswith(b"\n"):
            data = self.read(client, 1)
            if not data:
                raise ConnectionResetError
            line += data
        return bytes(line)


def lines(*replies, end=None):
    """Return a script: a reply at once, then one for each line; then ``end``.

    :param end: what happens after the last reply: None = keep on reading silently
    """

    def script(client, peer):
        client.sendall(replies[0])
        for reply in replies[1:]:
            peer.read_line(client)
            client.sendall(reply)
        if end:
            end(client, peer)
        while peer.read(client):
            pass

    return script


def forward_to(port):
    """Return a script that connects each client to another port of this machine."""

    def script(client, peer):
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            while data := peer.read(client):
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)
            back.join()

    return script


def _copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
