"""How this installation is registered at a provider, and where that one is."""

from dataclasses import dataclass, field, fields

# Settings that take a secret nowhere else; all others are part of where it may go.
HARMLESS = frozenset(
    (
        "api_url",
        "client_secret",
        "large_attachments",
        "mail_scope",
        "organisation",
        "organisation_key",
        "prompt",
        "request_bytes",
        "smtp_server",
        "tenant",
        "timeout",
        "transport",
    )
)


@dataclass(frozen=True)
class ProviderConfig:
    """Settings of one provider.

    Everything but the first two may stay empty: the provider knows its public address.
    A private or national cloud sets ``authority`` or ``discovery_url``; the endpoints
    then come from its discovery document, and the single ones given here win over it.

    :param organisation: ``True``: there is an organisation account
    :param organisation_key: the key of that account, where it is not the client secret
    :param tenant: directory of the organisation, where the provider has such
    :param authority: ``https://host`` of the sign-in service
    :param discovery_url: whole address of the OpenID Connect discovery document
    :param transport: ``smtp``, or ``api`` (also when empty): how those who sign in from
        now on send
    :param api_url: ``https://host`` of the provider's interface
    :param large_attachments: ``True``: who signs in from now on is also asked for the
        permission by which an interface takes larger emails, where there is one
    :param request_bytes: of an email that goes in one request to the interface, where
        that was proved to be more, or less, than what is known of it
    :param mail_scope: the scope that allows SMTP submission
    :param smtp_server: ``host:port`` of the submission server
    :param prompt: value of the ``prompt`` parameter, for a provider that does not know
        the usual ones (``select_account``, ``consent``)
    :param ca_bundle: path of a file with the certificate authorities to trust
    :param timeout: seconds for each wait for the provider
    """

    client_id: str
    client_secret: str = field(repr=False)
    organisation: str = ""
    organisation_key: str = field(default="", repr=False)
    tenant: str = ""
    authority: str = ""
    discovery_url: str = ""
    issuer: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    jwks_uri: str = ""
    revocation_endpoint: str = ""
    transport: str = ""
    api_url: str = ""
    large_attachments: str = ""
    request_bytes: str = ""
    mail_scope: str = ""
    smtp_server: str = ""
    prompt: str = ""
    ca_bundle: str = ""
    timeout: float = 10.0

    @classmethod
    def get_binding_names(cls) -> list[str]:
        """The settings that say where secrets go, and under whose certificates."""
        return [item.name for item in fields(cls) if item.name not in HARMLESS]
