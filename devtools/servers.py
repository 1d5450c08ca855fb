# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Mail servers for the tests, unpacked beside each other: Debian installs only one.

`tests/debian_room.py` lays each over the machine's own files in a mount namespace.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .console import DevError, megabytes, step, tree_size
from .paths import DEV

FOLDER = DEV / "servers"
PACKAGES = {
    "exim": ("exim4-daemon-light",),
    "opensmtpd": ("opensmtpd",),
    "courier": ("courier-imap",),
    "cyrus": ("cyrus-imapd", "libsasl2-modules", "sasl2-bin"),
}

# Links to folders below usr/ since Debian 12; a package may still name the old place.
_MERGED = ("bin", "sbin", "lib", "lib64")


def ensure(name: str) -> None:
    """Unpack one server with the libraries that this machine lacks.

    The machine's own package lists are asked, which `apt-get update` keeps.
    """
    target = FOLDER / name
    if target.is_dir():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        step(f"unpack {PACKAGES[name][0]}") as notes,
        tempfile.TemporaryDirectory(prefix=f"{name}-", dir=FOLDER) as folder,
    ):
        archives = Path(folder) / "archives"
        archives.mkdir()
        _apt("download", "-q", *_lacking(PACKAGES[name]), cwd=archives)
        unpacked = Path(folder) / "unpacked"
        for archive in sorted(archives.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True)
        for old in _MERGED:
            if (unpacked / old).is_dir():
                shutil.copytree(
                    unpacked / old,
                    unpacked / "usr" / old,
                    symlinks=True,
                    dirs_exist_ok=True,
                )
                shutil.rmtree(unpacked / old)
        notes.append(megabytes(tree_size(unpacked)))
        unpacked.rename(target)


def _lacking(packages: tuple[str, ...]) -> list[str]:
    """Return what installing these packages would install, themselves included."""
    said = _apt("install", "--simulate", "--no-install-recommends", *packages)
    found = re.findall(r"^Inst (\S+)", said, re.MULTILINE)
    return list(dict.fromkeys((packages[0], *found)))


def _apt(*arguments: str, **options) -> str:
    result = subprocess.run(
        ["apt-get", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        **options,
    )
    if result.returncode:
        raise DevError(f"apt-get {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout
