"""An organisation account at each provider: its tokens, and what leaves with them."""

import json

from odoo.tests import tagged

from ..tools.deadline import Deadline
from ..tools.oauth import (
    ORGANISATIONS,
    OAuthError,
    ProviderConfig,
    ProviderMisconfigured,
    ProviderUnavailable,
    get_organisation,
)
from .common_api import FROM, TO, ApiCase, make_message
from .fake_oauth import ANNA, BORIS, JANE
from .fake_oauth_organisation import OWN_TENANT, SERVICE_ACCOUNT, make_service_key


class OrganisationTests:
    """What holds at every provider."""

    def setUp(self):
        super().setUp()
        self.account = self.make_organisation()
        self.idp.requests.clear()

    def make_organisation(self, deadline=None, **changes):
        settings = {"organisation": "True", "api_url": self.api.url, **self.settings()}
        config = ProviderConfig(**self.idp.settings(**{**settings, **changes}))
        return get_organisation(self.provider.key, config, deadline)

    def open_as(self, mailbox=FROM):
        self.tokens = self.account.enroll(mailbox)
        token = self.account.get_token(self.tokens)
        self.tokens = token.tokens
        self.provider = self.account
        return self.open(mailbox=mailbox, token_secret=token.access_token_secret)

    def token_requests(self):
        return [path for _method, path in self.idp.requests if path.endswith("/token")]

    def assert_refused(self, code, call, kind=ProviderMisconfigured):
        with self.assertRaises(OAuthError) as caught:
            call()
        self.assertIs(type(caught.exception), kind, caught.exception)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertNotIn("Sign in again", str(caught.exception))
        return str(caught.exception)

    def test_one_key_sends_for_each_mailbox(self):
        for account in (ANNA, BORIS):
            message = make_message().replace(FROM.encode(), account.email.encode())
            self.open_as(account.email).submit(account.email, [TO], message)
        self.assertEqual(
            [item.account for item in self.api.submissions], [ANNA.email, BORIS.email]
        )

    def test_nothing_is_asked_before_there_is_something_to_send(self):
        self.account.enroll(FROM)
        self.assertFalse(self.idp.requests)

    def test_an_access_token_serves_until_it_ends(self):
        token = self.account.get_token(self.account.enroll(FROM))
        self.assertTrue(token.is_refreshed)
        again = self.account.get_token(token.tokens)
        self.assertEqual(again.access_token_secret, token.access_token_secret)
        self.assertEqual(len(self.token_requests()), 1)
        self.assertNotIn(token.access_token_secret, repr(token))

    def test_a_token_that_is_refused_is_fetched_anew_once(self):
        connection = self.open_as()
        self.idp.access_tokens.clear()
        connection.submit(FROM, [TO], make_message())
        self.assertEqual((len(self.renewed), self.api.served), (1, [TO]))

    def test_the_test_of_the_connection_sends_nothing(self):
        self.open_as().check_sender(FROM)
        self.assertFalse(self.api.submissions)

    def test_tokens_of_a_person_are_none_of_the_organisation(self):
        tokens = self.sign_in()
        with self.assertRaises(OAuthError):
            self.account.get_token(tokens)

    def test_it_is_closed_while_it_is_switched_off(self):
        for off in ("", "False", "0"):
            sentence = self.assert_refused(
                "organisation_off", lambda o=off: self.make_organisation(organisation=o)
            )
            self.assertIn("switched off", sentence)

    def test_outage_is_no_refusal(self):
        self.idp.knobs.code_answer = (503, {})
        self.assert_refused("outage", self.account.check, ProviderUnavailable)

    def test_deadline_ends_a_provider_that_drips(self):
        self.idp.drips["/token"] = 0.05
        account = self.make_organisation(Deadline(0.6))
        self.assert_refused("unreachable", account.check, ProviderUnavailable)

    def test_refusal_of_the_token_says_nobody_has_to_sign_in(self):
        connection = self.open_as()
        words = self.api.error("InvalidAuthenticationToken", "No.")
        self.api.knobs.answers = [(401, {}, words), (401, {}, words)]
        failure = self.submit_failing(connection)
        self.assertEqual(failure.outcome.hold, "sign_in")
        self.assertIn("organisation account", str(failure))
        self.assertNotIn("sign in again", str(failure))


