# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The link to the mail server is cut at random bytes."""

import time

from . import ledger
from .stage import fault

LANES = 10
MAILS = 500
CUTS = 50
BIG = 8
"""MB of the message that is cut in its middle.

It must not fit into the kernel's buffers: the client would be done with a small one,
its final dot included, before it can hear of the cut.
"""

BEFORE = ("rcpt", "data", "body")
AFTER = ("dot", "refuse", "reply")


@fault("link")
def cut(stage):
    """50 of 500 mails are cut: uncertain are exactly those cut after the dot."""
    for number in range(stage.rounds):
        if stage.rounds > 1:
            stage.tell(f"round {number + 1}")
        with stage.rig() as rig:
            _round(stage, rig)


def _round(stage, rig) -> None:
    ports = [rig.sink.listen(has_small_buffer=True) for _ in range(LANES)]
    senders = rig.ask("aliases", ports=ports)
    ids = [sender["alias_id"] for sender in senders]
    big = rig.ask("attachment", megabytes=BIG)
    plans = _plan(stage, ids)
    for sender in senders:
        mine = {to: plan for to, (alias_id, plan) in plans.items()
                if alias_id == sender["alias_id"]}  # fmt: skip
        rig.sink.behave(sender["port"], cuts=mine)
    rig.ask("queue", alias_ids=ids, count=MAILS // LANES)
    bodies = [to for to, (_, plan) in plans.items() if plan[0] == "body"]
    # the mails were just created, no server runs yet: now they get their attachment
    rig.sql(
        "INSERT INTO message_attachment_rel (message_id, attachment_id) "
        "SELECT mail_message_id, %s FROM mail_mail WHERE email_to = ANY(%s)",
        big,
        bodies,
    )
    rig.server()
    deadline = time.monotonic() + 300
    while rig.waiting() and time.monotonic() < deadline:
        time.sleep(1)
        # a broken link lets the alias wait for a minute
        rig.hurry()
    rig.wait_until_idle(60)
    found = ledger.read(rig)
    uncertain = ledger.judge(stage, found, MAILS, CUTS)
    after = {to for to, (_, plan) in plans.items() if plan[0] in AFTER}
    stage.tell(
        f"cut {CUTS - len(after)} before the final dot and {len(after)} after it"
    )
    stage.expect(
        uncertain == after,
        "uncertain are exactly those cut after the dot"
        + _differences(uncertain, after, plans),
    )
    before = set(plans) - after
    stage.expect(
        all(found.served[to] == 1 for to in before),
        "those cut before it were sent again and arrived once",
    )
    left = [session for session in rig.sink.sessions() if not session.get("mails")]
    stage.tell(
        f"{len(rig.sink.sessions())} connections, {len(left)} of them without a mail"
    )


def _plan(stage, ids: list[int]) -> dict[str, tuple[int, list]]:
    """Choose the mails and the bytes at which their link is cut."""
    chosen = stage.random.sample(
        [(alias_id, n) for alias_id in ids for n in range(1, MAILS // LANES + 1)], CUTS
    )
    plans = {}
    for number, (alias_id, n) in enumerate(chosen):
        phase = (BEFORE + AFTER)[number % 6]
        byte = stage.random.randint(1, 22)  # of the reply
        if phase == "body":
            byte = stage.random.randint(1, BIG * 200_000)
        plans[f"lead-{alias_id}-{n}@leads.example"] = (alias_id, [phase, byte])
    return plans


def _differences(uncertain: set, after: set, plans: dict) -> str:
    wrong = [plans[to][1] for to in uncertain - after if to in plans]
    missing = [plans[to][1] for to in after - uncertain]
    text = ""
    if wrong:
        text += f"; uncertain though cut before: {wrong}"
    if missing:
        text += f"; not uncertain though cut after: {missing}"
    return text
