"""A panel: candles of many markets on one regular time grid, as arrays of shape `(market, time)`.

Building one decides what a rule sees where an exchange had no candle. A step that is settled as *missing* is
filled (previous close, zero volume) and marked; an *unobtainable* one stays unknown (NaN) and is never filled;
so are the steps before a market's first candle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.interval import Interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Steps = NDArray[np.int64]
Counts = NDArray[np.int32]


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

    @cached_property
    def counted(self) -> tuple[Counts, Counts]:
        """How many candles before each step are known, and how many filled; the last column counts them all."""
        return _counted(~np.isnan(self.close)), _counted(self.filled)

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
    width = max(0, last_step - first_step + 1)
    values = np.full((5, len(rows), width), np.nan)
    before = np.full(len(rows), np.nan)
    for row, stored in enumerate(rows.values()):
        at = stored.steps - first_step
        inside = (at >= 0) & (at < width)
        values[:, row, at[inside]] = stored.values[inside].T
        if stored.close_before is not None:
            before[row] = stored.close_before
    return fill_panel(
        interval,
        first_step,
        tuple(rows),
        values,
        before,
        [(row, *hole) for row, market_id in enumerate(rows) for hole in unobtainable.get(market_id, ())],
        np.array([settled_before[market_id] for market_id in rows], dtype=np.int64),
    )


def fill_panel(
    interval: Interval,
    first_step: int,
    market_ids: tuple[int, ...],
    values: Floats,
    close_before: Floats,
    unobtainable: Sequence[tuple[int, int, int]],
    settled_before: Steps,
) -> Panel:
    """A panel of stored candles that lie on the grid already; fills what is missing, in place.

    Args:
        market_ids: one a row.
        values: open, high, low, close, volume, shape `(5, market, time)`, NaN where no candle is stored.
        close_before: by row, the last close stored before the load; NaN when there is none.
        unobtainable: row and steps `[from, to)` of each hole that the source no longer serves.
        settled_before: by row, the first step that is not settled: columns from there on become NaN.
    """
    _, markets, width = values.shape
    steps = np.arange(width)
    settled = np.clip(settled_before - first_step, 0, width)
    if (settled < width).any():
        values[:, steps >= settled[:, np.newaxis]] = np.nan
    filled = np.zeros((markets, width), dtype=np.bool_)
    known = ~np.isnan(values[3])
    rows = np.flatnonzero(~known.all(axis=1))
    if len(rows):
        lost = np.zeros((markets, width), dtype=np.bool_)
        for row, start, stop in unobtainable:
            lost[row, max(0, start - first_step) : max(0, stop - first_step)] = True
        open_to_fill = (steps < settled[rows, np.newaxis]) & ~lost[rows]
        missing, previous = _missing(values[3, rows], known[rows], lost[rows], open_to_fill, close_before[rows])
        filled[rows] = missing
        for column in values[:4]:
            column[filled] = previous
        values[4][filled] = 0.0
    open_, high, low, close, volume = values
    return Panel(interval, first_step, market_ids, open_, high, low, close, volume, filled)


def _missing(
    close: Floats, known: Bools, lost: Bools, open_to_fill: Bools, close_before: Floats
) -> tuple[Bools, Floats]:
    """Which steps are filled, and the close that each of them repeats.

    Nothing is known behind an unobtainable step until the next stored candle: no fill reaches across it.
    """
    rows, steps = np.nonzero(open_to_fill & ~known)
    last_known = _last(known)[rows, steps]
    previous = np.where(last_known >= 0, close[rows, last_known], close_before[rows])
    fills = ~np.isnan(previous)
    if lost.any():
        fills &= last_known >= _last(lost)[rows, steps]
    missing = np.zeros(known.shape, dtype=np.bool_)
    missing[rows[fills], steps[fills]] = True
    return missing, previous[fills]


def _counted(flags: Bools) -> Counts:
    out = np.zeros((flags.shape[0], flags.shape[1] + 1), dtype=np.int32)
    np.cumsum(flags, axis=1, out=out[:, 1:])
    return out


def _last(flags: Bools) -> Counts:
    """At each step, the last one up to it that is flagged; -1 where there is none."""
    steps = np.where(flags, np.arange(flags.shape[1], dtype=np.int32), np.int32(-1))
    return np.maximum.accumulate(steps, axis=1)
