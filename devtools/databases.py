# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Databases: stages of templates, and copies of them.

The first stage holds Odoo with the apps we depend on; it changes with Odoo only.
The second adds this add-on; it changes with the files that end up in a database.
For the bridges there are two more: the apps they are for, then both.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path

from psycopg2 import sql

from . import locks, neighbours, server
from .console import DevError, say, step
from .paths import ADDON, DATA, DEV, LOGS, ROOT, RUN, STAMPS
from .postgres import Cluster

MODULES = ("crm", "mass_mailing")
"""What the first stage has installed."""

APPS = (
    "account",
    "base_automation",
    "fleet",
    "hr_recruitment_survey",
    "mail_group",
    "mass_mailing_sms",
    "project",
    "sale_management",
    "website_crm_partner_assign",
    "website_slides",
)
"""What the bridges are for, which install themselves beside it; and rules."""

_IN_DATABASE = {
    "__init__.py",
    "__manifest__.py",
    "bridges",
    "hooks.py",
    "controllers",
    "data",
    "demo",
    "exceptions.py",
    "models",
    "security",
    "sending",
    "tools",
    "views",
    "wizards",
}
"""Files and folders of the add-on whose change makes the second stage stale."""

_ISOLATE = (
    """
    INSERT INTO ir_config_parameter (key, value)
         VALUES ('iap.endpoint', 'http://127.0.0.1:9'),
                ('enrich.endpoint', 'http://127.0.0.1:9'),
                ('iap.partner_autocomplete.endpoint', 'http://127.0.0.1:9'),
                ('reveal.endpoint', 'http://127.0.0.1:9'),
                ('sms.endpoint', 'http://127.0.0.1:9'),
                ('snailmail.endpoint', 'http://127.0.0.1:9'),
                ('crm.iap.lead.enrich.setting', 'manual')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
    """,
    """
    UPDATE ir_cron
       SET active = false
      FROM ir_model_data
     WHERE ir_model_data.model = 'ir.cron'
       AND ir_model_data.res_id = ir_cron.id
       AND (ir_model_data.module LIKE '%iap%'
            OR ir_model_data.module IN ('partner_autocomplete', 'sms', 'snailmail')
            OR ir_model_data.name = 'ir_cron_module_update_notification')
    """,
)
"""Keeps Odoo's paid services out of it: they would be told who the leads are."""

_RUN = re.compile(r"run_(\d+)_[0-9a-f]{8}")


def base_template(cluster: Cluster) -> str:
    """Return the template with Odoo's own apps and demo data, built if need be."""
    identity = (STAMPS / "source").read_text(encoding="utf-8")
    name = f"{cluster.prefix}base_{digest(identity, *MODULES, *_ISOLATE)}"

    def build(half: str) -> None:
        cluster.create(half)
        _install(cluster, half, MODULES, with_demo=True)
        for statement in _ISOLATE:
            cluster.execute(statement, database=half)

    return _template(cluster, name, f"database with {', '.join(MODULES)}", build)


def addon_template(cluster: Cluster) -> str:
    """Return the template with this add-on installed as it is now, built if need be."""
    if not (ROOT / "__manifest__.py").exists():
        return base_template(cluster)
    base = base_template(cluster)
    name = f"{cluster.prefix}addon_{digest(base, _addon_digest())}"

    def build(half: str) -> None:
        copy(cluster, base, half)
        _install(cluster, half, (ADDON,))

    return _template(cluster, name, f"database with {ADDON}", build)


def apps_template(cluster: Cluster) -> str:
    """Return the template with the apps the bridges are for, built if need be."""
    base = base_template(cluster)
    name = f"{cluster.prefix}apps_{digest(base, *APPS)}"

    def build(half: str) -> None:
        copy(cluster, base, half)
        _install(cluster, half, APPS, with_demo=True)
        for statement in _ISOLATE:
            cluster.execute(statement, database=half)

    return _template(cluster, name, f"database with {', '.join(APPS)}", build)


def bridges_template(cluster: Cluster) -> str:
    """Return the template with the bridges, the apps they are for, and this add-on."""
    apps = apps_template(cluster)
    name = f"{cluster.prefix}bridges_{digest(apps, _addon_digest())}"

    def build(half: str) -> None:
        copy(cluster, apps, half)
        _install(cluster, half, (ADDON,))

    return _template(cluster, name, "database with the bridges", build)


def neighbours_template(cluster: Cluster) -> str:
    """Return the template with add-ons of others beside this one."""
    addon = addon_template(cluster)
    names = neighbours.NEIGHBOURS
    name = f"{cluster.prefix}neighbours_{digest(addon, *names, *names.values())}"

    def build(half: str) -> None:
        copy(cluster, addon, half)
        path = server.addons_path(neighbours.fetch())
        _install(cluster, half, tuple(names), addons_path=path)

    return _template(cluster, name, "database with the neighbours", build)


def copy(cluster: Cluster, source: str, name: str, data: Path = DATA) -> None:
    """Copy a database with its files, perhaps into another data directory.

    Odoo never writes into a stored file, so that the copies share them by hard link.
    """
    cluster.copy(source, name)
    files, target = filestore(source), filestore(name, data)
    shutil.rmtree(target, ignore_errors=True)
    if files.exists():
        shutil.copytree(files, target, copy_function=os.link)


def drop(cluster: Cluster, name: str) -> None:
    """Drop a database with its files."""
    cluster.drop(name)
    shutil.rmtree(filestore(name), ignore_errors=True)


def filestore(name: str, data: Path = DATA) -> Path:
    """Return the folder Odoo keeps a database's files in."""
    return data / "filestore" / name


def demo(cluster: Cluster) -> str:
    """Return the database to look around in, with the add-on as it is now.

    What somebody entered there is kept; only the add-on is updated.
    """
    name = f"{cluster.prefix}demo"
    template = addon_template(cluster)
    with locks.exclusive(DEV / f"{name}.lock", "the demo database"):
        if name not in cluster.databases() or not filestore(name).exists():
            renew_demo(cluster)
        elif _comment(cluster, name) != template:
            with step("update the demo database"):
                _install(cluster, name, (ADDON,), update=True)
            _set_comment(cluster, name, template)
    return name


def renew_demo(cluster: Cluster) -> str:
    """Make the demo database anew from the template and return its name."""
    name = f"{cluster.prefix}demo"
    template = addon_template(cluster)
    with step("a fresh demo database"):
        drop(cluster, name)
        copy(cluster, template, name)
        _set_comment(cluster, name, template)
    return name


def _comment(cluster: Cluster, name: str) -> str | None:
    """Return what was noted about a database: the template it agrees with."""
    rows = cluster.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
        "WHERE datname = %s",
        name,
    )
    return rows[0][0] if rows else None


def _set_comment(cluster: Cluster, name: str, text: str) -> None:
    cluster.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(name), sql.Literal(text)
        )
    )


@contextlib.contextmanager
def temporary(cluster: Cluster, template: str | None = None):
    """Have a copy of a template, ours by default, and a data directory for the block.

    Yield the database's name and the directory; both belong to this run alone.
    """
    _drop_orphans(cluster)
    name = f"{cluster.prefix}run_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    data = RUN / name
    source = template or addon_template(cluster)
    try:
        with step("copy the database"):
            data.mkdir(mode=0o700)
            copy(cluster, source, name, data)
        yield name, data
    finally:
        drop(cluster, name)
        shutil.rmtree(data, ignore_errors=True)


def _template(cluster: Cluster, name: str, what: str, build) -> str:
    """Return a database of this name; only a finished one ever has it.

    Its files may be gone, when the cluster outlived the clone it was made for.
    """
    kind = name.rpartition("_")[0]
    with locks.exclusive(DEV / f"{kind}.lock", f"the {what}"):
        existing = cluster.databases()
        if name in existing and filestore(name).exists():
            return name
        for old in existing:
            if old.startswith(f"{kind}_"):
                drop(cluster, old)
        half = f"{kind}_half"
        drop(cluster, half)
        with step(what):
            build(half)
            cluster.rename(half, name)
            shutil.rmtree(filestore(name), ignore_errors=True)
            if filestore(half).exists():
                filestore(half).rename(filestore(name))
    return name


def install(cluster: Cluster, name: str, modules, **options) -> None:
    """Install more modules in a copy."""
    with step(f"install {', '.join(modules)}"):
        _install(cluster, name, modules, **options)


def _install(
    cluster: Cluster,
    name: str,
    modules,
    update: bool = False,
    **options,
) -> None:
    """Install or update modules in a database; show the warnings this gives."""
    configuration = server.write_configuration(
        cluster, name, server.private_name("install"), **options
    )
    command = server.command(configuration)
    command += ["--update" if update else "--init", ",".join(modules)]
    command += ["--stop-after-init", "--no-http"]
    log = LOGS / f"install-{name}.log"
    try:
        with log.open("w", encoding="utf-8") as file:
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=server.environment(),
                check=False,
            )
    finally:
        configuration.unlink()
    text = log.read_text(encoding="utf-8", errors="replace")
    missing = cluster.execute(
        "SELECT 1 FROM ir_module_module WHERE name = ANY(%s) AND state != 'installed'",
        list(modules),
        database=name,
    )
    if result.returncode or missing:
        if not update:
            drop(cluster, name)
        raise DevError(f"{', '.join(modules)} cannot be installed:\n{_tail(text)}")
    for line in text.splitlines():
        if re.search(r" (WARNING|ERROR|CRITICAL) ", line):
            say(f"  {line}")


def _tail(log: str) -> str:
    """Return the part of a log that tells what broke."""
    start = log.rfind("Traceback (most recent call last)")
    return log[start if start >= 0 else -4000 :].strip()[-6000:]


def _drop_orphans(cluster: Cluster) -> None:
    """Drop the copies whose process was killed before it could."""
    for name in cluster.databases():
        found = _RUN.fullmatch(name.removeprefix(cluster.prefix))
        if found and not Path("/proc", found[1]).exists():
            drop(cluster, name)
            shutil.rmtree(RUN / name, ignore_errors=True)


def _addon_digest() -> str:
    hasher = hashlib.sha256()
    for entry in sorted(_IN_DATABASE):
        path = ROOT / entry
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".pyc" and "tests" not in file.parts:
                hasher.update(str(file.relative_to(ROOT)).encode() + b"\0")
                hasher.update(file.read_bytes() + b"\0")
    return hasher.hexdigest()


def digest(*parts: str) -> str:
    """Return a short name of these texts together."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
