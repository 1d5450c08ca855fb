"""Providers that put what is submitted to them into the Sent folder by themselves.

Whatever way it is submitted, by SMTP with a login or by their interface. A relay of the
same provider (``smtp-relay.gmail.com``, ``*.mail.protection.outlook.com``) takes mail
of a whole organisation and files nothing.
https://support.google.com/mail/answer/7126229
https://learn.microsoft.com/exchange/recipients-in-exchange-online/manage-user-mailboxes/
"""

from typing import NamedTuple


class SelfFiling(NamedTuple):
    """One such provider.

    :ivar key: of the sign-in provider, see ``oauth.PROVIDERS``
    :ivar folder: as its users know it
    :ivar capability: what its IMAP server says besides, if that tells
    """

    key: str
    label: str
    folder: str
    smtp_hosts: frozenset[str]
    imap_hosts: frozenset[str]
    capability: str = ""


SELF_FILING = (
    SelfFiling(
        "google",
        "Google",
        "Sent",
        frozenset(("smtp.gmail.com", "smtp.googlemail.com")),
        frozenset(("imap.gmail.com", "imap.googlemail.com")),
        "X-GM-EXT-1",
    ),
    SelfFiling(
        "microsoft",
        "Microsoft",
        "Sent Items",
        frozenset(
            (
                "outlook.office365.com",
                "smtp-mail.outlook.com",
                "smtp.office365.com",
                "smtp.office365.us",
                "smtp.partner.outlook.cn",
            )
        ),
        frozenset(
            (
                "imap-mail.outlook.com",
                "outlook.office.com",
                "outlook.office365.com",
                "outlook.office365.de",
                "outlook.office365.us",
                "partner.outlook.cn",
            )
        ),
    ),
)


def of_key(key: str) -> SelfFiling | None:
    """Find a provider by the key of its sign-in."""
    return next((row for row in SELF_FILING if row.key == key), None)


def of_smtp_host(host: str) -> SelfFiling | None:
    """Find the provider that files what this host is given."""
    host = _plain(host)
    return next((row for row in SELF_FILING if host in row.smtp_hosts), None)


def of_imap_server(host: str, capabilities) -> SelfFiling | None:
    """Find the provider whose IMAP server this is.

    :param capabilities: a function: whether the server has one of that name
    """
    host = _plain(host)
    for row in SELF_FILING:
        if host in row.imap_hosts or (row.capability and capabilities(row.capability)):
            return row
    return None


def _plain(host):
    return host.lower().rstrip(".")
