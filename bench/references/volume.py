"""What others compute for the group `volume`.

Levels that are added up from the first candle on are compared as levels: where others begin with another one, that is
taken away first.
"""

import numpy as np
import pandas as pd
import talib
from ta import volume as ta

from bench.references import Candles, Floats, Reference

#: TA-Lib takes a flow of less than 1 in a window for none at all: so much more volume keeps it above that.
MORE = 2.0**60


def _hlcv(candles: Candles) -> tuple[Floats, Floats, Floats, Floats]:
    return candles.high, candles.low, candles.close, candles.volume


def _hlcv_series(candles: Candles) -> dict[str, pd.Series]:
    return {name: pd.Series(getattr(candles, name)) for name in ("high", "low", "close", "volume")}


def _closes(candles: Candles) -> dict[str, pd.Series]:
    return {name: pd.Series(getattr(candles, name)) for name in ("close", "volume")}


def _windows(values: Floats, length: int) -> Floats:
    """Each window as a row; NaN before the first value."""
    return np.lib.stride_tricks.sliding_window_view(np.concatenate((np.full(length - 1, np.nan), values)), length)


def _obv(candles: Candles) -> Floats:
    return talib.OBV(candles.close, candles.volume) - candles.volume[0]


def _obv_defined(candles: Candles) -> Floats:
    directions = np.sign(np.diff(candles.close, prepend=candles.close[:1]))
    return np.cumsum(directions * candles.volume)


def _mfi(candles: Candles) -> Floats:
    high, low, close, volume = _hlcv(candles)
    values = talib.MFI(high, low, close, volume * MORE, 14)
    typical = (high + low + close) / 3
    moved = np.abs(np.diff(typical, prepend=np.nan)) * volume > 0
    return np.where(_windows(moved.astype(np.float64), 14).any(axis=1), values, np.nan)


def _mfi_by_ta(candles: Candles) -> Floats:
    """ta's values, without the windows with a mean price that did not move but for rounding."""
    values = ta.MFIIndicator(**_hlcv_series(candles)).money_flow_index().to_numpy()
    prices = (candles.high + candles.low + candles.close) / 3
    moves = np.abs(np.diff(prices, prepend=prices[:1])) / prices
    rounded = (moves > 0) & (moves < 1e-13)
    return np.where((_windows(rounded.astype(np.float64), 14) == 1).any(axis=1), np.nan, values)


def _force(candles: Candles) -> Floats:
    return np.concatenate(([np.nan], talib.EMA(np.diff(candles.close) * candles.volume[1:], 13)))


def _ease(candles: Candles) -> ta.EaseOfMovementIndicator:
    series = _hlcv_series(candles)
    return ta.EaseOfMovementIndicator(series["high"], series["low"], series["volume"], 14)


def _ease_defined(candles: Candles) -> Floats:
    middle = (candles.high + candles.low) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        boxes = candles.volume / 1e8 / (candles.high - candles.low)
        values = np.diff(middle, prepend=np.nan) / boxes
    values[candles.volume == 0] = 0
    values[0] = np.nan
    return values


def _ease_average_defined(candles: Candles) -> Floats:
    return _windows(_ease_defined(candles), 14).mean(axis=1)


def _vpt_defined(candles: Candles) -> Floats:
    returns = np.diff(candles.close) / candles.close[:-1]
    return np.concatenate(([0.0], np.cumsum(returns * candles.volume[1:])))


def _nvi_defined(candles: Candles) -> Floats:
    returns = np.where(np.diff(candles.volume) < 0, candles.close[1:] / candles.close[:-1], 1.0)
    return np.concatenate(([1000.0], 1000 * np.cumprod(returns)))


def _relative_volume_defined(candles: Candles) -> Floats:
    with np.errstate(invalid="ignore"):
        return candles.volume / _windows(candles.volume, 20).mean(axis=1)


