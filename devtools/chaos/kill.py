# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The process that sends is killed, or asked to end."""

import signal
import time

import psutil

from . import ledger
from .stage import fault

LANES = 4
CAMPAIGN = 500
DELAY = 0.05
SERVER_TIME = 0.02
CRON_NICE = 10
"""Odoo's prefork server gives its cron workers this niceness, and nobody else."""


@fault("kill.worker", rounds=100)
def kill_worker(stage):
    """kill -9 of the prefork server's cron worker at random moments."""
    with stage.rig() as rig:
        ids = _scene(stage, rig)
        odoo = rig.server(workers=1, cron_threads=1)

        def kill():
            cron_worker(odoo).kill()

        queued = killing(stage, rig, ids, kill)
        end(stage, rig, queued)


@fault("kill.server", rounds=10)
def kill_server(stage):
    """kill -9 of the whole threaded server at random moments, then a new start."""
    with stage.rig() as rig:
        ids = _scene(stage, rig)
        odoo = rig.server()

        def kill():
            odoo.kill()
            odoo.start()

        queued = killing(stage, rig, ids, kill)
        end(stage, rig, queued)


def _scene(stage, rig) -> list[int]:
    port = rig.sink.listen(server_time=SERVER_TIME)
    senders = rig.ask("aliases", ports=[port] * LANES, delay_ms=int(1000 * DELAY))
    return [sender["alias_id"] for sender in senders]


def killing(stage, rig, ids: list[int], kill) -> int:
    """Kill while campaigns run, a new one whenever one is over."""
    queued = kills = 0
    idle = 0.0
    while kills < stage.rounds:
        if rig.waiting() < LANES:
            number = 1 + queued // CAMPAIGN
            queued += rig.ask(
                "queue",
                alias_ids=ids,
                count=CAMPAIGN // LANES,
                prefix=f"campaign{number}",
            )
        # the sending must be under way again, or the kill hits nothing
        idle = max(idle, stage.wait_for_sending(rig))
        time.sleep(stage.random.uniform(0, 0.6))
        kill()
        kills += 1
    stage.tell(
        f"killed {kills} times, sending was under way {idle:.0f} s later at most"
    )
    return queued


def end(stage, rig, queued: int) -> None:
    stage.wait_for_sending(rig)
    rig.wait_until_idle(240)
    found = ledger.read(rig)
    uncertain = ledger.judge(stage, found, queued, LANES * stage.rounds)
    ledger.judge_pace(stage, found, DELAY, uncertain)


def cron_worker(odoo) -> psutil.Process:
    """Find the cron worker among the server's processes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for process in psutil.Process(odoo.pid).children():
            try:
                if process.nice() == CRON_NICE:
                    return process
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.05)
    raise TimeoutError("the server has no cron worker")


@fault("sigterm", rounds=3)
def sigterm(stage):
    """SIGTERM in the middle of eight slow submissions, then a new start."""
    lanes, server_time, count = 8, 1.0, 6
    with stage.rig() as rig:
        port = rig.sink.listen(server_time=server_time)
        senders = rig.ask("aliases", ports=[port] * lanes)
        ids = [sender["alias_id"] for sender in senders]
        queued, took = 0, []
        for number in range(stage.rounds):
            prefork = number % 2 == 1
            odoo = rig.server(workers=1 if prefork else 0)
            queued += rig.ask(
                "queue", alias_ids=ids, count=count, prefix=f"round{number}"
            )
            rig.sink.wait_for(rig.sink.count() + lanes, 60, rig.check)
            time.sleep(stage.random.uniform(0, server_time))
            begun = time.monotonic()
            odoo.child.process.send_signal(signal.SIGTERM)
            odoo.child.process.wait(60)
            took.append(time.monotonic() - begun)
            stage.tell(
                f"{'prefork' if prefork else 'threaded'} server ended after "
                f"{took[-1]:.1f} s"
            )
            rig.servers.remove(odoo)
            odoo.stop()
        rig.server()
        rig.ask("wake")
        rig.wait_until_idle(120)
        stage.expect(
            max(took) < 10, f"each ended in less than 10 s ({max(took):.1f} s)"
        )
        ledger.judge(stage, ledger.read(rig), queued, 0)
