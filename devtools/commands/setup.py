# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Prepare Odoo, Python, PostgreSQL and the template databases."""

from .. import databases, postgres
from ..console import say
from ..paths import ODOO, PYTHON


def run(arguments: list[str]) -> int:
    """Build what is missing and say where things are."""
    with postgres.cluster().session() as cluster:
        name = databases.base_template(cluster)
    say(f"Odoo:     {ODOO}\nPython:   {PYTHON}\nDatabase: {name} at {cluster.host}")
    return 0
