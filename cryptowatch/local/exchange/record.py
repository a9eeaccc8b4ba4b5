"""Where the simulated exchange's candles come from."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.interval import INTERVALS, Interval

#: The grid every record is finest on.
MINUTE = INTERVALS["1m"]


@dataclass(frozen=True)
class Candles:
    """Candles of one market, ascending: grid steps int64 `(n,)`, and open, high, low, close, volume `(n, 5)`."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]


class Record(Protocol):
    """A source of candles, the same each time it is asked."""

    #: Whether an exchange that shows quiet candles (no trade, zero volume) does so for this record.
    shows_quiet: bool

    def symbols(self, source: str) -> list[str]:
        """The symbols a source lists."""
        ...

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        """The candles of the steps `first` to `last`, both inclusive; steps without a trade are left out."""
        ...


def aggregate(fine: Candles, fine_interval: Interval, interval: Interval) -> Candles:
    """Candles of a longer interval from those of a shorter one: those of its parts that are there."""
    if len(fine.steps) == 0:
        return fine
    opens = fine_interval.offset + fine.steps * fine_interval.seconds
    steps = (opens - interval.offset) // interval.seconds
    starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
    ends = np.append(starts[1:], len(steps)) - 1
    values = np.stack(
        [
            fine.values[starts, 0],
            np.maximum.reduceat(fine.values[:, 1], starts),
            np.minimum.reduceat(fine.values[:, 2], starts),
            fine.values[ends, 3],
            np.add.reduceat(fine.values[:, 4], starts),
        ],
        axis=1,
    )
    return Candles(steps[starts], values)
