"""A panel: candles of many markets on one regular time grid, as arrays of shape `(market, time)`.

Building one decides what a rule sees where an exchange had no candle. A step that is settled as *missing* is
filled (previous close, zero volume) and marked; an *unobtainable* one stays unknown (NaN) and is never filled;
so are the steps before a market's first candle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.interval import Interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Steps = NDArray[np.int64]


class Rows(NamedTuple):
    """Stored candles of one market, ascending.

    Args:
        steps: grid steps, int64, shape `(n,)`.
        values: open, high, low, close, volume, float64, shape `(n, 5)`.
        close_before: the last close stored before the load's first step, for filling; None when there is none.
    """

    steps: Steps
    values: Floats
    close_before: float | None


@dataclass(frozen=True, eq=False)
class Panel:
    """Arrays of shape `(market, time)`, float64, NaN where unknown; `filled` marks the steps that were filled.

    A panel equals only itself.

    Args:
        interval: the grid.
        first_step: the grid step of column 0.
        market_ids: one a row.
    """

    interval: Interval
    first_step: int
    market_ids: tuple[int, ...]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    filled: Bools

    @property
    def width(self) -> int:
        """How many steps the panel covers."""
        return int(self.close.shape[1])

    @property
    def open_times(self) -> Floats:
        """When each step opens, in seconds since 1970 UTC, float64, shape `(time,)`."""
        steps = np.arange(self.first_step, self.first_step + self.width, dtype=np.float64)
        return steps * self.interval.seconds + self.interval.offset

    @property
    def last_step(self) -> int:
        """The grid step of the last column."""
        return self.first_step + self.width - 1


def build_panel(
    interval: Interval,
    first_step: int,
    last_step: int,
    rows: Mapping[int, Rows],
    unobtainable: Mapping[int, Sequence[tuple[int, int]]],
    settled_before: Mapping[int, int],
) -> Panel:
    """Lay stored candles on the grid from `first_step` to `last_step`, both inclusive, and fill what is missing.

    Args:
        rows: stored candles by market id; the panel's rows come in this mapping's order.
        unobtainable: by market id, ranges of steps `[from, to)` that the source no longer serves.
        settled_before: by market id, the first step that is not settled: columns from there on stay NaN.
    """
    shape = (len(rows), max(0, last_step - first_step + 1))
    open_, high, low, close, volume = columns = [np.full(shape, np.nan) for _ in range(5)]
    filled = np.zeros(shape, dtype=np.bool_)
    for row, (market_id, stored) in enumerate(rows.items()):
        end = min(shape[1], settled_before[market_id] - first_step)
        if end <= 0:
            continue
        lost = unobtainable.get(market_id, ())
        _lay_one_market(columns, filled, row, end, first_step, stored, lost)
    return Panel(interval, first_step, tuple(rows), open_, high, low, close, volume, filled)


def _lay_one_market(
    columns: list[Floats],
    filled: Bools,
    row: int,
    end: int,
    first_step: int,
    stored: Rows,
    lost: Sequence[tuple[int, int]],
) -> None:
    at = stored.steps - first_step
    inside = (at >= 0) & (at < end)
    at, values = at[inside], stored.values[inside]
    for column, series in zip(columns, values.T, strict=True):
        column[row, at] = series

    close = columns[3][row, :end]
    known = ~np.isnan(close)
    lost_here = np.zeros(end, dtype=np.bool_)
    for start, stop in lost:
        lost_here[max(0, start - first_step) : max(0, min(end, stop - first_step))] = True
    # Nothing is known behind an unobtainable step until the next stored candle: no fill reaches across it.
    last_known = np.maximum.accumulate(np.where(known, np.arange(end), -1))
    last_lost = np.maximum.accumulate(np.where(lost_here, np.arange(end), -1))
    before = np.nan if stored.close_before is None else stored.close_before
    previous = np.where(last_known >= 0, close[last_known], before)
    missing = ~known & (last_known >= last_lost) & ~lost_here & ~np.isnan(previous)
    for column in columns[:4]:
        column[row, :end][missing] = previous[missing]
    columns[4][row, :end][missing] = 0.0
    filled[row, :end] = missing
