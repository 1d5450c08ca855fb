"""The identity provider of `fake_oauth` as applications know it."""

import functools
import json
import secrets
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .fake_oauth_state import Account, Grant

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
OWN_TENANT = "6f1c0c6e-2f5b-4f0e-8f0a-3b1f7f4a9d10"
SERVICE_ACCOUNT = "odoo@a-project.iam.gserviceaccount.com"
GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"

# Whose token it is where no person has signed in.
APPLICATION = Account("", "An application", "9001")


@functools.cache
def _service_key(_name):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_service_key(**changes):
    """Return the key file of the service account, as its provider makes it."""
    private = _service_key("right").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "a-project",
            "private_key_id": "0123456789abcdef",
            "private_key": private.decode(),
            "client_email": SERVICE_ACCOUNT,
            "client_id": "1122334455",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": GOOGLE_TOKEN_URI,
            "universe_domain": "googleapis.com",
            **changes,
        },
        indent=2,
    )


class OrganisationGrants:
    """What the token endpoint answers when no person is there.

    :ivar is_key_revoked: the service account knows this key no more
    :ivar delegated: scopes that the service account may have for all users
    :ivar unknown_tenants: directories that do not exist
    :ivar claims: the claims of service accounts, in the order of their arrival
    """

    is_key_revoked = False
    # what was granted to the application, for all mailboxes
    application_permissions = ("Mail.Send",)
    delegated = frozenset(("https://www.googleapis.com/auth/gmail.send",))
    unknown_tenants = frozenset()

    def give_to_application(self, form):
        """RFC 6749 4.4; the client has been authenticated."""
        resource, _, name = form.get("scope", "").rpartition("/")
        if name != ".default":
            text = "AADSTS1002012: The provided value for scope is not valid."
            return 400, {"error": "invalid_scope", "error_description": text}
        names = self.application_permissions
        scope = " ".join(f"{resource}/{name}" for name in names)
        return 200, self._issue(APPLICATION, scope)

    def give_to_service_account(self, form):
        """RFC 7523 2.1, 3."""
        public = _service_key("wrong" if self.is_key_revoked else "right").public_key()
        try:
            claims = jwt.decode(
                form.get("assertion", ""),
                public,
                ["RS256"],
                audience=[GOOGLE_TOKEN_URI, f"{self.url}/token"],
                issuer=SERVICE_ACCOUNT,
            )
        except jwt.InvalidTokenError:
            return self._refuse("invalid_grant", "Invalid JWT Signature.")
        self.claims.append(claims)
        if "sub" not in claims:
            return 200, self._issue(APPLICATION, claims["scope"])
        if claims["sub"] not in self.accounts:
            return self._refuse("invalid_grant", "Invalid email or User ID")
        if not self.delegated.issuperset(claims["scope"].split()):
            text = "Client is unauthorized to retrieve access tokens using this method."
            return self._refuse("unauthorized_client", text, 401)
        return 200, self._issue(self.accounts[claims["sub"]], claims["scope"])

    @staticmethod
    def _refuse(error, text, status=400):
        return status, {"error": error, "error_description": text}

    def _issue(self, account, scope):
        token = "org." + secrets.token_urlsafe(48)
        grant = Grant(account, {}, scope)
        self.grants.append(grant)
        expires_at = time.time() + self.knobs.expires_in
        self.access_tokens[token] = (grant, expires_at, scope)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.knobs.expires_in,
        }
