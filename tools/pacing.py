"""When a failed email is tried again, and how a pause widens and comes back.

Pure arithmetic. Times are float seconds since the epoch, pauses are milliseconds.
"""

import math
import random

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0

# The retry times of Postfix: minimal_backoff_time, maximal_backoff_time and
# maximal_queue_lifetime; RFC 5321 4.5.4.1 asks for 4 to 5 days.
MAIL_RETRY_FIRST = 300.0  # s
MAIL_RETRY_LONGEST = 4000.0  # s
MAIL_LIFETIME = 5 * DAY

COPY_TELL_AFTER = HOUR  # the owner hears of copies that have waited that long

ALIAS_RETRY_STEPS = (1, 2, 5, 15, 30, 60)  # minutes, the last one for ever
# Many aliases share a provider: up to a tenth more keeps them from coming back
# all in the same second.
JITTER = 0.1

QUOTA_WINDOW = DAY  # providers count in a rolling window of 24 h

ADAPTIVE_START_MS = 1000  # the smallest pause a throttling reply doubles
ADAPTIVE_CAP_MS = 300_000  # 5 min: slower than this an alias is better deferred
ADAPTIVE_EASE_AFTER = 10  # emails accepted in a row before the pause is eased
ADAPTIVE_NEAR_MS = 50  # an excess below this is dropped at once


def mail_retry(attempt: int, first_at: float, now: float) -> float | None:
    """Return when a deferred email is tried again, None = give up.

    The wait doubles from 300 s to 4000 s. The last try falls on the end of the
    mail's life of five days.

    :param attempt: how often it has been tried so far, >= 1
    :param first_at: when it was tried first
    """
    end = first_at + MAIL_LIFETIME
    if now >= end:
        return None
    doublings = min(max(attempt, 1) - 1, 16)  # far past the longest wait
    wait = min(MAIL_RETRY_FIRST * 2**doublings, MAIL_RETRY_LONGEST)
    return min(now + wait, end)


def copy_retry(since: float, now: float) -> float | None:
    """Return when a copy in trouble is filed again, None = give up.

    The wait is as long as the trouble has lasted, but 300 s at least and 4000 s at
    most. One try falls on the moment to tell the owner.

    :param since: when it was tried first
    """
    attempt = 1 + int(math.log2(1 + max(0.0, now - since) / MAIL_RETRY_FIRST))
    due = mail_retry(attempt, since, now)
    tell_at = since + COPY_TELL_AFTER
    return tell_at if due and now < tell_at < due else due


def alias_retry(attempt: int, now: float, jitter: float | None = None) -> float:
    """Return when an alias in trouble tries its server again: 1, 2, 5 ... 60 min.

    :param attempt: failures in a row so far, >= 1
    :param jitter: 0 to 1, share of the tenth that is added; None = random
    """
    step = ALIAS_RETRY_STEPS[min(max(attempt, 1), len(ALIAS_RETRY_STEPS)) - 1]
    return now + step * MINUTE * (1 + JITTER * _share(jitter))


def quota_retry(
    now: float, window_from: float | None = None, jitter: float | None = None
) -> float:
    """Return when a used-up quota of the provider is over.

    :param window_from: when the provider's window began, if that is known: the wait
        then ends 24 h after it, but lasts an hour at least
    :param jitter: 0 to 1, share of ten minutes that is added; None = random
    """
    end = (now if window_from is None else window_from) + QUOTA_WINDOW
    return max(end, now + HOUR) + 10 * MINUTE * _share(jitter)


def _share(jitter):
    if jitter is None:
        return random.random()  # noqa: S311  (spreads load, guards nothing)
    return min(max(jitter, 0.0), 1.0)


def widen(pause_ms: float, delay_ms: float, cap_ms: float = ADAPTIVE_CAP_MS) -> int:
    """Return the pause after a throttling reply: twice what it was.

    :param pause_ms: the pause in force; the alias's own delay if not widened yet
    :param delay_ms: the alias's own delay, which the result never undercuts
    :param cap_ms: the widest pause, unless the own delay is wider
    """
    doubled = 2 * max(pause_ms, delay_ms, ADAPTIVE_START_MS)
    return int(min(doubled, max(cap_ms, delay_ms)))


def ease(
    pause_ms: float,
    delay_ms: float,
    successes: int,
    ease_after: int = ADAPTIVE_EASE_AFTER,
) -> int:
    """Return the pause after emails were accepted: half the excess falls away.

    :param successes: emails accepted in a row since the pause last changed; start
        again at 0 when the result differs from ``pause_ms``
    """
    if pause_ms <= delay_ms:
        return int(delay_ms)
    if successes < ease_after:
        return int(pause_ms)
    excess = (pause_ms - delay_ms) / 2
    return int(delay_ms + (excess if excess >= ADAPTIVE_NEAR_MS else 0))


def daily_slot(nth_latest: float | None, now: float) -> float:
    """Return when one may go on under a limit of n messages in a rolling 24 h.

    :param nth_latest: when the n-th latest message left, None if fewer than n have
    """
    return now if nth_latest is None else max(now, nth_latest + DAY)
