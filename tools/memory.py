"""What one process remembers of servers it has met; losing it only costs time."""

from typing import TypeVar

MAX_KEPT = 1000  # entries; the one that was kept first is forgotten first

K = TypeVar("K")
V = TypeVar("V")


class Memory(dict[K, V]):
    """A dictionary that does not grow for ever."""

    def keep(self, key: K, value: V) -> None:
        """Remember, as the newest entry."""
        self.pop(key, None)
        self[key] = value
        while len(self) > MAX_KEPT:
            self.pop(next(iter(self), None), None)
