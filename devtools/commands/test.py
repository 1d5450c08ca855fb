# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Run the tests (pytest) on a database of their own; arguments are pytest's."""

import os
from pathlib import Path

from .. import databases, postgres, server
from ..paths import ADDON, ADDONS, ROOT

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian puts Dovecot and Postfix; not on an ordinary user's PATH."""


def run(arguments: list[str]) -> int:
    """Run pytest with pytest-odoo on a fresh copy of the add-on's template."""
    server.end_on_signals()
    with (
        postgres.cluster().session() as cluster,
        databases.temporary(cluster) as (database, data),
    ):
        configuration = server.write_test_configuration(cluster, database, data)
        try:
            return _pytest(configuration, arguments)
        finally:
            configuration.unlink()


def _pytest(configuration: Path, arguments: list[str]) -> int:
    """Start pytest below the link that bears the add-on's name.

    Python knows the package by the name of its folder, whatever the clone is called.
    """
    linked = ADDONS / ADDON
    return server.foreground(
        [
            "pytest",
            f"--rootdir={linked}",
            f"--config-file={linked / 'pyproject.toml'}",
            "-p",
            "devtools.pytest_plugin",
            "--odoo-http",
            *_below(linked, arguments),
        ],
        server.environment(
            ODOO_RC=str(configuration),
            PATH=os.pathsep.join([os.environ["PATH"], *_SYSTEM_FOLDERS]),
            PYTHONDONTWRITEBYTECODE="1",
        ),
    )


def _below(linked: Path, arguments: list[str]) -> list[str]:
    """Rewrite the paths among pytest's arguments; add the default if there is none."""
    rewritten, found = [], False
    for argument in arguments:
        path, separator, rest = argument.partition("::")
        absolute = Path(path).absolute()
        if not argument.startswith("-") and absolute.exists():
            absolute = absolute.resolve()
            if absolute.is_relative_to(ROOT):
                argument = f"{linked / absolute.relative_to(ROOT)}{separator}{rest}"
                found = True
        rewritten.append(argument)
    return rewritten if found else [*rewritten, str(linked / "tests")]
