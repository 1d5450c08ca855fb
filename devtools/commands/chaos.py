# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Break things while mail is sent, check that nobody is lost: [--rounds N] [NAME ...].

A name may be the beginning of several: `kill` means `kill.worker` and `kill.server`.
--seed N repeats the random moments of a run.
"""

import random

from .. import server
from ..chaos import stage
from ..console import DevError, say
from ..rig import cluster


def run(arguments: list[str]) -> int:
    """Play the faults one after the other; fail if an invariant broke."""
    words = list(arguments)
    rounds = _number(words, "--rounds")
    seed = _number(words, "--seed")
    if seed is None:
        seed = random.randrange(1_000_000)  # noqa: S311
    faults = stage.load_all()
    chosen = [
        fault
        for fault in faults
        if not words
        or any(fault.name == w or fault.name.startswith(f"{w}.") for w in words)
    ]
    if not chosen:
        raise DevError(f"there are {', '.join(fault.name for fault in faults)}")
    server.end_on_signals()
    say(cluster.describe())
    with cluster.RigCluster().session() as own:
        results = {fault.name: stage.play(fault, own, rounds, seed) for fault in chosen}
    broken = [name for name, held in results.items() if not held]
    print(f"{len(results) - len(broken)} of {len(results)} faults held: ", end="")
    print(f"broken: {', '.join(broken)}" if broken else "nobody lost, nobody doubled")
    return 1 if broken else 0


def _number(words: list[str], option: str) -> int | None:
    """Take an option with its number out of the arguments."""
    if option not in words:
        return None
    at = words.index(option)
    try:
        number = int(words[at + 1])
    except (IndexError, ValueError):
        raise DevError(f"{option} wants a number") from None
    del words[at : at + 2]
    return number
