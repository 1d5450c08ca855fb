# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Debian packages as mere archives: fetched with apt, checked, unpacked, not installed.

The apt configuration is private: lists, cache and sources live below `.dev/`, so
that neither root rights nor a change to the machine are needed. Which mirror to ask
and how to reach it (proxy, credentials) is read from the machine's own set-up.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .console import DevError, megabytes, say, step
from .paths import DEV

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
)
_STATE = DEV / "apt"
_CONFIGURATION = """\
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::State "{state}/state";
Dir::State::status "{state}/status";
Dir::Cache "{state}/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def _run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        check=False,
        **options,
    )


def own_suite() -> str | None:
    """Return the code name of the Debian release this machine runs, if it is one."""
    try:
        release = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return None
    values = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', release, re.MULTILINE))
    return values.get("VERSION_CODENAME") if values.get("ID") == "debian" else None


def why_not() -> str | None:
    """Return why packages cannot be fetched on this machine, or None if they can."""
    for program in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(program):
            return f"there is no {program} here"
    if not own_suite():
        return "this is not a Debian release"
    if not any(keyring.exists() for keyring in KEYRINGS):
        return "Debian's keyring is not installed"
    return None


class Apt:
    """One private apt set-up that knows some suites of the machine's own mirror."""

    def __init__(self, suites: list[str]):
        self.suites = suites
        self.configuration = _STATE / "apt.conf"

    def update(self) -> None:
        """Fetch the signed package lists of the suites."""
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (_STATE / folder).mkdir(parents=True, exist_ok=True)
        (_STATE / "status").touch()
        self.configuration.write_text(_CONFIGURATION.format(state=_STATE))
        keyring = next(keyring for keyring in KEYRINGS if keyring.exists())
        mirror = self._mirror()
        (_STATE / "sources.list").write_text(
            "".join(
                f"deb [signed-by={keyring}] {mirror} {suite} main\n"
                for suite in self.suites
            )
        )
        with step(f"Debian package lists of {' and '.join(self.suites)}"):
            result = self._apt("apt-get", "update", "-q")
            if re.search(
                r"^E: Release file .* is expired", result.stderr, re.MULTILINE
            ):
                # A mirror kept as it was on some day. Its signatures still count;
                # what is given up is the protection against being shown old news.
                say("  the mirror is a frozen one: its lists are signed, but expired")
                with self.configuration.open("a") as file:
                    file.write('Acquire::Check-Valid-Until "false";\n')
                result = self._apt("apt-get", "update", "-q")
        if result.returncode or re.search("^[WE]: ", result.stderr, re.MULTILINE):
            raise DevError(f"apt cannot read {mirror}: {result.stderr.strip()}")

    def _mirror(self) -> str:
        """Return the address the machine itself gets its own release's `main` from.

        The lists of a fresh container are empty, so apt is asked what it would fetch.
        """
        empty = _STATE / "empty"
        (empty / "partial").mkdir(parents=True, exist_ok=True)
        result = _run(
            "apt-get",
            "-o",
            f"Dir::State::lists={empty}",
            "-o",
            "APT::Sandbox::User=",
            "update",
            "--print-uris",
        )
        found = re.search(
            rf"^'(\S+?)/*/dists/{re.escape(own_suite() or '')}/main/",
            result.stdout,
            re.MULTILINE,
        )
        if not found:
            raise DevError(
                "apt's own sources name no Debian mirror for this release: "
                + (result.stderr.strip() or "see /etc/apt/sources.list")
            )
        return found[1]

    def _apt(self, program: str, *arguments, **options):
        return _run(program, "-c", self.configuration, *arguments, **options)

    def field(self, package: str, field: str) -> str | None:
        """Return one control field of a package, or None if there is no such one."""
        result = self._apt("apt-cache", "show", "--no-all-versions", package)
        found = re.search(rf"^{field}: (.*)$", result.stdout, re.MULTILINE)
        return found[1] if found else None

    def unpack(self, packages: list[str], target: Path) -> None:
        """Download packages (`name` or `name/suite`) and unpack them into a folder.

        apt-get checks size and hash of each archive against the signed lists.
        """
        what = packages[0].partition("/")[0]
        if len(packages) > 1:
            what += f" and {len(packages) - 1} libraries"
        with tempfile.TemporaryDirectory(prefix="download-", dir=_STATE) as folder:
            with step(f"download {what}") as notes:
                result = self._apt("apt-get", "download", "-q", *packages, cwd=folder)
                if result.returncode:
                    raise DevError(f"apt-get download failed: {result.stderr.strip()}")
                found = sorted(Path(folder).glob("*.deb"))
                notes.append(megabytes(sum(path.stat().st_size for path in found)))
            with step(f"unpack {what}"):
                for archive in found:
                    result = _run("dpkg-deb", "-x", archive, target)
                    if result.returncode:
                        raise DevError(f"{archive.name}: {result.stderr.strip()}")
