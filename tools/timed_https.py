"""HTTPS that ends when its deadline does, however slowly the other side speaks.

The time-outs of ``requests`` and ``urllib3`` begin anew with each byte. Here the socket
is armed before each wait: name look-up, connection, a proxy's answer, TLS handshake
(which the ``ssl`` module bounds as a whole), status line, header and body.
"""

import socket
import ssl

from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from .address import ServerAddress
from .guard import Guard

# The address of a provider comes from the administrator, who may mean any.
_EVERYWHERE = Guard("0.0.0.0/0, ::/0")


def get_pool_options(clock, extend=lambda connection_class: connection_class):
    """Return what makes a ``urllib3.PoolManager`` keep time.

    :param clock: function that returns the ``Deadline`` of a wait that begins now
    :param extend: function that returns a subclass of the connections' class
    :return: (pool classes by scheme, options of each pool)
    """

    class TimedSocket(_Timed, socket.socket):
        _clock = staticmethod(clock)

    class TimedTlsSocket(_Timed, ssl.SSLSocket):
        _clock = staticmethod(clock)

    class TimedConnection(HTTPSConnection):
        def _new_conn(self):
            """Replace: urllib3 waits for the resolver as long as it likes."""
            server = ServerAddress(self.host.strip("[]"), self.port)
            sock = TimedSocket(fileno=_EVERYWHERE.connect(server, clock()).detach())
            clock().arm(sock)
            return sock

    class TimedPool(HTTPSConnectionPool):
        ConnectionCls = extend(TimedConnection)

    # No certificates yet: urllib3 loads those of each request.
    context = create_urllib3_context()
    context.sslsocket_class = TimedTlsSocket
    return {"https": TimedPool}, {"ssl_context": context}


class _Timed:
    """A socket that is armed before each wait for the other side."""

    def recv_into(self, *args):
        self._clock().arm(self)
        return super().recv_into(*args)

    def send(self, *args):
        self._clock().arm(self)
        return super().send(*args)

    def sendall(self, *args):
        self._clock().arm(self)
        return super().sendall(*args)