@tagged("-at_install", "post_install", "user_email_alias")
class TestMicrosoftOrganisation(OrganisationTests, ApiCase):
    transport = "graph"

    def settings(self):
        return {"tenant": OWN_TENANT}

    def test_the_mailbox_is_named_in_the_address(self):
        self.open_as().submit(FROM, [TO], make_message())
        path = f"/v1.0/users/{FROM}/sendMail"
        self.assertEqual(self.api.requests, [("POST", path)])

    def test_a_mailbox_may_have_another_name_than_its_address(self):
        message = make_message().replace(FROM.encode(), JANE.email.encode())
        self.open_as(JANE.upn).submit(JANE.email, [TO], message)
        self.assertEqual(self.api.submissions[0].account, JANE.email)

    def test_no_mailbox_no_licence_and_no_right_each_have_a_sentence(self):
        self.api.without_mailbox.add(BORIS.email)
        self.api.closed_to_applications.add(ANNA.email)
        for mailbox, reason, words in (
            ("nobody@example.com", "mailbox_missing", "licence"),
            (BORIS.email, "mailbox_missing", "licence"),
            (ANNA.email, "consent", "may not send for this mailbox"),
        ):
            with self.subTest(mailbox):
                connection = self.open_as(mailbox)
                for call in (
                    lambda c=connection, m=mailbox: c.check_sender(m),
                    lambda c=connection: c.submit(FROM, [TO], make_message()),
                ):
                    with self.assertRaises(Exception) as caught:
                        call()
                    failure = caught.exception
                    self.assertEqual(failure.outcome.hold, reason, failure)
                    self.assertIn(words, str(failure))
                    self.assertIn("ask your administrator", str(failure))

    def test_from_that_the_mailbox_may_not_use_has_a_sentence(self):
        failure = self.submit_failing(self.open_as(BORIS.email))
        self.assertEqual(failure.outcome.hold, "from_refused")
        self.assertIn("This mailbox may not send as", str(failure))

    def test_wrong_key_and_wrong_tenant_have_a_sentence(self):
        wrong = self.make_organisation(client_secret="wrong")
        self.assert_refused("client", wrong.check)
        self.idp.unknown_tenants = {OWN_TENANT}
        sentence = self.assert_refused("tenant", self.account.check)
        self.assertIn("does not exist", sentence)

    def test_the_directory_has_to_be_ones_own(self):
        for tenant in ("", "common", "organizations", "consumers"):
            with self.subTest(tenant):
                self.assert_refused(
                    "own_tenant", lambda t=tenant: self.make_organisation(tenant=t)
                )

    def test_administrators_consent_at_the_configured_provider(self):
        for settings, start in (
            ({}, "https://login.microsoftonline.com/organizations/"),
            ({"tenant": "common"}, "https://login.microsoftonline.com/organizations/"),
            ({"tenant": "a/b"}, "https://login.microsoftonline.com/a%2Fb/"),
            (
                {"tenant": OWN_TENANT, "authority": "https://login.example.cn/"},
                f"https://login.example.cn/{OWN_TENANT}/",
            ),
        ):
            config = ProviderConfig("app 1", "", **settings)
            url = self.provider.get_admin_consent_url(config, "https://odoo/back")
            query = "client_id=app+1&redirect_uri=https%3A%2F%2Fodoo%2Fback"
            self.assertEqual(url, f"{start}adminconsent?{query}")
        self.assertFalse(
            self.provider.get_admin_consent_url(ProviderConfig("", ""), "https://odoo")
        )


@tagged("-at_install", "post_install", "user_email_alias")
class TestGoogleOrganisation(OrganisationTests, ApiCase):
    transport = "gmail"

    def settings(self):
        key = ORGANISATIONS["google"].read_key(make_service_key())
        return {"organisation_key": key, "client_id": "", "client_secret": ""}

    def test_the_claim_names_the_mailbox_and_the_narrowest_scope(self):
        self.open_as().submit(FROM, [TO], make_message())
        claim = self.idp.claims[-1]
        self.assertEqual(claim["sub"], FROM)
        self.assertEqual(claim["iss"], SERVICE_ACCOUNT)
        self.assertEqual(claim["scope"], "https://www.googleapis.com/auth/gmail.send")

    def test_no_address_of_the_key_file_is_ever_asked(self):
        evil = {
            "token_uri": "https://evil.example/token",
            "universe_domain": "evil.example",
        }
        key = ORGANISATIONS["google"].read_key(make_service_key(**evil))
        self.assertNotIn("evil", key)
        # nor of one that came to be stored otherwise
        key = json.dumps({**json.loads(key), **evil, "universe_domain": ""})
        account = self.make_organisation(organisation_key=key)
        self.assertTrue(account.get_token(account.enroll(FROM)).access_token_secret)
        self.assertEqual(self.token_requests(), ["/token"])

    def test_what_is_no_key_has_a_sentence(self):
        read_key = ORGANISATIONS["google"].read_key
        for text, code in (
            ("", "key_unreadable"),
            ("AIzaSyD-an-api-key", "key_unreadable"),
            (make_service_key()[:-5], "key_unreadable"),
            ("[" * 100_000, "key_unreadable"),
            ("[]", "key_other"),
            ("{}", "key_other"),
            ('"service_account"', "key_other"),
            (
                json.dumps({"web": {"client_id": "1", "client_secret": "2"}}),
                "key_other",
            ),
            (make_service_key(type="authorized_user"), "key_other"),
            (make_service_key(private_key="none"), "key_other"),
            (make_service_key(private_key=7), "key_other"),
            (make_service_key(client_email=""), "key_other"),
        ):
            with self.subTest(text[:40]):
                self.assert_refused(code, lambda t=text: read_key(t))

    def test_a_key_that_is_missing_has_a_sentence(self):
        self.assert_refused(
            "no_key", lambda: self.make_organisation(organisation_key="")
        )

    def test_revoked_key_has_a_sentence(self):
        self.account.check()
        self.idp.is_key_revoked = True
        sentence = self.assert_refused("organisation", self.account.check)
        self.assertIn("revoked", sentence)
        self.assertIn("Invalid JWT Signature", sentence)

    def test_delegation_and_mailbox_that_are_missing_have_a_sentence(self):
        def get(mailbox):
            return self.account.get_token(self.account.enroll(mailbox))

        self.assert_refused("no_mailbox", lambda: get("nobody@example.com"))
        self.idp.delegated = frozenset()
        self.assert_refused("delegation", lambda: get(FROM))
