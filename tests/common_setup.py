"""Domains of our own, whose mail servers the setup of an alias finds."""

import os
import tempfile
from unittest.mock import patch

from ..tools.discovery import autoconfig
from .common_discovery import AUTOCONFIG, DOMAIN, PATH, document
from .fake_ca import make_ca
from .fake_dns import FakeDnsServer
from .fake_smtp import FakeSmtpServer
from .fake_web import FakeWeb, answer

# the local part and the password in each domain
LOCAL, PASSWORD = "alice", "secret"
TABLE, SRV, NOTHING = "table.example", "srv.example", "nothing.example"
# a letter less than the first; nobody has it
TYPO = "tabl.example"


class SetupServers:
    """DNS, web and mail servers; mix into a test case that has an ``env``."""

    def start_servers(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        ca = make_ca(folder)
        self.enterContext(patch.dict(os.environ, SSL_CERT_FILE=ca.bundle))
        self.dns = self.enterContext(FakeDnsServer())
        self.web = self.enterContext(FakeWeb(ca.authority, AUTOCONFIG))
        self.enterContext(patch.object(autoconfig, "HTTPS_PORT", self.web.port))
        logins = {f"{LOCAL}@{d}": PASSWORD for d in (TABLE, SRV, DOMAIN)}
        self.smtp = FakeSmtpServer(logins, ca=ca).start()
        self.addCleanup(self.smtp.stop)
        port = self.smtp.starttls_port
        params = self.env["ir.config_parameter"]
        params.set_param("user_email_alias.nameserver", self.dns.nameserver)
        params.set_param(
            "user_email_alias.allowed_targets",
            f"localhost:{port} 127.0.0.1:{self.web.port}",
        )
        self.provider = self.env["user.email.alias.provider"].create(
            {
                "name": "Our hoster",
                "domains": TABLE,
                "smtp_server": f"localhost:{port}",
                "delay_ms": 1500,
                "daily_limit": 300,
                "note": "Switch on SMTP first.",
                "refusal": "5.7.8",
                "app_password_url": "https://hoster.example/app",
            }
        )
        self.dns.set(f"_submission._tcp.{SRV}", "SRV", f"0 1 {port} localhost.")
        self.dns.set(NOTHING, "TXT", '"nothing about mail"')
        self.dns.set(AUTOCONFIG, "A", "127.0.0.1")
        text = document(smtp="localhost", port=port, tls="STARTTLS", imap="")
        self.web.pages[AUTOCONFIG, PATH] = answer(text)
