# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Compare Odoo's own suites without and with us: [--again] [--bridges] [SUITE ...].

With --bridges it is the apps that bridges are for, without and with add-on and bridges.

What Odoo itself fails here it fails on both sides; only a test that ends otherwise
with the add-on counts. Such a test is run once more on both sides, alone: a tour that
timed out is no difference. The side without the add-on is kept until Odoo changes;
--again runs it anew.
"""

import concurrent.futures
import contextlib
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from .. import databases, postgres, server
from ..console import DevError, say
from ..paths import DATA, LOGS, ODOO, ROOT, RUN, STAMPS, VENV

SUITES = ("mail", "test_mail", "mass_mailing", "test_mass_mailing", "crm")
SUITES_OF_APPS = (
    "account/tests/test_account_move_send.py",
    "calendar",
    "event",
    "fleet",
    "hr_recruitment",
    "hr_recruitment_survey",
    "mail_group",
    "mass_mailing_sms",
    "portal",
    "project/tests/test_project_mail_features.py",
    "sale/tests/test_sale_order.py",
    "survey",
    "website_crm_partner_assign",
    "website_slides",
)
"""A whole folder of tests, or one file of it."""

INSTALLED = {False: ("test_mail", "test_mass_mailing"), True: ("event",)}
"""What has to be installed besides for them; for those of apps."""

SIDES = ("without", "with")


def run(arguments: list[str]) -> int:
    """Return 1 when a test ends otherwise with the add-on."""
    again = "--again" in arguments
    bridges = "--bridges" in arguments
    known = SUITES_OF_APPS if bridges else SUITES
    suites = [word for word in arguments if not word.startswith("-")] or list(known)
    if set(arguments) - {"--again", "--bridges"} - set(known):
        raise DevError(
            f"usage: ./dev compat [--again] [--bridges] [{' | '.join(known)}]"
        )
    server.end_on_signals()
    with postgres.cluster().session() as cluster, contextlib.ExitStack() as exits:
        sides = {side: _Side(cluster, exits, side, suites, bridges) for side in SIDES}
        kept = sides["without"].kept
        if again:
            kept.unlink(missing_ok=True)
        with concurrent.futures.ThreadPoolExecutor(len(SIDES)) as pool:
            jobs = [pool.submit(side.run_all) for side in sides.values()]
            without, with_us = [job.result() for job in jobs]
        differing = _differing(without, with_us)
        if differing:
            say(f"  {len(differing)} tests end otherwise; they run once more, alone")
            without |= sides["without"].run_some(differing)
            with_us |= sides["with"].run_some(differing)
        return _report(without, with_us)


class _Side:
    """One of the two databases, and pytest on it."""

    def __init__(self, cluster, exits, side: str, suites: list[str], bridges: bool):
        self.side = side
        self.suites = suites
        self.bridges = bridges
        self.cluster = cluster
        self.exits = exits
        source = (STAMPS / "source").read_text(encoding="utf-8")
        installed = (*INSTALLED[bridges], *(databases.APPS if bridges else ()))
        key = databases.digest(source, *suites, *installed)
        self.kept = DATA / f"compat-{key}.xml"
        self._database = None

    @property
    def database(self) -> tuple[str, Path]:
        """A database with the suites' modules, made at first use."""
        if not self._database:
            make = {
                ("without", False): databases.base_template,
                ("with", False): databases.addon_template,
                ("without", True): databases.apps_template,
                ("with", True): databases.bridges_template,
            }[self.side, self.bridges]
            template = make(self.cluster)
            self._database = self.exits.enter_context(
                databases.temporary(self.cluster, template)
            )
            name, data = self._database
            more = INSTALLED[self.bridges]
            if self.bridges:
                more = [suite for suite in more if suite in self.suites]
            if more:
                databases.install(self.cluster, name, more, data_dir=data)
        return self._database

    def run_all(self) -> dict[str, str]:
        """Return each test's outcome."""
        if self.side == "without" and self.kept.exists():
            say("· without the add-on: the outcome that was kept")
            return _outcomes(self.kept)
        paths = [_file(s if "/" in s else f"{s}/tests") for s in self.suites]
        report = self._pytest(paths)
        if self.side == "without":
            report.replace(self.kept)
            report = self.kept
        return _outcomes(report)

    def run_some(self, names: list[str]) -> dict[str, str]:
        """Return the outcome of these tests only."""
        files = {name.partition("::")[0] for name in names}
        words = {name.rpartition("::")[2].partition("[")[0] for name in names}
        paths = [_file(file) for file in sorted(files)]
        outcomes = _outcomes(self._pytest([*paths, "-k", " or ".join(sorted(words))]))
        return {name: outcomes[name] for name in names if name in outcomes}

    def _pytest(self, arguments: list[str]) -> Path:
        name, data = self.database
        report = RUN / f"{server.private_name('compat')}.xml"
        log = LOGS / f"compat-{self.side}.log"
        configuration = server.write_test_configuration(self.cluster, name, data)
        command = [
            str(VENV / "bin" / "pytest"),
            f"--rootdir={ODOO.resolve()}",
            # pytest must not take the clone's root for a package of Odoo's
            f"--confcutdir={ODOO.resolve()}",
            f"--config-file={ROOT / 'pyproject.toml'}",
            "-p",
            "no:cacheprovider",
            "--odoo-http",
            "-q",
            f"--junitxml={report}",
            "-o",
            "junit_family=xunit1",
            *arguments,
        ]
        began = time.monotonic()
        say(f"· {self.side} the add-on ... (see {log.relative_to(ROOT)})")
        try:
            with log.open("a", encoding="utf-8") as file:
                subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    cwd=RUN,
                    env=server.environment(
                        ODOO_RC=str(configuration), PYTHONDONTWRITEBYTECODE="1"
                    ),
                    check=False,
                )
        finally:
            configuration.unlink()
        if not report.exists():
            raise DevError(f"pytest wrote no report, see {log}")
        say(f"✓ {self.side} the add-on: {time.monotonic() - began:.0f} s")
        return report


