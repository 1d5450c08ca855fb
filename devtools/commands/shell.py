# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Open Odoo's shell on the demo database (or on a database named as argument)."""

from .. import databases, postgres, server
from ..console import say


def run(arguments: list[str]) -> int:
    """Run `odoo shell`; more arguments are handed on to it."""
    server.end_on_signals()
    with postgres.cluster().session() as cluster:
        named = arguments and not arguments[0].startswith("-")
        database = arguments.pop(0) if named else databases.demo(cluster)
        configuration = server.write_configuration(
            cluster, database, server.private_name("shell"), log_level="warn"
        )
        say(f"· Odoo shell on {database}")
        try:
            command = server.command(configuration, "shell")
            return server.foreground([*command, *arguments], server.environment())
        finally:
            configuration.unlink()
