"""What the DNS of a domain names when its mail leaves through a provider."""

from typing import NamedTuple


class Mailer(NamedTuple):
    """A provider that sends for many domains.

    ``spf`` is what a domain includes (RFC 7208 5.2), ``selectors`` are the names under
    which its keys usually are (RFC 6376 3.1), ``page`` says how to set both up.
    """

    label: str
    spf: str
    selectors: tuple[str, ...]
    page: str


MAILERS = {
    "google": Mailer(
        "Google",
        "_spf.google.com",
        ("google",),
        "https://support.google.com/a/answer/174124",
    ),
    "microsoft": Mailer(
        "Microsoft",
        "spf.protection.outlook.com",
        ("selector1", "selector2"),
        "https://learn.microsoft.com/defender-office-365/email-authentication-about",
    ),
}
