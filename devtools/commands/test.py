# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Run the tests (pytest) on a database of their own; arguments are pytest's.

With --bridges the database has more of Odoo's apps, and the bridges to them are tested.
With --neighbours it has add-ons of the Odoo Community Association that change mail.
"""

import os
from pathlib import Path

from .. import databases, neighbours, postgres, server
from ..paths import ADDON, ADDONS, ROOT

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian puts Dovecot and Postfix; not on an ordinary user's PATH."""

_BRIDGES = "--bridges"
_NEIGHBOURS = "--neighbours"
_TESTS = ("tests/test_*.py",)
_BRIDGES_TESTS = (
    "bridges/*/tests",
    "tests/apps/test_*.py",
    "tests/test_mailing_kinds.py",
    "tests/test_senders.py",
)
_NEIGHBOURS_TESTS = (
    "tests/test_address_*.py",
    "tests/test_chatter.py",
    "tests/test_compose*.py",
    "tests/test_dialogue*.py",
    "tests/test_keep*.py",
    "tests/test_mailing*.py",
    "tests/test_neighbours.py",
    "tests/test_outcome*.py",
    "tests/test_queue*.py",
    "tests/test_send_now.py",
    "tests/test_sender.py",
)
"""Below the add-on's folder, when no path is among the arguments."""


def run(arguments: list[str]) -> int:
    """Run pytest with pytest-odoo on a fresh copy of the add-on's template."""
    server.end_on_signals()
    arguments = list(arguments)
    make_template, default = databases.addon_template, _TESTS
    if _BRIDGES in arguments:
        arguments.remove(_BRIDGES)
        make_template, default = databases.bridges_template, _BRIDGES_TESTS
    more = []
    if _NEIGHBOURS in arguments:
        arguments.remove(_NEIGHBOURS)
        make_template, default = databases.neighbours_template, _NEIGHBOURS_TESTS
        more = [neighbours.fetch()]
    with (
        postgres.cluster().session() as cluster,
        databases.temporary(cluster, make_template(cluster)) as (database, data),
    ):
        configuration = server.write_test_configuration(cluster, database, data, *more)
        try:
            return _pytest(configuration, arguments, default)
        finally:
            configuration.unlink()


def _pytest(configuration: Path, arguments: list[str], default) -> int:
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
            *_below(linked, arguments, default),
        ],
        server.environment(
            ODOO_RC=str(configuration),
            PATH=os.pathsep.join([os.environ["PATH"], *_SYSTEM_FOLDERS]),
            PYTHONDONTWRITEBYTECODE="1",
        ),
    )


def _below(linked: Path, arguments: list[str], default) -> list[str]:
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
    if not found:
        rewritten += [str(path) for word in default for path in linked.glob(word)]
    return rewritten
