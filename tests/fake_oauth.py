"""An identity provider of our own: real HTTPS, real signatures, and a knob per failure.

It behaves like Google or like Microsoft as far as a client can tell them apart::

    with FakeIdentityProvider("google") as idp:
        config = ProviderConfig(**idp.settings())
        url, flow = GoogleProvider(config).begin(idp.redirect_uri)
        params = idp.visit(url)                  # what a person with a browser does
        consent = GoogleProvider(config).finish(flow, params)

A browser can use the page just as well. Everything is kept in memory.
"""

import base64
import functools
import hashlib
import hmac
import html
import json
import secrets
import threading
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .fake_https import FakeHttpsServer
from .fake_oauth_organisation import JWT_BEARER, OrganisationGrants
from .fake_oauth_state import ANNA, BORIS, JANE, Grant, Knobs

WELL_KNOWN = "/.well-known/openid-configuration"
GOOGLE_MAIL = "https://mail.google.com/"
MICROSOFT_MAIL = "https://outlook.office.com/SMTP.Send"


@functools.cache
def _rsa_key(_name):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class FakeIdentityProvider(OrganisationGrants, FakeHttpsServer):
    """The provider; a context manager that serves on a free port of this machine.

    :param flavour: ``google`` or ``microsoft``
    :param ca: a ``trustme.CA`` to share with other servers of the same test
    """

    client_id = "client-4711"
    redirect_uri = "https://odoo.example.com/user_email_alias/callback"

    def __init__(self, flavour, ca=None, accounts=(ANNA, BORIS, JANE)):
        super().__init__(ca)
        self.flavour = flavour
        self.is_google = flavour == "google"
        self.accounts = {account.email: account for account in accounts}
        self.redirect_uris = {self.redirect_uri}
        # As a real one: long, and with characters that need quoting in forms.
        self.client_secret = "cs+/" + secrets.token_urlsafe(24)
        self.knobs = Knobs(rotates=not self.is_google)
        self.grants_by_code, self.grants, self.access_tokens = {}, [], {}
        self.refreshes, self.refused_refreshes, self.revocations = 0, 0, 0
        self.claims = []
        self.lock = threading.RLock()
        self.mail_scope = GOOGLE_MAIL if self.is_google else MICROSOFT_MAIL

    def respond(self, path, query, form, bearer):
        for suffix, answer in self.knobs.answers.items():
            if path.endswith(suffix):
                return answer
        tenant = ""
        if not self.is_google:
            _root, tenant, path = path.split("/", 2)
            path = f"/{path}"
        if path == ("" if self.is_google else "/v2.0") + WELL_KNOWN:
            return self.discovery(tenant)
        if path == "/authorize":
            return self.authorize(query, form)
        if path == "/keys":
            return self.keys()
        if path == "/userinfo":
            return self.userinfo(bearer)
        if path == "/token" and form is not None:
            return self.token(form)
        if path == "/revoke" and form is not None and self.is_google:
            return self.revoke(form)
        return 404, {"error": "not_found"}

    def settings(self, **changes):
        """Return the keyword arguments for a ``ProviderConfig`` that leads here."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "authority": self.url,
            "ca_bundle": self.ca_file.name,
            "transport": "smtp",
            **changes,
        }

    def visit(self, url, account=ANNA, decision="allow", is_mail_ticked=True):
        """Do what a person does on the page; return the parameters sent back."""
        # Given with each call: an environment variable would overrule the session.
        how = {"verify": self.ca_file.name, "allow_redirects": False}
        answer = requests.get(url, timeout=10, **how)
        if answer.status_code == 200:
            form = {"account": account.email, "decision": decision}
            if is_mail_ticked:
                form["mail"] = "on"
            answer = requests.post(url, data=form, timeout=10, **how)
        answer.raise_for_status()
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    # -- what other servers and tests ask ------------------------------------------

    def is_valid_access_token(self, user, token):
        """Tell whether ``token`` lets ``user`` send: for an SMTP server's XOAUTH2."""
        account = self.get_account(token, self.mail_scope)
        return bool(account) and account.login.lower() == user.lower()

    def get_account(self, token, scope=""):
        """Return whose token this is, None if it is none or lacks the scope."""
        grant, expires_at, granted = self.access_tokens.get(token, (None, 0, ""))
        is_good = grant and grant.is_live and time.time() < expires_at
        if not is_good or (scope and scope not in granted.split()):
            return None
        return grant.account

    def revoke_all(self):
        """Withdraw every consent, as a person does on the provider's account page."""
        for grant in self.grants:
            grant.is_live = False

    # -- endpoints: each returns (HTTP status, answer) -----------------------------

    def discovery(self, tenant):
        if tenant in self.unknown_tenants:
            text = f"AADSTS90002: Tenant '{tenant}' not found."
            return 400, {"error": "invalid_tenant", "error_description": text}
        base = f"{self.url}/{tenant}" if tenant else self.url
        return 200, {
            "issuer": self.issuer(tenant),
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys",
            "userinfo_endpoint": f"{base}/userinfo",
            **({"revocation_endpoint": f"{base}/revoke"} if self.is_google else {}),
            "authorization_response_iss_parameter_supported": self.is_google,
            **self.knobs.metadata,
        }

    def issuer(self, tenant):
        if self.is_google:
            return self.url
        is_template = tenant in ("common", "organizations")
        return f"{self.url}/{'{tenantid}' if is_template else tenant}/v2.0"

    def keys(self):
        public = _rsa_key("right").public_key()
        key = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
        key.update(kid="key-1", use="sig")
        if self.knobs.key_issuer:
            key["issuer"] = self.knobs.key_issuer
        return 200, {"keys": [key]}

    def authorize(self, query, form=None):
        """RFC 6749 4.1.1: never redirect to an address that is not registered."""
        if query.get("client_id") != self.client_id:
            return 400, b"<h1>Unknown application</h1>"
        if query.get("redirect_uri") not in self.redirect_uris:
            return 400, b"<h1>redirect_uri_mismatch</h1>"
        if self.knobs.authorize_error:
            return self._send_back(query, self.knobs.authorize_error)
        # RFC 9700 2.1.1: PKCE for all clients; "plain" is as good as none.
        if query.get("code_challenge_method") != "S256" or not query.get("nonce"):
            return self._send_back(query, {"error": "invalid_request"})
        if form is None:
            return 200, self._page(query).encode()
        if form.get("decision") != "allow":
            return self._send_back(query, {"error": "access_denied"})
        scope = query["scope"].split()
        if not form.get("mail"):
            scope.remove(self.mail_scope)
        grant = Grant(self.accounts[form["account"]], query, " ".join(scope))
        code = "4/" + secrets.token_urlsafe(32)
        self.grants_by_code[code] = grant
        self.grants.append(grant)
        return self._send_back(query, {"code": code})

    def _send_back(self, query, params):
        params = {**params, "state": query.get("state", "")}
        issuer = self.knobs.authorize_iss or (self.url if self.is_google else None)
        if issuer:
            params["iss"] = issuer
        return 303, f"{query['redirect_uri']}?{urlencode(params)}"

    def _page(self, query):
        hint = query.get("login_hint") or next(iter(self.accounts))
        rows = "".join(
            f'<p><label><input type="radio" name="account" value="{email}"'
            f"{' checked' if email == hint else ''}/> {html.escape(account.name)}"
            f" &lt;{email}&gt;</label></p>"
            for email, account in self.accounts.items()
        )
        return f"""<!DOCTYPE html><html><head><title>Sign in</title></head><body>
            <h1>Choose an account ({self.flavour}, fake)</h1><form method="post">{rows}
            <p><label><input type="checkbox" name="mail" checked/> Send email on your
            behalf</label></p>
            <button name="decision" value="allow">Allow</button>
            <button name="decision" value="cancel">Cancel</button>
            </form><script>{self.knobs.page_script}</script></body></html>"""

    def token(self, form):
        time.sleep(self.knobs.delay)
        kind = form.get("grant_type")
        is_refresh = kind == "refresh_token"
        with self.lock:
            self.refreshes += is_refresh
            forced = self.knobs.refresh_answer if is_refresh else self.knobs.code_answer
            if forced:
                return forced
            if kind == JWT_BEARER and self.is_google:
                return self.give_to_service_account(form)
            if (form.get("client_id"), form.get("client_secret")) != (
                self.client_id,
                self.client_secret,
            ):
                return 401, {"error": "invalid_client"}
            if kind == "client_credentials" and not self.is_google:
                return self.give_to_application(form)
            return self._refresh(form) if is_refresh else self._redeem(form)

    def _redeem(self, form):
        # A code serves once (RFC 6749 4.1.2), whatever comes of it.
        grant = self.grants_by_code.pop(form.get("code"), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            not grant
            or grant.query["code_challenge"] != _base64url(digest)
            or grant.query["redirect_uri"] != form.get("redirect_uri")
        ):
            return self._invalid_grant()
        return 200, self._tokens(grant, self.knobs.issues_refresh_token)

    def _refresh(self, form):
        sent = form.get("refresh_token")
        for grant in self.grants:
            if sent and sent in grant.used_refresh_tokens:
                grant.is_live = False  # stolen or lost: RFC 9700 4.14.2
            if sent and sent == grant.refresh_token and grant.is_live:
                scope = self._get_wider_scope(grant, form)
                if scope is None:
                    text = "AADSTS65001: The user has not consented to use it."
                    return 400, {"error": "invalid_grant", "error_description": text}
                if self.knobs.rotates:
                    grant.used_refresh_tokens.add(sent)
                return 200, self._tokens(grant, self.knobs.rotates, scope)
        self.refused_refreshes += 1
        return self._invalid_grant()

    def _get_wider_scope(self, grant, form):
        """Return the scope that a refresh asks for, None if it was not consented to.

        At Microsoft consents of an account add up, and a token is for one resource.
        """
        asked = {s for s in form.get("scope", "").split() if s.startswith("https://")}
        if self.is_google or not asked:
            return grant.scope
        consented = {
            scope
            for other in self.grants
            if other.account == grant.account and other.is_live
            for scope in other.scope.split()
        }
        if not asked <= consented:
            return None
        resources = {scope.rpartition("/")[0] for scope in asked}
        return " ".join(s for s in consented if s.rpartition("/")[0] in resources)

    def _invalid_grant(self):
        if self.is_google:
            text = "Token has been expired or revoked."
            return 400, {"error": "invalid_grant", "error_description": text}
        text = "AADSTS70000: Provided grant is invalid or malformed."
        body = {"error_description": text, "error_codes": [70000]}
        return 400, {"error": "invalid_grant", **body}

    def _tokens(self, grant, is_refresh_token_due, scope=""):
        access_token = "ya29." + secrets.token_urlsafe(48)
        lifetime = self.knobs.expires_in
        expires_at = time.time() + (lifetime if isinstance(lifetime, int) else 3600)
        scope = scope or grant.scope
        self.access_tokens[access_token] = (grant, expires_at, scope)
        answer = {
            "access_token": access_token,
            "token_type": self.knobs.token_type,
            **({} if lifetime is None else {"expires_in": lifetime}),
            "scope": self.knobs.scope or scope,
            "id_token": self.id_token(grant),
        }
        if is_refresh_token_due:
            grant.refresh_token = "1//" + secrets.token_urlsafe(48)
            answer["refresh_token"] = grant.refresh_token
        if not self.is_google:
            account = grant.account
            info = json.dumps({"uid": account.oid, "utid": account.tid}).encode()
            answer["client_info"] = base64.urlsafe_b64encode(info).decode()
        return answer

    def id_token(self, grant):
        account, now = grant.account, int(time.time())
        claims = {
            "iss": self.issuer(account.tid),
            "aud": self.client_id,
            "azp": self.client_id,
            "sub": account.sub,
            "iat": now,
            "exp": now + 3600,
            "nonce": grant.query["nonce"],
            "name": account.name,
            "email": account.email,
        }
        if not self.is_google:
            claims.update(tid=account.tid, oid=account.oid, ver="2.0")
            claims["preferred_username"] = account.login
        claims.update(self.knobs.claims)
        return self._sign({k: v for k, v in claims.items() if v is not None})

    def _sign(self, claims):
        signing = self.knobs.signing
        headers = {"kid": "key-2" if signing == "unknown kid" else "key-1"}
        if signing == "none":
            return jwt.encode(claims, None, "none", headers)
        if signing == "HS256":
            # The public key, which everybody has, as a shared secret (RFC 8725 2.1).
            public = _rsa_key("right").public_key()
            secret = public.public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
            return _sign_hs256({"alg": "HS256", **headers}, claims, secret)
        key = _rsa_key("wrong" if signing == "wrong key" else "right")
        return jwt.encode(claims, key, "RS256", headers)

    def revoke(self, form):
        self.revocations += 1
        for grant in self.grants:
            if form.get("token") == grant.refresh_token:
                grant.is_live = False
                return 200, {}
        return 400, {"error": "invalid_token"}

    def userinfo(self, bearer):
        grant, *_ = self.access_tokens.get(bearer, (None, 0, ""))
        if not grant:
            return 401, {"error": "invalid_token"}
        return 200, {"sub": grant.account.sub, "email": grant.account.email}


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _sign_hs256(header, claims, secret):
    """By hand: the library refuses to make what an attacker would make."""
    parts = [_base64url(json.dumps(part).encode()) for part in (header, claims)]
    mac = hmac.digest(secret, ".".join(parts).encode(), "sha256")
    return ".".join((*parts, _base64url(mac)))
