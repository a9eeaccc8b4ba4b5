"""Where the simulated exchange's candles come from."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.interval import INTERVALS, Interval

#: The finest interval there is.
MINUTE = INTERVALS["1m"]


@dataclass(frozen=True)
class Candles:
    """Candles of one market, ascending: grid steps int64 `(n,)`, and open, high, low, close, volume `(n, 5)`."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.steps)

    def between(self, first: int, last: int) -> "Candles":
        """Those of the steps `first` to `last`, both inclusive."""
        start, end = np.searchsorted(self.steps, [first, last + 1])
        return Candles(self.steps[start:end], self.values[start:end])


NO_CANDLES = Candles(np.empty(0, dtype=np.int64), np.empty((0, 5)))


class Record(Protocol):
    """A source of candles, the same whenever and in whatever pieces it is asked for them.

    What has a body here holds for a record without an end, made of minutes, for those who inherit it.
    """

    #: Whether an exchange that draws a candle where there was no trade does so for this record.
    shows_quiet: bool

    def symbols(self, source: str) -> list[str]:
        """The symbols a source lists."""
        ...

    def decimals(self, source: str, symbol: str) -> int:
        """How many decimals the market's prices have."""
        return 8

    def bounds(self, symbol: str) -> tuple[datetime, datetime] | None:
        """Open time of the market's first candle and close time of its last, UTC; None when it has no end."""
        return None

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        """The whole candles of the steps `first` to `last`, both inclusive, without those that had no trade.

        `interval` may be any that candles of the record's own intervals can be put together to.
        """
        ...

    def parts(self, symbol: str, interval: Interval, step: int) -> Interval | None:
        """The interval of the finest candles that the candle `step` is made of; None when it cannot be had whole."""
        return MINUTE


def join(*pieces: Candles) -> Candles:
    """Pieces that follow each other, as one."""
    return Candles(np.concatenate([one.steps for one in pieces]), np.concatenate([one.values for one in pieces]))


def tiles(interval: Interval, part: Interval) -> bool:
    """Whether candles of `part` put together make exactly those of `interval`."""
    return interval.seconds % part.seconds == 0 and (interval.offset - part.offset) % part.seconds == 0


def longest_part(interval: Interval, offered: Iterable[Interval]) -> Interval | None:
    """The longest of the `offered` intervals that tiles `interval`; None when none does."""
    return max((one for one in offered if tiles(interval, one)), key=lambda one: one.seconds, default=None)


def part_steps(interval: Interval, part: Interval, first: int, last: int) -> tuple[int, int]:
    """The first and the last step of `part` within the steps `first` to `last` of `interval`, all inclusive."""
    ratio = interval.seconds // part.seconds
    shift = (interval.offset - part.offset) // part.seconds
    return first * ratio + shift, (last + 1) * ratio + shift - 1


def _sums(values: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Exact sums, rounded once, of the values from each start to the next: those of `cryptowatch.markets.building`."""
    listed, ends = values.tolist(), [*starts[1:].tolist(), len(values)]
    pairs = zip(starts.tolist(), ends, strict=True)
    return np.array([math.fsum(listed[start:end]) for start, end in pairs])


def aggregate(fine: Candles, part: Interval, interval: Interval) -> Candles:
    """Candles of a longer interval from those of one that tiles it: from those of their parts that are there."""
    if len(fine) == 0 or part == interval:
        return fine
    steps = (part.offset + fine.steps * part.seconds - interval.offset) // interval.seconds
    starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
    ends = np.append(starts[1:], len(steps)) - 1
    values = np.stack(
        [
            fine.values[starts, 0],
            np.maximum.reduceat(fine.values[:, 1], starts),
            np.minimum.reduceat(fine.values[:, 2], starts),
            fine.values[ends, 3],
            _sums(fine.values[:, 4], starts),
        ],
        axis=1,
    )
    return Candles(steps[starts], values)
