# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The tests' fakes, which stand alone: loaded without loading the add-on."""

import importlib
import sys
import types

from .paths import ROOT


def load(name: str):
    """Return a module of the tests, such as ``fake_smtp``."""
    package = sys.modules.setdefault("fakes", types.ModuleType("fakes"))
    package.__path__ = [str(ROOT / "tests")]
    return importlib.import_module(f"fakes.{name}")


def load_interfaces() -> dict:
    """Return (key of its provider, class of the fake) of each provider's interface."""
    return {
        "graph": ("microsoft", load("fake_graph").FakeGraph),
        "gmail": ("google", load("fake_gmail").FakeGmail),
    }
