# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Check the style: ruff, pylint-odoo, XML, CSV and PO files; --fix repairs."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..console import DevError, say
from ..paths import ADDON, DEV, ROOT

_NOT_INSTALLED = {".ci", ".dev", ".git", "devtools", "dev"}
"""What Odoo never loads; pylint-odoo's rules are about add-ons."""


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
        with _AddonCopy() as addon:
            results += [
                _check("pylint-odoo", _pylint(), addon.parent),
                _check("XML and CSV files", _oca_module(), addon.parent),
            ]
            translations = sorted(map(str, addon.glob("i18n/*.po*")))
            if translations:
                command = ["oca-checks-po", *translations]
                results.append(_check("PO files", command, addon.parent))
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


def _pylint() -> list[str]:
    return [
        "pylint",
        f"--rcfile={ROOT / 'pyproject.toml'}",
        "--load-plugins=pylint_odoo",
        "--disable=all",
        f"--enable={','.join(_PYLINT_ON)}",
        f"--disable={','.join(_PYLINT_OFF)}",
        "--score=n",
        "--reports=n",
        ADDON,
    ]


def _oca_module() -> list[str]:
    return [
        "oca-checks-odoo-module",
        f"--config={ROOT / 'devtools' / 'oca_hooks.cfg'}",
        ADDON,
    ]


class _AddonCopy:
    """Have a copy of the add-on in a folder of its own name for the block.

    The checkers resolve links and read the module's name off its folder, and a
    clone may be called anything.
    """

    def __enter__(self) -> Path:
        self.folder = tempfile.mkdtemp(prefix="lint-", dir=DEV)
        target = Path(self.folder) / ADDON
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        target.mkdir()
        for entry in sorted(ROOT.iterdir()):
            if entry.name in _NOT_INSTALLED or entry.name.startswith("."):
                continue
            if entry.is_dir():
                shutil.copytree(entry, target / entry.name, ignore=ignored)
            else:
                shutil.copy2(entry, target)
        return target

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
        output = result.stdout.replace(f"{folder / ADDON}/".lstrip("/"), "")
        print(
            output.replace(f"{ADDON}/", "").strip()
            or f"exit status {result.returncode}"
        )
    return good
