"""The arithmetic of the indicators: numba kernels over float64 arrays of shape `(market, time)`.

Each walks a market from its first candle on, one step after the other, without reassociation: the value at a candle
depends on the series' first candle and on what lies between, never on how many candles or markets follow. A NaN makes
a window unknown while it is inside; a recursive average starts anew behind it, with its warm-up.

Windows cost the same whatever their length, and never subtract what leaves them (a spike would stay behind as
rounding noise): the series is cut into blocks as long as the window, and each window is the end of one block joined
with the beginning of the next.

Importing this module loads numba and the compiled code (seconds, the first time): only what evaluates does.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit, types

from cryptowatch.markets.panel import Floats

Kernel = TypeVar("Kernel", bound=Callable[..., Floats])

_types: Any = types
#: What a kernel reads; an array that may not be written to is as good.
_SERIES = _types.Array(_types.float64, 2, "C", readonly=True)
_OUT = _types.Array(_types.float64, 2, "C")


def _compiled(numbers: int) -> Callable[[Kernel], Kernel]:
    """Compile a kernel of one series and so many whole numbers, once: the code is kept on disk."""
    compiled: Callable[[Kernel], Kernel] = njit(_OUT(_SERIES, *[_types.int64] * numbers), cache=True, nogil=True)
    return compiled


@_compiled(1)
def sma(source: Floats, length: int) -> Floats:
    """Simple moving average of the last `length` values; on a window of equal values it is exactly that value."""
    markets, steps = source.shape
    out = np.full((markets, steps), np.nan)
    ends = np.zeros(length)  # by place in the block before: the sum from there to its end
    for market in range(markets):
        known = 0
        equal = 0
        begun = 0.0
        for step in range(steps):
            value = source[market, step]
            if np.isnan(value):
                known = 0
                continue
            equal = equal + 1 if known > 0 and value == source[market, step - 1] else 1
            place = known % length
            known += 1
            if place == 0:
                begun = 0.0
                if known > length:
                    total = 0.0
                    for back in range(1, length):
                        total += source[market, step - back]
                        ends[length - back] = total
            begun += value
            if known < length:
                continue
            if equal >= length:
                out[market, step] = value
            elif place == length - 1:
                out[market, step] = begun / length
            else:
                out[market, step] = (ends[place + 1] + begun) / length
    return out


@_compiled(1)
def deviation(source: Floats, length: int) -> Floats:
    """Population standard deviation of the last `length` values; exactly 0 on a window of equal values.

    Welford's update within a block, Chan's formula to join two (Chan, Golub, LeVeque 1979): sums of squares of
    distances from a mean, which only grow, so nothing cancels.
    """
    markets, steps = source.shape
    out = np.full((markets, steps), np.nan)
    end_means = np.zeros(length)
    end_squares = np.zeros(length)
    for market in range(markets):
        known = 0
        equal = 0
        mean = 0.0
        squares = 0.0
        for step in range(steps):
            value = source[market, step]
            if np.isnan(value):
                known = 0
                continue
            equal = equal + 1 if known > 0 and value == source[market, step - 1] else 1
            place = known % length
            known += 1
            if place == 0:
                mean = 0.0
                squares = 0.0
                if known > length:
                    end_mean = 0.0
                    end_square = 0.0
                    for back in range(1, length):
                        past = source[market, step - back]
                        distance = past - end_mean
                        end_mean += distance / back
                        end_square += distance * (past - end_mean)
                        end_means[length - back] = end_mean
                        end_squares[length - back] = end_square
            count = place + 1
            distance = value - mean
            mean += distance / count
            squares += distance * (value - mean)
            if known < length:
                continue
            if equal >= length:
                out[market, step] = 0.0
            elif count == length:
                out[market, step] = np.sqrt(squares / length)
            else:
                apart = mean - end_means[count]
                total = squares + end_squares[count] + apart * apart * count * (length - count) / length
                out[market, step] = np.sqrt(total / length)
    return out


@_compiled(1)
def ema(source: Floats, length: int) -> Floats:
    """Exponential moving average with weight `2 / (length + 1)`, begun with the mean of the first `length` values.

    While all values so far were equal it is exactly that value.
    """
    markets, steps = source.shape
    weight = 2.0 / (length + 1)
    out = np.full((markets, steps), np.nan)
    for market in range(markets):
        known = 0
        equal = 0
        total = 0.0
        average = np.nan
        for step in range(steps):
            value = source[market, step]
            if np.isnan(value):
                known = 0
                continue
            if known == 0:
                equal = 0
                total = 0.0
            elif value == source[market, step - 1]:
                equal += 1
            known += 1
            if known <= length:
                total += value
                if known < length:
                    continue
                average = value if equal == length - 1 else total / length
            else:
                average += weight * (value - average)
            out[market, step] = average
    return out


@_compiled(2)
def rsi(source: Floats, length: int, fade: int) -> Floats:
    """Wilder's relative strength index, its averages begun with the mean of the first `length` changes.

    100 when there was no fall within the averages, as charts show it. A candle without a change leaves it exactly
    as it was: both averages shrink alike. After `fade` such candles in a row it is unknown: it would then be made of
    what a shorter series does not even hold.
    """
    markets, steps = source.shape
    out = np.full((markets, steps), np.nan)
    for market in range(markets):
        known = 0
        still = 0
        gain = 0.0
        loss = 0.0
        strength = np.nan
        for step in range(steps):
            value = source[market, step]
            if np.isnan(value):
                known = 0
                continue
            known += 1
            if known == 1:
                still = 0
                gain = 0.0
                loss = 0.0
                strength = np.nan
                continue
            change = value - source[market, step - 1]
            up = change if change > 0 else 0.0
            down = -change if change < 0 else 0.0
            still = still + 1 if change == 0 else 0
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
            if known == length + 1 or change != 0:
                strength = 100.0 if gain > 0 else np.nan
                if loss > 0:
                    strength = 100.0 - 100.0 / (1.0 + gain / loss)
            if still < fade:
                out[market, step] = strength
    return out
