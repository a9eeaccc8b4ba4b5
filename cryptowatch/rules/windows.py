"""Functions of the last candles and of two grids, over arrays of shape `(market, time)`."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.run import rooms, run
from cryptowatch.markets.panel import Bools, Floats, Panel
from cryptowatch.rules.truth import TRUE, UNKNOWN, Truth, compare

Value = TypeVar("Value", bound=np.generic)


def ago(values: Floats, candles: int) -> Floats:
    """The values `candles` candles before; NaN where that is before the start."""
    out = np.full_like(values, np.nan)
    out[:, candles:] = values[:, :-candles]
    return out


def change(values: Floats, candles: int) -> Floats:
    """How much the values moved within the last `candles` candles."""
    return values - ago(values, candles)


def all_of_last(truth: Truth, candles: int) -> Truth:
    """Whether it was true on each of the last `candles` candles, this one among them."""
    return _least_of_last(truth, candles)


def any_of_last(truth: Truth, candles: int) -> Truth:
    """Whether it was true on one of the last `candles` candles, this one among them."""
    out: Truth = TRUE - _least_of_last(TRUE - truth, candles)
    return out


def count(truth: Truth, candles: int) -> Floats:
    """On how many of the last `candles` candles it was true; NaN while it is unknown on one of them."""
    known = _sums_of_last(truth != UNKNOWN, candles)
    return np.where(known == candles, _sums_of_last(truth == TRUE, candles), np.nan)


def log(values: Floats) -> Floats:
    """The natural logarithm; what NumPy gives may depend on a value's place among others, this does not."""
    (out,) = rooms(1, values.shape)
    run(_log, [np.ascontiguousarray(values)], [], [out], [True])
    return out


@kernel
def _log(source: Series, value: Out) -> None:
    for step in range(len(source)):
        value[step] = math.log(source[step]) if source[step] > 0 else np.nan


def moving(values: Floats, candles: int, sign: str) -> Truth:
    """Whether each of the last `candles` candles moved up (`>`) or down (`<`) from the one before it."""
    return _least_of_last(compare(sign, values, ago(values, 1)), candles)


def crossing(now: Truth) -> Truth:
    """Whether a condition holds on this candle and did not on the one before."""
    before = np.full_like(now, UNKNOWN)
    before[:, 1:] = now[:, :-1]
    out: Truth = np.minimum(now, TRUE - before)
    return out


def _least_of_last(truth: Truth, candles: int) -> Truth:
    """The least of each `candles` values in a row, UNKNOWN standing for those before the start.

    Each window is the end of one block and the beginning of the next, so it costs the same whatever its length
    (van Herk 1992, Gil and Werman 1993).
    """
    markets, steps = truth.shape
    blocks = -(-(steps + candles - 1) // candles)
    padded = np.full((markets, blocks * candles), UNKNOWN)
    padded[:, candles - 1 : candles - 1 + steps] = truth
    cut = padded.reshape(markets, blocks, candles)
    begun = np.minimum.accumulate(cut, axis=2).reshape(padded.shape)
    ends = np.minimum.accumulate(cut[:, :, ::-1], axis=2)[:, :, ::-1].reshape(padded.shape)
    out: Truth = np.minimum(ends[:, :steps], begun[:, candles - 1 : candles - 1 + steps])
    return out


def align(values: NDArray[Value], source: Panel, target: Panel, unknown: object) -> NDArray[Value]:
    """Columns of `source`'s grid, at each column of `target`'s: the last step closed when the target's step closes.

    `unknown` where that step is outside the source panel: before its start, or not settled yet.
    """
    return take(values, columns_at(np.arange(target.width, dtype=np.int64), source, target), unknown)


def columns_at(columns: NDArray[np.int64], source: Panel, target: Panel) -> NDArray[np.int64]:
    """The columns of `source` that have just closed when these columns of `target` close; they may lie outside."""
    closes = target.interval.offset + (target.first_step + columns + 1) * target.interval.seconds
    return (closes - source.interval.offset) // source.interval.seconds - 1 - source.first_step


def take(values: NDArray[Value], columns: NDArray[np.int64], unknown: object) -> NDArray[Value]:
    """These columns, `unknown` where there is no such column."""
    inside = (columns >= 0) & (columns < values.shape[1])
    out = np.full((values.shape[0], len(columns)), unknown, dtype=values.dtype)
    out[:, inside] = values[:, columns[inside]]
    return out


def too_much_filled(panel: Panel, columns: NDArray[np.int64], candles: int, most: float) -> Bools:
    """Whether at these columns more than the share `most` of the last `candles` known candles were filled ones.

    False at columns that lie outside.
    """
    stops = np.clip(columns + 1, 0, panel.width)
    starts = np.maximum(stops - candles, 0)
    known, filled = (before[:, stops] - before[:, starts] for before in panel.counted)
    outside = (columns < 0) | (columns >= panel.width)
    out: Bools = (filled > most * known) & ~outside
    return out


def _sums_of_last(flags: Bools, candles: int) -> NDArray[np.int64]:
    sums = np.cumsum(flags, axis=1, dtype=np.int64)
    sums[:, candles:] -= sums[:, :-candles].copy()
    return sums
