"""Bands: what others compute."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pandas_ta_classic
import talib
from ta.volatility import BollingerBands, DonchianChannel, KeltnerChannel

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find


def _bollinger_by_talib(output: str, candles: Candles) -> Floats:
    upper, middle, lower = talib.BBANDS(candles.close, 20, 2, 2)
    return {"middle": middle, "upper": upper, "lower": lower}[output]


def _bollinger_by_ta(method: str, scale: float, candles: Candles) -> Floats:
    return getattr(BollingerBands(candles.frame.close, 20, 2), method)().to_numpy(dtype=np.float64) * scale


def _without_flat(compute: Callable[[Candles], Floats], candles: Candles) -> Floats:
    """Nothing where the window is flat: rounding decides there what others give."""
    window = candles.frame.close.rolling(20)
    return np.where(window.max() == window.min(), np.nan, compute(candles))


def _outside(close: Floats, upper: Floats, lower: Floats, output: str) -> Floats:
    out = close > upper if output == "above" else close < lower
    return np.where(np.isnan(upper), np.nan, out.astype(np.float64))


def _bollinger_defined(output: str, candles: Candles) -> Floats:
    result = np.full(len(candles), np.nan)
    for last in range(19, len(candles)):
        window = candles.close[last - 19 : last + 1]
        middle = math.fsum(window) / 20
        half = 2 * math.sqrt(math.fsum((window - middle) ** 2) / 20) if window.max() > window.min() else 0.0
        result[last] = {
            "width": 2 * half / middle,
            "percent": (window[-1] - middle + half) / (2 * half) if half else np.nan,
            "above": float(window[-1] > middle + half),
            "below": float(window[-1] < middle - half),
        }[output]
        if not half and output in ("above", "below"):
            result[last] = 0.0
    return result


def _true_ranges(candles: Candles) -> pd.Series:
    table = candles.frame
    before = table.close.shift()
    each = [table.high - table.low, (table.high - before).abs(), (table.low - before).abs()]
    return pd.concat(each, axis=1).max(axis=1)


def _averaged(values: Floats, length: int, weight: float) -> Floats:
    """An average with this weight, begun with the mean of the first `length` values."""
    result = np.full(len(values), np.nan)
    result[length - 1] = np.mean(values[:length])
    for step in range(length, len(values)):
        result[step] = (1 - weight) * result[step - 1] + weight * values[step]
    return result


def _keltner_defined(output: str, candles: Candles) -> Floats:
    middle = _averaged(candles.close, 20, 2 / 21)
    half = 2 * _averaged(_true_ranges(candles).to_numpy(), 10, 1 / 10)
    upper, lower = middle + half, middle - half
    if output in ("above", "below"):
        return _outside(candles.close, upper, lower, output)
    return {
        "middle": middle,
        "upper": upper,
        "lower": lower,
        "width": 2 * half / middle,
        "percent": (candles.close - lower) / (2 * half),
    }[output]


def _keltner_by_ta(method: str, scale: float, candles: Candles) -> Floats:
    table = candles.frame
    lines = KeltnerChannel(table.high, table.low, table.close, 20, 10, original_version=False, multiplier=2)
    return getattr(lines, method)().to_numpy(dtype=np.float64) * scale


def _donchian_by_ta(method: str, candles: Candles) -> Floats:
    table = candles.frame
    return getattr(DonchianChannel(table.high, table.low, table.close, 20), method)().to_numpy()


def _donchian_by_talib(output: str, candles: Candles) -> Floats:
    return talib.MAX(candles.high, 20) if output == "upper" else talib.MIN(candles.low, 20)


def _donchian_width(candles: Candles) -> Floats:
    table = candles.frame
    upper, lower = table.high.rolling(20).max(), table.low.rolling(20).min()
    return ((upper - lower) / ((upper + lower) / 2)).to_numpy()


def _chandelier_by_talib(output: str, candles: Candles) -> Floats:
    away = 3 * talib.ATR(candles.high, candles.low, candles.close, 22)
    return talib.MAX(candles.high, 22) - away if output == "long" else talib.MIN(candles.low, 22) + away


def _chandelier_defined(output: str, candles: Candles) -> Floats:
    away = 3 * _averaged(_true_ranges(candles).to_numpy(), 22, 1 / 22)
    table = candles.frame
    if output == "long":
        return table.high.rolling(22).max().to_numpy() - away
    return table.low.rolling(22).min().to_numpy() + away


def _squeeze_on(candles: Candles) -> Floats:
    table, ranges = candles.frame, _true_ranges(candles).to_numpy()
    result = np.full(len(candles), np.nan)
    for last in range(19, len(candles)):
        window = slice(last - 19, last + 1)
        flat = table.close[window].nunique() == 1
        deviation = 0.0 if flat else float(np.std(candles.close[window]))
        result[last] = float(2 * deviation < 1.5 * math.fsum(ranges[window]) / 20)
    return result


def _squeeze_momentum(candles: Candles) -> Floats:
    table = candles.frame
    halfway = (table.high.rolling(20).max() + table.low.rolling(20).min()) / 2
    middle = table.close.rolling(20).apply(np.mean, raw=True)
    distance = table.close - (halfway + middle) / 2
    places = np.arange(20)
    return distance.rolling(20).apply(lambda one: np.polyval(np.polyfit(places, one, 1), 19), raw=True).to_numpy()


def _squeeze_by_pandas_ta(column: int, candles: Candles) -> Floats:
    table = candles.frame
    lines = pandas_ta_classic.squeeze(table.high, table.low, table.close, lazybear=True)
    values = lines.iloc[:, column].to_numpy(dtype=np.float64)
    return np.where(np.arange(len(values)) < 19, np.nan, values)


_RUNNING = "keeps running sums, whose rounding the square root makes visible"
_HUNDREDTHS = "gives it in percent"
_FIRST_VALUES = "its averages begin with the first value, or without the first candle: the same after the look-back"
_FLAT = "compared where the window is not flat: rounding decides there what it gives"
_KELTNER = find("keltner").look_back({"length": 20, "atr_length": 10, "multiplier": 2})
_CHANDELIER = find("chandelier_exit").look_back({"length": 22, "multiplier": 3})

_BOLLINGER = {
    "middle": "bollinger_mavg",
    "upper": "bollinger_hband",
    "lower": "bollinger_lband",
}
_OUTSIDE = {"above": "bollinger_hband_indicator", "below": "bollinger_lband_indicator"}
_CHANNEL = {
    "middle": ("keltner_channel_mband", 1.0),
    "upper": ("keltner_channel_hband", 1.0),
    "lower": ("keltner_channel_lband", 1.0),
    "width": ("keltner_channel_wband", 0.01),
    "percent": ("keltner_channel_pband", 1.0),
    "above": ("keltner_channel_hband_indicator", 1.0),
    "below": ("keltner_channel_lband_indicator", 1.0),
}
_HIGHEST = {
    "upper": "donchian_channel_hband",
    "middle": "donchian_channel_mband",
    "lower": "donchian_channel_lband",
    "percent": "donchian_channel_pband",
}

ROWS = [
    *(
        Reference("bollinger", output, "TA-Lib", partial(_bollinger_by_talib, output), note=_RUNNING)
        for output in _BOLLINGER
    ),
    *(
        Reference("bollinger", output, "ta", partial(_bollinger_by_ta, method, 1.0), note=_RUNNING)
        for output, method in _BOLLINGER.items()
    ),
    Reference("bollinger", "width", "ta", partial(_bollinger_by_ta, "bollinger_wband", 0.01), note=_HUNDREDTHS),
    *(
        Reference("bollinger", output, "ta", partial(_without_flat, partial(_bollinger_by_ta, method, 1.0)), note=_FLAT)
        for output, method in _OUTSIDE.items()
    ),
    Reference(
        "bollinger",
        "percent",
        "ta",
        partial(_without_flat, partial(_bollinger_by_ta, "bollinger_pband", 1.0)),
        1e-6,
        note=_FLAT,
    ),
    *(
        Reference("bollinger", output, "definition", partial(_bollinger_defined, output))
        for output in ("width", "percent", "above", "below")
    ),
    *(
        Reference("keltner", output, "ta", partial(_keltner_by_ta, *method), note=_FIRST_VALUES, after=_KELTNER)
        for output, method in _CHANNEL.items()
    ),
    *(Reference("keltner", output, "definition", partial(_keltner_defined, output)) for output in _CHANNEL),
    *(
        Reference("donchian", output, "TA-Lib", partial(_donchian_by_talib, output), 0.0)
        for output in ("upper", "lower")
    ),
    *(
        Reference("donchian", output, "ta", partial(_donchian_by_ta, method), 1e-14)
        for output, method in _HIGHEST.items()
    ),
    Reference("donchian", "width", "definition", _donchian_width, 1e-14),
    *(
        Reference(
            "chandelier_exit",
            output,
            "TA-Lib",
            partial(_chandelier_by_talib, output),
            note=_FIRST_VALUES,
            after=_CHANDELIER,
        )
        for output in ("long", "short")
    ),
    *(
        Reference("chandelier_exit", output, "definition", partial(_chandelier_defined, output), 1e-14)
        for output in ("long", "short")
    ),
    Reference(
        "squeeze", "on", "pandas-ta-classic", partial(_without_flat, partial(_squeeze_by_pandas_ta, 1)), note=_FLAT
    ),
    Reference("squeeze", "momentum", "pandas-ta-classic", partial(_squeeze_by_pandas_ta, 0)),
    Reference("squeeze", "on", "definition", _squeeze_on),
    Reference("squeeze", "momentum", "definition", _squeeze_momentum),
]
