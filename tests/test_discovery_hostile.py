"""A hostile domain finds no belief, takes no more time, and gets nobody inside."""

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

from ..tools.deadline import Deadline
from ..tools.discovery import SEARCH_SECONDS, autoconfig
from ..tools.discovery.proposal import Unusable
from ..tools.guard import Guard
from .common_discovery import (
    AUTOCONFIG,
    DOMAIN,
    PATH,
    DiscoveryCase,
    document,
)
from .fake_web import XML, answer, redirect

# What threads need to notice the end, in seconds, on a machine with much to do.
SLACK_SECONDS = 1.0


def with_doctype(doctype, host="&x;"):
    """Return a document that begins with a document type and uses its entity."""
    head, body = document(smtp=host).split("\n", 1)
    return f"{head}\n<!DOCTYPE clientConfig {doctype}>\n{body}"


LAUGHS = "".join(
    f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' if n else '<!ENTITY x0 "lol">'
    for n in range(10)
)
FLOOD = b"x" * 65_536
OPEN, REST = document().split("<outgoingServer")
REST = f"<outgoingServer{REST}"

# Documents
BOMBS = {
    "billion laughs": with_doctype(f"[{LAUGHS}]", "&x9;"),
    "quadratic": with_doctype(f'[<!ENTITY x "{"a" * 40_000}">]', "&x;" * 1_000),
    "file": with_doctype('[<!ENTITY x SYSTEM "file:///etc/hostname">]'),
    "entity from inside": with_doctype('[<!ENTITY x SYSTEM "https://127.0.0.2/x">]'),
    "type from inside": with_doctype('SYSTEM "https://127.0.0.2/x.dtd"', "a.example"),
    "parameter entity": with_doctype(
        '[<!ENTITY % p SYSTEM "https://127.0.0.2/x"> %p;]', "a.example"
    ),
    "harmless document type": with_doctype("[]", "smtp.corp.example"),
    "undeclared entity": document(smtp="&x;"),
    "UTF-16": with_doctype(f"[{LAUGHS}]", "&x9;")
    .replace("UTF-8", "UTF-16")
    .encode("utf-16"),
    "UTF-7": document().replace("UTF-8", "UTF-7"),
    "unknown encoding": document().replace("UTF-8", "x-rot13"),
    "inclusion": document(
        smtp='<i:include xmlns:i="http://www.w3.org/2001/XInclude"'
        ' href="https://127.0.0.2/x"/>'
    ),
    "depth": OPEN + "<a>" * 9_000 + "</a>" * 9_000 + REST,
    "endless name": document(smtp="a." * 30_000 + "example"),
    "endless user": document(user="a" * 50_000),
    "no end": document()[:-40],
    "binary": bytes(range(256)) * 100,
    "another document": "<html><body>Not found</body></html>",
    "nothing": "",
}
# What a good document may say of its servers
SERVERS = {
    "plain text only": {"tls": "plain", "port": 587},
    "TLS that is none": {"tls": "none"},
    "STARTTLS at 465": {"tls": "STARTTLS"},
    "TLS at 587": {"port": 587},
    "remote shell": {"port": 22, "tls": "STARTTLS"},
    "no port": {"port": ""},
    "port 0": {"port": 0},
    "port of 6 digits": {"port": 100_465},
    "port in other digits": {"port": "４６５"},
    "private": {"smtp": "10.0.0.1"},
    "loopback": {"smtp": "127.0.0.2"},
    "loopback in other digits": {"smtp": "１２７．０．０．２"},
    "loopback in circles": {"smtp": "ⓛocalhost"},
    "loopback as a number": {"smtp": "2130706434"},
    "loopback in hexadecimal": {"smtp": "0x7f000002"},
    "loopback in IPv6": {"smtp": "[::1]"},
    "metadata": {"smtp": "169.254.169.254"},
    "name inside": {"smtp": "smtp.inside.example"},
    "name with a path": {"smtp": "smtp.corp.example/x"},
    "name with a user": {"smtp": "ann@smtp.corp.example"},
    "name with a line": {"smtp": "smtp.corp.example&#13;&#10;RCPT"},
    "name from right to left": {"smtp": "smtp.\u202eelpmaxe.corp"},
    "name of broken A-labels": {"smtp": "xn--a.example"},
    "user with a line": {"user": "ann&#13;&#10;AUTH PLAIN"},
    "user in code": {"user": "=?utf-8?q?ann?="},
    "unknown placeholder": {"user": "%PASSWORD%"},
    "no password": {"login": "none"},
    "sign-in of a stranger": {"login": "OAuth2"},
    "by address": {"login": "client-IP-address"},
}
# Where a redirect may point to
REDIRECTS = {
    "inwards": "https://127.0.0.2/x",
    "inwards by a name": "https://inside.corp.example/x",
    "inwards by a number": "https://2130706434/x",
    "inwards in hexadecimal": "https://0x7f.0.0.2/x",
    "inwards in IPv6": "https://[::ffff:127.0.0.2]/x",
    "inwards in other digits": "https://１２７.0.0.2/x",
    "metadata": "https://169.254.169.254/latest/meta-data",
    "no TLS": f"http://{AUTOCONFIG}/x",
    "a file": "file:///etc/passwd",
    "another scheme": "gopher://127.0.0.2/x",
    "another port": f"https://{AUTOCONFIG}:8443/x",
    "a user": f"https://ann:secret@{AUTOCONFIG}/x",
    "a backslash": "https://other.example\\@127.0.0.2/x",
    "a line": f"https://{AUTOCONFIG}/x%0d%0aHost:%20inside",
    "itself": f"https://{AUTOCONFIG}{PATH}",
    "nowhere": "",
    "far": f"https://{AUTOCONFIG}/{'x' * 10_000}",
}
# What may be wrong with an answer as such
ANSWERS = {
    "another type": answer(document(), kind="text/html"),
    "type of a download": answer(document(), kind="application/octet-stream"),
    "compressed": answer(gzip.compress(b" " * 10**7), Content_Encoding="gzip"),
    "server error": answer(document(), status="500 Oops"),
    "partial": answer(document(), status="206 Partial Content"),
    "no HTTP": document().encode(),
    "chunk of words": (
        f"HTTP/1.1 200 OK\r\nContent-Type: {XML}\r\nTransfer-Encoding: chunked\r\n\r\n"
        "zz\r\n"
    ).encode(),
    "line without end": b"HTTP/1.1 200 OK\r\nX: " + FLOOD * 2,
    "hundreds of headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    "hang up": b"",
}


