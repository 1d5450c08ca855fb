# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Run Odoo with the add-on and a sandbox mail server until Ctrl-C."""

from .. import stack
from ..console import DevError, say


def run(arguments: list[str]) -> int:
    """Keep the demo database of the last run; --fresh begins anew."""
    if arguments not in ([], ["--fresh"]):
        raise DevError("the only argument is --fresh")
    with stack.running("fresh" if arguments else "kept") as running:
        say(stack.describe(running))
        return stack.serve(running)
