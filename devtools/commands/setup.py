# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Prepare Odoo, Python and PostgreSQL, and do nothing else."""

from ..console import say
from ..paths import ODOO, PYTHON


def run(arguments: list[str]) -> int:
    """Say where things are; everything was prepared before this runs."""
    say(f"Odoo: {ODOO}\nPython: {PYTHON}")
    return 0
