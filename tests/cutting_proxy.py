"""A TCP proxy on loopback that cuts connections at a chosen byte."""

import contextlib
import socket
import threading

from .listener import Listener


class CuttingProxy(Listener):
    """Forward to a port of this machine; a context manager.

    ``cut_after`` counts from the moment it is set, over all connections.
    """

    def __init__(self, port):
        super().__init__()
        self._target = port
        self._lock = threading.Lock()
        self._allowed = None
        self._deaf = False
        self.forwarded = 0  # bytes from clients

    def cut_after(self, count, deaf=False):
        """Cut all after so many more bytes from clients; None never cuts.

        :param bool deaf: instead pass on all that clients say, but after so many bytes
            nothing that the server answers; then cut
        """
        with self._lock:
            self._allowed = count
            self._deaf = deaf

    def serve_client(self, client):
        server = socket.create_connection(("127.0.0.1", self._target))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(
            target=self._pump_down, args=(client, server), daemon=True
        ).start()
        self._pump_up(client, server)

    def _pump_up(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(16384):
                with self._lock:
                    self.forwarded += len(data)
                    allowed = self._allowed
                    if allowed is not None:
                        self._allowed = max(0, allowed - len(data))
                    if allowed is not None and not self._deaf:
                        data = data[:allowed]
                    is_cut = allowed is not None and self._allowed == 0
                server.sendall(data)
                if is_cut and not self._deaf:
                    break
        _end(client, server)

    def _pump_down(self, client, server):
        with contextlib.suppress(OSError):
            while data := server.recv(16384):
                if self._deaf and self._allowed == 0:
                    break
                client.sendall(data)
        _end(client, server)


def _end(*socks):
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
