# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What a mail server saw of a mailing, and whether that is what was ordered."""

import email
import email.policy
import itertools
import statistics
from collections import Counter
from dataclasses import dataclass, field

import idna

JUDGED_FROM_MS = 50
"""Below this delay the mean gap is shown but not judged: building a mail takes
Odoo several milliseconds, which then count for more than the delay itself."""

MEAN_TOLERANCE = 1.05


@dataclass
class Figures:
    """The figures of one mailing, and the sentences about what is wrong with them."""

    mails: int
    senders: Counter
    envelope_senders: Counter
    reply_tos: Counter
    gaps: list[float]
    service: float
    lost: list[str]
    doubled: list[str]
    strangers: list[str]
    wrong: list[str] = field(default_factory=list)

    @property
    def smallest_gap(self) -> float | None:
        """Seconds."""
        return min(self.gaps, default=None)

    @property
    def mean_gap(self) -> float | None:
        """Seconds."""
        return statistics.fmean(self.gaps) if self.gaps else None


def measure(messages: list[dict], addresses: list[str]) -> Figures:
    """Compare what was accepted with the addresses that were to be written to."""
    messages = sorted(messages, key=lambda message: message["started_monotonic"])
    wanted = {_comparable(address): address for address in addresses}
    counts = Counter(
        _comparable(recipient)
        for message in messages
        for recipient in message["rcpt_tos"]
    )
    senders, reply_tos = Counter(), Counter()
    for message in messages:
        raw = message["data"].encode("utf-8", "surrogateescape")
        headers = email.message_from_bytes(raw, policy=email.policy.default)
        senders[str(headers["From"])] += 1
        reply_tos[str(headers["Reply-To"])] += 1
    return Figures(
        mails=len(messages),
        senders=senders,
        envelope_senders=Counter(message["mail_from"] for message in messages),
        reply_tos=reply_tos,
        gaps=[
            later["started_monotonic"] - earlier["replied_monotonic"]
            for earlier, later in itertools.pairwise(messages)
        ],
        service=statistics.fmean(
            message["replied_monotonic"] - message["started_monotonic"]
            for message in messages
        )
        if messages
        else 0.0,
        lost=[address for key, address in wanted.items() if not counts[key]],
        doubled=[address for key, address in wanted.items() if counts[key] > 1],
        strangers=[address for address in counts if address not in wanted],
    )


def judge(figures: Figures, sender: str, reply_to: str, delay_ms: int) -> None:
    """Fill in what is wrong, one sentence each."""
    say = figures.wrong.append
    for what, addresses in (
        ("lost", figures.lost),
        ("sent more than once", figures.doubled),
        ("sent to somebody who is no lead", figures.strangers),
    ):
        if addresses:
            say(f"{len(addresses)} mails were {what}: {', '.join(addresses[:5])}")
    if set(figures.senders) - {sender}:
        say(f"From is not {sender} everywhere: {dict(figures.senders)}")
    if set(figures.reply_tos) - {reply_to}:
        say(f"Reply-To is not {reply_to} everywhere: {dict(figures.reply_tos)}")
    if not figures.gaps:
        return
    delay = delay_ms / 1000
    if figures.smallest_gap < delay:
        say(f"the smallest gap is shorter than the delay of {delay_ms} ms")
    longest = (delay + figures.service) * MEAN_TOLERANCE
    if delay_ms >= JUDGED_FROM_MS and figures.mean_gap > longest:
        say(
            f"the mean gap is longer than {MEAN_TOLERANCE} x (delay + the server's own "
            f"time) = {longest * 1000:.1f} ms"
        )


def _comparable(address: str) -> str:
    """Return an address with its domain as it travels, to compare it by."""
    local, _at, domain = address.rpartition("@")
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode("ascii")
    return f"{local.lower() if local.isascii() else local}@{domain.lower()}"
