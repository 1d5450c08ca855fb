"""A connection to the mailbox that receives the copies of sent mail.

Open, sign in, find the folder (``sent_folder``), file copies (``sent_box``)::

    with ImapConnection.open(server, guard, Deadline(40)) as connection:
        connection.login_password(user, password)
        folder = connection.find_sent_folder(remembered)
        for result in connection.sent_box(folder).file_many(copies):
            ...

Every method raises ImapFailure and nothing else, except for a wrong call.
"""

import base64
import binascii
import contextlib
import imaplib
import json

from .. import tls
from ..guard import Unreachable
from ..transport.self_filing import of_imap_server
from . import failure as imap_failure
from . import folder as sent_folder
from .failure import ImapFailure, ServerRefusal, plain_words
from .proof import prove_filing
from .sent_box import SentBox
from .wire import GuardedClient, quoted

IMPLICIT_TLS_PORTS = frozenset({993})  # TLS from the first byte, RFC 8314 3.2
LOGOUT_SECONDS = 3  # nothing depends on a polite end


class ImapConnection:
    """One connection for one mailbox; not for use by two threads."""

    def __init__(self, client):
        self._client = client

    @classmethod
    def open(
        cls,
        server,
        guard,
        deadline,
        *,
        disable_tls=False,
        ssl_context=None,
        implicit_tls_ports=IMPLICIT_TLS_PORTS,
        redact=None,
    ):
        """Connect, with TLS unless it is switched off, and read the greeting.

        Port 993 speaks TLS from the first byte (RFC 8314 3.2), on all other ports
        STARTTLS is required (RFC 3501 6.2.1); there is no way back to plain text.

        :param ServerAddress server: host and port
        :param Guard guard: opens the socket, or refuses to
        :param Deadline deadline: the end of the whole conversation
        :param bool disable_tls: plain text on any port
        :param ssl.SSLContext ssl_context: only to trust another authority
        :param Blotter redact: withholds words that repeat what earlier logins told
        """
        context = None
        if not disable_tls:
            context = ssl_context or tls.client_context()
        is_implicit = server.is_implicit_tls(implicit_tls_ports)

        def welcome(sock, step):
            try:
                step.arm(sock)
                if context and is_implicit:
                    with plain_words(imap_failure.TLS):
                        sock = context.wrap_socket(sock, server_hostname=server.host)
                with plain_words(imap_failure.UNREACHABLE):
                    client = GuardedClient(sock, server.host, server.port, step, redact)
            except BaseException:
                sock.close()
                raise
            connection = cls(client)
            try:
                connection._secure(None if is_implicit else context)
            except BaseException:
                connection.abandon()
                raise
            return connection

        try:
            with plain_words(imap_failure.UNREACHABLE):
                connection = guard.reach(server, deadline, welcome)
        except ImapFailure as failure:
            if failure.kind == imap_failure.UNREACHABLE:
                # the same words whether something listens there or not
                failure.sentence = str(Unreachable("", server.port))
            raise
        connection._client.wire.deadline = deadline
        return connection

    def _secure(self, starttls_context):
        if self._client.wire.state != "NONAUTH":
            # Who is greeted as "signed in already" is kept from STARTTLS, and we
            # would file mail in somebody's mailbox (RFC 3501 7.1.4, RFC 8314 4.1).
            raise ImapFailure(
                imap_failure.TLS,
                "The IMAP server skips the sign-in. Nothing was sent to it.",
                retryable=False,
            )
        if starttls_context:
            with plain_words(imap_failure.TLS):
                self._client.starttls(starttls_context)

    def login_password(self, user, password):
        """Sign in by AUTHENTICATE PLAIN (RFC 4616), else LOGIN (RFC 3501 6.2.3)."""
        token = f"\0{user}\0{password}".encode("utf-8", "replace")
        with self._signing_in(user, password):
            if self._client.has_capability("AUTH=PLAIN"):
                self._client.wire.authenticate("PLAIN", lambda challenge: token)
            elif self._client.has_capability("LOGINDISABLED"):
                raise ServerRefusal("NO", "[PRIVACYREQUIRED] LOGINDISABLED")
            else:
                # imaplib.login would send the user name unquoted.
                self._client.wire.run("LOGIN", quoted(user), quoted(password))
                self._client.wire.state = "AUTH"
        self._introduce()

    def login_xoauth2(self, user, access_token):
        """Sign in by SASL XOAUTH2; the token is valid for about an hour.

        A refusal comes as a challenge that holds JSON and wants an empty answer
        before the tagged NO.
        """
        first = f"user={user}\1auth=Bearer {access_token}\1\1".encode()
        challenges = []

        def answer(challenge):
            challenges.append(challenge)
            return first if len(challenges) == 1 else b""

        with self._signing_in(user, access_token):
            try:
                self._client.wire.authenticate("XOAUTH2", answer)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                said = _oauth_error(challenges[-1]) if challenges[1:] else ""
                wire = self._client.wire
                words = f"{wire.redact(str(error))} {said}".strip()
                raise wire.refusal("NO", words) from None
        self._introduce()

    @contextlib.contextmanager
    def _signing_in(self, user, secret):
        """Refuse control characters, and withhold what repeats the secret."""
        if any(ord(char) < 32 or ord(char) == 127 for char in user + secret):
            raise ImapFailure(
                imap_failure.LOGIN,
                "User name and password must be without line breaks and the like.",
                retryable=False,
            )
        self._client.wire.redact.add(secret)
        with plain_words(imap_failure.LOGIN), self._client.wire.discreet():
            yield

    def _introduce(self):
        """Say who we are (RFC 2971): some servers open no folder to the nameless."""
        with plain_words(imap_failure.LOST):
            if self.has_capability("ID"):
                with contextlib.suppress(ServerRefusal):
                    self._client.wire.run("ID", '("name" "Odoo")')

    def has_capability(self, name):
        with plain_words(imap_failure.LOST):
            return self._client.has_capability(name)

    @property
    def self_filing(self):
        """The provider that files what it is given, if this is its server."""
        return of_imap_server(self._client.host, self.has_capability)

    @property
    def client(self):
        """The GuardedClient below, for ``sent_folder`` and ``sent_box``."""
        return self._client

    def list_folders(self):
        """Return the user's folders that can hold mail, as a list of Folder."""
        with plain_words(imap_failure.FOLDER):
            return sent_folder.list_folders(self)

    def find_sent_folder(self, remembered=None, create=False):
        """Return the Folder for sent mail, see ``sent_folder.find``."""
        with plain_words(imap_failure.FOLDER):
            return sent_folder.find(self, remembered, create)

    def prove_filing(self, folder):
        """Store a message in this Folder and remove it, see ``prove_filing``."""
        return prove_filing(self, folder)

    def sent_box(self, folder):
        """Return a SentBox that files copies in this Folder."""
        return SentBox(self, folder)

    def close(self):
        """Sign out politely if the server is quick, else just hang up."""
        wire = self._client.wire
        with contextlib.suppress(Exception):
            wire.deadline = wire.deadline.within(LOGOUT_SECONDS)
            wire.logout()
        self.abandon()

    def abandon(self):
        """Hang up."""
        with contextlib.suppress(OSError):
            self._client.wire.shutdown()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()


def _oauth_error(challenge):
    """Return what the JSON of a refused XOAUTH2 says, as text."""
    try:
        # imaplib has decoded the challenge; some servers encode it twice.
        text = challenge.decode("utf-8")
        if not text.lstrip().startswith("{"):
            text = base64.b64decode(text, validate=True).decode("utf-8")
        error = json.loads(text)
        return f"status {error.get('status')}"
    except (ValueError, AttributeError, RecursionError, binascii.Error):
        return ""
