# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Check the style: ruff, pylint-odoo, XML, CSV and PO files; --fix repairs."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..console import DevError, say
from ..paths import ADDON, BRIDGES, DEV, ROOT

_NOT_INSTALLED = {".ci", ".dev", ".git", BRIDGES.name, "devtools", "dev"}
"""What is no part of the add-on; pylint-odoo's rules are about add-ons."""


def run(arguments: list[str]) -> int:
    """Run every checker, so that one run shows everything; fail if any did."""
    fix = arguments == ["--fix"]
    if arguments and not fix:
        raise DevError("the only argument is --fix")
    if fix:
        _check("ruff format", ["ruff", "format", "."], ROOT)
        _check("ruff check --fix", ["ruff", "check", "--fix", "."], ROOT)
    results = [
        _check("ruff format", ["ruff", "format", "--check", "."], ROOT),
        _check("ruff check", ["ruff", "check", "."], ROOT),
    ]
    if (ROOT / "__manifest__.py").exists():
        with _AddonCopies() as folder:
            results += [
                _check("pylint-odoo", _pylint(folder), folder),
                _check("XML and CSV files", _oca_module(folder), folder),
            ]
            translations = sorted(map(str, folder.glob("*/i18n/*.po*")))
            if translations:
                command = ["oca-checks-po", *translations]
                results.append(_check("PO files", command, folder))
    return 0 if all(results) else 1


_PYLINT_ON = ("odoolint", "E0001", "W0611", "W0622", "R0401")
_PYLINT_OFF = (
    "attribute-string-redundant",  # labels are the original's, word for word
    "except-pass",  # the comment beside it says why
    "invalid-commit",  # claims and outcomes are committed on purpose
    "manifest-required-author",  # asks for the OCA as author
    "method-required-super",  # takes any class for a model
    "missing-readme",  # asks for README.rst
    "missing-return",  # computes return nothing
    "super-method-mismatch",  # the flag is written past our own checks
)
"""The order counts: everything off, Odoo's rules on, some of them off again."""


def _pylint(folder: Path) -> list[str]:
    return [
        "pylint",
        f"--rcfile={ROOT / 'pyproject.toml'}",
        "--load-plugins=pylint_odoo",
        "--disable=all",
        f"--enable={','.join(_PYLINT_ON)}",
        f"--disable={','.join(_PYLINT_OFF)}",
        "--score=n",
        "--reports=n",
        *sorted(addon.name for addon in folder.iterdir()),
    ]


def _oca_module(folder: Path) -> list[str]:
    return [
        "oca-checks-odoo-module",
        f"--config={ROOT / 'devtools' / 'oca_hooks.cfg'}",
        *sorted(addon.name for addon in folder.iterdir()),
    ]


class _AddonCopies:
    """Have copies of the add-ons in folders of their own names for the block.

    The checkers resolve links and read the module's name off its folder, and a
    clone may be called anything.
    """

    def __enter__(self) -> Path:
        self.folder = tempfile.mkdtemp(prefix="lint-", dir=DEV)
        folder = Path(self.folder)
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        target = folder / ADDON
        target.mkdir()
        for entry in sorted(ROOT.iterdir()):
            if entry.name in _NOT_INSTALLED or entry.name.startswith("."):
                continue
            if entry.is_dir():
                shutil.copytree(entry, target / entry.name, ignore=ignored)
            else:
                shutil.copy2(entry, target)
        for bridge in sorted(BRIDGES.glob("*/__manifest__.py")):
            bridge = bridge.parent
            shutil.copytree(bridge, folder / bridge.name, ignore=ignored)
        return folder

    def __exit__(self, *exception) -> None:
        shutil.rmtree(self.folder)


def _check(name: str, command: list[str], folder: Path) -> bool:
    """Run one checker, show what it found with paths that exist in the clone."""
    result = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    good = result.returncode == 0
    say(f"{'✓' if good else '✗'} {name}")
    if not good:
        output = result.stdout.replace(f"{folder}/".lstrip("/"), "")
        output = output.replace(f"{ADDON}/", "")
        print(output.strip() or f"exit status {result.returncode}")
    return good