def begin(**headers):
    """Return the head of an answer whose body never comes to an end."""
    return answer("", **headers)


def drip(tls):
    tls.sendall(begin(Content_Length=10_000))
    while True:
        tls.sendall(b" ")
        time.sleep(0.3)


def drip_header(tls):
    tls.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        tls.sendall(b"X")
        time.sleep(0.3)


def flood(tls):
    tls.sendall(begin(Content_Length=2**30))
    while True:
        tls.sendall(FLOOD)


def flood_in_chunks(tls):
    tls.sendall(begin(Content_Length="", Transfer_Encoding="chunked"))
    while True:
        tls.sendall(b"1\r\n \r\n" * 100)


def go_on(tls):
    while True:
        tls.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def stay_silent(tls):
    tls.recv(1)


# What takes its time
SLOW = (drip, drip_header, flood, flood_in_chunks, go_on, stay_silent)


class TestHostile(DiscoveryCase):
    slow_names = tuple(f"autoconfig.slow{n}.example" for n in range(len(SLOW)))

    def setUp(self):
        super().setUp()
        self.dns.set("inside.corp.example", "A", "127.0.0.2")
        self.dns.set("smtp.inside.example", "A", "127.0.0.2")
        self.dns.set("localhost", "A", "127.0.0.2")

    def tearDown(self):
        self.assertFalse(self.inside.connections, "somebody got inside")
        super().tearDown()

    def assertFindsNothing(self, what, address=f"ann@{DOMAIN}"):
        with self.subTest(what):
            begun = time.monotonic()
            found = self.search(address)
            passed = time.monotonic() - begun
            self.assertIsNone(found)
            self.assertLess(passed, SEARCH_SECONDS + SLACK_SECONDS)

    def test_documents_that_are_bombs_or_none(self):
        for what, text in BOMBS.items():
            self.publish(answer(text))
            self.assertFindsNothing(what)
        self.assertTrue(self.web.requests)

    def test_servers_that_nobody_should_be_led_to(self):
        for what, values in SERVERS.items():
            self.publish_document(**values)
            self.assertFindsNothing(what)

    def test_redirects(self):
        # whoever follows one that is forbidden finds something
        self.publish(answer(document()), path="/x")
        for what, location in REDIRECTS.items():
            self.publish(redirect(location))
            self.assertFindsNothing(what)

    def test_answers_that_are_none(self):
        for what, page in ANSWERS.items():
            self.publish(page)
            self.assertFindsNothing(what)

    def test_answers_that_never_end(self):
        for name, page in zip(self.slow_names, SLOW, strict=True):
            self.publish(page, name)
        addresses = [f"ann@{name.partition('.')[2]}" for name in self.slow_names]
        with ThreadPoolExecutor(len(SLOW)) as pool:
            timed = list(pool.map(self.time_search, addresses))
        for page, (found, seconds) in zip(SLOW, timed, strict=True):
            with self.subTest(page.__name__):
                self.assertIsNone(found)
                self.assertLess(seconds, SEARCH_SECONDS + SLACK_SECONDS)
        self.assertEqual(len(self.web.requests), len(SLOW))

    def test_conversation_ends_though_nobody_waits_for_it_any_more(self):
        guard = Guard(f"127.0.0.1:{self.web.port}", self.names.get_addresses)
        for page in SLOW:
            self.publish(page)
            begun = time.monotonic()
            with (
                self.subTest(page.__name__),
                self.assertRaises((OSError, HTTPException, Unusable)),
            ):
                autoconfig.fetch(f"https://{AUTOCONFIG}{PATH}", guard, Deadline(0.7))
            self.assertLess(time.monotonic() - begun, 0.7 + SLACK_SECONDS)

    def time_search(self, address):
        begun = time.monotonic()
        return self.search(address), time.monotonic() - begun

    def test_silent_resolver(self):
        self.dns.silent.update(("MX", "SRV", "A", "AAAA"))
        self.assertFindsNothing("silence")

    def test_name_that_answers_differently_a_moment_later(self):
        self.publish_document()
        self.dns.set(AUTOCONFIG, "A", ["127.0.0.1"], ["127.0.0.2"])
        self.assertTrue(self.search(), "the address that was judged is connected to")
        self.assertFindsNothing("rebound")

    def test_name_with_one_address_inside(self):
        self.publish_document()
        self.dns.set(AUTOCONFIG, "A", "127.0.0.1", "127.0.0.2")
        self.assertFindsNothing("mixed")
        self.dns.set(AUTOCONFIG, "A", "127.0.0.1")
        self.dns.set(AUTOCONFIG, "AAAA", "::ffff:127.0.0.2")
        self.assertFindsNothing("mixed families")
        self.assertFalse(self.web.connections)

    def test_letters_that_look_alike_show_as_what_they_are(self):
        self.publish_document(smtp="smtp.аpple.example")
        self.assertEqual(self.search().smtp.host, "smtp.xn--pple-43d.example")

    def test_thousands_of_servers_are_not_looked_at(self):
        bad = document(tls="plain").partition("<outgoingServer")[2].partition("</email")
        text = OPEN + f"<outgoingServer{bad[0]}" * 200
        self.publish(answer(text + REST))
        self.assertFindsNothing("thousands")

    def test_hostile_records_of_services(self):
        name = f"_submissions._tcp.{DOMAIN}"
        for record in (
            "0 0 22 smtp.corp.example.",
            "0 0 465 smtp.inside.example.",
            "0 0 465 localhost.",
            "0 0 465 127.0.0.2.",
            "0 0 0 smtp.corp.example.",
            r"0 0 465 smtp\013\010RCPT.corp.example.",
            r"0 0 465 a\.b\@c.corp.example.",
        ):
            self.dns.set(name, "SRV", record)
            self.assertFindsNothing(record)
