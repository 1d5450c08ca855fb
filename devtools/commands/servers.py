# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Unpack the mail servers that some tests start, from Debian's packages."""

from .. import servers


def run(arguments: list[str]) -> int:
    """Unpack those named, or all."""
    for name in arguments or servers.PACKAGES:
        servers.ensure(name)
    return 0
