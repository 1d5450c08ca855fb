"""The interface every identity provider is reached through.

A sign-in is the authorization code grant (RFC 6749 4.1) with PKCE (RFC 7636), OpenID
Connect for the identity, and the practice of RFC 9700::

    url, flow = provider.begin(redirect_uri, login_hint=..., bound_to={...})
    # keep `flow` in the user's server-side session, send the browser to `url`
    flow = session.pop(...)                      # popped, so that it serves only once
    consent = provider.finish(flow, callback_params, bound_to={...})

Later, for each login at the mail server::

    token = provider.get_token(tokens)             # no network while it is fresh enough
    # commit `token.tokens` at once if `token.is_refreshed`, then log in

``tokens`` is one opaque string that only its provider reads and that belongs into the
vault. Nothing here stores, logs or prints a secret; there is no ORM in here.
"""

import hmac
import logging
import secrets
import time
from urllib.parse import urlsplit

from ..address import AddressError, parse_mailbox
from ..deadline import Deadline
from ..transport import API_TRANSPORTS
from .channel import session_for
from .config import ProviderConfig
from .discovery import (
    WELL_KNOWN,
    fetch_keys,
    fetch_metadata,
    is_absolute,
    require_https,
)
from .errors import (
    ConsentRefused,
    FlowInvalid,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from .flows import FLOW_LIFETIME
from .tokens import Tokens, json_text

_logger = logging.getLogger(__name__)

# Longest authorization code that is passed on.
MAX_CODE = 4096


class Provider(Tokens):
    """Base of the providers: all rules that do not depend on which one it is.

    :param Deadline deadline: the end of all conversations of this object, None for none

    A subclass says where it is and how it words things, and implements the three
    methods at the end through the library of that provider.
    """

    key = ""
    label = ""
    # whether its mail server lets an account send as another mailbox, or refuses it;
    # others put the account's own address into the From without a word
    lets_send_as_others = False
    # of its mailboxes, ``*.`` for what is below; and of the servers that take mail for
    # mailboxes of other domains
    domains = frozenset()
    mx_domains = frozenset()
    default_authority = ""
    api_transport = ""
    default_mail_scope = ""
    default_smtp_server = ""
    # the setting with the secret that opens it
    secret_setting = "client_secret"  # noqa: S105 - the name of the setting

    def __init__(self, config, deadline=None):
        self.config = config
        self._check_config()
        self.deadline = deadline or Deadline()

    def __repr__(self):
        return f"<{type(self).__name__} {self.config.client_id}>"

    def _check_config(self):
        if not self.config.client_id or not self.config.client_secret:
            raise ProviderMisconfigured("not_configured")

    @classmethod
    def get_binding_names(cls):
        """Return the settings that its secrets are bound to."""
        return ProviderConfig.get_binding_names()

    @classmethod
    def get_admin_consent_url(cls, config, redirect_uri):
        """Return where an administrator consents for all users at once, if anywhere."""
        return ""

    @classmethod
    def read_admin_consent(cls, params):
        """Return whether an administrator has consented; None: it is no such answer."""
        return None

    @property
    def api_url(self):
        """Address of the provider's interface.

        :raise ProviderMisconfigured: it is no ``https://host``
        """
        url = self.config.api_url or API_TRANSPORTS[self.api_transport].default_url
        return require_https(url).rstrip("/")

    @property
    def smtp_server(self):
        return self.config.smtp_server or self.default_smtp_server

    def mail_scopes(self, transport):
        """Return what sending needs, the one without which nothing leaves first."""
        if transport == "smtp":
            return [self.config.mail_scope or self.default_mail_scope]
        return list(API_TRANSPORTS[transport].permissions)

    def draft_scopes(self, transport):
        """Return what larger emails need besides, where that is wanted."""
        permission = getattr(API_TRANSPORTS.get(transport), "draft_permission", "")
        is_wanted = self.config.large_attachments == "True"
        return [permission] if permission and is_wanted else []

    def scopes(self, transport):
        """Return all that is asked for."""
        mail = [*self.mail_scopes(transport), *self.draft_scopes(transport)]
        return [*mail, "openid", "email", "profile"]

    def _get_server(self, transport):
        return self.smtp_server if transport == "smtp" else self.api_url

    @property
    def discovery_url(self):
        authority = self.config.authority or self.default_authority
        return self.config.discovery_url or authority.rstrip("/") + WELL_KNOWN

    @property
    def metadata(self):
        """The provider's endpoints and issuer; the configured ones come first."""
        found = fetch_metadata(self.discovery_url, self.config, self.deadline)
        chosen = {name: getattr(self.config, name, "") for name in found}
        metadata = found | {name: value for name, value in chosen.items() if value}
        for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not metadata[name]:
                raise ProviderMisconfigured("discovery", address=self.discovery_url)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            require_https(metadata[name])
        return metadata

    def _session(self, **options):
        return session_for(self.config, self.deadline, **options)

    # -- sign in -----------------------------------------------------------------

    def begin(
        self,
        redirect_uri,
        *,
        login_hint="",
        bound_to=None,
        asks_consent=False,
        transport="",
    ):
        """Start a sign-in.

        :param redirect_uri: exactly as registered; HTTPS, or HTTP on this machine
        :param login_hint: address of the account to propose (OIDC Core 3.1.2.1)
        :param bound_to: JSON data naming whose and which sign-in this is (user, alias);
            ``finish`` must be told the same
        :param asks_consent: have the person consent again: the last sign-in brought no
            permission to send while they are away (OIDC Core 11)
        :param transport: how the account is to send: ``smtp``, ``api``, empty = as
            configured
        :return: (address to send the browser to, flow for the server-side session)
        """
        self._check_redirect_uri(redirect_uri)
        state = secrets.token_urlsafe(32)  # 256 bit; RFC 6749 10.10 asks for 128
        if (transport or self.config.transport) != "smtp":
            transport = self.api_transport
        else:
            transport = "smtp"
        # else who signs in would come back in vain
        self._get_server(transport)
        with self._own_errors():
            url, private = self._authorization(
                redirect_uri, state, login_hint, asks_consent, self.scopes(transport)
            )
        return require_https(url), {
            "provider": self.key,
            "client_id": self.config.client_id,
            "state": state,
            "redirect_uri": redirect_uri,
            "bound_to": bound_to or {},
            "created_at": time.time(),
            "asks_consent": asks_consent,
            "transport": transport,
            "private": private,
        }

    def finish(self, flow, params, *, bound_to=None):
        """Turn the provider's answer into a consent. Nothing is stored anywhere.

        :param flow: what ``begin`` returned. It is emptied: it serves only once
        :param params: the query parameters of the callback
        :raise FlowInvalid, ConsentRefused: see there
        """
        flow, used = dict(flow or {}), flow
        if used:
            used.clear()
        with self._own_errors():
            self._check_flow(flow, bound_to or {})
            self._check_answer(flow, params)
            consent = self._exchange(flow, str(params["code"]))
        _logger.info("%s: sign-in finished", self.label)
        return consent

    @staticmethod
    def _check_redirect_uri(redirect_uri):
        # RFC 9700 2.6: no tokens or codes over plain HTTP but to the same machine.
        if is_absolute(redirect_uri, ("http", "https")):
            parts = urlsplit(redirect_uri)
            is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
            if (parts.scheme == "https" or is_local) and not parts.fragment:
                return
        raise ProviderMisconfigured("base_url", address=redirect_uri)

    def _check_flow(self, flow, bound_to):
        if not flow.get("state") or not isinstance(flow.get("private"), dict):
            raise FlowInvalid("no_flow")
        # RFC 9700 4.4 (mix-up): a code is only ever shown to the provider it was
        # asked from.
        if flow["provider"] != self.key or flow["client_id"] != self.config.client_id:
            raise FlowInvalid("issuer")
        if not 0 <= time.time() - flow.get("created_at", 0) <= FLOW_LIFETIME:
            raise FlowInvalid("expired_flow")
        if not _is_same(json_text(flow["bound_to"]), json_text(bound_to)):
            raise FlowInvalid("bound_to")

    def _check_answer(self, flow, params):
        """Check the authorization response (RFC 6749 4.1.2, 10.12; RFC 9207 2.4)."""
        if not _is_same(str(params.get("state") or ""), flow["state"]):
            raise FlowInvalid("state")
        if "iss" in params:
            if not self._is_own_issuer(str(params["iss"])):
                raise FlowInvalid("issuer")
        elif params.get("code") and self.metadata.get(
            "authorization_response_iss_parameter_supported"
        ):
            raise FlowInvalid("issuer")
        if params.get("error"):
            raise self._failure(params, is_first=True, is_authorization=True)
        if not 0 < len(str(params.get("code") or "")) <= MAX_CODE:
            raise FlowInvalid("code")

    def _is_own_issuer(self, issuer):
        """Tell whether the ``iss`` of an authorization response is this provider's."""
        return issuer == self.metadata["issuer"]

    def _prompt(self, *wanted, asks_consent=False):
        """Return the ``prompt`` to ask with (OIDC Core 3.1.2.1), or None.

        A provider that announces what it understands may refuse everything else. One
        that refuses without having announced needs ``ProviderConfig.prompt``.
        """
        if self.config.prompt and not asks_consent:
            return self.config.prompt
        wanted = self.config.prompt.split() or wanted
        if asks_consent:
            # "none" does not go with others, and asks the person nothing
            wanted = [value for value in wanted if value != "none"] + ["consent"]
        known = self.metadata["prompt_values_supported"] or wanted
        # in their order, each once
        return " ".join(dict.fromkeys(v for v in wanted if v in known)) or None

    def _keys(self):
        return fetch_keys(self.metadata["jwks_uri"], self.config, self.deadline)

    def _claimed_address(self, claims, *names):
        """Return the first of these claims that is one plain email address.

        :raise ConsentRefused: none is; the text of a claim goes nowhere
        """
        for name in names:
            try:
                return parse_mailbox(as_text(claims.get(name)))
            except AddressError:
                continue
        raise ConsentRefused("no_address")

    def _check_grant(self, payload, transport):
        """Check that the token response brings what was asked for (RFC 6749 5.1).

        An absent ``scope`` means: as requested.
        """
        if str(payload.get("token_type", "bearer")).lower() != "bearer":
            raise ProviderUnavailable("unreadable", detail="token type")
        if not as_text(payload.get("access_token")):
            raise ProviderUnavailable("unreadable", detail="access token")
        if not self._may_send(payload, transport):
            raise ConsentRefused("scope_missing")
        if not as_text(payload.get("refresh_token")):
            raise ConsentRefused("offline_missing")

    def _may_send(self, payload, transport):
        """Tell whether a token response lets mail be sent; without scope: as asked."""
        asked = self.mail_scopes(transport)
        return self._has_scope(payload, asked[0], asked)

    def _has_scope(self, payload, wanted, asked):
        scope = payload.get("scope", asked)
        granted = scope if isinstance(scope, list) else str(scope).split()
        wanted = wanted.lower()
        return any(self._is_scope(str(item).lower(), wanted) for item in granted)

    def _read_permissions(self, payload, transport):
        """Return what was granted of all that was asked for, in short."""
        asked = [*self.mail_scopes(transport), *self.draft_scopes(transport)]
        granted = [one for one in asked if self._has_scope(payload, one, asked)]
        return " ".join(one.rstrip("/").rpartition("/")[2] for one in granted)

    @staticmethod
    def _is_scope(granted, wanted):
        return granted == wanted

    # -- what a provider implements ------------------------------------------------

    def _authorization(self, redirect_uri, state, login_hint, asks_consent, scopes):
        """Return (authorization URL, JSON data for ``_exchange``): nonce, PKCE S256."""
        raise NotImplementedError

    def _exchange(self, flow, code):
        """Redeem ``code``, verify the identity, return a ``Consent``."""
        raise NotImplementedError


def as_text(value):
    """Return foreign data if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def _is_same(left, right):
    return hmac.compare_digest(
        left.encode(errors="surrogatepass"), right.encode(errors="surrogatepass")
    )
