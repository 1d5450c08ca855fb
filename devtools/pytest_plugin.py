# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What `./dev test` adds to pytest: on the build server a skipped test is a failure.

A developer may lack Chromium or Postfix. The build installs them, so that a test
skipped there is a test nobody runs.
"""

import os

import pytest

_ENFORCED = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _skipped(config) -> list:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


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
