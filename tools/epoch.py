"""Odoo's naive UTC datetimes, and the seconds since the epoch we compute with."""

from datetime import datetime, timezone


def to_epoch(moment: datetime | None) -> float:
    """Return a naive UTC datetime in seconds since the epoch; 0 for none."""
    return moment.replace(tzinfo=timezone.utc).timestamp() if moment else 0.0


def to_datetime(seconds: float) -> datetime:
    """Return seconds since the epoch as a naive UTC datetime."""
    return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)
