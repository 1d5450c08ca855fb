"""A TCP server on loopback, for fakes to build on."""

import contextlib
import socket
import threading


class Listener:
    """Serve each client in a thread of its own; a context manager.

    :param address: 127.0.0.2 and so on are other machines to whoever connects
    :param port: 0 for a free one
    """

    def __init__(self, address="127.0.0.1", port=0):
        self._listener = socket.create_server((address, port))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc_info):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(
                    target=self.serve_client, args=(client,), daemon=True
                ).start()

    def serve_client(self, client):
        """Talk to one client until the end."""
        raise NotImplementedError
