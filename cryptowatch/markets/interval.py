"""The lengths of a candle and the regular grid each of them lays over time.

A *step* is the number of a candle on its interval's grid: days start at 00:00 UTC, weeks on Monday 00:00 UTC
(1970-01-05 was a Monday), every other interval at the epoch. A *chunk* is 512 steps; loads start at chunk
boundaries, so that a rule's figures depend on the candle and never on the batch.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: Steps in a chunk, the unit in which loads of candles begin.
CHUNK = 512

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MONDAY = 4 * 86400


class UnknownIntervalError(ValueError):
    """The text names no interval."""


@dataclass(frozen=True, order=True)
class Interval:
    """The length of a candle.

    Args:
        seconds: length in seconds.
        name: as a user writes it, `5m`.
        offset: seconds from the epoch to the start of step 0.
    """

    seconds: int
    name: str
    offset: int = 0

    def __str__(self) -> str:
        return self.name

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def step_at(self, time: datetime) -> int:
        """The step in which `time` (aware) lies: open time <= `time` < close time."""
        seconds = (time - _EPOCH) // timedelta(seconds=1)
        return (seconds - self.offset) // self.seconds

    def open_time(self, step: int) -> datetime:
        """When the candle of `step` opens, UTC."""
        return _EPOCH + timedelta(seconds=self.offset + step * self.seconds)

    def close_time(self, step: int) -> datetime:
        """When the candle of `step` closes, UTC: the open time of the next one."""
        return self.open_time(step + 1)

    def last_closed(self, now: datetime) -> int:
        """The newest step that has closed at `now`."""
        return self.step_at(now) - 1

    def is_on_grid(self, time: datetime) -> bool:
        return self.open_time(self.step_at(time)) == time

    @staticmethod
    def chunk_start(step: int) -> int:
        """The first step of the chunk that holds `step`."""
        return step // CHUNK * CHUNK


INTERVALS: dict[str, Interval] = {
    interval.name: interval
    for interval in (
        Interval(60, "1m"),
        Interval(300, "5m"),
        Interval(900, "15m"),
        Interval(1800, "30m"),
        Interval(3600, "1h"),
        Interval(14400, "4h"),
        Interval(86400, "1d"),
        Interval(604800, "1w", _FIRST_MONDAY),
    )
}

_BY_SECONDS = {interval.seconds: interval for interval in INTERVALS.values()}


def interval_named(name: str) -> Interval:
    """The interval called `name`.

    Raises:
        UnknownIntervalError: there is none; the message lists those there are.
    """
    try:
        return INTERVALS[name]
    except KeyError:
        raise UnknownIntervalError(f"unknown interval {name!r}: one of {', '.join(INTERVALS)}") from None


def interval_of_seconds(seconds: int) -> Interval:
    """The interval that is `seconds` long; for reading what `Interval.seconds` was stored as."""
    try:
        return _BY_SECONDS[seconds]
    except KeyError:
        raise UnknownIntervalError(f"no interval is {seconds} seconds long") from None
