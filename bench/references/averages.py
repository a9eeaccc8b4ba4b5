"""Moving averages: what others compute."""

import math
from functools import partial

import numpy as np
import pandas as pd
import pandas_ta_classic
import talib
from ta.momentum import KAMAIndicator
from ta.trend import EMAIndicator, SMAIndicator, WMAIndicator

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find


def _talib(function: str, length: int, candles: Candles) -> Floats:
    return getattr(talib, function)(candles.close, length)


def _sma_by_ta(candles: Candles) -> Floats:
    return SMAIndicator(candles.frame.close, 20).sma_indicator().to_numpy()


def _sma_defined(candles: Candles) -> Floats:
    return candles.frame.close.rolling(20).apply(lambda window: math.fsum(window) / 20, raw=True).to_numpy()


def _ema_by_ta(candles: Candles) -> Floats:
    return EMAIndicator(candles.frame.close, 20).ema_indicator().to_numpy()


def _wma_by_ta(candles: Candles) -> Floats:
    return WMAIndicator(candles.frame.close, 20).wma().to_numpy()


def _kama_by_ta(candles: Candles) -> Floats:
    return KAMAIndicator(candles.frame.close, 10, 2, 30).kama().to_numpy()


def _by_pandas_ta(function: str, length: int, candles: Candles) -> Floats:
    return getattr(pandas_ta_classic, function)(candles.frame.close, length=length).to_numpy(dtype=np.float64)


def _averaged(values: Floats, length: int, weight: float) -> Floats:
    """An average with this weight, begun with the mean of the first `length` known values."""
    result = np.full(len(values), np.nan)
    begin = int(np.flatnonzero(~np.isnan(values))[0]) + length - 1
    average = float(np.mean(values[begin - length + 1 : begin + 1]))
    result[begin] = average
    for step in range(begin + 1, len(values)):
        average = (1 - weight) * average + weight * values[step]
        result[step] = average
    return result


def _ema_defined(candles: Candles) -> Floats:
    return _averaged(candles.close, 20, 2 / 21)


def _rma_defined(candles: Candles) -> Floats:
    return _averaged(candles.close, 14, 1 / 14)


def _zlema_defined(candles: Candles) -> Floats:
    close = candles.frame.close
    return _averaged((2 * close - close.shift(9)).to_numpy(), 20, 2 / 21)


def _vwma_defined(candles: Candles) -> Floats:
    result = np.full(len(candles), np.nan)
    for last in range(19, len(candles)):
        window = slice(last - 19, last + 1)
        traded = math.fsum(candles.volume[window])
        if traded > 0:
            result[last] = math.fsum(candles.close[window] * candles.volume[window]) / traded
    return result


def _kama_defined(candles: Candles) -> Floats:
    close = candles.close
    result = np.full(len(close), np.nan)
    average = close[9]
    for step in range(10, len(close)):
        moves = math.fsum(abs(np.diff(close[step - 10 : step + 1])))
        efficiency = abs(close[step] - close[step - 10]) / moves if moves else 0.0
        weight = efficiency * (2 / 3 - 2 / 31) + 2 / 31
        average = average + weight**2 * (close[step] - average)
        result[step] = average
    return result


def _hma_defined(candles: Candles) -> Floats:
    def weighted(values: pd.Series, length: int) -> pd.Series:
        weights = np.arange(1, length + 1)
        return values.rolling(length).apply(lambda window: float(window @ weights) / weights.sum(), raw=True)

    close = candles.frame.close
    return weighted(2 * weighted(close, 4) - weighted(close, 9), 3).to_numpy()


_NO_RUNNING_SUM = "where it keeps running sums, they carry rounding on; ours do not"
_FIRST_VALUE = "begins with the first value: the same after the look-back"
_FLAT = "takes the efficiency of a stretch without a move for 1, ours for 0; the same where there is none"

ROWS = [
    Reference("sma", "value", "TA-Lib", partial(_talib, "SMA", 20), note=_NO_RUNNING_SUM),
    Reference("sma", "value", "ta", _sma_by_ta, note=_NO_RUNNING_SUM),
    Reference("sma", "value", "definition", _sma_defined, 1e-15),
    Reference("ema", "value", "TA-Lib", partial(_talib, "EMA", 20), 1e-14),
    Reference("ema", "value", "ta", _ema_by_ta, note=_FIRST_VALUE, after=find("ema").look_back({"length": 20})),
    Reference("ema", "value", "definition", _ema_defined, 1e-14),
    Reference(
        "rma",
        "value",
        "pandas-ta-classic",
        partial(_by_pandas_ta, "rma", 14),
        note=_FIRST_VALUE,
        after=find("rma").look_back({"length": 14}),
    ),
    Reference("rma", "value", "definition", _rma_defined, 1e-14),
    Reference("wma", "value", "TA-Lib", partial(_talib, "WMA", 20), note=_NO_RUNNING_SUM),
    Reference("wma", "value", "ta", _wma_by_ta, 1e-14),
    Reference("dema", "value", "TA-Lib", partial(_talib, "DEMA", 20), 1e-14),
    Reference("tema", "value", "TA-Lib", partial(_talib, "TEMA", 20), 1e-14),
    Reference("hma", "value", "pandas-ta-classic", partial(_by_pandas_ta, "hma", 9)),
    Reference("hma", "value", "definition", _hma_defined, 1e-14),
    Reference("zlema", "value", "pandas-ta-classic", partial(_by_pandas_ta, "zlma", 20)),
    Reference("zlema", "value", "definition", _zlema_defined, 1e-14),
    Reference("vwma", "value", "definition", _vwma_defined, 1e-14),
    Reference("kama", "value", "TA-Lib", partial(_talib, "KAMA", 10), 2e-4, note=_FLAT),
    Reference("kama", "value", "ta", _kama_by_ta),
    Reference("kama", "value", "definition", _kama_defined, 1e-14),
]
