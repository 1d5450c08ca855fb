"""What can go wrong between us and an identity provider, as a vocabulary.

The caller decides by class (what to do) and shows by ``code`` (what to say):

==================  ==================================================================
``ConsentRefused``  the person, or their administrator, did not give what is needed
``FlowInvalid``     this answer does not belong to a sign-in we started: start again
``ConsentDead``     a consent given earlier is over: hold the alias, ask to sign in
``ProviderUnavailable``   a passing outage: try again later, hold nothing
``ProviderMisconfigured`` the registration of the app is wrong: ask the administrator
==================  ==================================================================
"""

import re

from ..redact import Blotter

# Longest piece of a provider's answer that is kept and shown.
MAX_WORDS = 500

# Error codes that pass by themselves: RFC 6749 4.1.2.1, and words seen in the wild.
PASSING_ERRORS = {
    "temporarily_unavailable",
    "server_error",
    "internal_failure",
    "slow_down",
    "rate_limit_exceeded",
}

SENTENCES = {
    # ConsentRefused
    "cancelled": "The sign-in was cancelled. Nothing was changed.",
    "refused": "The provider did not let you sign in.",
    "no_address": (
        "The provider names no usable email address for this account. Choose another"
        " one, or ask the administrator of your mailbox."
    ),
    "scope_missing": (
        "The permission to send email was not granted. Sign in again and leave it"
        " ticked."
    ),
    "offline_missing": (
        "The provider gave no permission to send while you are away. Sign in again."
    ),
    "admin_policy": (
        "A policy of your organisation forbids it. Ask the administrator of your"
        " mailbox to allow this application."
    ),
    # FlowInvalid
    "no_flow": "No sign-in is under way in this session. Start again from the alias.",
    "expired_flow": "The sign-in took too long. Start again from the alias.",
    "answer": "This answer is not well-formed. Start again from the alias.",
    "state": "This answer belongs to another sign-in. Start again from the alias.",
    "bound_to": "This sign-in was started for something else. Start again.",
    "issuer": "This answer comes from another provider. Start again from the alias.",
    "code": "The provider does not accept this sign-in any more. Start again.",
    "id_token": "The identity sent by the provider could not be verified. Start again.",
    # ConsentDead
    "revoked": "The permission to send was withdrawn. Sign in again.",
    "password_changed": "The password of the account was changed. Sign in again.",
    "expired": "The permission to send has expired. Sign in again.",
    "mfa": "The account now asks for an additional verification. Sign in again.",
    "unknown": "The provider no longer accepts the permission to send. Sign in again.",
    # ProviderUnavailable
    "unreachable": "The provider cannot be reached right now. Try again later.",
    "tls": "The provider's certificate cannot be verified. Try again later.",
    "outage": "The provider has a problem right now. Try again later.",
    "unreadable": "The provider's answer cannot be read. Try again later.",
    # ProviderMisconfigured
    "not_configured": "Client id or client secret is missing. Ask your administrator.",
    "client": "The provider does not know this application or its secret.",
    "client_ended": "The Client Secret of the application has ended.",
    "redirect_uri": "The redirect URI is not registered at the provider.",
    "base_url": (
        "Signing in needs an address of Odoo that begins with https://, in the system"
        " parameter web.base.url."
    ),
    "request": (
        "The provider does not accept how it is asked for the sign-in, for example the"
        " prompt that is set for it."
    ),
    "scope": "The application may not ask for the permission to send email.",
    "endpoint": "An address of the provider in the settings cannot be used.",
    "tenant": "The tenant in the settings does not exist at the provider.",
    "organisation_off": "The organisation account is switched off in the settings.",
    "organisation": (
        "The provider refuses the organisation account: its key is revoked, or not the"
        " one of this account."
    ),
    "no_key": "The key of the organisation account is missing.",
    "key_unreadable": (
        "The key is not JSON: enter the whole key file of the service account."
    ),
    "key_other": (
        "The key is not that of a service account: enter the whole key file, of the"
        " type JSON, that the provider made for it."
    ),
    "own_tenant": (
        "The organisation account needs the ID of your own directory as Tenant in the"
        " settings."
    ),
    "delegation": (
        "The organisation account may not send for its mailboxes: its domain-wide"
        " delegation, or the scope of it, is missing."
    ),
    "no_mailbox": "The organisation account finds no such mailbox at the provider.",
    "ca_bundle": "The file with the trusted certificates cannot be read.",
    "discovery": (
        "What the provider publishes about its addresses cannot be used: the address of"
        " the sign-in service in the settings may be wrong."
    ),
}


class OAuthError(Exception):
    """One sentence for the reader, then the provider's own words, quoted.

    What the provider said and what we found ourselves are kept apart: only the former
    is quoted, only an address of the latter is shown.

    :param code: key of ``SENTENCES``; stable, so that a caller can translate it
    :param error: error code of the standard (RFC 6749 4.1.2.1 and 5.2)
    :param description: ``error_description``, already without secrets
    :param reference: the provider's own number for the cause, when it has one
    :param detail: what we found, in a word or two, for the log
    :param address: the address in the settings that is meant, shown after the sentence
    """

    default_code = "unknown"

    def __init__(
        self, code="", *, error="", description="", reference="", detail="", address=""
    ):
        self.code = code or self.default_code
        self.error = clean(error)
        self.description = clean(description)
        self.reference = reference
        self.detail = clean(detail)
        self.address = clean(address)
        super().__init__(self.code)

    @property
    def sentence(self):
        return SENTENCES[self.code]

    @property
    def words(self):
        """The provider's answer in its own words, empty when there was none."""
        return ": ".join(filter(None, (self.error, self.description)))

    def __str__(self):
        meant = f" ({self.address})" if self.address else ""
        quoted = f' The provider says: "{self.words}"' if self.words else ""
        return self.sentence + meant + quoted

    def __repr__(self):
        found = self.reference or self.error or self.detail
        return f"<{type(self).__name__} {self.code} {found}>"


class ConsentRefused(OAuthError):
    default_code = "refused"


class FlowInvalid(OAuthError):
    default_code = "no_flow"


class ConsentDead(OAuthError):
    """Only a new sign-in helps; ``cause`` says why, in one of six words."""

    @property
    def cause(self):
        return self.code


class ProviderUnavailable(OAuthError):
    default_code = "unreachable"


class ProviderMisconfigured(OAuthError):
    default_code = "client"


# A run this long in this alphabet is a token, a code or a piece of a JWT. Trace ids
# (36 characters with their hyphens) stay readable: support asks for them.
_TOKEN_LIKE = re.compile(r"[A-Za-z0-9_~+=-]{40,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def clean(text, secrets=()):
    """Return foreign text that can be shown and logged: short, one line, no secret.

    :param secrets: what the other side knows; text that repeats it is not shown
    """
    text = str(text or "")
    if Blotter(*secrets).is_told(text):
        return "[…]"
    text = text[: 4 * MAX_WORDS]
    text = _TOKEN_LIKE.sub("[…]", _CONTROL.sub(" ", text)).strip()
    return text if len(text) <= MAX_WORDS else text[: MAX_WORDS - 1] + "…"
