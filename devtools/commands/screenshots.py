# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Take pictures of our screens in headless Chromium; arguments choose by name.

With --bridges those of the dialogues in other apps.
"""

import re
import shutil
import time

from .. import (
    browser,
    screens,
    screens_bridges,
    screens_organisation,
    screens_setup,
    screens_why,
    stack,
)
from ..console import DevError, say
from ..paths import SCREENSHOTS

DARK = "user_email_alias_dark"
"""Module of ours that lets a cookie choose Odoo's dark colours."""

_VISIBLE = """
(() => [...document.querySelectorAll({selector!r})].some(
    (node) => node.getClientRects().length))()
"""
_IDLE = """
(() => !document.querySelector(".o_loading_indicator, .o_blockUI")
    && document.fonts.status === "loaded")()
"""
_TROUBLE = 'document.querySelector(".o_error_dialog")?.innerText'
_SETTLE_SECONDS = 0.5
"""What transitions of dialogs and menus take."""


def run(arguments: list[str]) -> int:
    """Write one PNG for each screen, width and colour scheme."""
    words = [word for word in arguments if word != "--bridges"]
    every = (
        screens.SCREENS
        + screens_why.SCREENS
        + screens_organisation.SCREENS
        + screens_setup.SCREENS
    )
    kind, prepare = "own", screens.prepare
    if "--bridges" in arguments:
        kind, every, prepare = (
            "bridges",
            screens_bridges.SCREENS,
            screens_bridges.prepare,
        )
    chosen = [
        screen
        for screen in every
        if not words or any(word in screen.name for word in words)
    ]
    if not chosen:
        names = ", ".join(screen.name for screen in every)
        raise DevError(f"no screen is called like that; there are: {names}")
    failed = []
    with (
        stack.running(kind, modules=[DARK]) as running,
        browser.running() as page,
    ):
        records = prepare(running)
        if not arguments:
            shutil.rmtree(SCREENSHOTS, ignore_errors=True)
        SCREENSHOTS.mkdir(exist_ok=True)
        sessions = {login: running.client(login).session_id for login in stack.LOGINS}
        for screen in chosen:
            if screen.before:
                screen.before(running, records)
            session = sessions[screen.login]
            for scheme in screens.SCHEMES:
                page.set_cookies(running.url, session_id=session, color_scheme=scheme)
                for width, size in screens.WIDTHS.items():
                    name = f"{screen.name}-{scheme}-{width}.png"
                    try:
                        page.resize(*size)
                        _show(page, running.url, screen, records)
                    except DevError as error:
                        failed.append(name)
                        say(f"✗ {name}: {error}")
                    else:
                        say(f"✓ {name}")
                    page.save_picture(SCREENSHOTS / name)
    say(f"Pictures are in {SCREENSHOTS}")
    return 1 if failed else 0


def _show(page, url: str, screen: screens.Screen, records: dict) -> None:
    """Go to a screen and wait until it is complete."""
    page.go(f"{url}/odoo/{_fill(screen.path, records)}")
    page.wait("window.odoo?.isReady === true", "the web client")
    page.wait(_visible(".o_action_manager > *, .modal"), "view", _TROUBLE)
    page.wait(_IDLE, "data", _TROUBLE)
    for kind, what in screen.steps:
        if kind in ("click", "wait"):
            page.wait(_visible(what), what, _TROUBLE)
        if kind == "click":
            page.evaluate(
                f"[...document.querySelectorAll({what!r})]"
                ".find((node) => node.getClientRects().length).click()"
            )
        elif kind == "run":
            page.evaluate(_fill(what, records))
    page.wait(_visible(screen.ready), screen.ready, _TROUBLE)
    page.wait(_IDLE, "data", _TROUBLE)
    time.sleep(_SETTLE_SECONDS)
    trouble = page.evaluate(_TROUBLE)
    if trouble:
        raise DevError(trouble)


def _visible(selector: str) -> str:
    return _VISIBLE.format(selector=selector)


def _fill(text: str, records: dict) -> str:
    """Put the records' ids in; other braces belong to JavaScript."""
    return re.sub(
        r"\{(\w+)\}",
        lambda found: str(records.get(found[1], found[0])),
        text,
    )
