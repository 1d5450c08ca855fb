"""A domain of our own, with DNS and web servers that the real look-ups ask."""

import os
import socket
import tempfile
from unittest.mock import patch

import trustme

from odoo.tests import BaseCase

from ..tools.deadline import Deadline
from ..tools.discovery import (
    SEARCH_SECONDS,
    Known,
    Names,
    Sources,
    autoconfig,
    search,
    together,
)
from ..tools.guard import Guard
from .fake_dns import FakeDnsServer
from .fake_web import FakeWeb, answer

DOMAIN = "corp.example"
ADDRESS = f"ann.berg@{DOMAIN}"
AUTOCONFIG = f"autoconfig.{DOMAIN}"
PATH = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="corp.example">
    <domain>corp.example</domain>
    <incomingServer type="imap">
      <hostname>{imap}</hostname><port>993</port><socketType>SSL</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>password-cleartext</authentication>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>{smtp}</hostname><port>{port}</port><socketType>{tls}</socketType>
      <username>{user}</username>
      <authentication>{login}</authentication>
    </outgoingServer>
  </emailProvider>
</clientConfig>"""


def document(**values):
    """Return a good document with other values in it."""
    return DOCUMENT.format(
        **{
            "smtp": "smtp.corp.example",
            "imap": "imap.corp.example",
            "port": 465,
            "tls": "SSL",
            "user": "%EMAILADDRESS%",
            "login": "password-cleartext",
            **values,
        }
    )


class DiscoveryCase(BaseCase):
    """The real look-ups, against servers of ours.

    127.0.0.1 at the web server's port stands for the world outside, all the rest of
    loopback for the inside of a network: a second server counts who gets there.
    """

    rows = ()
    sign_ins = ()
    slow_names = ()

    def setUp(self):
        super().setUp()
        ca = trustme.CA()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        ca.cert_pem.write_to_path(f"{folder}/ca.pem")
        self.enterContext(patch.dict(os.environ, SSL_CERT_FILE=f"{folder}/ca.pem"))
        names = (DOMAIN, f"*.{DOMAIN}", "other.example", autoconfig.CENTRAL_HOST)
        names += self.slow_names
        self.dns = self.enterContext(FakeDnsServer())
        self.web = self.enterContext(FakeWeb(ca, *names))
        self.inside = self.enterContext(
            FakeWeb(ca, *names, "127.0.0.2", address="127.0.0.2", port=self.web.port)
        )
        self.enterContext(patch.object(autoconfig, "HTTPS_PORT", self.web.port))
        self.names = Names(self.dns.nameserver)
        # a look-up that fails in a way that nobody thought of
        self.enterContext(self.assertNoLogs(together.__name__, "ERROR"))

    def publish(self, page, host=AUTOCONFIG, path=PATH):
        """Let a host answer with this page."""
        self.dns.set(host, "A", "127.0.0.1")
        self.web.pages[host, path] = page

    def publish_document(self, **values):
        self.publish(answer(document(**values)))

    def search(self, address=ADDRESS, seconds=SEARCH_SECONDS, **options):
        sources = Sources(
            known=Known(self.rows, self.sign_ins),
            names=self.names,
            web=Guard(f"127.0.0.1:{self.web.port}", self.names.get_addresses),
            mail=Guard("", self.resolve_mail_server),
            **options,
        )
        return search(address, sources, Deadline(seconds))

    def resolve_mail_server(self, server, timeout):
        """Public addresses for all that the zone does not know."""
        known = self.names.get_addresses(server, timeout)
        return known or [(socket.AF_INET, ("93.184.215.14", server.port))]
