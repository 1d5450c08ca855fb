import base64
import tempfile

from odoo.tests import BaseCase

from ..tools import guard
from ..tools.address import ServerAddress
from ..tools.deadline import Deadline
from ..tools.transport import smtp
from ..tools.transport.smtp import greeting, pipelining
from .fake_ca import make_ca
from .fake_smtp import FakeSmtpServer

USER, PASSWORD, TOKEN = "ada@example.com", "pässwörd-canary", "token-canary" * 120
MESSAGE = (
    b"From: ada@example.com\r\nTo: bob@example.org\r\nSubject: Hi\r\n\r\nHello\r\n"
)
FROM, TO = "ada@example.com", "bob@example.org"


def secret_forms(user, secret):
    """Return the ways in which a secret may show: clear, base64, SASL PLAIN."""
    octets, name = secret.encode("utf-8", "surrogatepass"), user.encode()
    return (
        octets,
        base64.b64encode(octets),
        base64.b64encode(b"\0" + name + b"\0" + octets),
        base64.b64encode(b"user=%b\x01auth=Bearer %b\x01\x01" % (name, octets)),
        repr(octets).encode(),
    )


class SmtpClientCase(BaseCase):
    """A subclass says how to ``connect``."""

    account = USER, PASSWORD

    def log_in(self, **options):
        connection = self.connect(**options)
        connection.login_password(*self.account)
        return connection

    def failure_of(self, call, *args, **options):
        """Return the `SmtpFailure` that the call must raise."""
        with self.assertRaises(smtp.SmtpFailure) as caught:
            call(*args, **options)
        return caught.exception


class SmtpCase(SmtpClientCase):
    """A fake mail server for each test, and one authority for all."""

    server_options = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.ca = make_ca(directory.name)
        cls.context = cls.ca.client_context()
        cls.guard = guard.Guard("localhost, 127.0.0.1, ::1")

    def setUp(self):
        super().setUp()
        # what was learnt of a server that had the same port
        for memory in (pipelining._off, greeting._refused):
            memory.clear()
        self.server = self.serve(**self.server_options)

    def serve(self, **options):
        server = FakeSmtpServer(
            {USER: PASSWORD},
            ca=self.ca,
            check_token=lambda user, token: (user, token) == (USER, TOKEN),
            **options,
        )
        self.addCleanup(server.stop)
        return server.start()

    def connect(self, port=None, host="localhost", seconds=60, **options):
        """Return an open connection to the STARTTLS port, or to another one."""
        connection = smtp.SmtpConnection.open(
            ServerAddress(host, port or self.server.starttls_port),
            self.guard,
            Deadline(seconds),
            **{"ssl_context": self.context, **options},
        )
        self.addCleanup(connection.close)
        return connection
