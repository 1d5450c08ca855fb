"""What the providers' interfaces have in common: one request submits one message."""

import abc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...deadline import Deadline
from ...header.text import UnwritableHeader
from ...message import UnsafeMessage
from ...redact import Blotter
from ..base import Outcome, SubmissionResult, Transport
from ..smtp.reply import Phase, Reply, sanitise
from .exchange import Answer, Broken, Exchange
from .failure import ApiFailure
from .outcome import judge, judge_broken
from .recipients import address_to


@dataclass(frozen=True)
class ApiAccess:
    """Where an interface is, and the right to use it.

    :param url: ``https://host`` of the interface
    :param token_secret: access token
    :param renew: called once with a token that was refused (401); returns another one,
        or raises what the submission is to fail with. None: there is no other
    :param mailbox: whose it is, with an organisation account; empty = of whoever has
        signed in
    :param ca_bundle: path of the certificate authorities to trust, empty = the usual
    :param request_bytes: of a message that goes in one request; 0: as is known of the
        provider
    :param open_larger: opens another transport for larger ones; returns None if it is
        closed for good. None: there is no other
    :param has_drafts: a larger one may go as a draft, where the provider has that way
    """

    url: str
    token_secret: str = field(repr=False)
    renew: Callable[[str], str] | None = field(default=None, repr=False)
    ca_bundle: str = ""
    mailbox: str = ""
    request_bytes: int = 0
    has_drafts: bool = False
    open_larger: Callable[[Deadline], Transport | None] | None = field(
        default=None, repr=False
    )


# Of what a mailbox may submit within some minutes this part goes without a rest.
FREE_PART = 0.06

# A message that no provider can deliver.
_NOTHING = b"Subject: Test Connection\r\n\r\n"


