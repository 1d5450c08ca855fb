"""The order in which the sources are asked, and who waits how long for which.

What the domain alone tells costs no look-up, and then nothing leaves. Else all sources
of the domain are asked at the same time and heard in their order.
"""

from dataclasses import dataclass, replace

from ..deadline import Deadline
from ..guard import Guard
from .autoconfig import find_central, find_published
from .known import Known
from .names import Names
from .proposal import Mailbox, Proposal, Unusable
from .services import find_services
from .together import start, wait

SEARCH_SECONDS = 4.0  # for all of it
MX_SECONDS = 2.0
SERVICES_SECONDS = 3.0
CENTRAL_SECONDS = 1.5  # which are kept for Mozilla's database, if it is asked
MARGIN_SECONDS = 0.2  # by which a source ends before it is waited for no more


@dataclass(frozen=True)
class Sources:
    """Whom to ask.

    :ivar web: where HTTPS may go
    :ivar mail: where mail may go
    :ivar has_central: also Mozilla's database, if nobody else knows
    """

    known: Known
    names: Names
    web: Guard
    mail: Guard
    has_central: bool = False


def search(address: str, sources: Sources, deadline: Deadline) -> Proposal | None:
    """Return what is proposed for an address, None if nothing was found in time.

    :param address: as ``parse_mailbox`` returns it
    :raises AddressError: it cannot be asked for
    """
    mailbox = Mailbox.of(address)
    found = _known(sources.known.find_by_domain, mailbox)
    found = found or _look_up(mailbox, sources, deadline)
    if not found or found.row is not None or not found.smtp:
        return found
    return replace(
        found,
        sign_in=sources.known.find_by_server(found.smtp),
        row=sources.known.find_row_of(found.smtp),
    )


def _look_up(mailbox, sources, deadline):
    """Ask everybody at once, and hear them in their order."""
    names, web, mail = sources.names, sources.web, sources.mail
    own = deadline.sooner(CENTRAL_SECONDS) if sources.has_central else deadline
    for_mx, for_services = own.within(MX_SECONDS), own.within(SERVICES_SECONDS)
    mx = start(lambda: names.get_mx(mailbox.domain, for_mx))
    services = start(
        lambda: find_services(mailbox, names, mail, for_services.sooner(MARGIN_SECONDS))
    )
    published = start(
        lambda: find_published(mailbox, web, mail, own.sooner(MARGIN_SECONDS))
    )
    hosts = wait(mx, for_mx) or []
    found = (
        _known(sources.known.find_by_mx, mailbox, hosts)
        or wait(services, for_services)
        or wait(published, own)
    )
    if found or not sources.has_central:
        return found
    central = start(
        lambda: find_central(mailbox, web, mail, deadline.sooner(MARGIN_SECONDS))
    )
    return wait(central, deadline)


def _known(find, *arguments):
    try:
        return find(*arguments)
    except Unusable:
        return None
