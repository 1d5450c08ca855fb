# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Several servers and an impatient user want to send the same mails."""

import collections
import contextlib
import random
import threading
import time

from ..rpc import Refused
from . import ledger
from .stage import fault

LANES = 4
MAILS = 80
JOBS = 4


@fault("race", rounds=20)
def race(stage):
    """Two servers with two workers each, and "send now" on the same mails."""
    outcomes = collections.Counter()
    with stage.rig(jobs=JOBS) as rig:
        port = rig.sink.listen(server_time=0.01)
        senders = rig.ask("aliases", ports=[port] * LANES, delay_ms=100, is_admin=True)
        ids = [sender["alias_id"] for sender in senders]
        servers = [rig.server(cron_threads=2) for _ in range(2)]
        queued = 0
        with _clicking(stage, rig, servers, senders, outcomes):
            for number in range(stage.rounds):
                # one-to-one mails are not paced: the lane is free most of the time
                queued += rig.ask(
                    "queue",
                    alias_ids=ids,
                    count=MAILS // LANES,
                    prefix=f"round{number}",
                    bulk=number % 2 == 0,
                )
                rig.wait_until_idle(120)
        rig.wait_until_idle(120)
        stage.tell(f"clicks: {dict(outcomes)}")
        ledger.judge(stage, ledger.read(rig), queued, 0)


@contextlib.contextmanager
def _clicking(stage, rig, servers, senders, outcomes):
    """Let users press the button for the block, one for each alias."""
    ended = threading.Event()
    threads = [
        threading.Thread(
            target=_clicker,
            args=(rig, servers[n % 2], sender, outcomes, ended, stage.random.random()),
        )
        for n, sender in enumerate(senders)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _clicker(rig, odoo, sender, outcomes, ended, seed) -> None:
    dice = random.Random(seed)  # noqa: S311
    user = odoo.client(sender["login"])
    while not ended.is_set():
        mails = rig.sql(
            "SELECT id FROM mail_mail WHERE email_alias_id = %s "
            "AND state = 'outgoing' ORDER BY id LIMIT 5",
            sender["alias_id"],
        )
        if not mails:
            time.sleep(0.01)
            continue
        chosen = [mail_id for (mail_id,) in dice.sample(mails, min(3, len(mails)))]
        at_once = dice.random() < 0.6
        try:
            user("mail.mail", "send", chosen, raise_exception=at_once)
            outcomes["now" if at_once else "queued"] += 1
        except Refused as error:
            outcomes[f"refused: {str(error).splitlines()[0][:60]}"] += 1