class ApiTransport(Transport):
    """Base of the interfaces: all rules that do not depend on which one it is."""

    can_ask = False
    label = ""
    default_url = ""
    # what the account has to grant, the one without which nothing leaves first
    permissions = ()
    max_bytes = 0  # of one message
    mime_bytes = most_mime_bytes = 0  # of one that goes in one request
    # by which permission it may be a draft first, and how large it may then be; empty:
    # there is no such way
    draft_permission = ""
    # whether what is larger may leave by another transport
    takes_larger_elsewhere = False
    draft_bytes = 0
    # ms between bulk emails where the owner has set no delay
    preset_delay_ms = 0
    # (bytes, seconds): what the requests of one mailbox may hold within that time
    window = (0, 0.0)
    overhead = 1.0  # bytes of a request for each byte of its message

    def __init__(self, access: ApiAccess, deadline: Deadline):
        self._access = access
        self._token_secret = access.token_secret
        self._redact = Blotter(access.token_secret)
        self._exchange = Exchange(deadline, access.ca_bundle)
        self._opened_monotonic = time.monotonic()
        self.usable = True

    def __repr__(self):
        return f"<{type(self).__name__} {self._access.url} usable={self.usable}>"

    @property
    def deadline(self) -> Deadline:
        return self._exchange.deadline

    @deadline.setter
    def deadline(self, deadline: Deadline):
        self._exchange.deadline = deadline

    @property
    def age(self) -> float:
        return time.monotonic() - self._opened_monotonic

    def get_rest(self, size: int, taken: int) -> float:
        """Spread the bytes evenly, so that no window holds more than it may.

        The first ones go without a rest: most sendings are over by then. One message
        more than the rate allows can fall into a window, so the largest one that goes
        in one request is kept free.
        """
        most, seconds = self.window
        free = most * FREE_PART
        if not most or taken <= free:
            return 0.0
        rate = (most - free - self.get_load(self.mime_bytes)) / seconds
        return self.get_load(size) / rate

    def get_load(self, size: int) -> int:
        """Return how many bytes of requests a message of this size means."""
        return int(size * self.overhead) if self.window[0] else 0

    def is_alive(self) -> bool:
        """Begin a new connection with the next request: asking would cost as much."""
        self._exchange.drop()
        return self.usable

    def close(self) -> None:
        """Close the connection; there is nothing to say good-bye to."""
        self.usable = False
        self._exchange.drop()

    def submit(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        message_bytes: bytes,
        *,
        not_before: float = 0.0,
    ) -> SubmissionResult:
        """Give one message to the provider, before the deadline.

        The provider takes sender and recipients from the headers, which are made to
        name exactly the recipients.

        :raises ApiFailure: nobody got it, or nobody knows (``uncertain``)
        """
        try:
            message_bytes = address_to(message_bytes, recipients)
        except (UnsafeMessage, UnwritableHeader) as error:
            raise self._refuse("unsafe", str(error)) from None
        size = len(message_bytes)
        if size > self.max_bytes:
            text = f"The message has {size} bytes, the provider takes {self.max_bytes}."
            raise self._refuse("too_big", text)
        answer = self._hand_over(message_bytes, not_before)
        reply = self._get_receipt(answer)
        if reply is None:
            raise self._failure(answer)
        return SubmissionResult(reply, list(recipients))

    def _hand_over(self, message_bytes, not_before):
        """Return the answer to the request that submits a message."""
        return self._ask_twice(
            lambda: self._ask(*self._get_submission(message_bytes), not_before)
        )

    def ask(self, envelope_from: str, recipient: str) -> None:
        """Say yes: what an interface would refuse shows in sending alone."""

    def _submit_nothing(self):
        """Find out whether the account may send, without a right to read anything.

        It is asked to send what the provider has to refuse, after it has looked at
        everything else: a message without a recipient.

        :raises ApiFailure: the token, the permission or the mailbox is missing
        """
        submission = self._get_submission(_NOTHING)
        answer = self._ask_twice(lambda: self._ask(*submission))
        if self._get_receipt(answer) is None:
            failure = self._failure(answer)
            if answer.status != 400 or failure.outcome.kind != "refused":
                raise failure

    def _ask_twice(self, ask):
        """Ask once more where the token was refused: nothing was done with it."""
        answer = ask()
        if answer.status == 401 and self._access.renew:
            self._token_secret = self._access.renew(self._token_secret)
            self._redact.add(self._token_secret)
            answer = ask()
        return answer

    def _ask(self, method, path, headers=None, body=b"", not_before=0.0):
        headers = {"Authorization": f"Bearer {self._token_secret}", **(headers or {})}
        url = self._access.url.rstrip("/") + path
        try:
            return self._exchange.ask(method, url, headers, body, not_before)
        except Broken as broken:
            outcome = judge_broken(broken)
            raise self._fail(broken.phase, outcome, broken.cause) from None

    def _failure(self, answer: Answer) -> ApiFailure:
        code, text = self._read_error(answer)
        words = " ".join(filter(None, (code, text, self._get_request_id(answer))))
        reply = Reply(answer.status, None, self._redact(sanitise(words)))
        return self._fail(answer.phase, judge(answer, reply, code))

    def _fail(self, phase, outcome, cause=None):
        whose = "organisation" if self._access.mailbox else "person"
        return ApiFailure(self.label, phase, outcome, cause, whose=whose)

    def _refuse(self, reason, text):
        """Refuse a message in the place of the provider, who need not be asked."""
        reply = Reply(554, None, text, is_ours=True)
        outcome = Outcome("refused", "mail", reason, reply=reply)
        return self._fail(Phase.MAIL, outcome)

    @staticmethod
    def _get_request_id(answer: Answer) -> str:
        """The words by which the provider's support finds a request; may be empty."""
        return ""

    @abc.abstractmethod
    def _get_submission(self, message_bytes: bytes) -> tuple[str, str, dict, bytes]:
        """Return method, path, headers and body of the request that submits it."""

    @abc.abstractmethod
    def _get_receipt(self, answer: Answer) -> Reply | None:
        """Return the provider's confirmation; None: it is not the documented one."""

    @abc.abstractmethod
    def _read_error(self, answer: Answer) -> tuple[str, str]:
        """Return the provider's own code or reason, and its words."""


def as_text(value) -> str:
    """Return foreign data if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def as_object(value) -> dict:
    """Return foreign data if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
