# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What a benchmark is and what comes out of it."""

import contextlib
import importlib
import json
import pkgutil
from collections.abc import Callable
from dataclasses import asdict, dataclass

from .. import bench
from ..rig import rig
from ..rig.cluster import RigCluster

BENCHMARKS: list["Benchmark"] = []


@dataclass
class Figure:
    """One measured number beside its goal.

    ``anchor`` is Odoo's own queue in the same run, where it can do the job; SMTP in the
    same run for a provider's interface.
    """

    name: str
    value: float
    unit: str
    goal: str
    met: bool
    anchor: float | None = None
    detail: str = ""

    def as_json(self) -> str:
        """Return one line for machines."""
        values = asdict(self)
        values["value"] = round(self.value, 4)
        if self.anchor is not None:
            values["anchor"] = round(self.anchor, 4)
        return json.dumps(values)

    def as_row(self) -> str:
        """Return one line for people."""
        mark = "✓" if self.met else "✗"
        anchor = "" if self.anchor is None else f"{self.anchor:.4g}"
        return (
            f"{mark} {self.name:32} {self.value:10.4g} {self.unit:12} "
            f"{self.goal:12} {anchor:>8}  {self.detail}"
        )


HEADER = (
    f"  {'name':32} {'value':>10} {'unit':12} {'goal':12} {'anchor':>8}  what it was"
)


@dataclass
class Benchmark:
    """A function and the names of the figures it yields."""

    names: tuple[str, ...]
    function: Callable

    def is_wanted(self, wanted: list[str]) -> bool:
        """Tell whether one of the names, or the beginning of one, was asked for."""
        return not wanted or any(
            name == word or name.startswith(f"{word}.")
            for name in self.names
            for word in wanted
        )


def figures(*names: str):
    """Register a benchmark."""

    def register(function):
        BENCHMARKS.append(Benchmark(names, function))
        return function

    return register


@dataclass
class Context:
    """What a benchmark is given.

    ``scale`` shrinks the number of mails where that leaves the figure what it is.
    """

    cluster: RigCluster
    scale: float = 1.0

    def count(self, full: int, least: int = 5) -> int:
        """Return how many mails to send instead of the full number."""
        return max(least, round(full * self.scale))

    def rig(self, **options) -> contextlib.AbstractContextManager:
        """Have a fresh rig for a block."""
        return rig.running(self.cluster, **options)


def load_all() -> list[Benchmark]:
    """Import every module of this folder and return the benchmarks, in order."""
    for module in sorted(pkgutil.iter_modules(bench.__path__), key=lambda m: m.name):
        importlib.import_module(f"{bench.__name__}.{module.name}")
    return BENCHMARKS


def bounded(name, value, unit, limit, *, least=False, **more) -> Figure:
    """Return a figure with a goal that is an upper bound, or a lower one."""
    met = value >= limit if least else value <= limit
    return Figure(
        name, value, unit, f"{'>=' if least else '<='} {limit:g}", met, **more
    )


def versus_core(name, ours: float, core: float, goal: float, detail: str) -> Figure:
    """Return our emails a second by those of Odoo's own queue in the same run."""
    return bounded(name, ours / core, "x", goal, least=True, anchor=core, detail=detail)
