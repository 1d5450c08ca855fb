"""Test Connection, against servers that real ones resemble."""

import time
from unittest.mock import patch

from odoo.tests import tagged

from ..models import user_email_alias_connection
from .common import AliasCommon
from .raw_peer import RawPeer


@tagged("post_install", "-at_install", "user_email_alias")
class TestConnection(AliasCommon):
    def setUp(self):
        super().setUp()
        self.env["ir.config_parameter"].set_param(
            "user_email_alias.allowed_targets", "127.0.0.1"
        )

    def test_a_server_that_answers_just_in_time_does_not_hold_the_button(self):
        def script(client, peer):
            client.sendall(b"220 hi\r\n")
            while True:
                peer.read_line(client)
                for byte in b"250-slow\r\n250 AUTH PLAIN\r\n":
                    client.sendall(bytes([byte]))
                    time.sleep(0.3)

        with (
            RawPeer(script) as peer,
            patch.object(user_email_alias_connection, "BUTTON_SECONDS", 1.0),
        ):
            alias = self.alias_alice.with_user(self.user_alice)
            alias.write(
                {
                    "smtp_server": f"127.0.0.1:{peer.port}",
                    "disable_tls": True,
                    "smtp_password": "secret",
                }
            )
            begun = time.monotonic()
            notice = alias.action_test_connection()["params"]
            self.assertLess(time.monotonic() - begun, 6)
        self.assertEqual(notice["type"], "danger")
        self.assertIn("did not answer in time", notice["message"])

    def test_the_name_we_greet_with(self):
        Params = self.env["ir.config_parameter"]
        Alias = self.env["user.email.alias"]
        for url, name in (
            ("https://odoo.example.com", "odoo.example.com"),
            ("https://b\u00fccher.example", "xn--bcher-kva.example"),
            ("http://192.168.1.10:8069", "192.168.1.10"),
            ("http://[2001:db8::1]:8069", ""),
            ("http://a b", ""),
            ("", ""),
        ):
            Params.set_param("web.base.url", url)
            self.assertEqual(Alias._get_local_hostname(), name, url)
        for wanted, name in (
            (" mx.example.org ", "mx.example.org"),
            ("mx.example.org.", "mx.example.org"),
            ("m\u00fcx.example.org", "xn--mx-xka.example.org"),
            ("[203.0.113.7]", "[203.0.113.7]"),
        ):
            Params.set_param("user_email_alias.ehlo_name", wanted)
            self.assertEqual(Alias._get_local_hostname(), name)
