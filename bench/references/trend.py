"""Trend: what others compute."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pandas_ta_classic as pandas_ta
import talib
from ta.trend import ADXIndicator, AroonIndicator, CCIIndicator, VortexIndicator

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find

_ADX = find("adx").look_back({"length": 14, "smoothing": 14})
_SEEDS = "averages begin otherwise: the same after the look-back"


def _aroon_by_ta(candles: Candles, output: str) -> Floats:
    """ta's values, without the candles whose window has its extreme more than once."""
    lines = AroonIndicator(candles.frame.high, candles.frame.low, 25)
    highs, lows = candles.frame.high.rolling(26), candles.frame.low.rolling(26)
    twice_high = highs.apply(lambda window: (window == window.max()).sum(), raw=True) > 1
    twice_low = lows.apply(lambda window: (window == window.min()).sum(), raw=True) > 1
    values = {
        "up": lines.aroon_up().mask(twice_high),
        "down": lines.aroon_down().mask(twice_low),
        "oscillator": lines.aroon_indicator().mask(twice_high | twice_low),
    }
    return values[output].to_numpy()


def _aroon_by_talib(candles: Candles, output: str) -> Floats:
    down, up = talib.AROON(candles.high, candles.low, 25)
    return {"up": up, "down": down, "oscillator": talib.AROONOSC(candles.high, candles.low, 25)}[output]


def _cci_by_ta(candles: Candles) -> Floats:
    return CCIIndicator(candles.frame.high, candles.frame.low, candles.frame.close, 20).cci().to_numpy()


def _cci_by_talib(candles: Candles) -> Floats:
    """TA-Lib's values, without the windows in which nothing moved."""
    typical = pd.Series((candles.high + candles.low + candles.close) / 3)
    still = typical.rolling(20).max() == typical.rolling(20).min()
    return np.where(still, np.nan, talib.CCI(candles.high, candles.low, candles.close, 20))


def _vortex(candles: Candles, output: str) -> Floats:
    lines = VortexIndicator(candles.frame.high, candles.frame.low, candles.frame.close, 14)
    values = {
        "plus": lines.vortex_indicator_pos(),
        "minus": lines.vortex_indicator_neg(),
        "difference": lines.vortex_indicator_diff(),
    }
    return values[output].to_numpy()


def _choppiness(candles: Candles) -> Floats:
    with np.errstate(divide="ignore"):
        return pandas_ta.chop(candles.frame.high, candles.frame.low, candles.frame.close, 14).to_numpy()


def _choppiness_defined(candles: Candles) -> Floats:
    table, length = candles.frame, 14
    before = table.close.shift()
    reach = pd.concat([table.high - table.low, (table.high - before).abs(), (table.low - before).abs()], axis=1)
    path = reach.max(axis=1).rolling(length).apply(np.sum, raw=True)
    height = table.high.rolling(length).max() - table.low.rolling(length).min()
    return (100 * np.log10(path / height.where(height > 0)) / np.log10(length)).to_numpy()


def _adx_by_ta(candles: Candles, output: str) -> Floats:
    lines = ADXIndicator(candles.frame.high, candles.frame.low, candles.frame.close, 14)
    values = {"adx": lines.adx, "plus_di": lines.adx_pos, "minus_di": lines.adx_neg}
    return values[output]().to_numpy()


def _adx_by_talib(candles: Candles, output: str) -> Floats:
    function = {"adx": talib.ADX, "plus_di": talib.PLUS_DI, "minus_di": talib.MINUS_DI}[output]
    return function(candles.high, candles.low, candles.close, 14)


def _rows(
    indicator: str, by: str, compute: Callable[..., Floats], note: str = "", after: int | None = None
) -> list[Reference]:
    """A row for each output."""
    return [
        Reference(indicator, output, by, partial(compute, output=output), note=note, after=after)
        for output in find(indicator).outputs
    ]


ROWS: list[Reference] = [
    *_rows("adx", "TA-Lib", _adx_by_talib, _SEEDS, _ADX),
    *_rows("adx", "ta", _adx_by_ta, _SEEDS, _ADX),
    *_rows("aroon", "TA-Lib", _aroon_by_talib),
    *_rows("aroon", "ta", _aroon_by_ta, "of equal highs or lows ta takes the oldest: compared where there are none"),
    Reference("cci", "value", "TA-Lib", _cci_by_talib, note="0 where nothing moved in the window; unknown here"),
    Reference("cci", "value", "ta", _cci_by_ta),
    *_rows("vortex", "ta", _vortex),
    Reference(
        "choppiness",
        "value",
        "pandas-ta-classic",
        _choppiness,
        1e-7,
        note="sums lose digits of what has left the window",
    ),
    Reference("choppiness", "value", "definition", _choppiness_defined),
]
