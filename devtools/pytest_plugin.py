# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What `./dev test` adds to pytest.

On the build server a skipped test is a failure: a developer may lack Chromium or
Postfix, but the build installs them, so that a test skipped there is one nobody runs.

Before the first tour the web client is put together, as core does before its own: else
each tour does so in a transaction that is rolled back afterwards, while the browser's
other requests wait for the test's cursor, on a busy machine for too long.
"""

import os

import pytest

TOUR_TAG = "user_email_alias_tour"
TOUR_BUNDLES = (
    "web.assets_web",
    "web.assets_web_print",
    "web.assets_tests",
    "web_tour.automatic",
    "mass_mailing.assets_builder",
)
"""What the web client loads in our tours."""

_ENFORCED = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _skipped(config) -> list:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


@pytest.fixture(scope="session", autouse=True)
def web_client(request, load_registry):
    """Put the web client together, once for all tours, if there are any."""
    if not any(
        TOUR_TAG in getattr(item.cls, "test_tags", ()) for item in request.session.items
    ):
        return
    from odoo import api
    from odoo.modules.registry import Registry
    from odoo.tests.common import get_db_name

    with Registry(get_db_name()).cursor() as cr:
        qweb = api.Environment(cr, api.SUPERUSER_ID, {})["ir.qweb"]
        for name in TOUR_BUNDLES:
            qweb._get_asset_bundle(name, css=False, js=True).js()
            qweb._get_asset_bundle(name, css=True, js=False).css()


def pytest_configure(config):
    """List the skipped tests with their reasons."""
    if "s" not in config.option.reportchars.lower():
        config.option.reportchars += "s"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Fail a run with skipped tests where `CI` is set."""
    if _ENFORCED and exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """Say why the run failed although no test did."""
    if _ENFORCED and _skipped(config):
        terminalreporter.write_line(
            "FAILED: tests were skipped, and CI is set: install what they need.",
            red=True,
        )
