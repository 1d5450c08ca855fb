import socket
import threading
import time
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..tools.address import ServerAddress
from ..tools.deadline import Deadline
from ..tools.guard import FREE_PORTS, Guard, Unreachable

FORBIDDEN_HOSTS = (
    "localhost",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.2",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    # What some resolvers take for 127.0.0.1.
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "１２７.0.0.1",
    "127。0。0。1",
    "localhost.",
)
PUBLIC_HOSTS = (
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
)


class Listener:
    """Counts the connections to one port of 127.0.0.1 (and 127.0.0.2, ::1)."""

    def __init__(self):
        self.accepted = []
        self.sockets = []
        first = socket.create_server(("127.0.0.1", 0))
        self.port = first.getsockname()[1]
        self.sockets.append(first)
        for family, host in ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.2")):
            try:
                server = socket.create_server((host, self.port), family=family)
            except OSError:
                continue
            self.sockets.append(server)
        for server in self.sockets:
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def _accept(self, server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            self.accepted.append(connection.getsockname()[0])
            connection.close()

    def close(self):
        for server in self.sockets:
            # A blocked accept() keeps the socket alive through close() alone.
            server.shutdown(socket.SHUT_RDWR)
            server.close()


def answers(*hosts, delay=0.0):
    """Return a resolver that gives these addresses to every name, and counts."""

    def getaddrinfo(host, port, *args, **kwargs):
        getaddrinfo.asked.append(host)
        time.sleep(delay)
        found = []
        for address in hosts:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            rest = (0, 0) if ":" in address else ()
            found.append((family, socket.SOCK_STREAM, 6, "", (address, port, *rest)))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    getaddrinfo.asked = []
    return patch.object(socket, "getaddrinfo", getaddrinfo), getaddrinfo.asked


@tagged("-at_install", "post_install")
class TestGuard(BaseCase):
    def setUp(self):
        super().setUp()
        self.listener = Listener()
        self.addCleanup(self.listener.close)

    def refuse(self, guard, host, port=587):
        """Return the error of a refused target, None if it is not refused."""
        try:
            guard.connect(ServerAddress(host, port), Deadline(2)).close()
        except Unreachable as error:
            return error
        return None

    def test_forbidden_targets_get_no_connection_and_one_message(self):
        guard = Guard(f"*:{self.listener.port}")
        times, texts = [], set()
        for host in FORBIDDEN_HOSTS:
            with self.subTest(host=host):
                taken = []
                for _ in range(3):  # the best of three: a busy machine is no oracle
                    started = time.monotonic()
                    error = self.refuse(guard, host, self.listener.port)
                    taken.append(time.monotonic() - started)
                times.append(min(taken))
                self.assertEqual(error.detail, "forbidden")
                texts.add((str(error), repr(error)))
                self.assertIsNone(error.__cause__)
        self.assertEqual(self.listener.accepted, [])
        self.assertEqual(len(texts), 1)
        self.assertLess(max(times) - min(times), 0.05)

    def test_closed_open_and_unknown_targets_read_the_same(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            closed_port = probe.getsockname()[1]
        errors = {
            self.refuse(Guard("127.0.0.1"), "127.0.0.1", closed_port): "refused",
            self.refuse(Guard(), "127.0.0.1", closed_port): "forbidden",
            self.refuse(Guard(), "1.1.1.1", closed_port): "forbidden",
        }
        patched, _ = answers()
        with patched:
            errors[self.refuse(Guard(), "no.example", closed_port)] = "name"
        for error, detail in errors.items():
            with self.subTest(detail=detail):
                self.assertEqual(error.detail, detail)
                self.assertIn(f"port {closed_port} was tried; any other", str(error))
        self.assertEqual(len({str(error) for error in errors}), 1)
        usual = self.refuse(Guard(), "127.0.0.1", 587)
        self.assertIn("port 587 was tried; a server inside", str(usual))

    def test_public_addresses_are_permitted_on_mail_ports_only(self):
        for host in PUBLIC_HOSTS:
            for port in (*FREE_PORTS, 22, 80, 110, 995, 8069):
                with self.subTest(host=host, port=port):
                    server = ServerAddress(host, port)
                    if port in FREE_PORTS:
                        [(_, address)] = Guard().resolve(server)
                        self.assertEqual(address[1], port)
                    else:
                        self.assertRaises(Unreachable, Guard().resolve, server)

    def test_one_forbidden_address_among_good_ones_forbids_the_name(self):
        for hosts in (("1.1.1.1", "10.0.0.1"), ("::1", "1.1.1.1"), ("fe80::1%2",)):
            patched, _ = answers(*hosts)
            with self.subTest(hosts=hosts), patched:
                self.assertRaises(
                    Unreachable, Guard().resolve, ServerAddress("a.example", 587)
                )

    def test_all_public_addresses_come_back_once_and_in_order(self):
        patched, asked = answers("2606:4700::1", "1.1.1.1", "1.1.1.1", "1.0.0.1")
        with patched:
            found = Guard().resolve(ServerAddress("a.example", 587))
        self.assertEqual(
            [address[0] for _, address in found],
            ["2606:4700::1", "1.1.1.1", "1.0.0.1"],
        )
        self.assertEqual(asked, ["a.example"])

    def test_a_name_is_resolved_once_and_the_judged_address_is_used(self):
        guard = Guard("127.0.0.1")
        patched, asked = answers("127.0.0.1")
        with patched:
            server = ServerAddress("rebinding.example", self.listener.port)
            with guard.connect(server, Deadline(2)) as connection:
                self.assertEqual(connection.getpeername()[0], "127.0.0.1")
        self.assertEqual(asked, ["rebinding.example"])

    def test_the_administrators_list(self):
        port = self.listener.port
        for allowed, host, is_allowed in (
            ("", "127.0.0.1", False),
            ("127.0.0.1", "127.0.0.1", True),
            ("127.0.0.1", "::ffff:127.0.0.1", True),
            ("127.0.0.1", "127.0.0.2", False),
            ("127.0.0.1, ::1", "localhost", True),
            ("127.0.0.2", "localhost", False),
            ("127.0.0.0/8 ::1", "localhost", True),
            ("localhost", "localhost", True),
            ("LocalHost", "localhost", True),
            ("localhost", "127.0.0.1", False),
            (f"localhost:{port}", "localhost", True),
            (f"localhost:{port + 1}", "localhost", False),
            (f"127.0.0.1:{port}", "127.0.0.1", True),
            ("127.0.0.1:25", "127.0.0.1", False),
            (f"10.0.0.0/8,\n\t127.0.0.0/8:{port}", "127.0.0.2", True),
            (f"[::1]:{port}", "::1", True),
            ("[::1]:25", "::1", False),
            (f"[::]/64:{port} x.example", "::1", True),
            ("::/64", "::1", True),
            (f"*:{port}", "127.0.0.1", False),
        ):
            with self.subTest(allowed=allowed, host=host):
                error = self.refuse(Guard(allowed), host, port)
                self.assertEqual(error is None, is_allowed, error and error.detail)

    def test_a_listed_port_is_free_at_public_addresses(self):
        guard = Guard("*:2526, mail.example:2527")
        self.assertTrue(guard.resolve(ServerAddress("1.1.1.1", 2526)))
        self.assertRaises(Unreachable, guard.resolve, ServerAddress("1.1.1.1", 2527))
        patched, _ = answers("10.0.0.1")
        with patched:
            self.assertTrue(guard.resolve(ServerAddress("mail.example", 2527)))
            for host, port in (("mail.example", 587), ("other.example", 2527)):
                with self.subTest(host=host, port=port):
                    self.assertRaises(
                        Unreachable, guard.resolve, ServerAddress(host, port)
                    )

    def test_a_wrong_entry_of_the_list_is_named(self):
        for entry in (
            "10.0.0.0/33",
            "10.0.0.1/8",
            "a b@c",
            "http://x",
            "mail.example:0",
            "mail.example:70000",
            "mail.example:x",
            "*",
            "*:*",
            "[::1",
            "[mail.example]:25",
            "[127.1]:25",
            "127.1",
            "-",
            "::1:x",
        ):
            with self.subTest(entry=entry), self.assertRaises(ValueError) as caught:
                Guard(f"127.0.0.1 {entry}")
            self.assertRegex(str(caught.exception), r"is not valid: enter .*\.$")
        self.assertRaises(ValueError, Guard, "a" * 1_000_000)
        self.assertEqual(Guard(None)._entries, [])

    def test_the_next_address_is_tried(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with socket.create_server(("127.0.0.2", port)):
            patched, _ = answers("127.0.0.1", "127.0.0.2")
            with patched:
                server = ServerAddress("a.example", port)
                with Guard("127.0.0.0/8").connect(server, Deadline(2)) as connection:
                    self.assertEqual(connection.getpeername()[0], "127.0.0.2")

    def test_silent_addresses_share_the_time(self):
        """A full backlog: the kernel drops the handshake, as a firewall would."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
            port = silent.getsockname()[1]
            waiting = []
            for _ in range(4):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
                waiting.append(client)
                self.addCleanup(client.close)
            with socket.create_server(("127.0.0.2", port)):
                patched, _ = answers("127.0.0.1", "127.0.0.2")
                with patched:
                    started = time.monotonic()
                    server = ServerAddress("a.example", port)
                    with Guard("127.0.0.0/8").connect(
                        server, Deadline(3)
                    ) as connection:
                        self.assertEqual(connection.getpeername()[0], "127.0.0.2")
                    self.assertLess(time.monotonic() - started, 2.9)
            started = time.monotonic()
            error = self.refuse(Guard("127.0.0.1"), "127.0.0.1", port)
            self.assertEqual(error.detail, "timeout")
            self.assertLess(time.monotonic() - started, 12)

    def test_a_slow_resolver_does_not_outlast_the_time(self):
        patched, _ = answers("1.1.1.1", delay=8)
        with patched:
            started = time.monotonic()
            server = ServerAddress("a.example", 587)
            with self.assertRaises(Unreachable) as caught:
                Guard().connect(server, Deadline(0.2))
            self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(caught.exception.detail, "name")
