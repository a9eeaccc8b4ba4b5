"""Moving averages."""

import math

import numpy as np

from cryptowatch.indicators.catalogue import forgets, indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.smoothing import forgets_of, go_on_and_settle, next_repeat
from cryptowatch.indicators.windows import mean, mean_by_weight, rising_mean, sums


def ema_look_back(candles: int) -> int:
    """Candles after which an `ema` of this length has forgotten its start."""
    return candles + forgets(2 / (candles + 1))


def wilder_look_back(candles: int) -> int:
    """Candles after which Wilder's average of this length has forgotten its start."""
    return candles + forgets(1 / candles)


@indicator(
    "Simple moving average",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="mean of the last `length` values",
    source="TradingView, ta.sma",
)
@kernel
def sma(source: Series, length: int, value: Out) -> None:
    mean(source, length, value)


@indicator(
    "Exponential moving average",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: ema_look_back(length),
    drawn="price",
    formula="average + 2 / (`length` + 1) * (value - average), begun with the mean of the first `length` values",
    source="TradingView, ta.ema",
    notes="ta begins with the first value; after the look-back they agree.",
)
@kernel
def ema(source: Series, length: int, value: Out) -> None:
    smooth(source, length, 2.0 / (length + 1), value)


@indicator(
    "Wilder's moving average",
    length(14),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: wilder_look_back(length),
    drawn="price",
    formula="average + (value - average) / `length`, begun with the mean of the first `length` values",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.rma",
    notes="Also called smoothed or modified moving average: the average in rsi, atr and adx.",
    aliases=("wilder", "smma"),
)
@kernel
def rma(source: Series, length: int, value: Out) -> None:
    smooth(source, length, 1.0 / length, value)


@kernel
def smooth(source: Series, length: int, weight: float, value: Out) -> None:
    """The average with this weight for the newest value, begun with the mean of the first `length` values.

    While all values so far were equal it is exactly that value, and where they have been for as long as it remembers.
    Values that are NaN at the start are passed over.
    """
    steps = len(source)
    first = 0
    while first < steps and np.isnan(source[first]):
        first += 1
    begin = first + length - 1
    if begin >= steps:
        return
    total = 0.0
    for step in range(first, begin + 1):
        total += source[step] - source[first]
    value[begin] = source[first] + total / length
    go_on_and_settle(source[first:], length - 1, weight, value[first:])


@indicator(
    "Weighted moving average",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="mean of the last `length` values, in which the oldest counts once, the next twice, the newest "
    "`length` times",
    source="TradingView, ta.wma",
)
@kernel
def wma(source: Series, length: int, value: Out) -> None:
    rising_mean(source, length, value)


@indicator(
    "Double exponential moving average",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: 2 * (length - 1),
    look_back=lambda length: 2 * ema_look_back(length),
    drawn="price",
    formula="2 * e1 - e2, where e1 is ema(`length`) and e2 the same average of e1, begun with the mean of its first "
    "`length` values",
    source="Patrick Mulloy, Smoothing Data with Faster Moving Averages, "
    "Technical Analysis of Stocks & Commodities (1994)",
)
@kernel
def dema(source: Series, length: int, value: Out) -> None:
    steps, last = len(source), length - 1
    weight = 2.0 / (length + 1)
    once = np.empty(steps)
    smooth(source, length, weight, once)
    smooth(once[last:], length, weight, value[last:])
    once, value = once[2 * last :], value[2 * last :]
    for step in range(len(value)):
        value[step] = once[step] + (once[step] - value[step])


@indicator(
    "Triple exponential moving average",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: 3 * (length - 1),
    look_back=lambda length: 3 * ema_look_back(length),
    drawn="price",
    formula="3 * e1 - 3 * e2 + e3, where e1 is ema(`length`), e2 the same average of e1 and e3 that of e2, each begun "
    "with the mean of its first `length` values",
    source="Patrick Mulloy, Smoothing Data with Faster Moving Averages, "
    "Technical Analysis of Stocks & Commodities (1994)",
)
@kernel
def tema(source: Series, length: int, value: Out) -> None:
    steps, last = len(source), length - 1
    weight = 2.0 / (length + 1)
    once, twice = np.empty(steps), np.empty(steps)
    smooth(source, length, weight, once)
    smooth(once[last:], length, weight, twice[last:])
    smooth(twice[2 * last :], length, weight, value[2 * last :])
    once, twice, value = once[3 * last :], twice[3 * last :], value[3 * last :]
    for step in range(len(value)):
        value[step] += 3.0 * (once[step] - twice[step])


