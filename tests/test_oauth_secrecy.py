"""No secret leaves by a log, an exception or a printed object."""

import base64
import logging
import traceback
from urllib.parse import quote, quote_plus

from ..tools.oauth import OAuthError
from ..tools.oauth.errors import clean
from .common_oauth import BOUND_TO, OAuthCase


class Recorder(logging.Handler):
    """Keep everything a formatter could print: text, arguments, extras, traceback."""

    def __init__(self):
        super().__init__(logging.NOTSET)
        self.texts = []

    def emit(self, record):
        self.texts.append(f"{record.getMessage()} {record.__dict__}")
        if record.exc_info:
            self.texts += traceback.format_exception(*record.exc_info)


class Secrecy:
    """What holds for every provider; a mixin, run once for each below."""

    def setUp(self):
        super().setUp()
        self.recorder = Recorder()
        root = logging.getLogger()
        # Only sent through the channel: what the fake and its visitor log is theirs.
        levels = {root: root.level}
        for name, logger in list(logging.root.manager.loggerDict.items()):
            is_ours = name.startswith("odoo.addons.user_email_alias")
            if isinstance(logger, logging.Logger) and (
                is_ours or not name.startswith("odoo")
            ):
                levels[logger] = logger.level
        handlers, root.handlers = root.handlers, [self.recorder]
        self.addCleanup(setattr, root, "handlers", handlers)
        for logger, level in levels.items():
            propagate, logger.propagate = logger.propagate, True
            logger.setLevel(logging.DEBUG)
            self.addCleanup(setattr, logger, "propagate", propagate)
            self.addCleanup(logger.setLevel, level)

    def secrets_of(self, flow, params, *token_strings):
        """All that must stay inside, except what the browser has seen anyway."""
        secrets = {
            self.idp.client_secret,
            flow["private"]["code_verifier"],
            flow["private"]["nonce"],
            params["code"],
            *self.idp.access_tokens,
        }
        for grant in self.idp.grants:
            secrets |= {grant.refresh_token, *grant.used_refresh_tokens}
        return secrets - {""}

    def assert_absent(self, secrets, texts):
        for secret in secrets:
            for form in (
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                base64.b64encode(secret.encode()).decode(),
            ):
                for text in texts:
                    self.assertNotIn(form, text)

    def printed(self, error):
        return [str(error), repr(error), *traceback.format_exception(error)]

    def test_logs_at_debug_level_hold_no_secret(self):
        url, flow = self.begin()
        params = self.idp.visit(url)
        kept = dict(flow)
        consent = self.provider.finish(flow, params, bound_to=BOUND_TO)
        token = self.provider.refresh(consent.tokens)
        self.provider.revoke(token.tokens)
        secrets = self.secrets_of(kept, params)
        self.assertGreaterEqual(len(secrets), 7)
        self.assertTrue(self.recorder.texts, "the recorder hears nothing")
        self.assert_absent(secrets, self.recorder.texts)
        objects = (consent, token, self.provider, self.provider.config)
        self.assert_absent(secrets, [f"{thing} {thing!r}" for thing in objects])

    def test_failures_hold_no_secret_even_when_the_provider_echoes_them(self):
        tokens = self.sign_in().tokens
        secrets = {self.idp.client_secret, self.idp.grants[0].refresh_token}
        for answer in self.echoes(" ".join(secrets)):
            with self.subTest(refresh=str(answer)[:60]):
                self.knobs.refresh_answer = answer
                with self.assertRaises(OAuthError) as caught:
                    self.provider.refresh(tokens)
                self.assert_absent(secrets, self.printed(caught.exception))
        for number in range(len(self.echoes(""))):
            url, flow = self.begin()
            params = self.idp.visit(url)
            sent = {params["code"], flow["private"]["code_verifier"]}
            secrets |= sent
            answer = self.echoes(" ".join((*sent, self.idp.client_secret)))[number]
            with self.subTest(code=str(answer)[:60]):
                self.knobs.code_answer = answer
                with self.assertRaises(OAuthError) as caught:
                    self.provider.finish(flow, params, bound_to=BOUND_TO)
                self.assert_absent(secrets, self.printed(caught.exception))
        self.assert_absent(secrets, self.recorder.texts)

    def echoes(self, sent):
        return [
            (400, {"error": "invalid_grant", "error_description": f"No: {sent}"}),
            (400, {"error": sent, "error_description": sent}),
            (400, {"error": "invalid_client", "error_description": sent}),
            (500, {"error": "x", "error_description": sent}),
            (400, sent.encode()),
            (200, sent.encode()),
            (200, {"echo": sent}),
        ]

    def test_refused_id_token_is_not_printed(self):
        self.knobs.claims = {"nonce": "other"}
        url, flow = self.begin()
        params = self.idp.visit(url)
        with self.assertRaises(OAuthError) as caught:
            self.provider.finish(flow, params, bound_to=BOUND_TO)
        printed = self.printed(caught.exception) + self.recorder.texts
        self.assertNotIn("eyJ", "\n".join(printed))

    def test_words_of_the_provider_are_short_and_on_one_line(self):
        text = clean("a\r\nb\x00\u2028c" + " x" * 5000)
        self.assertTrue(text.startswith("a b c x"))
        self.assertLessEqual(len(text), 500)
        self.assertEqual(clean("eyJhbGciOiJSUzI1NiIsImtpZCI6ImtleS0xIn0x" * 2), "[…]")
        trace = "Trace ID: 0f3b6c1e-8a3d-4c53-9a67-5a1c3c0e1d00"
        self.assertEqual(clean(trace), trace)


class TestGoogleSecrecy(Secrecy, OAuthCase):
    flavour = "google"


class TestMicrosoftSecrecy(Secrecy, OAuthCase):
    flavour = "microsoft"
