"""Sign-in through our own controllers, at a fake provider, with a real mail server."""

import os
import tempfile
from unittest.mock import patch
from urllib.parse import urlencode

import odoo.http
from odoo.tests import new_test_user

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .common_http import PatientHttpCase
from .fake_ca import make_ca
from .fake_oauth import ANNA, FakeIdentityProvider
from .fake_smtp import FakeSmtpServer

OUTCOME = "user_email_alias_outcome"
FLOWS = "user_email_alias_flows"


class OAuthFlowCase(PatientHttpCase):
    """A subclass names the ``flavour`` of the provider."""

    flavour = None

    def setUp(self):
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        ca = make_ca(folder)
        self.enterContext(
            patch.dict(
                os.environ,
                SSL_CERT_FILE=os.path.join(folder, "ca.pem"),
                NO_PROXY="localhost,127.0.0.1",
            )
        )
        self.enterContext(
            patch.object(IrMail_Server, "_disable_send", classmethod(lambda cls: False))
        )
        self.idp = self.enterContext(FakeIdentityProvider(self.flavour))
        self.smtp = FakeSmtpServer(
            ca=ca,
            mechanisms=("XOAUTH2",),
            check_token=self.idp.is_valid_access_token,
        ).start()
        self.addCleanup(self.smtp.stop)
        self.user = new_test_user(self.env, "oauth_anna", name="Anna Berg")
        self.other = new_test_user(self.env, "oauth_boris", name="Boris Tal")
        self._configure()
        self.alias = self.create_alias(self.user)
        self.login(self.user)

    def _configure(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        params = self.env["ir.config_parameter"]
        params.set_param("user_email_alias.allowed_targets", "localhost, 127.0.0.1")
        settings = self.idp.settings(smtp_server=f"localhost:{self.smtp.starttls_port}")
        Settings._register__(self.flavour, settings, settings.pop("client_secret"))
        self.idp.redirect_uris.add(Settings._get_redirect_uri(self.flavour))

    def create_alias(self, user, **values):
        return self.env["user.email.alias"].with_user(user).create(values)

    def login(self, user):
        self.authenticate(user.login, user.login)

    # ------------------------------------------------------------------

    def begin(self, alias=None, key=None):
        """Press the button; return the provider's address."""
        alias = alias or self.alias
        context = {"email_alias_provider": key or self.flavour}
        action = self.call(alias, "action_sign_in", context=context)
        self.assertEqual(action["type"], "ir.actions.act_url")
        self.assertEqual(action["target"], "self")
        self.assertTrue(action["url"].startswith(self.idp.url))
        return action["url"]

    def call(self, alias, method, context=None):
        """Press a button of the form in the user's session."""
        return self.make_jsonrpc_request(
            f"/web/dataset/call_button/{alias._name}/{method}",
            {
                "model": alias._name,
                "method": method,
                "args": [alias.ids],
                "kwargs": {"context": context or {}},
            },
        )

    def come_back(self, params, key=None):
        """Open the callback; return the sentence the page would show.

        :param params: a dict, or a list of pairs
        """
        answer = self.url_open(
            f"/user_email_alias/oauth/{key or self.flavour}/callback?"
            + urlencode(params),
            allow_redirects=False,
        )
        self.assertIn(answer.status_code, (302, 303), answer.text[:500])
        self.answer, self.location = answer, answer.headers["Location"]
        self.env.invalidate_all()
        session = odoo.http.root.session_store.get(self.session.sid)
        return (session.get(OUTCOME) or {}).get("message", "")

    def sign_in(self, account=ANNA, alias=None, **visit):
        return self.come_back(self.idp.visit(self.begin(alias), account, **visit))

    def get_session_flows(self):
        """The sign-ins under way by their state."""
        return odoo.http.root.session_store.get(self.session.sid).get(FLOWS) or {}

    def get_session_flow(self):
        """The sign-in that began last, or None."""
        return next(reversed(self.get_session_flows().values()), None)

    def set_session_flow(self, **changes):
        session = odoo.http.root.session_store.get(self.session.sid)
        flow = {**self.get_session_flow(), **changes}
        session[FLOWS] = {**session[FLOWS], flow["state"]: flow}
        odoo.http.root.session_store.save(session)

    def assert_untouched(self, alias=None):
        alias = (alias or self.alias).sudo()
        self.assertEqual(alias.provider, "smtp")
        self.assertFalse(alias.oauth_secret)
        self.assertFalse(alias.oauth_identity)
        self.assertFalse(alias.oauth_pending_secret)
        self.assertFalse(alias.email_from)
        self.assertEqual(alias.state, "draft")
