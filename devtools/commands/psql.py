# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Open psql on a database; without a name, list the databases."""

import os
import subprocess

from .. import postgres


def run(arguments: list[str]) -> int:
    """Run PostgreSQL's own client with the right address."""
    with postgres.cluster().session() as cluster:
        binary = "psql"
        if isinstance(cluster, postgres.Embedded):
            binary = str(cluster.binaries / "psql")
        return subprocess.run(
            [binary, *(arguments or ["--list", "postgres"])],
            env={**os.environ, **cluster.environment()},
            check=False,
        ).returncode
