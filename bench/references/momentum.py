"""Momentum: what others compute."""

import numpy as np
import pandas as pd
import pandas_ta_classic as pandas_ta
import talib
from ta.momentum import ROCIndicator, RSIIndicator, UltimateOscillator

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find

_RSI = find("rsi").look_back({"length": 14})
_CONNORS = find("connors_rsi").look_back({"rsi_length": 3, "streak_length": 2, "rank_length": 100})
_SEEDS = "averages begin otherwise: the same after the look-back"
_STILL = "ours is unknown, theirs 0, where nothing has moved"


def _rsi(candles: Candles) -> Floats:
    return RSIIndicator(candles.frame.close, 14).rsi().to_numpy()


def _roc(candles: Candles) -> Floats:
    return ROCIndicator(candles.frame.close, 12).roc().to_numpy()


def _momentum(candles: Candles) -> Floats:
    return pandas_ta.mom(candles.frame.close, length=10, talib=False).to_numpy()


def _cmo(candles: Candles) -> Floats:
    """The sums of the gains and of the losses, window by window."""
    values = np.full(len(candles), np.nan)
    for step in range(9, len(candles)):
        changes = np.diff(candles.close[step - 9 : step + 1])
        gains, losses = changes[changes > 0].sum(), -changes[changes < 0].sum()
        if gains + losses > 0:
            values[step] = 100 * (gains - losses) / (gains + losses)
    return values


def _cmo_by_pandas_ta(candles: Candles) -> Floats:
    """Their values, without the windows in which nothing moved, where a rest of rounding is divided by another."""
    still = candles.frame.close.rolling(10).max() == candles.frame.close.rolling(10).min()
    return pandas_ta.cmo(candles.frame.close, length=9, talib=False).mask(still).to_numpy()


def _ultimate(candles: Candles) -> Floats:
    frame = candles.frame
    return UltimateOscillator(frame.high, frame.low, frame.close, 7, 14, 28).ultimate_oscillator().to_numpy()


def _ultimate_by_definition(candles: Candles) -> Floats:
    """Bar by bar, as the article has it."""
    before = np.concatenate([[np.nan], candles.close[:-1]])
    low = np.minimum(candles.low, before)
    pressure, reach = candles.close - low, np.maximum(candles.high, before) - low
    values = np.full(len(candles), np.nan)
    for step in range(28, len(candles)):
        total = 0.0
        for length, weight in ((7, 4), (14, 2), (28, 1)):
            window = slice(step - length + 1, step + 1)
            moved = reach[window].sum()
            total += weight * pressure[window].sum() / moved if moved else np.nan
        values[step] = 100 * total / 7
    return values


def _connors(candles: Candles) -> Floats:
    """TA-Lib's rsi of the closes and of the streaks, and a rank by counting."""
    closes = candles.close
    streaks = np.zeros(len(closes))
    for step in range(1, len(closes)):
        up = int(np.sign(closes[step] - closes[step - 1]))
        streaks[step] = streaks[step - 1] + up if up * streaks[step - 1] > 0 else up
    changes = pd.Series(closes).pct_change()
    rank = changes.rolling(101).apply(lambda window: (window[:-1] <= window[-1]).mean() * 100, raw=True)
    return ((talib.RSI(closes, 3) + talib.RSI(streaks, 2) + rank) / 3).to_numpy()


ROWS = [
    Reference("rsi", "value", "TA-Lib", lambda candles: talib.RSI(candles.close, 14), after=_RSI, note=_STILL),
    Reference("rsi", "value", "ta", _rsi, after=_RSI, note=_SEEDS),
    Reference("roc", "value", "TA-Lib", lambda candles: talib.ROC(candles.close, 12)),
    Reference("roc", "value", "ta", _roc),
    Reference("momentum", "value", "TA-Lib", lambda candles: talib.MOM(candles.close, 10)),
    Reference("momentum", "value", "pandas-ta-classic", _momentum),
    Reference("cmo", "value", "definition", _cmo),
    Reference("cmo", "value", "pandas-ta-classic", _cmo_by_pandas_ta),
    Reference(
        "ultimate_oscillator",
        "value",
        "TA-Lib",
        lambda candles: talib.ULTOSC(candles.high, candles.low, candles.close, 7, 14, 28),
        note=_STILL,
    ),
    Reference("ultimate_oscillator", "value", "ta", _ultimate),
    Reference("ultimate_oscillator", "value", "definition", _ultimate_by_definition),
    Reference(
        "connors_rsi",
        "value",
        "definition",
        _connors,
        after=_CONNORS,
        note="made of TA-Lib's rsi; ours is unknown where nothing has moved",
    ),
]
