# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Odoo 19 itself, from the first of three places that has it."""

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from . import debian
from .console import DevError, megabytes, say, step, tree_size
from .paths import DEV, ODOO, STAMPS

SERIES = "19.0"
PACKAGE = "odoo-19"
SUITE = "sid"
REPOSITORY = "https://github.com/odoo/odoo.git"

LIBRARIES = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
)
"""Packages the Debian package links to for its fonts and scripts."""

FONT_AWESOME = "fonts-font-awesome"
"""Wanted from the machine's own release: the one in sid has other file names."""

SELFIE = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
SELFIE_PACKAGE = "@mediapipe/selfie_segmentation"
"""Left out of the Debian package; each page load logs an error without it."""

PYPI_NAMES = {
    "dateutil": "python-dateutil",
    "magic": "python-magic",
    "openssl": "pyopenssl",
    "pil": "pillow",
    "psycopg2": "psycopg2-binary",
    "pypdf": "PyPDF2==2.12.1",
    "serial": "pyserial",
    "stdnum": "python-stdnum",
    "usb": "pyusb",
}
"""Debian's `python3-X` where PyPI calls it something else.

PyPDF2 is what Odoo's own requirements name; psycopg2-binary needs no compiler.
"""

WITHOUT_WHEEL = {"python-ldap", "rl-renderpm"}
"""Optional requirements of Odoo that would need a C compiler and system headers."""


class Source:
    """A place Odoo comes from: what it needs of Python, and how to get it."""

    requirements: list[str]
    identity: str

    def fetch(self) -> Path:
        """Return the folder that holds the package `odoo`, fetched if need be."""
        raise NotImplementedError

    def complete(self) -> None:
        """Add what is missing, once the Python environment is there."""


class Checkout(Source):
    """A source tree of Odoo, the caller's or a shallow clone of ours."""

    def __init__(self, path: Path):
        self.path = path
        release = path / "odoo" / "release.py"
        if not release.exists() or "(19, 0" not in release.read_text(encoding="utf-8"):
            raise DevError(f"{path} is not a source checkout of Odoo {SERIES}.")
        self.identity = f"checkout {path}"
        self.requirements = _requirements_of_checkout(path / "requirements.txt")

    def fetch(self) -> Path:
        return self.path


class DebianPackage(Source):
    """The package of Debian's sid, unpacked below `.dev/`."""

    tree = DEV / "debian"
    stamp = STAMPS / "debian.json"

    def __init__(self):
        done = _read_json(self.stamp)
        self.done = done if (self.tree / "usr").exists() else {}
        if not self.done:
            self.apt = debian.Apt([SUITE, debian.own_suite()])
            self.apt.update()
        self.version = self.done.get("version") or self.apt.field(PACKAGE, "Version")
        if not self.version:
            raise DevError(f"Debian's {SUITE} has no package {PACKAGE}.")
        depends = self.done.get("depends") or self.apt.field(PACKAGE, "Depends")
        self.depends = depends
        self.identity = f"{PACKAGE} {self.version}"
        self.requirements = _requirements_of_package(depends)

    def fetch(self) -> Path:
        packages = self.tree / "usr" / "lib" / "python3" / "dist-packages"
        if not self.done:
            with tempfile.TemporaryDirectory(prefix="debian-", dir=DEV) as folder:
                tree = Path(folder) / "tree"
                self.apt.unpack(
                    [
                        f"{PACKAGE}/{SUITE}",
                        *(f"{name}/{SUITE}" for name in LIBRARIES),
                        f"{FONT_AWESOME}/{debian.own_suite()}",
                    ],
                    tree,
                )
                tree.chmod(0o755)
                if self.tree.exists():
                    shutil.rmtree(self.tree)
                tree.rename(self.tree)
            self.done = {"version": self.version, "depends": self.depends}
            _write_json(self.stamp, self.done)
            say(f"  {self.identity}: {megabytes(tree_size(self.tree))} unpacked")
        return packages

    def complete(self) -> None:
        target = self.fetch() / "odoo" / "addons" / SELFIE
        if target.exists():
            return
        from . import python_env

        with (
            step(f"npm package {SELFIE_PACKAGE}") as notes,
            tempfile.TemporaryDirectory(prefix="npm-", dir=DEV) as folder,
        ):
            npm = python_env.npm()
            script = _from_npm(SELFIE_PACKAGE, target.name, folder, npm)
            notes.append(megabytes(script.stat().st_size))
            target.parent.mkdir(parents=True, exist_ok=True)
            script.rename(target)


def find() -> Source:
    """Choose where Odoo comes from; the first place that can give it wins."""
    given = os.environ.get("ODOO_PATH")
    if given:
        return Checkout(Path(given).expanduser().resolve())
    clone = DEV / "odoo-git"
    if clone.exists():
        return Checkout(clone)
    reason = debian.why_not()
    if not reason:
        try:
            return DebianPackage()
        except DevError as error:
            reason = str(error)
    say(f"· no Debian package of Odoo: {reason}")
    with step(f"clone Odoo {SERIES}") as notes:
        with tempfile.TemporaryDirectory(prefix="clone-", dir=DEV) as folder:
            half = Path(folder) / "odoo"
            command = ["git", "clone", "--depth=1", f"--branch={SERIES}", REPOSITORY]
            result = subprocess.run(
                [*command, half], capture_output=True, text=True, check=False
            )
            if result.returncode:
                raise DevError(
                    "Odoo cannot be fetched: set ODOO_PATH to a source checkout of "
                    f"Odoo {SERIES}. Debian: {reason} git: {result.stderr.strip()}"
                )
            half.rename(clone)
        notes.append(megabytes(tree_size(clone)))
    return Checkout(clone)


def link(path: Path) -> None:
    """Point the stable name `.dev/odoo` at the folder Odoo was found in."""
    if ODOO.is_symlink() and ODOO.readlink() == path:
        return
    half = ODOO.with_name("odoo.new")
    half.unlink(missing_ok=True)
    half.symlink_to(path)
    half.replace(ODOO)


def _requirements_of_package(depends: str) -> list[str]:
    """Translate the `Depends` field of the Debian package into PyPI's names."""
    requirements = []
    for clause in depends.split(","):
        found = re.match(r"\s*python3-([a-z0-9.+-]+)", clause)
        if found:
            name = found[1]
            requirements.append(PYPI_NAMES.get(name, name))
    return requirements


def _requirements_of_checkout(path: Path) -> list[str]:
    """Read Odoo's requirements.txt, without what needs a compiler."""
    requirements = []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        name = re.match(r"[\w.-]*", line)[0].lower()
        if not name or name in WITHOUT_WHEEL:
            continue
        if name == "psycopg2":
            line = "psycopg2-binary" + line[len(name) :]
        requirements.append(line)
    return requirements


def _from_npm(package: str, name: str, folder: str, npm: list[str]) -> Path:
    """Return one file of an npm package, put into a folder."""
    result = subprocess.run(
        [*npm, "pack", "--silent", package],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    archive = next(Path(folder).glob("*.tgz"), None)
    if result.returncode or not archive:
        raise DevError(f"npm cannot fetch {package}: {result.stderr.strip()}")
    script = Path(folder) / name
    with tarfile.open(archive) as content:
        script.write_bytes(content.extractfile(f"package/{name}").read())
    return script


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    half.write_text(json.dumps(value, indent=1), encoding="utf-8")
    half.replace(path)
