# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""How many bytes a mailbox sends through Microsoft Graph within 5 minutes."""

from .figure import bounded, figures
from .pace import SHORT_RUN_LIMIT

MAILS = 200
MEGABYTES = 1.38  # attached; 2 MB once it is in base64, in lines
MOST = 150.0  # MB of requests
WINDOW_SECONDS = 300.0
HASTE = 5
"""`user_email_alias_haste` lets the window pass so many times faster.

All 200 emails would take 18 minutes. The same emails leave with the same bytes, and are
counted within 60 s instead of 300; everything else keeps its own time. Faster still,
the time a request takes would count as rest.
"""
USED = 0.9
"""The rate has to be as near to Microsoft's: who sends nothing breaks no limit."""


@figures("bytes.window", "bytes.window.used")
def window(context):
    """200 mails of 2 MB; the window is 5 times shorter than Microsoft's."""
    count = context.count(MAILS, 60)
    seconds = WINDOW_SECONDS / HASTE
    with context.rig(sinks=("api",), modules=("user_email_alias_haste",)) as rig:
        [sender] = rig.signed_in("graph", 1)
        rig.sink.behave("graph", window_seconds=seconds)
        file = rig.ask("attachment", megabytes=MEGABYTES)
        # two servers take turns: what one has sent counts for the other
        for _ in range(2):
            rig.server(limit_time_real_cron=SHORT_RUN_LIMIT)
        rig.sink.clear()
        rig.ask(
            "queue",
            alias_ids=[sender["alias_id"]],
            count=count,
            attachment_ids=[[4, file]],
        )
        rig.sink.wait_for(count, 60 + count, rig.check)
        records = rig.sink.records()
        throttled = rig.sink.interfaces()["graph"]["throttled"]
        rig.wait_until_idle(60)
    sizes = [record["size"] / 1e6 for record in records]
    most = _most_within(records, seconds)
    took = records[-1]["mail_at"] - records[0]["mail_at"]
    rate = sum(sizes[:-1]) / took * seconds
    yield bounded(
        "bytes.window",
        most,
        "MB",
        MOST,
        detail=f"{count} requests of {sizes[0]:.2f} MB; most of any {seconds:g} s, "
        f"which are 5 minutes {HASTE} times faster; {throttled} refused",
    )
    yield bounded(
        "bytes.window.used",
        rate / MOST,
        "ratio",
        USED,
        least=True,
        detail=f"{took:.0f} s for all, {took * HASTE / 60:.0f} minutes of Microsoft's",
    )


def _most_within(records: list[dict], seconds: float) -> float:
    """Return the most MB of requests of which a part falls into the same window."""
    most, inside, first = 0.0, 0.0, 0
    for record in records:
        inside += record["size"] / 1e6
        while record["mail_at"] - records[first]["reply_at"] > seconds:
            inside -= records[first]["size"] / 1e6
            first += 1
        most = max(most, inside)
    return most
