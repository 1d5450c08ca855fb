"""Tell what went wrong at a provider, in terms of the exceptions of ``errors``."""

import logging
import re
import traceback
from contextlib import contextmanager

from .errors import (
    PASSING_ERRORS,
    ConsentDead,
    ConsentRefused,
    FlowInvalid,
    OAuthError,
    ProviderMisconfigured,
    ProviderUnavailable,
    clean,
)

_logger = logging.getLogger(__name__)

# RFC 6749 4.1.2.1 and 5.2, and words seen in the wild.
_MISCONFIGURED = {
    "invalid_client": "client",
    "deleted_client": "client",
    "disabled_client": "client",
    "unauthorized_client": "client",
    "unsupported_grant_type": "client",
    "unsupported_response_type": "client",
    "invalid_scope": "scope",
    "redirect_uri_mismatch": "redirect_uri",
}
# The request itself is not understood, and will not be the next time either.
_REQUEST_ERRORS = {
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "registration_not_supported",
    "request_not_supported",
    "request_uri_not_supported",
}
_PROMPT = re.compile(r"(?<![a-z])prompts?(?![a-z])", re.IGNORECASE)

# What of an error response is looked at: the standard's two, and the providers' own.
_ERROR_PARAMETERS = ("error", "error_description", "error_subtype", "error_codes")

# OpenID Connect Core 3.1.2.6.
_NEEDS_PERSON = {"interaction_required", "login_required", "consent_required"}


class Failures:
    """How a provider's refusals and its nonsense are read; a subclass refines it."""

    @contextmanager
    def _own_errors(self):
        """Let no exception out but our own.

        Three libraries read what the provider sends, and what they raise for nonsense
        changes from release to release. The text of it could quote what was read.
        """
        try:
            yield
        except OAuthError:
            raise
        except Exception as error:
            name = type(error).__name__
            place = traceback.extract_tb(error.__traceback__)[-1]
            _logger.warning(
                "%s: answer not understood: %s in %s:%s",
                self.label,
                name,
                place.filename,
                place.lineno,
            )
            raise ProviderUnavailable("unreadable", detail=name) from None

    def _failure(self, payload, *, is_first=False, is_authorization=False, hidden=()):
        """Return the exception for an error response (RFC 6749 4.1.2.1, 5.2).

        :param payload: the answer as a dict
        :param is_first: during a sign-in, when there is no consent yet that could die
        :param is_authorization: the browser brought it, no token was asked for yet
        :param hidden: secrets that were sent, lest the answer echoes it
        """
        # Foreign data: text is all that anybody below has to expect.
        answer = {name: str(payload.get(name) or "") for name in _ERROR_PARAMETERS}
        kind, code, reference = self._diagnose(answer)
        if is_authorization and code == "unknown" and _is_about_request(answer):
            kind, code = ProviderMisconfigured, "request"
        if kind is ConsentDead and is_first:
            if code in ("admin_policy", "mfa"):
                kind, code = ConsentRefused, "admin_policy"
            elif answer["error"] == "access_denied":
                kind, code = ConsentRefused, "cancelled"
            else:
                kind, code = FlowInvalid, "code"
        hidden = (self.config.client_secret, *hidden)
        failure = kind(
            code,
            error=clean(answer["error"], hidden),
            description=clean(answer["error_description"], hidden),
            reference=reference,
        )
        _logger.info("%s: %r", self.label, failure)
        return failure

    def _diagnose(self, answer):
        """Return (exception class, code, provider's number) for an error response.

        :param answer: dict of text, with all of ``_ERROR_PARAMETERS``

        What nobody can name counts as final: a hold is seen by the owner and keeps the
        mail, whereas endless retries hide the trouble.
        """
        error = answer["error"]
        if not error:
            return ProviderUnavailable, "unreadable", ""
        if error in PASSING_ERRORS:
            return ProviderUnavailable, "outage", ""
        if error in _MISCONFIGURED:
            return ProviderMisconfigured, _MISCONFIGURED[error], ""
        if error in _NEEDS_PERSON:
            return ConsentDead, "mfa", ""
        return ConsentDead, "unknown", ""


def _is_about_request(answer):
    """Tell whether a refused authorization would be refused again, as we ask it."""
    if answer["error"] in _REQUEST_ERRORS:
        return True
    words = f"{answer['error'].replace('_', ' ')} {answer['error_description']}"
    return answer["error"] != "access_denied" and bool(_PROMPT.search(words))
