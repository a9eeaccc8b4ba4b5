"""What `ta` computes for us, computed by others."""

from functools import partial

import numpy as np
import pandas as pd
import pandas_ta_classic as pandas_ta
import talib

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find

_TSI = find("tsi").look_back({"slow": 25, "fast": 13})
_MASS = find("mass_index").look_back({"fast": 9, "slow": 25})
_STC = find("stc").look_back({"fast": 23, "slow": 50, "cycle": 10, "smooth1": 3, "smooth2": 3})
_SEEDS = "averages begin otherwise: the same after the look-back"


def _kst(candles: Candles, output: str) -> Floats:
    """TA-Lib's averages of its changes in percent."""
    pairs = ((10, 10), (15, 10), (20, 10), (30, 15))
    line = np.zeros(len(candles))
    for weight, (change, average) in enumerate(pairs, start=1):
        line += weight * talib.SMA(talib.ROC(candles.close, change), average)
    signal = talib.SMA(line, 9)
    return {"kst": line, "signal": signal, "histogram": line - signal}[output]


def _kst_by_pandas_ta(candles: Candles, output: str) -> Floats:
    lines = pandas_ta.kst(candles.frame.close)
    line, signal = lines.iloc[:, 0].to_numpy() / 100, lines.iloc[:, 1].to_numpy() / 100
    return {"kst": line, "signal": signal, "histogram": line - signal}[output]


def _tsi(candles: Candles) -> Floats:
    return pandas_ta.tsi(candles.frame.close, fast=13, slow=25).iloc[:, 0].to_numpy()


def _tsi_by_talib(candles: Candles) -> Floats:
    changes = np.diff(candles.close, prepend=np.nan)
    return 100 * talib.EMA(talib.EMA(changes, 25), 13) / talib.EMA(talib.EMA(np.abs(changes), 25), 13)


def _dpo(candles: Candles) -> Floats:
    return np.concatenate([np.full(11, np.nan), candles.close[:-11]]) - talib.SMA(candles.close, 20)


def _dpo_by_pandas_ta(candles: Candles) -> Floats:
    """Theirs is drawn where the older close stands."""
    return pandas_ta.dpo(candles.frame.close, length=20, centered=True).shift(11).to_numpy()


def _mass(candles: Candles) -> Floats:
    once = talib.EMA(candles.high - candles.low, 9)
    return pd.Series(once / talib.EMA(once, 9)).rolling(25).apply(np.sum, raw=True).to_numpy()


def _mass_by_pandas_ta(candles: Candles) -> Floats:
    """They add 2e-16 where there is no range: nothing, to large prices."""
    unit = 1e9 / candles.close.mean()
    return pandas_ta.massi(pd.Series(candles.high * unit), pd.Series(candles.low * unit)).to_numpy()


def _place(values: Floats) -> Floats:
    """Where each value lies in its range of the last ten, from 0 to 100."""
    places = np.full(len(values), np.nan)
    for step in range(9, len(values)):
        window = values[step - 9 : step + 1]
        if window.max() > window.min():
            places[step] = 100 * (values[step] - window.min()) / (window.max() - window.min())
    return places


def _half_way(places: Floats) -> Floats:
    """An average that goes half of the way to each place, and farther behind some that are unknown."""
    values = np.full(len(places), np.nan)
    average, rest = np.nan, 1.0
    for step, place in enumerate(places):
        if np.isnan(average):
            average = place
        elif np.isnan(place):
            rest /= 2
        else:
            average = (rest * average + place) / (rest + 1)
            rest = 1.0
        values[step] = average
    return values


def _stc(candles: Candles) -> Floats:
    line = talib.EMA(candles.close, 23) - talib.EMA(candles.close, 50)
    return _half_way(_place(_half_way(_place(line))))


def _ulcer(candles: Candles) -> Floats:
    """Window by window."""
    falls = np.full(len(candles), np.nan)
    for step in range(13, len(candles)):
        highest = candles.close[step - 13 : step + 1].max()
        falls[step] = 100 * (highest - candles.close[step]) / highest
    return np.sqrt(pd.Series(falls**2).rolling(14).apply(np.mean, raw=True)).to_numpy()


def _ulcer_by_pandas_ta(candles: Candles) -> Floats:
    return pandas_ta.ui(candles.frame.close, length=14).to_numpy()


ROWS = [
    *(
        Reference("kst", output, by, partial(compute, output=output), note=note)
        for output in ("kst", "signal", "histogram")
        for by, compute, note in (
            ("TA-Lib", _kst, "made of its ROC and SMA"),
            ("pandas-ta-classic", _kst_by_pandas_ta, "theirs is 100 times as large"),
        )
    ),
    Reference("tsi", "value", "TA-Lib", _tsi_by_talib, after=_TSI, note=f"made of its EMA; {_SEEDS}"),
    Reference("tsi", "value", "pandas-ta-classic", _tsi, after=_TSI, note=_SEEDS),
    Reference("dpo", "value", "TA-Lib", _dpo, note="made of its SMA"),
    Reference("dpo", "value", "pandas-ta-classic", _dpo_by_pandas_ta, note="theirs is drawn 11 candles back"),
    Reference("mass_index", "value", "TA-Lib", _mass, after=_MASS, note=f"made of its EMA; {_SEEDS}"),
    Reference("mass_index", "value", "pandas-ta-classic", _mass_by_pandas_ta, after=_MASS, note=_SEEDS),
    Reference("stc", "value", "definition", _stc, after=_STC, note=f"made of TA-Lib's EMA; {_SEEDS}"),
    Reference("ulcer_index", "value", "definition", _ulcer),
    Reference("ulcer_index", "value", "pandas-ta-classic", _ulcer_by_pandas_ta),
]
