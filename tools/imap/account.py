"""Where a mailbox is and how to sign in: all that a conversation needs to begin."""

import dataclasses

from ..address import ServerAddress
from ..guard import Guard
from ..redact import Blotter
from .connection import IMPLICIT_TLS_PORTS, ImapConnection


@dataclasses.dataclass(frozen=True)
class ImapAccount:
    """A mailbox; ``secret`` is its password in clear, for the length of a login."""

    server: ServerAddress
    guard: Guard
    user: str
    secret: str = dataclasses.field(repr=False)
    disable_tls: bool = False
    implicit_tls_ports: frozenset = IMPLICIT_TLS_PORTS

    def open(self, deadline):
        """Connect and sign in.

        :param Deadline deadline: the end of the whole conversation
        :return: an ImapConnection
        :raise ImapFailure: one sentence says why not
        """
        connection = ImapConnection.open(
            self.server,
            self.guard,
            deadline,
            disable_tls=self.disable_tls,
            implicit_tls_ports=self.implicit_tls_ports,
            redact=Blotter(self.secret),
        )
        try:
            connection.login_password(self.user, self.secret)
        except BaseException:
            connection.abandon()
            raise
        return connection