def _rolling_vwap_defined(candles: Candles) -> Floats:
    turnover = candles.volume * (candles.high + candles.low + candles.close) / 3
    with np.errstate(invalid="ignore"):
        return _windows(turnover, 14).sum(axis=1) / _windows(candles.volume, 14).sum(axis=1)


def _cmf_defined(candles: Candles) -> Floats:
    high, low, close, volume = _hlcv(candles)
    with np.errstate(invalid="ignore"):
        flows = np.where(high > low, (2 * close - high - low) / (high - low) * volume, 0.0)
        return _windows(flows, 20).sum(axis=1) / _windows(volume, 20).sum(axis=1)


ROWS: list[Reference] = [
    Reference("obv", "value", "TA-Lib", _obv, note="its first level, the first candle's volume, taken away"),
    Reference("obv", "value", "definition", _obv_defined, note="ta adds the volume of candles with the same close"),
    Reference("adl", "value", "TA-Lib", lambda candles: talib.AD(*_hlcv(candles))),
    Reference("adl", "value", "ta", lambda candles: ta.AccDistIndexIndicator(**_hlcv_series(candles)).acc_dist_index()),
    Reference(
        "cmf",
        "value",
        "ta",
        lambda candles: ta.ChaikinMoneyFlowIndicator(**_hlcv_series(candles)).chaikin_money_flow(),
        note="it keeps rounding noise of what has left the window",
    ),
    Reference("cmf", "value", "definition", _cmf_defined),
    Reference(
        "mfi", "value", "TA-Lib", _mfi, note="volumes times 2**60: it takes a flow of less than 1 in a window for none"
    ),
    Reference(
        "mfi",
        "value",
        "ta",
        _mfi_by_ta,
        note="it has a value one candle earlier; without windows in which rounding decides whether a price moved",
    ),
    Reference("force_index", "value", "TA-Lib", _force, note="its EMA, of volume times change"),
    Reference(
        "force_index",
        "value",
        "ta",
        lambda candles: ta.ForceIndexIndicator(**_closes(candles)).force_index(),
        after=180,
        note="the average begins with its first value",
    ),
    Reference(
        "ease_of_movement",
        "value",
        "ta",
        lambda candles: _ease(candles).ease_of_movement(),
        parameters=(14, 1e8),
        note="its divisor, 100,000,000; unknown on candles without a trade",
    ),
    Reference("ease_of_movement", "value", "definition", _ease_defined, parameters=(14, 1e8)),
    Reference(
        "ease_of_movement",
        "average",
        "ta",
        lambda candles: _ease(candles).sma_ease_of_movement(),
        parameters=(14, 1e8),
        note="its divisor, 100,000,000; unknown while a candle without a trade is in the window",
    ),
    Reference("ease_of_movement", "average", "definition", _ease_average_defined, parameters=(14, 1e8)),
    Reference(
        "vpt",
        "value",
        "ta",
        lambda candles: ta.VolumePriceTrendIndicator(**_closes(candles)).volume_price_trend(),
        note="its first value is that of the second candle",
    ),
    Reference("vpt", "value", "definition", _vpt_defined),
    Reference(
        "nvi",
        "value",
        "ta",
        lambda candles: ta.NegativeVolumeIndexIndicator(**_closes(candles)).negative_volume_index(),
        note="of a level of 1000",
    ),
    Reference("nvi", "value", "definition", _nvi_defined, note="of a level of 1000"),
    Reference(
        "relative_volume",
        "value",
        "TA-Lib",
        lambda candles: candles.volume / talib.SMA(candles.volume, 20),
        note="its SMA; it keeps rounding noise of what has left the window",
    ),
    Reference("relative_volume", "value", "definition", _relative_volume_defined),
    Reference(
        "rolling_vwap",
        "value",
        "ta",
        lambda candles: ta.VolumeWeightedAveragePrice(**_hlcv_series(candles)).volume_weighted_average_price(),
        note="it keeps rounding noise of what has left the window",
    ),
    Reference("rolling_vwap", "value", "definition", _rolling_vwap_defined),
]
