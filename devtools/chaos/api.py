# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The providers' interfaces: killed in the middle, cut off, told to slow down."""

import contextlib
import time

from . import kill, ledger
from .stage import fault

TRANSPORTS = ("graph", "gmail")
LANES = 2  # of each, the last one with the organisation's key
DELAY = 0.05
SERVER_TIME = 0.02
NO_LIMIT = 10**9
STORM_MAILS = 40  # of each lane

# Cuts: of each interface's emails so many are big, and cut are so many of each kind.
MAILS = 250
BIG_MAILS = 50
BIG_MEGABYTES = 1.5
BEFORE = ("before", "middle")
AFTER = ("after", "refuse", "answer")
EACH = 5


@contextlib.contextmanager
def _scene(stage, lanes=LANES, delay=DELAY, **behaviour):
    """Have a rig where mail arrives at both interfaces; yield it and its aliases."""
    with stage.rig(sinks=("api",)) as rig:
        senders = []
        for transport in TRANSPORTS:
            for count, by_organisation in ((lanes - 1, False), (1, True)):
                senders += rig.signed_in(
                    transport,
                    count,
                    int(1000 * delay),
                    1 + len(senders),
                    by_organisation,
                )
            rig.sink.behave(transport, units_a_minute=NO_LIMIT, **behaviour)
        # what was asked while they signed in
        rig.sink.clear()
        yield rig, [sender["alias_id"] for sender in senders]


@fault("api.kill", rounds=30)
def kill_worker(stage):
    """kill -9 of the cron worker while mail leaves through both interfaces."""
    with _scene(stage, server_time=SERVER_TIME) as (rig, ids):
        odoo = rig.server(workers=1, cron_threads=1)
        queued = kill.killing(stage, rig, ids, lambda: kill.cron_worker(odoo).kill())
        kill.end(stage, rig, queued)
        _judge_interfaces(stage, rig)


@fault("api.cut")
def cut(stage):
    """Requests are cut: uncertain are exactly those cut after the body."""
    for number in range(stage.rounds):
        if stage.rounds > 1:
            stage.tell(f"round {number + 1}")
        with _scene(stage, lanes=5, delay=0) as (rig, ids):
            _cut_round(stage, rig, ids)


def _cut_round(stage, rig, ids) -> None:
    small = MAILS - BIG_MAILS
    for transport in TRANSPORTS:
        rig.sink.behave(
            transport,
            cuts=_plan(stage, small - 2 * EACH, AFTER),
            big_cuts=_plan(stage, BIG_MAILS, BEFORE + AFTER),
        )
    lanes = len(ids) // len(TRANSPORTS)
    queued = rig.ask("queue", alias_ids=ids, count=small // lanes)
    file = rig.ask("attachment", megabytes=BIG_MEGABYTES)
    queued += rig.ask(
        "queue",
        alias_ids=ids,
        count=BIG_MAILS // lanes,
        prefix="big",
        # Graph's bytes in a window would make a campaign wait
        bulk=False,
        attachment_ids=[[4, file]],
    )
    rig.server()
    deadline = time.monotonic() + 300
    while rig.waiting() and time.monotonic() < deadline:
        time.sleep(1)
        # a broken link lets the alias wait for a minute
        rig.hurry()
    rig.wait_until_idle(60)
    found = ledger.read(rig)
    cuts = [c for seen in rig.sink.interfaces().values() for c in seen["cuts"]]
    uncertain = ledger.judge(stage, found, queued, len(cuts))
    counted = {where: sum(c[0] == where for c in cuts) for where in BEFORE + AFTER}
    stage.tell(f"cuts: {counted}")
    wanted = dict.fromkeys(BEFORE, 2 * EACH) | dict.fromkeys(AFTER, 4 * EACH)
    stage.expect(counted == wanted, "each planned cut was made")
    after = {who for where, named in cuts if where in AFTER for who in named}
    stage.expect(
        uncertain == after,
        "uncertain are exactly those cut after the body"
        + _differences(uncertain, after),
    )
    dropped = {who for where, named in cuts if where == "refuse" for who in named}
    stage.expect(
        set(found.mails) - set(found.served) == dropped,
        "those cut before it were sent again; only what was dropped has not arrived",
    )
    _judge_interfaces(stage, rig)


def _differences(uncertain: set, after: set) -> str:
    besides, missing = sorted(uncertain - after), sorted(after - uncertain)
    return (f"; besides: {besides[:5]}" if besides else "") + (
        f"; missing: {missing[:5]}" if missing else ""
    )


def _plan(stage, requests: int, kinds) -> list[str]:
    """Choose the requests that are cut, and where."""
    cuts = [kind for kind in kinds for _ in range(EACH)]
    plan = cuts + [""] * (requests - len(cuts))
    stage.random.shuffle(plan)
    return plan


@fault("api.storm", rounds=3)
def storm(stage):
    """429 and 503 with Retry-After again and again: all wait as long as they are told.

    A storm is over when they come back: each further refusal doubles the pause.
    """
    with _scene(stage, server_time=SERVER_TIME) as (rig, ids):
        rig.server()
        queued = 0
        for number in range(stage.rounds):
            queued += rig.ask(
                "queue", alias_ids=ids, count=STORM_MAILS, prefix=f"storm{number}"
            )
            rig.sink.wait_for(rig.sink.count() + len(ids) * 2, 60, rig.check)
            time.sleep(stage.random.uniform(0, 0.5))
            wait = stage.random.randint(2, 4)
            status = 503 if number % 2 else 429
            for transport in TRANSPORTS:
                rig.sink.behave(transport, storm=[status, 2.0, wait])
            stage.tell(f"{status} for 2 s, Retry-After {wait}")
            for _ in range(5):
                time.sleep(0.3)
                rig.ask("wake")
            slower = rig.sql(
                "SELECT count(*) FROM user_email_alias WHERE pause_ms > delay_ms "
                "AND backoff_until > extract(epoch FROM now()) AND id = ANY(%s)",
                ids,
            )[0][0]
            stage.expect(
                slower == len(ids), f"{slower} of {len(ids)} wait, with a wider pause"
            )
            _finish(stage, rig)
        found = ledger.read(rig)
        ledger.judge(stage, found, queued, 0)
        ledger.judge_pace(stage, found, DELAY)
        _judge_interfaces(stage, rig)
        seen = rig.sink.interfaces()
        stage.tell(
            ", ".join(f"{name} refused {s['throttled']}" for name, s in seen.items())
        )
        stage.expect(
            all(s["throttled"] >= LANES * stage.rounds for s in seen.values()),
            "each alias met each storm",
        )
        early = sum(s["impatient"] for s in seen.values())
        stage.expect(not early, f"nobody came before Retry-After was over ({early})")


def _finish(stage, rig) -> None:
    """Wait until the campaign is over; somebody writes now and then."""
    deadline = time.monotonic() + 240
    while rig.waiting() and time.monotonic() < deadline:
        rig.ask("wake")
        time.sleep(1)
    rig.wait_until_idle(30)


def _judge_interfaces(stage, rig) -> None:
    seen = rig.sink.interfaces()
    most = max(s["most_at_once"] for s in seen.values())
    stage.expect(most == 1, f"one request at a time of each alias ({most} at most)")
