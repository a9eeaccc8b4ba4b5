"""Indicators of the long tail, computed by the library `ta` behind a fence.

`ta` 0.11 has traps; here is what keeps each away:

- It goes wrong on an index other than 0, 1, 2 …, and on what lacks a candle: `as_series` makes the index, and only
  stretches of known candles come here. Its `dropna`, which drops candles without volume, is not used.
- It fills the start of KST and DPO with the mean of the whole series, which is the future: there `as_series` has none.
- It gives values before they mean anything, and raises or answers at other length for what is shorter than its window:
  `write` leaves out what lies before the warm-up, and nothing as short as that is asked for.
- It gives infinite values, and, where nothing moves any more, the last rounding noise or a constant: `write` makes both
  unknown.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cryptowatch.indicators.averages import ema_look_back
from cryptowatch.indicators.catalogue import LONGEST, forgets, indicator, length
from cryptowatch.indicators.kernel import Out, Series
from cryptowatch.markets.panel import Bools, Floats

if TYPE_CHECKING:
    import pandas as pd


def as_series(values: Floats) -> "pd.Series[float]":
    """The values as `ta` may have them: with the index 0, 1, 2 …, and without a mean of the whole."""
    import pandas as pd

    series = pd.Series(values)
    object.__setattr__(series, "mean", lambda: math.nan)
    return series


def write(found: "pd.Series[float]", first: int, out: Out, unknown: Bools | None = None) -> None:
    """Give what `ta` found from the candle `first` on, without what is infinite or said to be unknown.

    Raises:
        ValueError: it is not one value for each candle.
    """
    values = found.to_numpy(dtype=np.float64)
    if values.shape != out.shape:
        raise ValueError(f"ta gave {len(values)} values for {len(out)} candles")
    known = np.isfinite(values)
    if unknown is not None:
        known &= ~unknown
    out[first:] = np.where(known, values, np.nan)[first:]


def candles_since(happened: Bools) -> NDArray[np.int64]:
    """How many candles before each one it last happened; where it has not, more than any window is long."""
    places = np.arange(len(happened))
    return places - np.maximum.accumulate(np.where(happened, places, -LONGEST))


def candles_still(values: Floats) -> NDArray[np.int64]:
    """How many candles in a row, up to each, have not changed the value; the first has."""
    return candles_since(np.diff(values, prepend=np.nan) != 0)


def _kst_lengths(**parameters: int) -> int:
    return max(parameters[f"roc{one}"] + parameters[f"average{one}"] - 1 for one in range(1, 5))


def _kst_warm_up(signal: int, **parameters: int) -> dict[str, int]:
    first = _kst_lengths(**parameters)
    return {"kst": first, "signal": first + signal - 1, "histogram": first + signal - 1}


@indicator(
    "Know sure thing",
    length(10, "roc1"),
    length(15, "roc2"),
    length(20, "roc3"),
    length(30, "roc4"),
    length(10, "average1"),
    length(10, "average2"),
    length(10, "average3"),
    length(15, "average4"),
    length(9, "signal"),
    outputs={"kst": "percent", "signal": "percent", "histogram": "percent"},
    warm_up=_kst_warm_up,
    look_back=lambda signal, **parameters: _kst_lengths(**parameters) + signal,
    levels=(0,),
    formula="kst: the sma(`average1`) of roc(`roc1`), twice that of the second pair, three times the third and four "
    "times the fourth, added; signal: sma(`signal`) of kst; histogram: kst - signal",
    source="Martin Pring, Summed Rate of Change (KST) (Technical Analysis of Stocks & Commodities 10:9, 1992); "
    "TradingView, Know Sure Thing",
    notes="`ta` itself fills the first changes with the mean of the whole series; here they are unknown.",
)
def kst(
    source: Series,
    roc1: int,
    roc2: int,
    roc3: int,
    roc4: int,
    average1: int,
    average2: int,
    average3: int,
    average4: int,
    signal: int,
    kst: Out,
    signal_: Out,
    histogram: Out,
) -> None:
    first = max(roc1 + average1, roc2 + average2, roc3 + average3, roc4 + average4) - 1
    if len(source) <= first:
        return
    from ta.trend import KSTIndicator

    changes, averages = (roc1, roc2, roc3, roc4), (average1, average2, average3, average4)
    found = KSTIndicator(as_series(source), *changes, *averages, signal)
    write(found.kst(), first, kst)
    write(found.kst_sig(), first + signal - 1, signal_)
    write(found.kst_diff(), first + signal - 1, histogram)


@indicator(
    "True strength index",
    length(13, "fast"),
    length(25, "slow", 2),
    ascending=("fast", "slow"),
    outputs={"value": "percent"},
    warm_up=lambda fast, slow: slow + fast - 1,
    look_back=lambda fast, slow: ema_look_back(slow) + ema_look_back(fast) + 1,
    levels=(-25, 0, 25),
    formula="100 * ema(`fast`) of the ema(`slow`) of the changes from candle to candle, divided by the same of their "
    "sizes: from -100 to 100",
    source="William Blau, True Strength Index (Technical Analysis of Stocks & Commodities 9:11, 1991); "
    "TradingView, ta.tsi",
    notes="ta.tsi goes from -1 to 1; it takes the short length first, as here, `ta` the long one. The averages begin "
    "with their first value. Unknown when nothing has moved for as many candles as the ema(`fast`) remembers, or yet.",
)
def tsi(source: Series, fast: int, slow: int, value: Out) -> None:
    first = slow + fast - 1
    if len(source) <= first:
        return
    from ta.momentum import TSIIndicator

    found = TSIIndicator(as_series(source), slow, fast).tsi()
    write(found, first, value, candles_still(source) >= ema_look_back(fast))


def _dpo_shift(length: int) -> int:
    return length // 2 + 1


@indicator(
    "Detrended price oscillator",
    length(20),
    outputs={"value": "change"},
    warm_up=lambda length: max(length - 1, _dpo_shift(length)),
    look_back=lambda length: max(length, _dpo_shift(length) + 1),
    levels=(0,),
    formula="the value `length` / 2 + 1 candles ago - sma(`length`) now",
    source="StockCharts, ChartSchool: Detrended Price Oscillator (DPO)",
    notes="Nothing is drawn back in time: the value belongs to the newest candle. TradingView's, not centred, takes "
    "the value now less the sma(21) 11 candles ago: `close - ago(sma(21), 11)`.",
)
def dpo(source: Series, length: int, value: Out) -> None:
    first = max(length - 1, _dpo_shift(length))
    if len(source) <= first:
        return
    from ta.trend import DPOIndicator

    write(DPOIndicator(as_series(source), length).dpo(), first, value)


@indicator(
    "Mass index",
    length(9, "fast"),
    length(25, "slow"),
    outputs={"value": "ratio"},
    warm_up=lambda fast, slow: 2 * fast + slow - 3,
    look_back=lambda fast, slow: 2 * ema_look_back(fast) + slow,
    levels=(26.5, 27),
    formula="sum, of the last `slow` candles, of the ema(`fast`) of high - low, divided by the ema(`fast`) of that ema",
    source="Donald Dorsey, The Mass Index (Technical Analysis of Stocks & Commodities 10:6, 1992); "
    "TradingView, Mass Index",
    notes="The averages begin with their first value. Unknown when, within the sum, no candle has had a range "
    "for as long as the ema(`fast`) remembers.",
)
def mass_index(high: Series, low: Series, fast: int, slow: int, value: Out) -> None:
    first = 2 * fast + slow - 3
    if len(high) <= first:
        return
    from ta.trend import MassIndex

    without_range = candles_since(high != low)
    forgotten = candles_since(without_range >= ema_look_back(fast))
    found = MassIndex(as_series(high), as_series(low), fast, slow).mass_index()
    write(found, first, value, forgotten < slow)


def _stc_still(cycle: int, smooth1: int, smooth2: int) -> int:
    return 2 * cycle + ema_look_back(smooth1) + ema_look_back(smooth2)


def _stc_look_back(fast: int, slow: int, cycle: int, smooth1: int, smooth2: int) -> int:
    # It is unknown until the market has moved for as long as the cycles remember: that long, and the standstill before.
    still = _stc_still(cycle, smooth1, smooth2)
    return max(ema_look_back(slow), still) + still


@indicator(
    "Schaff trend cycle",
    length(23, "fast"),
    length(50, "slow", 2),
    length(10, "cycle", 2),
    length(3, "smooth1", 2),
    length(3, "smooth2"),
    ascending=("fast", "slow"),
    outputs={"value": "percent"},
    warm_up=lambda fast, slow, cycle, smooth1, smooth2: slow + 2 * cycle + smooth1 + smooth2 - 5,
    look_back=_stc_look_back,
    levels=(25, 75),
    formula="where macd(`fast`, `slow`) lies in its range of the last `cycle` candles, from 0 to 100, and the "
    "ema(`smooth1`) of that; where this lies in its own range, and the ema(`smooth2`) of that",
    source="Doug Schaff, Schaff Trend Cycle (1999), as Investopedia tells it",
    notes="The averages begin with their first value. Where there is no range, the average of places stays and forgets "
    "faster; in a trend that has not turned since the first candle it is unknown. When nothing has moved for as long "
    "as the two cycles and their averages remember, or half as long as the ema(`slow`) does, it is unknown until the "
    "market has moved again for as long as the former. It magnifies: where the macd has become small behind a spike, "
    "its place in its range is less accurate than the macd.",
)
def stc(source: Series, fast: int, slow: int, cycle: int, smooth1: int, smooth2: int, value: Out) -> None:
    first = slow + 2 * cycle + smooth1 + smooth2 - 5
    if len(source) <= first:
        return
    from ta.trend import STCIndicator

    found = STCIndicator(as_series(source), slow, fast, cycle, smooth1, smooth2).stc()
    remembered = _stc_still(cycle, smooth1, smooth2)
    # Sooner where what is left of the move would be no more than rounding.
    still = candles_still(source) >= min(remembered, forgets(2 / (slow + 1)) // 2)
    write(found, first, value, candles_since(still) < remembered)


@indicator(
    "Ulcer index",
    length(14),
    outputs={"value": "percent"},
    warm_up=lambda length: 2 * length - 2,
    look_back=lambda length: 2 * length - 1,
    formula="root of the mean square, of the last `length` candles, of how far each close lies, in percent, below the "
    "highest of its last `length` closes",
    source="Peter Martin and Byron McCann, The Investor's Guide to Fidelity Funds (1989)",
    notes="`ta` and StockCharts begin with shorter ranges, `length` - 1 candles earlier.",
)
def ulcer_index(source: Series, length: int, value: Out) -> None:
    first = 2 * length - 2
    if len(source) <= first:
        return
    from ta.volatility import UlcerIndex

    write(UlcerIndex(as_series(source), length).ulcer_index(), first, value)
