# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What a fault is, and where it is played."""

import contextlib
import importlib
import pkgutil
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .. import chaos
from ..console import DevError, say
from ..rig import rig
from ..rig.cluster import RigCluster

PATIENCE = 90
"""Seconds after which sending should be under way again, whatever has broken."""

FAULTS: list["Fault"] = []


@dataclass
class Fault:
    """A function and how often it does its worst unless told otherwise."""

    name: str
    rounds: int
    function: Callable


def fault(name: str, rounds: int = 1):
    """Register a fault.

    :param rounds: its usual number; `--rounds` overrides it
    """

    def register(function):
        FAULTS.append(Fault(name, rounds, function))
        return function

    return register


@dataclass
class Stage:
    """What a fault is given."""

    cluster: RigCluster
    rounds: int
    random: random.Random
    broken: list[str] = field(default_factory=list)

    def rig(self, **options) -> contextlib.AbstractContextManager:
        """Have a fresh rig for a block."""
        return rig.running(self.cluster, **options)

    @staticmethod
    def tell(text: str) -> None:
        """Print what was done or what came of it."""
        print(f"    {text}", flush=True)

    @staticmethod
    def wait_for_sending(rig) -> float:
        """Wait until mail leaves again; return how many seconds that took.

        PATIENCE at most, and that at once when the server itself has ended.

        A cron worker that starts anew has missed the news that there is work, and
        would look by itself only after Odoo's 60 to 69 s. The next mail somebody
        writes wakes it: this is played here every second.
        """
        before, begun = rig.sink.count(), time.monotonic()
        knock_at = begun + 1
        while (now := time.monotonic()) - begun < PATIENCE:
            if rig.sink.count() >= before + 2:
                break
            if not all(odoo.is_running() for odoo in rig.servers):
                return PATIENCE
            if now >= knock_at:
                with contextlib.suppress(DevError):
                    rig.ask("wake")
                knock_at = now + 1
            time.sleep(0.01)
        return time.monotonic() - begun

    def expect(self, holds: bool, text: str) -> None:
        """Note an invariant that holds or does not."""
        print(f"  {'✓' if holds else '✗'} {text}", flush=True)
        if not holds:
            self.broken.append(text)


def load_all() -> list[Fault]:
    """Import every module of this folder and return the faults, in order."""
    for module in sorted(pkgutil.iter_modules(chaos.__path__), key=lambda m: m.name):
        importlib.import_module(f"{chaos.__name__}.{module.name}")
    return FAULTS


def play(chosen: Fault, cluster: RigCluster, rounds: int | None, seed: int) -> bool:
    """Play one fault; return whether everything held."""
    stage = Stage(cluster, rounds or chosen.rounds, random.Random(seed))  # noqa: S311
    help_line = (chosen.function.__doc__ or "").partition("\n")[0]
    print(
        f"{chosen.name}: {help_line} ({stage.rounds} rounds, seed {seed})", flush=True
    )
    try:
        chosen.function(stage)
    except Exception as error:
        say(f"✗ {chosen.name}: {type(error).__name__}: {error}")
        stage.broken.append(str(error))
    return not stage.broken
