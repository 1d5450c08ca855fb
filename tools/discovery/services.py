"""What a domain says of its mail servers in the DNS (RFC 6186, RFC 8314 5.1)."""

from ..deadline import Deadline
from ..guard import Guard
from .names import Names
from .proposal import (
    JUDGE_SECONDS,
    Mailbox,
    Proposal,
    Unusable,
    imap_of,
    judge,
    smtp_of,
)
from .together import together

# service -> whether TLS begins with the first byte, else it is STARTTLS; the first that
# is offered is proposed (RFC 8314 3.3 prefers the former)
SUBMISSION = {"_submissions": True, "_submission": False}
IMAPS = "_imaps"


def find_services(
    mailbox: Mailbox, names: Names, guard: Guard, deadline: Deadline
) -> Proposal | None:
    """Return the submission server, and the IMAP server if there is one.

    The user name is the whole address (RFC 6186 4).
    """
    asked, end = (*SUBMISSION, IMAPS), deadline.sooner(JUDGE_SECONDS)
    found = dict(
        zip(
            asked,
            together(
                [
                    lambda name=name: names.get_services(name, mailbox.domain, end)
                    for name in asked
                ],
                end,
            ),
            strict=True,
        )
    )
    imap = _first(found[IMAPS], imap_of, True)
    for service, is_implicit in SUBMISSION.items():
        smtp = _first(found[service], smtp_of, is_implicit)
        if smtp:
            proposal = Proposal(
                "srv",
                smtp=smtp,
                smtp_user=mailbox.address,
                imap=imap,
                origin=mailbox.domain,
            )
            return _judged(proposal, guard, deadline)
    return None


def _first(services, make, is_implicit):
    """Return the first server that can be used; a dot as target offers none."""
    for service in services or ():
        try:
            return make(service.host, service.port, is_implicit)
        except Unusable:
            continue
    return None


def _judged(proposal, guard, deadline):
    try:
        return judge(proposal, guard, deadline)
    except Unusable:
        return None
