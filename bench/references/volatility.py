"""Volatility: what others compute."""

import math
from functools import partial

import numpy as np
import talib
from ta.volatility import AverageTrueRange

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find

_ATR = find("atr").look_back({"length": 14})
_FIRST = "leaves the first candle's range out of the average: the same after the look-back"


def _true_range(candles: Candles) -> Floats:
    return talib.TRANGE(candles.high, candles.low, candles.close)


def _atr(candles: Candles) -> Floats:
    return talib.ATR(candles.high, candles.low, candles.close, 14)


def _atr_by_ta(candles: Candles) -> Floats:
    lines = AverageTrueRange(candles.frame.high, candles.frame.low, candles.frame.close, 14)
    return lines.average_true_range().replace(0.0, np.nan).to_numpy()


def _natr(candles: Candles) -> Floats:
    return talib.NATR(candles.high, candles.low, candles.close, 14)


def _stdev(candles: Candles) -> Floats:
    return talib.STDDEV(candles.close, 20)


def _stdev_defined(candles: Candles) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(candles.close, 20)
    return np.concatenate([np.full(19, np.nan), windows.std(axis=1)])


def _realised(candles: Candles, output: str, length: int, periods: float) -> Floats:
    table = candles.frame
    windows = {
        "close_to_close": np.log(table.close).diff(),
        "parkinson": np.log(table.high / table.low) ** 2,
        "garman_klass": np.log(table.high / table.low) ** 2 / 2
        - (2 * math.log(2) - 1) * np.log(table.close / table.open) ** 2,
    }
    rolling = windows[output].rolling(length)
    if output == "close_to_close":
        variance = rolling.apply(partial(np.var, ddof=1), raw=True)
    else:
        variance = rolling.apply(np.mean, raw=True) / (4 * math.log(2) if output == "parkinson" else 1)
    return (100 * np.sqrt(periods * variance)).to_numpy(dtype=np.float64)


def _realised_rows(length: int, periods: float, parameters: tuple[float, ...] = ()) -> list[Reference]:
    return [
        Reference(
            "realised_volatility",
            output,
            "definition",
            partial(_realised, output=output, length=length, periods=periods),
            parameters=parameters,
        )
        for output in find("realised_volatility").outputs
    ]


ROWS: list[Reference] = [
    Reference("true_range", "value", "TA-Lib", _true_range, note="no value at the first candle"),
    Reference("atr", "value", "TA-Lib", _atr, note=_FIRST, after=_ATR),
    Reference("atr", "value", "ta", _atr_by_ta, note="0 before its first value"),
    Reference("natr", "value", "TA-Lib", _natr, note=_FIRST, after=_ATR),
    Reference("stdev", "value", "TA-Lib", _stdev, note="mean of squares minus square of the mean, which loses digits"),
    Reference("stdev", "value", "definition", _stdev_defined),
    *_realised_rows(20, 1),
    *_realised_rows(30, 365, (30, 365)),
]