@indicator(
    "Hull moving average",
    length(9, least=2),
    outputs={"value": "price"},
    warm_up=lambda length: length + math.isqrt(length) - 2,
    look_back=lambda length: length + math.isqrt(length) - 1,
    drawn="price",
    formula="wma of 2 * wma(`length` / 2) - wma(`length`) over the square root of `length` candles; both are rounded "
    "down",
    source="Alan Hull, How to reduce lag in a moving average (2005); TradingView, ta.hma",
)
@kernel
def hma(source: Series, length: int, value: Out) -> None:
    steps = len(source)
    if steps < length:
        return
    fast, ahead = np.empty(steps), np.empty(steps)
    rising_mean(source, length // 2, fast)
    rising_mean(source, length, ahead)
    for step in range(length - 1, steps):
        ahead[step] = fast[step] + (fast[step] - ahead[step])
    rising_mean(ahead[length - 1 :], int(np.sqrt(length)), value[length - 1 :])


@indicator(
    "Zero-lag exponential moving average",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: (length - 1) // 2 + length - 1,
    look_back=lambda length: (length - 1) // 2 + ema_look_back(length),
    drawn="price",
    formula="ema(`length`) of value + (value - value `lag` candles ago), where `lag` is (`length` - 1) / 2, "
    "rounded down",
    source="John Ehlers and Ric Way, Zero Lag (Well, Almost), Technical Analysis of Stocks & Commodities (2010)",
    notes="The simple form that charts show under this name; the article also searches for the best gain.",
    aliases=("zlma",),
)
@kernel
def zlema(source: Series, length: int, value: Out) -> None:
    steps = len(source)
    lag = (length - 1) // 2
    if steps <= lag:
        return
    now = source[lag:]
    ahead = np.empty(len(now))
    for step in range(len(now)):
        ahead[step] = now[step] + (now[step] - source[step])
    smooth(ahead, length, 2.0 / (length + 1), value[lag:])


@indicator(
    "Volume-weighted moving average",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="mean of the last `length` values, in which each counts as much as its candle's volume",
    source="TradingView, ta.vwma",
    notes="Unknown where nothing was traded in `length` candles.",
)
@kernel
def vwma(source: Series, volume: Series, length: int, value: Out) -> None:
    mean_by_weight(source, volume, length, value)


@indicator(
    "Kaufman's adaptive moving average",
    length(10),
    length(2, "fast"),
    length(30, "slow", 2),
    ascending=("fast", "slow"),
    outputs={"value": "price"},
    warm_up=lambda length, fast, slow: length,
    look_back=lambda length, fast, slow: length + 1 + forgets((2 / (slow + 1)) ** 2),
    drawn="price",
    formula="average + weight ** 2 * (value - average), where weight goes from 2 / (`slow` + 1) to 2 / (`fast` + 1) "
    "as efficiency goes from 0 to 1: the way from `length` candles ago to now, as a share of all moves in between; "
    "begun with the value before the first that has an efficiency",
    source="Perry Kaufman, Trading Systems and Methods (1995)",
    notes="Begun as in TA-Lib and ta, which shows the beginning as its first value. Where nothing has moved efficiency "
    "is 0, as in ta and chart scripts; it is 1 in TA-Lib, whose average then runs to the price. In a market that goes "
    "nowhere it may remember its start for thousands of candles: the look-back is that worst case.",
)
@kernel
def kama(source: Series, length: int, fast: int, slow: int, value: Out) -> None:
    steps = len(source)
    if steps <= length:
        return
    slowest = 2.0 / (slow + 1)
    span = 2.0 / (fast + 1) - slowest
    moves = np.empty(steps - 1)
    after = source[1:]
    for step in range(len(moves)):
        moves[step] = abs(after[step] - source[step])
    ways = sums(moves, length)[length - 1 :]
    now, before, value = source[length:], source[length - 1 :], value[length:]
    count = len(now)
    rests, pulls = np.empty(count), np.empty(count)
    for step in range(count):
        efficiency = abs(now[step] - source[step]) / ways[step] if ways[step] > 0 else 0.0
        weight = slowest + span * efficiency
        rests[step] = 1.0 - weight * weight
        pulls[step] = rests[step] * (now[step] - before[step])
    # Where nothing has moved for as long as the slowest average remembers, it is exactly the value.
    remembered = length + forgets_of(slowest * slowest)
    settled = next_repeat(source, 0, remembered)
    while settled < steps:
        rests[settled - length] = 0.0
        while settled < steps and source[settled] == source[settled - 1]:
            settled += 1
        settled = next_repeat(source, settled, remembered)
    # The average's distance from the value is `rests` times the one before it less `pulls`. Each would wait for the one
    # before: two candles are joined, and it follows from the distance two candles before.
    rests_both, pulls_both = np.empty(count), np.empty(count)
    rests_both[0], pulls_both[0] = 0.0, pulls[0]
    rest_after, pull_after, rest_out, pull_out = rests[1:], pulls[1:], rests_both[1:], pulls_both[1:]
    for step in range(count - 1):
        rest_out[step] = rest_after[step] * rests[step]
        pull_out[step] = pull_after[step] + rest_after[step] * pulls[step]
    even = odd = 0.0
    for step in range(0, count - 1, 2):
        even = rests_both[step] * even - pulls_both[step]
        odd = rests_both[step + 1] * odd - pulls_both[step + 1]
        value[step], value[step + 1] = even, odd
    if count % 2:
        value[count - 1] = rests_both[count - 1] * even - pulls_both[count - 1]
    for step in range(count):
        value[step] += now[step]
