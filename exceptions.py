"""Why there is no connection, in terms of what the queue does next."""


class AliasHold(Exception):
    """The owner, or an administrator, has to act; the mail waits.

    :param reason: short code, stored on the alias
    """

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


class AliasRetry(Exception):
    """It passes by itself; the alias backs off."""


class MailboxClosed(Exception):
    """The owner may not file copies in their mailbox any more: the copies wait."""


class NoSuchDomain(Exception):
    """The DNS is certain that nobody has the domain of an address."""
