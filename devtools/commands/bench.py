# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Measure the queue against its goals: [--json] [--short] [NAME ...].

A name may be the beginning of several: `pace` means all that begin with `pace.`.
--short sends fewer mails, for a look at the figures in a few minutes.
"""

import traceback

from .. import server
from ..bench import figure
from ..console import DevError, say
from ..rig import cluster

SHORT = 0.1


def run(arguments: list[str]) -> int:
    """Print a line for each figure as soon as it is there; fail if a goal is missed."""
    options = {"--json", "--short"} & set(arguments)
    names = [word for word in arguments if word not in options]
    benchmarks = figure.load_all()
    known = [name for benchmark in benchmarks for name in benchmark.names]
    wanted = [b for b in benchmarks if b.is_wanted(names)]
    for name in names:
        if not any(b.is_wanted([name]) for b in benchmarks):
            raise DevError(f"no figure {name!r}; there are {', '.join(known)}")
    server.end_on_signals()
    say(cluster.describe())
    if "--json" not in options:
        print(figure.HEADER)
    missed = 0
    with cluster.RigCluster().session() as own:
        context = figure.Context(own, SHORT if "--short" in options else 1.0)
        for benchmark in wanted:
            missed += _measure(benchmark, context, "--json" in options)
    return 1 if missed else 0


def _measure(benchmark, context, as_json: bool) -> int:
    """Measure one; a failure costs its figures, not those of the others."""
    missed = 0
    try:
        for result in benchmark.function(context):
            print(result.as_json() if as_json else result.as_row(), flush=True)
            missed += not result.met
    except Exception as error:
        if not isinstance(error, DevError):
            traceback.print_exc()
        say(f"✗ {', '.join(benchmark.names)}: {error}")
        missed += 1
    return missed
