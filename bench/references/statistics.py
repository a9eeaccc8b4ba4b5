"""What others compute for the group `statistics`."""

import numpy as np
import pandas as pd
import pandas_ta_classic
import talib

from bench.references import Candles, Floats, Reference


def _windows(values: Floats, length: int) -> Floats:
    """Each window as a row; NaN before the first value."""
    return np.lib.stride_tricks.sliding_window_view(np.concatenate((np.full(length - 1, np.nan), values)), length)


def _bars_since(candles: Candles) -> Floats:
    found = np.full(len(candles), np.nan)
    for step in range(len(candles)):
        true = np.flatnonzero(candles.condition[max(0, step - 499) : step + 1][::-1])
        if len(true):
            found[step] = true[0]
    return found


def _zscore_defined(candles: Candles) -> Floats:
    windows = _windows(candles.close, 20)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = (candles.close - windows.mean(axis=1)) / windows.std(axis=1)
    return np.where(np.ptp(windows, axis=1) > 0, scores, np.nan)


def _zscore_of_sample(candles: Candles) -> Floats:
    return pandas_ta_classic.zscore(pd.Series(candles.close), 20) * np.sqrt(20 / 19)


def _percentile_rank(candles: Candles) -> Floats:
    found = np.full(len(candles), np.nan)
    for step in range(100, len(candles)):
        found[step] = 100 * np.mean(candles.close[step - 100 : step] <= candles.close[step])
    return found


def _r2_defined(candles: Candles) -> Floats:
    windows = _windows(candles.close, 14)
    places = np.arange(14) - 6.5
    distances = windows - windows.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = (distances @ places) ** 2 / (places @ places) / (distances**2).sum(axis=1)
    return np.where(np.ptp(windows, axis=1) > 0, explained, np.nan)


def _r2(candles: Candles) -> Floats:
    # Its sums are of squares of the values themselves: closer to 0, less of the difference is lost.
    values = pd.Series(candles.close - candles.close.mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        return pandas_ta_classic.linreg(values, 14, r=True) ** 2


ROWS: list[Reference] = [
    Reference("highest", "value", "TA-Lib", lambda candles: talib.MAX(candles.high, 20)),
    Reference("lowest", "value", "TA-Lib", lambda candles: talib.MIN(candles.low, 20)),
    Reference("bars_since", "value", "definition", _bars_since),
    Reference(
        "zscore",
        "value",
        "pandas-ta-classic",
        _zscore_of_sample,
        note="times sqrt(20 / 19): it takes the deviation of a sample",
    ),
    Reference("zscore", "value", "definition", _zscore_defined),
    Reference("percentile_rank", "value", "definition", _percentile_rank),
    Reference("linreg", "value", "TA-Lib", lambda candles: talib.LINEARREG(candles.close, 14)),
    Reference("linreg", "slope", "TA-Lib", lambda candles: talib.LINEARREG_SLOPE(candles.close, 14)),
    Reference(
        "linreg",
        "r2",
        "pandas-ta-classic",
        _r2,
        tolerance=1e-6,
        note="the square of its r; its sums of squares lose digits where little moves",
    ),
    Reference("linreg", "r2", "definition", _r2_defined),
]
