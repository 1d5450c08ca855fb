# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""A headless Chromium, driven through its own debugging protocol.

Not with core's `ChromeBrowser`, which is tied to an `HttpCase` and its database in the
same process, answers for every host but 127.0.0.1 itself, and takes each error in the
console for the end of a test.
"""

import base64
import contextlib
import itertools
import json
import os
import shutil
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket

from . import server
from .console import DevError
from .paths import LOGS

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 30
_WAIT_SECONDS = 30
_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)


@contextlib.contextmanager
def running():
    """Run a browser for the block and yield a page of it."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        raise DevError("screenshots need Chromium: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory(
            prefix="chromium-", ignore_cleanup_errors=True
        ) as profile,
        server.running(
            [program, *_SWITCHES, f"--user-data-dir={profile}", "about:blank"],
            LOGS / "chromium.log",
            dict(os.environ),
        ) as child,
    ):
        port = _port(child, Path(profile) / "DevToolsActivePort")
        page = Page(_page_address(port))
        try:
            yield page
        finally:
            page.close()


def _port(child: server.Child, path: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        child.check()
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(path.read_text(encoding="ascii").splitlines()[0])
        if time.monotonic() > deadline:
            raise DevError(f"Chromium does not start, see {child.log}")
        time.sleep(0.1)


def _page_address(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        targets = json.load(answer)
    pages = (target for target in targets if target["type"] == "page")
    return next(pages)["webSocketDebuggerUrl"]


class Page:
    """One tab."""

    def __init__(self, address: str):
        self._socket = websocket.create_connection(address, timeout=_WAIT_SECONDS)
        self._numbers = itertools.count(1)
        self.call("Page.enable")
        self.call("Runtime.enable")

    def close(self) -> None:
        """Let go of the tab."""
        self._socket.close()

    def call(self, method: str, **parameters) -> dict:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(request))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                break
        if "error" in answer:
            raise DevError(f"Chromium, {method}: {answer['error']['message']}")
        return answer["result"]

    def evaluate(self, expression: str):
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        result = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details["text"]
            raise DevError(f"JavaScript: {text}")
        return result["result"].get("value")

    def wait(self, expression: str, what: str, trouble: str = "null") -> None:
        """Wait until an expression is true.

        :param trouble: an expression that returns a text when waiting has no sense
        """
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            found = None
            with contextlib.suppress(DevError):  # the page may be changing
                if self.evaluate(expression):
                    return
                found = self.evaluate(trouble)
            if found:
                raise DevError(f"no {what}: {found}")
            if time.monotonic() > deadline:
                raise DevError(f"waited {_WAIT_SECONDS} s in vain for {what}")
            time.sleep(0.1)

    def resize(self, width: int, height: int) -> None:
        """Give the window a size; a narrow one is a telephone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 768,
        )

    def set_cookies(self, url: str, **cookies: str) -> None:
        """Forget all cookies and set these.

        The page is left first: an answer it still waits for may bring old ones back.
        """
        self.call("Page.navigate", url="about:blank")
        self.call("Network.clearBrowserCookies")
        for name, value in cookies.items():
            self.call("Network.setCookie", url=url, name=name, value=value)

    def go(self, url: str) -> None:
        """Load an address from scratch, even if only its fragment differs."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)

    def save_picture(self, path: Path) -> None:
        """Write what is visible as PNG."""
        picture = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(picture["data"]))
