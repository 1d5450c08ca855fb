"""Several look-ups at the same time, all before one end."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from ..deadline import Deadline

_logger = logging.getLogger(__name__)

T = TypeVar("T")


def start(look_up: Callable[[], T]) -> "Future[T | None]":
    """Begin a look-up in a thread of its own.

    Whoever waits for it no longer leaves it to its own deadline: nobody joins it, also
    not the interpreter when it ends.
    """
    future: Future = Future()

    def run():
        try:
            future.set_result(look_up())
        except TimeoutError:
            future.set_result(None)
        except Exception:
            _logger.exception("A look-up of a mail server failed")
            future.set_result(None)

    threading.Thread(target=run, name="look up mail server", daemon=True).start()
    return future


def wait(future: "Future[T | None]", deadline: Deadline) -> T | None:
    """Return what was found, None if nothing was until then."""
    try:
        return future.result(timeout=0 if deadline.is_over else deadline.left)
    except (TimeoutError, FutureTimeout):
        return None


def together(look_ups: list[Callable[[], T]], deadline: Deadline) -> list[T | None]:
    """Return what each found, None for those that did not before the deadline."""
    futures = [start(look_up) for look_up in look_ups]
    return [wait(future, deadline) for future in futures]
