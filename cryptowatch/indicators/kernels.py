"""The arithmetic of the indicators: numba kernels over float64 arrays of shape `(market, time)`.

Each walks a market from its first candle on, one step after the other, without reassociation: the value at a candle
depends on the series' first candle and on what lies between, never on how many candles or markets follow. A NaN makes
a window unknown while it is inside; a recursive average starts anew behind it, with its warm-up.
"""

import numpy as np
from numba import njit

from cryptowatch.markets.panel import Floats

_compiled = njit("float64[:,::1](float64[:,::1], int64)", cache=True, nogil=True)


@_compiled
def sma(source: Floats, length: int) -> Floats:
    """Simple moving average of the last `length` values; on a window of equal values it is exactly that value."""
    markets, steps = source.shape
    out = np.full((markets, steps), np.nan)
    for market in range(markets):
        known = 0
        equal = 0
        for step in range(steps):
            value = source[market, step]
            if np.isnan(value):
                known = 0
                equal = 0
                continue
            equal = equal + 1 if known > 0 and value == source[market, step - 1] else 1
            known += 1
            if known < length:
                continue
            if equal >= length:
                out[market, step] = value
                continue
            total = 0.0
            for back in range(step - length + 1, step + 1):
                total += source[market, back]
            out[market, step] = total / length
    return out


@_compiled
def deviation(source: Floats, length: int) -> Floats:
    """Population standard deviation of the last `length` values; exactly 0 on a window of equal values."""
    markets, steps = source.shape
    mean = sma(source, length)
    out = np.full((markets, steps), np.nan)
    for market in range(markets):
        for step in range(steps):
            center = mean[market, step]
            if np.isnan(center):
                continue
            total = 0.0
            for back in range(step - length + 1, step + 1):
                distance = source[market, back] - center
                total += distance * distance
            out[market, step] = np.sqrt(total / length)
    return out


@_compiled
def ema(source: Floats, length: int) -> Floats:
    """Exponential moving average with weight `2 / (length + 1)`, begun with the mean of the first `length` values."""
    markets, steps = source.shape
    start = sma(source, length)
    weight = 2.0 / (length + 1)
    out = np.full((markets, steps), np.nan)
    for market in range(markets):
        average = np.nan
        for step in range(steps):
            value = source[market, step]
            if np.isnan(value):
                average = np.nan
            elif np.isnan(average):
                average = start[market, step]
            else:
                average += weight * (value - average)
            out[market, step] = average
    return out


@_compiled
def rsi(source: Floats, length: int) -> Floats:
    """Wilder's relative strength index, its averages begun with the mean of the first `length` changes.

    100 when nothing fell within the averages, as charts show it.
    """
    markets, steps = source.shape
    out = np.full((markets, steps), np.nan)
    for market in range(markets):
        known = 0
        gain = 0.0
        loss = 0.0
        for step in range(steps):
            value = source[market, step]
            if np.isnan(value):
                known = 0
                continue
            known += 1
            if known == 1:
                gain = 0.0
                loss = 0.0
                continue
            change = value - source[market, step - 1]
            up = change if change > 0 else 0.0
            down = -change if change < 0 else 0.0
            if known <= length + 1:
                gain += up
                loss += down
                if known <= length:
                    continue
                gain /= length
                loss /= length
            else:
                gain = (gain * (length - 1) + up) / length
                loss = (loss * (length - 1) + down) / length
            out[market, step] = 100.0 if loss == 0.0 else 100.0 - 100.0 / (1.0 + gain / loss)
    return out