def _folder(suite: str) -> Path:
    """Return the folder of one of Odoo's own add-ons."""
    for parent in (ODOO / "odoo" / "addons", ODOO / "addons"):
        if (parent / suite / "__manifest__.py").exists():
            return parent / suite
    raise DevError(f"this Odoo has no {suite}")


def _file(name: str) -> str:
    """Return the path of a file that is named from its add-on's folder on."""
    suite, _, rest = name.partition("/")
    return str(_folder(suite).resolve() / rest)


def _outcomes(report: Path) -> dict[str, str]:
    """Return `file::class::test` -> outcome."""
    found = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        file = case.get("file") or case.get("classname").replace(".", "/")
        file = file.rpartition("addons/")[2]
        key = f"{file}::{case.get('classname').rpartition('.')[2]}::{case.get('name')}"
        kinds = {child.tag for child in case}
        outcome = next(
            (kind for kind in ("error", "failure", "skipped") if kind in kinds),
            "passed",
        )
        found[key] = outcome
    return found


def _differing(without: dict, with_us: dict) -> list[str]:
    return sorted(
        name
        for name in without.keys() | with_us.keys()
        if without.get(name) != with_us.get(name)
    )


def _report(without: dict, with_us: dict) -> int:
    for side, outcomes in zip(SIDES, (without, with_us), strict=True):
        counts = {
            outcome: list(outcomes.values()).count(outcome)
            for outcome in ("passed", "failure", "error", "skipped")
        }
        figures = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        print(f"{side:8} {len(outcomes)} tests: {figures}")
    differing = _differing(without, with_us)
    for name in differing:
        before, after = without.get(name, "absent"), with_us.get(name, "absent")
        print(f"  {before} -> {after}: {name}")
    print(f"difference: {len(differing)} tests")
    return 1 if differing else 0
