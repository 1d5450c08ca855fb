"""Microsoft: Microsoft 365 and Outlook.com, with ``msal``.

The library brings state, nonce, PKCE and the token cache. It does not verify the ID
token (not at all since 1.38), so that is done here like for every provider.
"""

import re
import warnings
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msal

from ..transport import API_TRANSPORTS
from . import microsoft_cache
from .base import Provider, as_text
from .consent import Consent, OauthToken, expiry
from .discovery import WELL_KNOWN
from .errors import (
    ConsentDead,
    FlowInvalid,
    OAuthError,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from .id_token import verify_id_token
from .tokens import json_text

# The directory all personal accounts live in.
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"

# The library recommends that the browser POST the answer. Cross-site POSTs come without
# the session cookie (SameSite=Lax), and the session is what the answer is bound to.
warnings.filterwarnings("ignore", message="response_mode=", module=r"msal\.")

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_NUMBER = re.compile(r"AADSTS(\d{4,9})")

_DEAD, _WRONG, _PASSING = ConsentDead, ProviderMisconfigured, ProviderUnavailable

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_DIAGNOSIS_BY_NUMBER = {
    50057: (_DEAD, "admin_policy"),  # account disabled
    50105: (_DEAD, "admin_policy"),  # not assigned to the application
    53000: (_DEAD, "admin_policy"),  # device not compliant
    53001: (_DEAD, "admin_policy"),  # device not joined
    53002: (_DEAD, "admin_policy"),  # client application not approved
    53003: (_DEAD, "admin_policy"),  # blocked by conditional access
    530003: (_DEAD, "admin_policy"),  # device not managed
    90094: (_DEAD, "admin_policy"),  # an administrator has to consent
    90095: (_DEAD, "admin_policy"),  # consent was asked for
    50072: (_DEAD, "mfa"),  # must enrol
    50074: (_DEAD, "mfa"),
    50076: (_DEAD, "mfa"),
    50078: (_DEAD, "mfa"),  # verification expired
    50079: (_DEAD, "mfa"),
    50158: (_DEAD, "mfa"),  # external challenge
    53004: (_DEAD, "mfa"),
    50132: (_DEAD, "password_changed"),
    50133: (_DEAD, "password_changed"),
    50144: (_DEAD, "password_changed"),  # expired
    50173: (_DEAD, "password_changed"),
    70008: (_DEAD, "expired"),
    70043: (_DEAD, "expired"),  # sign-in frequency
    70044: (_DEAD, "expired"),
    700082: (_DEAD, "expired"),  # 90 days unused
    700084: (_DEAD, "expired"),
    50034: (_DEAD, "revoked"),  # account deleted
    65001: (_DEAD, "revoked"),  # consent withdrawn
    50011: (_WRONG, "redirect_uri"),
    500112: (_WRONG, "redirect_uri"),
    500113: (_WRONG, "redirect_uri"),
    90002: (_WRONG, "tenant"),
    900023: (_WRONG, "tenant"),
    50059: (_WRONG, "tenant"),
    650053: (_WRONG, "scope"),
    70011: (_WRONG, "scope"),
    500011: (_WRONG, "scope"),
    700016: (_WRONG, "client"),  # application not in this directory
    7000112: (_WRONG, "client"),  # application disabled
    7000215: (_WRONG, "client"),  # wrong secret
    7000222: (_WRONG, "client_ended"),
    7000218: (_WRONG, "client"),
    50196: (_PASSING, "outage"),  # asked too often
    90033: (_PASSING, "outage"),
    90055: (_PASSING, "outage"),
}


class MicrosoftProvider(Provider):
    key = "microsoft"
    label = "Microsoft"
    api_transport = "graph"
    lets_send_as_others = True
    domains = frozenset(
        (
            "*.onmicrosoft.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "outlook.com",
            "windowslive.com",
        )
    )
    mx_domains = frozenset(("mx.microsoft", "protection.outlook.com"))
    default_authority = "https://login.microsoftonline.com"
    default_mail_scope = "https://outlook.office.com/SMTP.Send"
    default_smtp_server = "smtp.office365.com:587"
    personal_smtp_server = "smtp-mail.outlook.com:587"

    def __init__(self, config, deadline=None):
        super().__init__(config, deadline)
        self.tenant = config.tenant or "common"
        if not _TENANT.fullmatch(self.tenant):
            raise ProviderMisconfigured("tenant")
        if config.authorization_endpoint or config.token_endpoint:
            # The library takes these from the discovery document only.
            raise ProviderMisconfigured("endpoint", detail="set the authority")

    def mail_scopes(self, transport):
        """Extend: a permission of an interface bears its address, national clouds'
        as well."""
        scopes = super().mail_scopes(transport)
        return scopes if transport == "smtp" else self._with_address(scopes)

    def draft_scopes(self, transport):
        """Extend: likewise."""
        return self._with_address(super().draft_scopes(transport))

    def _with_address(self, permissions):
        return [f"{self.api_url}/{permission}" for permission in permissions]

    def scopes(self, transport):
        """Replace: the library adds openid, profile and offline_access, and refuses
        them here."""
        return [*self.mail_scopes(transport), *self.draft_scopes(transport)]

    @staticmethod
    def _is_scope(granted, wanted):
        # It answers with the long name of a permission, or with the short one.
        return granted in (wanted, wanted.rpartition("/")[2])

    @property
    def _authority_url(self):
        authority = self.config.authority or self.default_authority
        return f"{authority.rstrip('/')}/{self.tenant}"

    @property
    def discovery_url(self):
        return self.config.discovery_url or f"{self._authority_url}/v2.0{WELL_KNOWN}"

    def _application(self, session, cache=None):
        """Open the library on our channel.

        Instance discovery, which asks the public cloud whether an authority is genuine,
        stays off: ours is a constant or comes from the administrator, and a national or
        private cloud must not depend on the public one. A discovery address needs a
        path before ``/.well-known``: the library takes its first part for a tenant.
        """
        if self.config.discovery_url:
            base = self.config.discovery_url.removesuffix(WELL_KNOWN)
            where = {"oidc_authority": base}
        else:
            where = {"authority": self._authority_url}
        try:
            return msal.ConfidentialClientApplication(
                self.config.client_id,
                client_credential=self.config.client_secret,
                http_client=session,
                instance_discovery=False,
                token_cache=cache,
                **where,
            )
        except OAuthError:
            raise
        except Exception as error:
            # whatever it makes of a document it cannot use
            code = "endpoint" if self.config.discovery_url else "tenant"
            raise ProviderMisconfigured(code, detail=type(error).__name__) from None

    # -- sign in -----------------------------------------------------------------

    @classmethod
    def get_admin_consent_url(cls, config, redirect_uri):
        """Replace: https://learn.microsoft.com/entra/identity-platform/v2-admin-consent

        An administrator cannot consent at "common".
        """
        if not config.client_id or (config.discovery_url and not config.authority):
            return ""
        authority = (config.authority or cls.default_authority).rstrip("/")
        tenant = config.tenant if config.tenant not in ("", "common") else ""
        query = {"client_id": config.client_id, "redirect_uri": redirect_uri}
        place = quote(tenant or "organizations", safe="")
        return f"{authority}/{place}/adminconsent?{urlencode(query)}"

    @classmethod
    def read_admin_consent(cls, params):
        """Replace: an answer to the address above, which no sign-in has begun."""
        if "admin_consent" not in params or "code" in params:
            return None
        return params["admin_consent"].lower() == "true" and "error" not in params

    def _authorization(self, redirect_uri, state, login_hint, asks_consent, scopes):
        wanted = () if login_hint else ("select_account",)
        with self._session() as (session, _channel):
            flow = self._application(session).initiate_auth_code_flow(
                scopes,
                redirect_uri=redirect_uri,
                state=state,
                login_hint=login_hint or None,
                prompt=self._prompt(*wanted, asks_consent=asks_consent),
            )
        return flow["auth_uri"], flow

    def _exchange(self, flow, code):
        library_flow = flow["private"]
        if not library_flow.get("code_verifier") or not library_flow.get("nonce"):
            raise FlowInvalid("no_flow")
        cache = msal.SerializableTokenCache()
        with self._session() as (session, channel):
            application = self._application(session, cache)
            try:
                result = application.acquire_token_by_auth_code_flow(
                    library_flow, {"code": code, "state": flow["state"]}
                )
            except OAuthError:
                raise
            except Exception as error:
                # A wrong nonce, among others; the texts quote state, nonce and claims.
                name = type(error).__name__
                raise FlowInvalid("id_token", detail=name) from None
            payload = channel.payload
        if "access_token" not in result:
            hidden = (code, library_flow["code_verifier"])
            raise self._failure(payload, is_first=True, hidden=hidden)
        claims = self._verified_claims(payload.get("id_token"), library_flow)
        self._check_grant(payload, flow["transport"])
        return self._consent(claims, payload, cache, flow["transport"])

    def _verified_claims(self, id_token, library_flow):
        # The library sends a hash of the nonce it keeps. What was sent is what counts.
        query = parse_qs(urlsplit(library_flow["auth_uri"]).query)
        claims = verify_id_token(
            id_token,
            self._keys(),
            client_id=self.config.client_id,
            nonce=query["nonce"][0],
            issuers=self._accepted_issuers,
        )
        if not all(_ID.fullmatch(str(claims.get(n) or "")) for n in ("tid", "oid")):
            raise FlowInvalid("id_token", detail="tid, oid")
        if self.tenant == "organizations" and claims["tid"] == PERSONAL_TENANT:
            raise FlowInvalid("id_token", detail="tid")
        return claims

    def _accepted_issuers(self, claims, key):
        """Return the one issuer this token may have.

        The issuer of a multi-tenant authority is a template; the token names the
        directory itself. A key that is marked with an issuer signs for that one only:
        else keys of one directory's kind would do for another's.
        """
        tid = str(claims.get("tid") or "")
        issuer = self.metadata["issuer"].replace("{tenantid}", tid)
        key_issuer = str(key.get("issuer", issuer)).replace("{tenantid}", tid)
        return (issuer,) if key_issuer == issuer else ()

    def _is_own_issuer(self, issuer):
        before, template, after = self.metadata["issuer"].partition("{tenantid}")
        if not template:
            return issuer == before
        middle = issuer.removeprefix(before).removesuffix(after)
        return issuer == before + middle + after and bool(_ID.fullmatch(middle))

    def _consent(self, claims, payload, cache, transport):
        server = self._get_server(transport)
        is_personal = claims["tid"] == PERSONAL_TENANT and not self.config.smtp_server
        if transport == "smtp" and is_personal:
            server = self.personal_smtp_server
        permissions = self._read_permissions(payload, transport)
        content = {
            "transport": transport,
            "cache": cache.serialize(),
            "permissions": permissions,
        }
        return Consent(
            # Neither ``email`` nor ``preferred_username`` is verified; a directory's
            # administrator can set them to anything.
            identity=f"{claims['tid']}.{claims['oid']}".lower(),
            # The name one signs in with (UPN) is what the mail server knows; the
            # mailbox may have another address.
            login=self._claimed_address(claims, "preferred_username", "email"),
            email=self._claimed_address(claims, "email", "preferred_username"),
            name=as_text(claims.get("name")),
            transport=transport,
            server=server,
            expires_at=expiry(payload),
            tokens=self._pack(payload, **content),
            permissions=permissions,
        )

    # -- use ---------------------------------------------------------------------

    def _refresh(self, content):
        result, payload, cache = self._acquire_silently(
            content, self._refresh_scopes(content)
        )
        kept = ("transport", "permissions")
        content = {name: content.get(name, "") for name in kept}
        content["cache"] = cache
        return OauthToken(
            expires_at=expiry(payload),
            is_refreshed=True,
            access_token_secret=result["access_token"],
            tokens=self._pack(payload, **content),
        )

    def _refresh_for(self, content, transport):
        """Replace: a refresh token serves for all that was ever consented to.

        https://learn.microsoft.com/entra/identity-platform/refresh-tokens
        """
        result, payload, cache = self._acquire_silently(
            content, self.mail_scopes(transport)
        )
        if not self._may_send(payload, transport):
            raise ConsentDead("revoked", detail="scope")
        return OauthToken(
            expires_at=expiry(payload),
            is_refreshed=True,
            access_token_secret=result["access_token"],
            tokens=json_text({**content, "provider": self.key, "cache": cache}),
        )

    def _acquire_silently(self, content, scopes):
        """Let the library fetch an access token.

        :return: (its result, the token response, its cache as text)
        """
        old = self._refresh_secret(content)
        cache = msal.SerializableTokenCache()
        cache.deserialize(microsoft_cache.drop_access(content, scopes[0]))
        with self._session() as (session, channel):
            application = self._application(session, cache)
            account = next(iter(application.get_accounts()), None)
            channel.payload = None
            result = account and application.acquire_token_silent_with_error(
                scopes, account, force_refresh=True
            )
            payload = channel.payload
        if payload is None:
            # Nothing was sent, as the cache has no refresh token for this client id
            # and authority: the settings were changed.
            raise ConsentDead("unknown", detail="no matching refresh token")
        if not result or "access_token" not in result:
            raise self._failure(payload, hidden=(old,))
        if not as_text(result["access_token"]):
            raise ProviderUnavailable("unreadable", detail="access token")
        return result, payload, cache.serialize()

    def _refresh_scopes(self, content):
        """Return what was granted: whoever asks for more has the consent refused."""
        transport = content["transport"]
        granted = as_text(content.get("permissions")).split()
        permission = getattr(API_TRANSPORTS.get(transport), "draft_permission", "")
        extra = [permission] if permission in granted else []
        return [*self.mail_scopes(transport), *self._with_address(extra)]

    def _cached_access(self, content):
        # there may be one for another way to send
        wanted = self.mail_scopes(content["transport"])[0]
        secret = microsoft_cache.get_access_secret(content, wanted)
        return secret, content.get("expires_at") or 0.0

    def _refresh_secret(self, content):
        return microsoft_cache.get_refresh_secret(content)

    # -- failures ----------------------------------------------------------------

    def _diagnose(self, answer):
        # The JSON answers list the numbers, the redirects have them in the text only.
        listed = re.findall(r"\d{1,9}", answer["error_codes"])
        numbers = [
            int(n) for n in listed + _NUMBER.findall(answer["error_description"])
        ]
        for number in numbers:
            if number in _DIAGNOSIS_BY_NUMBER:
                return *_DIAGNOSIS_BY_NUMBER[number], f"AADSTS{number}"
        kind, code, _none = super()._diagnose(answer)
        return kind, code, f"AADSTS{numbers[0]}" if numbers else ""
