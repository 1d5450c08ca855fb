# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The invariants, over the sink's records, the log and the mails."""

import collections
import itertools
from dataclasses import dataclass

from ..bench.timing import by_sender


@dataclass
class Ledger:
    """Who was served how often, and what the database says about it."""

    served: collections.Counter
    mails: dict[str, tuple[str, str]]
    log: dict[str, list[str]]
    records: list[dict]


def read(rig) -> Ledger:
    """Read all three sources. A mail is known by its only recipient."""
    records = rig.sink.records()
    served = collections.Counter(to for record in records for to in record["to"])
    mails = {
        recipient: (state, failure)
        for recipient, state, failure in rig.sql(
            "SELECT email_to, state, failure_type FROM mail_mail "
            "WHERE email_alias_id IS NOT NULL"
        )
    }
    log = collections.defaultdict(list)
    for recipient, outcome in rig.sql(
        "SELECT recipients, outcome FROM user_email_alias_log ORDER BY id"
    ):
        log[recipient].append(outcome)
    return Ledger(served, mails, log, records)


def judge(stage, ledger: Ledger, queued: int, most_uncertain: int) -> set[str]:
    """Hold the invariants against what was found; return the uncertain mails.

    :param most_uncertain: how many mails may have been in hand when things broke
    """
    uncertain = {
        mail
        for mail, (state, failure) in ledger.mails.items()
        if state == "exception" and failure == "email_alias_uncertain"
    }
    sent = {mail for mail, (state, _) in ledger.mails.items() if state == "sent"}
    other = collections.Counter(
        f"{state} {failure or ''}".strip()
        for mail, (state, failure) in ledger.mails.items()
        if mail not in uncertain and mail not in sent
    )
    twice = [mail for mail, times in ledger.served.items() if times > 1]
    lost = [mail for mail in sent if not ledger.served[mail]]
    listed = {
        mail for mail, outcomes in ledger.log.items() if outcomes[-1] == "uncertain"
    }
    arrived = sum(1 for mail in uncertain if ledger.served[mail])
    stage.tell(
        f"{queued} queued, {len(ledger.served)} arrived, {len(sent)} sent, "
        f"{len(uncertain)} uncertain ({arrived} of them had arrived), "
        f"other states: {dict(other) or 'none'}"
    )
    stage.expect(
        len(ledger.mails) == queued and not other, "every mail is accounted for"
    )
    stage.expect(not twice, f"nobody was served twice {twice[:3] or ''}".strip())
    stage.expect(not lost, f"nobody marked sent was left out {lost[:3] or ''}".strip())
    stage.expect(listed == uncertain, "the log lists exactly the uncertain mails")
    stage.expect(
        len(uncertain) <= most_uncertain,
        f"{len(uncertain)} uncertain, at most {most_uncertain} were in hand",
    )
    return uncertain


def judge_pace(stage, ledger: Ledger, delay: float, lost_replies=()) -> None:
    """No pause may be shorter than the delay, whatever broke in between.

    :param lost_replies: recipients whose reply nobody read: the pause counts from
        the final dot, after which the sender was gone
    """
    short = []
    for records in by_sender(ledger.records).values():
        ordered = sorted(records, key=lambda record: record["mail_at"])
        for earlier, later in itertools.pairwise(ordered):
            ended = earlier["reply_at"]
            if ended is None or set(earlier["to"]) & set(lost_replies):
                ended = earlier["dot_at"]
            if later["mail_at"] - ended < delay:
                short.append(later["mail_at"] - ended)
    stage.expect(
        not short,
        f"no pause was shorter than {1000 * delay:.0f} ms "
        f"{[round(1000 * gap, 1) for gap in short[:3]] or ''}".strip(),
    )
