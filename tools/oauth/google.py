"""Google: Gmail and Google Workspace, with ``google-auth-oauthlib``."""

import hashlib
import secrets

from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error

from .base import Provider, as_text
from .channel import network_errors
from .consent import Consent, OauthToken, expiry
from .errors import ConsentDead, FlowInvalid, ProviderUnavailable
from .id_token import verify_id_token

_CAUSE_BY_ERROR = {
    "admin_policy_enforced": "admin_policy",
    "org_internal": "admin_policy",
    "access_not_configured": "admin_policy",
}

# RAPT: the organisation ends sessions after some hours and wants its people back.
_CAUSE_BY_SUBTYPE = {"invalid_rapt": "expired", "rapt_required": "expired"}

# The provider words a revoked, an expired (seven days while the app is in "Testing",
# six months unused) and a password-killed token alike; the rest has texts of its own.
_CAUSE_BY_TEXT = (
    ("expired or revoked", "revoked"),
    ("password", "password_changed"),
    ("account has been deleted", "revoked"),
    ("account has been disabled", "admin_policy"),
    ("account restricted", "admin_policy"),
    ("blocked by", "admin_policy"),
    ("expired", "expired"),
)


class GoogleProvider(Provider):
    key = "google"
    label = "Google"
    domains = frozenset(("gmail.com", "googlemail.com"))
    mx_domains = frozenset(("google.com", "googlemail.com"))
    default_authority = "https://accounts.google.com"
    api_transport = "gmail"
    # Restricted scope; SMTP and IMAP accept no narrower one.
    default_mail_scope = "https://mail.google.com/"
    default_smtp_server = "smtp.gmail.com:465"

    def _library_flow(self, redirect_uri, code_verifier, scopes=None):
        metadata = self.metadata
        return Flow.from_client_config(
            {
                "web": {
                    "client_id": self.config.client_id,
                    "client_secret": self.config.client_secret,
                    "auth_uri": metadata["authorization_endpoint"],
                    "token_uri": metadata["token_endpoint"],
                }
            },
            scopes=scopes,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            autogenerate_code_verifier=False,
        )

    def _authorization(self, redirect_uri, state, login_hint, asks_consent, scopes):
        # RFC 7636 4.1: 43 to 128 characters. OIDC Core 15.5.2: the nonce is sent as a
        # hash, so that the browser's history does not hold what the session holds.
        private = {
            "code_verifier": secrets.token_urlsafe(64),
            "nonce": secrets.token_urlsafe(32),
        }
        flow = self._library_flow(redirect_uri, private["code_verifier"], scopes)
        # Without "consent" a second sign-in brings no refresh token.
        wanted = ("consent",) if login_hint else ("select_account", "consent")
        prompt = self._prompt(*wanted, asks_consent=asks_consent)
        options = {"login_hint": login_hint, "prompt": prompt}
        url, _state = flow.authorization_url(
            state=state,
            nonce=_nonce_hash(private["nonce"]),
            access_type="offline",
            # Else the token would carry whatever this client was ever granted.
            include_granted_scopes="false",
            **{name: value for name, value in options.items() if value},
        )
        return url, private

    def _exchange(self, flow, code):
        code_verifier = flow["private"].get("code_verifier")
        nonce = flow["private"].get("nonce")
        if not code_verifier or not nonce:
            raise FlowInvalid("no_flow")
        # No scopes here: the library raises when the person unticked one, or when the
        # provider answers with the long names of "email" and "profile".
        library_flow = self._library_flow(flow["redirect_uri"], code_verifier)
        with self._session() as (_session, channel), network_errors():
            channel.mount_on(library_flow.oauth2session)
            try:
                library_flow.fetch_token(code=code, include_client_id=True)
            except OAuth2Error:
                raise self._failure(
                    channel.payload, is_first=True, hidden=(code, code_verifier)
                ) from None
            payload = channel.payload
        claims = self._verified_claims(payload.get("id_token"), nonce)
        self._check_grant(payload, flow["transport"])
        return self._consent(claims, payload, flow["transport"])

    def _verified_claims(self, id_token, nonce):
        issuer = self.metadata["issuer"]
        # The provider documents both forms of its own name.
        accepted = (issuer, issuer.removeprefix("https://"))
        return verify_id_token(
            id_token,
            self._keys(),
            client_id=self.config.client_id,
            nonce=_nonce_hash(nonce),
            issuers=lambda claims, key: accepted,
        )

    def _consent(self, claims, payload, transport):
        email = self._claimed_address(claims, "email")
        return Consent(
            # ``sub`` is unique within its issuer (OIDC Core 5.7) and never reused.
            identity=f"{self.metadata['issuer']}|{claims['sub']}",
            login=email,
            email=email,
            name=as_text(claims.get("name")),
            transport=transport,
            server=self._get_server(transport),
            expires_at=expiry(payload),
            tokens=self._pack_tokens(payload, payload["refresh_token"], transport),
            permissions=self._read_permissions(payload, transport),
        )

    def _pack_tokens(self, payload, refresh_token, transport):
        return self._pack(
            payload,
            transport=transport,
            refresh_token=refresh_token,
            access_token=payload["access_token"],
        )

    def _refresh(self, content):
        old, transport = self._refresh_secret(content), content["transport"]
        credentials = Credentials(
            token=None,
            refresh_token=old,
            token_uri=self.metadata["token_endpoint"],
            client_id=self.config.client_id,
            client_secret=self.config.client_secret,
        )
        payload = self._run_refresh(credentials, old)
        if not self._may_send(payload, transport):
            raise ConsentDead("revoked", detail="scope")
        if not as_text(payload.get("access_token")):
            raise ProviderUnavailable("unreadable", detail="access token")
        new = credentials.refresh_token
        return OauthToken(
            expires_at=expiry(payload),
            is_refreshed=True,
            access_token_secret=credentials.token,
            tokens=self._pack_tokens(payload, new, transport),
        )

    def _run_refresh(self, credentials, *hidden):
        """Let the library fetch an access token.

        :param hidden: secrets that are sent, lest the answer echoes them
        :return: the token response
        """
        with self._session() as (session, channel):
            try:
                credentials.refresh(Request(session))
            except RefreshError as error:
                if error.retryable:
                    raise ProviderUnavailable("outage") from None
                # The library drops the answer for some causes; the channel has it.
                raise self._failure(channel.payload, hidden=hidden) from None
            except GoogleAuthError as error:
                name = type(error).__name__
                raise ProviderUnavailable("unreachable", detail=name) from None
            return channel.payload

    def _cached_access(self, content):
        return content.get("access_token"), content.get("expires_at") or 0.0

    def _refresh_secret(self, content):
        return content.get("refresh_token") or ""

    def _diagnose(self, answer):
        kind, code, reference = super()._diagnose(answer)
        error = answer["error"]
        if error in _CAUSE_BY_ERROR:
            return ConsentDead, _CAUSE_BY_ERROR[error], ""
        if error == "invalid_grant":
            text = answer["error_description"].lower()
            code = _CAUSE_BY_SUBTYPE.get(answer["error_subtype"]) or next(
                (cause for words, cause in _CAUSE_BY_TEXT if words in text), code
            )
        return kind, code, reference


def _nonce_hash(nonce):
    return hashlib.sha256(nonce.encode()).hexdigest()
