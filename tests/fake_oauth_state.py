"""People, consents and faults of the identity provider in `fake_oauth`."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    """A person at the provider; ``tid`` and ``oid`` are Microsoft's names for it.

    :ivar upn: what the account signs in and logs in with, if not its address
    """

    email: str
    name: str
    sub: str
    tid: str = "6f1c0c6e-2f5b-4f0e-8f0a-3b1f7f4a9d10"
    oid: str = ""
    upn: str = ""

    @property
    def login(self):
        return self.upn or self.email


ANNA = Account("anna@example.com", "Anna Berg", "1001", oid="a0a0a0a0-0000-1001")
JANE = Account(
    "jane.doe@example.com",
    "Jane Doe",
    "1003",
    oid="c0c0c0c0-0000-1003",
    upn="upn12345@corp.example.com",
)
BORIS = Account("boris@example.com", "Boris Tal", "1002", oid="b0b0b0b0-0000-1002")


@dataclass
class Knobs:
    """What the provider is to do wrong from now on; the defaults do it right."""

    # authorization endpoint: answer with these parameters instead of a code
    authorize_error: dict = None
    # authorization page: JavaScript, for what a person does there
    page_script: str = ""
    # ``iss`` of the authorization response: None = as the flavour does
    authorize_iss: str = None
    # discovery document: members to replace or add
    metadata: dict = field(default_factory=dict)
    # token endpoint: (HTTP status, JSON data or raw bytes), for each kind of grant
    code_answer: tuple = None
    refresh_answer: tuple = None
    # any endpoint whose path ends so: (HTTP status, JSON data or raw bytes)
    answers: dict = field(default_factory=dict)
    # seconds before the token endpoint answers
    delay: float = 0.0
    # ID token: claims to replace (None = leave out), key and algorithm to sign with
    claims: dict = field(default_factory=dict)
    signing: str = "right"  # "wrong key", "none", "HS256", "unknown kid"
    key_issuer: str = None
    # token response
    issues_refresh_token: bool = True
    token_type: str = "Bearer"
    scope: str = None
    expires_in: int = 3600  # None = leave out
    rotates: bool = False


@dataclass
class Grant:
    """What one visit to the authorization page gave."""

    account: Account
    query: dict
    scope: str
    is_live: bool = True
    refresh_token: str = ""
    used_refresh_tokens: set = field(default_factory=set)
