"""One end for a whole conversation, handed from the caller down to the socket."""

import math
import socket
import time

# What a person who clicked waits for at most, all conversations together; Odoo ends a
# worker whose request lasts for 120 s.
BUTTON_SECONDS = 40


class Deadline:
    """A moment that a conversation has to end by.

    A time-out of a socket starts anew with each byte; whoever answers each step just in
    time, or sends a byte a second, could hold its caller for ever. A deadline does not
    move: every wait for the other side is armed with what is left of it.

    :param seconds: seconds from now, infinite for none
    """

    __slots__ = ("at",)

    def __init__(self, seconds: float = math.inf):
        self.at = time.monotonic() + seconds

    @classmethod
    def until(cls, moment: float) -> "Deadline":
        """Return the deadline at a moment of ``time.monotonic()``."""
        deadline = cls()
        deadline.at = moment
        return deadline

    def __repr__(self):
        return f"<Deadline in {self.at - time.monotonic():.1f} s>"

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.at

    @property
    def left(self) -> float:
        """Seconds that are left, more than 0.

        :raises TimeoutError: it is over
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("The time for this step is over.")
        return left

    def within(self, seconds: float) -> "Deadline":
        """Return the deadline of one step: ``seconds`` from now, but never later."""
        return Deadline.until(min(time.monotonic() + seconds, self.at))

    def sooner(self, seconds: float) -> "Deadline":
        """Return the deadline that many seconds before this one."""
        return Deadline.until(self.at - seconds)

    def arm(self, sock: socket.socket) -> None:
        """Let the socket wait as long as there is time.

        :raises TimeoutError: it is over
        """
        left = self.left
        sock.settimeout(None if math.isinf(left) else left)
