"""Trend: whether there is one, which way it goes and how strong it is."""

import math

import numpy as np

from cryptowatch.indicators.averages import wilder_look_back
from cryptowatch.indicators.catalogue import indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.momentum import rsi_look_back, smooth_and_forget, smooth_anew
from cryptowatch.indicators.smoothing import standstill_of
from cryptowatch.indicators.windows import greatest, least, mean, mean_of_three, sums, true_ranges

#: Candles whose deviations `cci` sums at a time; they stay in the fastest cache.
_TILE = 128


def _adx_warm_up(length: int, smoothing: int) -> dict[str, int]:
    return {"adx": length + smoothing - 1, "plus_di": length, "minus_di": length}


@indicator(
    "Average directional index",
    length(14),
    length(14, "smoothing"),
    outputs={"adx": "percent", "plus_di": "percent", "minus_di": "percent"},
    warm_up=_adx_warm_up,
    look_back=lambda length, smoothing: rsi_look_back(length) + wilder_look_back(smoothing),
    levels=(20, 25),
    formula="a rise of the high that exceeds the fall of the low is upward movement, and the other way round; plus_di "
    "and minus_di: 100 * Wilder's average of upward and of downward movement / of the true range, over `length`; "
    "adx: Wilder's average over `smoothing` of 100 * |plus_di - minus_di| / (plus_di + minus_di)",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.dmi",
    notes="Averages begin with a mean, as on TradingView; TA-Lib and ta begin theirs otherwise: they agree after the "
    "look-back. Where nothing moves up or down, adx averages 0, as on "
    "TradingView. plus_di and minus_di stay exactly as they were while a price stands still. All three are "
    "unknown when it has stood still for ten lengths (1000 candles at most); adx then starts anew.",
    aliases=("dmi",),
)
@kernel
def adx(
    high: Series, low: Series, close: Series, length: int, smoothing: int, adx: Out, plus_di: Out, minus_di: Out
) -> None:
    steps = len(high) - 1
    if steps < length:
        return
    ranges = np.empty(steps + 1)
    upward, downward, moves = np.empty(steps), np.empty(steps), np.empty(steps)
    plus, minus, reach = np.empty(steps), np.empty(steps), np.empty(steps)
    true_ranges(high, low, close, ranges)
    ranges, tops, bottoms = ranges[1:], high[1:], low[1:]
    for step in range(steps):
        rise, fall = tops[step] - high[step], low[step] - bottoms[step]
        upward[step] = rise if rise > fall and rise > 0 else 0.0
        downward[step] = fall if fall > rise and fall > 0 else 0.0
        moves[step] = upward[step] + downward[step]
    weight, remembered = 1.0 / length, standstill_of(length)
    smooth_and_forget(upward, moves, length, weight, remembered, plus)
    smooth_and_forget(downward, moves, length, weight, remembered, minus)
    smooth_and_forget(ranges, ranges, length, weight, remembered, reach)
    first = length - 1
    ranges, plus, minus, reach, strength = ranges[first:], plus[first:], minus[first:], reach[first:], moves[first:]
    adx, up, down = adx[length:], plus_di[length:], minus_di[length:]
    for step in range(len(up)):
        total = plus[step] + minus[step]
        share = 100.0 * (abs(plus[step] - minus[step]) / total)
        share = share if total > 0 else 0.0
        known = 1.0 if reach[step] > 0 else np.nan
        strength[step] = known * share
        up[step] = 100.0 * (plus[step] / reach[step]) * known
        down[step] = 100.0 * (minus[step] / reach[step]) * known
    for step in range(1, len(up)):
        if ranges[step] == 0 and reach[step] > 0:
            up[step], down[step], strength[step] = up[step - 1], down[step - 1], strength[step - 1]
    smooth_anew(strength, smoothing, 1.0 / smoothing, adx)


@indicator(
    "Aroon",
    length(25),
    outputs={"up": "percent", "down": "percent", "oscillator": "percent"},
    optional=("oscillator",),
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(30, 70),
    formula="up: 100 * (`length` - candles since the highest high of this candle and the `length` before it) / "
    "`length`; down: the same for the lowest low; oscillator: up - down",
    source="Tushar Chande, A Time Price Oscillator, Technical Analysis of Stocks & Commodities (1995); "
    "TradingView, ta.highestbars and ta.lowestbars",
    notes="Of equal highs, or lows, the newest counts, as in TA-Lib and pandas-ta; ta takes the oldest. So all three "
    "say 100, 100 and 0 where a price stands still. TradingView and TA-Lib take 14 candles by default; Chande 25.",
)
@kernel
def aroon(high: Series, low: Series, length: int, up: Out, down: Out, oscillator: Out) -> None:
    steps = len(high)
    if steps <= length:
        return
    since_high, since_low = np.empty(steps), np.empty(steps)
    candles_since_extreme(high, 1.0, length + 1, since_high)
    candles_since_extreme(low, -1.0, length + 1, since_low)
    share = 100.0 / length
    since_high, since_low = since_high[length:], since_low[length:]
    up, down, oscillator = up[length:], down[length:], oscillator[length:]
    for step in range(len(up)):
        up[step] = share * (length - since_high[step])
        down[step] = share * (length - since_low[step])
    for step in range(len(oscillator)):
        oscillator[step] = up[step] - down[step]


@kernel
def candles_since_extreme(source: Series, sign: float, length: int, value: Out) -> None:
    """Candles since the greatest value of each window, or, where `sign` is -1, the least; of equals, the newest.

    The windows grow: the greatest of one four times as wide is the greatest of four, for several candles at a time.
    `value` is undefined before the first window is full.
    """
    steps = len(source)
    most, more, since, longer = np.empty(steps), np.empty(steps), np.empty(steps), np.empty(steps)
    for step in range(steps):
        most[step] = sign * source[step]
        since[step] = 0.0
    width = 1
    while 4 * width < length:
        widen(most, since, width, 4 * width, more, longer)
        most, more, since, longer, width = more, most, longer, since, 4 * width
    widen(most, since, width, length, more, value)


@kernel
def widen(most: Series, since: Series, width: int, wider: int, more: Out, longer: Out) -> None:
    """The greatest values of wider windows, and the candles since, from those of windows of `width`."""
    begin = wider - 1
    if begin >= len(most):
        return
    second, third, last = min(width, wider - width), min(2 * width, wider - width), wider - width
    most_1, most_2, most_3, most_4 = most[begin:], most[begin - second :], most[begin - third :], most[begin - last :]
    since_1, since_2 = since[begin:], since[begin - second :]
    since_3, since_4 = since[begin - third :], since[begin - last :]
    more, longer = more[begin:], longer[begin:]
    for step in range(len(more)):
        newer, here = most_1[step], since_1[step]
        here = here if newer >= most_2[step] else since_2[step] + second
        newer = newer if newer >= most_2[step] else most_2[step]
        older, there = most_3[step], since_3[step] + third
        there = there if older >= most_4[step] else since_4[step] + last
        older = older if older >= most_4[step] else most_4[step]
        longer[step] = here if newer >= older else there
        more[step] = newer if newer >= older else older


@indicator(
    "Commodity channel index",
    length(20, least=2),
    outputs={"value": "percent"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    levels=(-100, 100),
    formula="(typical price - its sma) / (0.015 * mean distance of the last `length` typical prices from that sma), "
    "with the typical price (high + low + close) / 3",
    source="Donald Lambert, Commodity Channel Index, Commodities (1980); TradingView, ta.cci",
    notes="Unknown where the typical price has not moved for `length` candles, as on TradingView and in ta; TA-Lib "
    "says 0 there.",
)
@kernel
def cci(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    steps = len(high)
    typical, middle = np.empty(steps), np.empty(steps)
    for step in range(steps):
        typical[step] = mean_of_three(high[step], low[step], close[step])
    mean(typical, length, middle)
    distances = np.empty(_TILE)
    for start in range(length - 1, steps, _TILE):
        now, center, out = typical[start : start + _TILE], middle[start : start + _TILE], value[start : start + _TILE]
        count = len(out)
        distances[:] = 0.0
        # Candle by candle each sum keeps its order, while neighbours are added at once.
        whole = length // 4 * 4
        for lag in range(0, whole, 4):
            first, second = typical[start - lag :], typical[start - lag - 1 :]
            third, fourth = typical[start - lag - 2 :], typical[start - lag - 3 :]
            for place in range(count):
                newer = abs(first[place] - center[place]) + abs(second[place] - center[place])
                older = abs(third[place] - center[place]) + abs(fourth[place] - center[place])
                distances[place] += newer + older
        for lag in range(whole, length):
            past = typical[start - lag :]
            for place in range(count):
                distances[place] += abs(past[place] - center[place])
        scale = length / 0.015
        for place in range(count):
            out[place] = scale * (now[place] - center[place]) / distances[place]


@indicator(
    "Vortex",
    length(14, least=2),
    outputs={"plus": "ratio", "minus": "ratio", "difference": "ratio"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(1,),
    formula="over the last `length` candles, plus: sum of |high - low before| / sum of true ranges; minus: sum of "
    "|low - high before| / sum of true ranges; difference: plus - minus",
    source="Etienne Botes and Douglas Siepman, The Vortex Indicator, Technical Analysis of Stocks & Commodities (2010)",
    notes="Unknown where a price has stood still for `length` candles.",
)
@kernel
def vortex(high: Series, low: Series, close: Series, length: int, plus: Out, minus: Out, difference: Out) -> None:
    steps = len(high) - 1
    if steps < length:
        return
    ranges = np.empty(steps + 1)
    upward, downward = np.empty(steps), np.empty(steps)
    true_ranges(high, low, close, ranges)
    tops, bottoms = high[1:], low[1:]
    for step in range(steps):
        upward[step] = abs(tops[step] - low[step])
        downward[step] = abs(bottoms[step] - high[step])
    first = length - 1
    of_ranges, of_upward, of_downward = sums(ranges[1:], length), sums(upward, length), sums(downward, length)
    of_ranges, of_upward, of_downward = of_ranges[first:], of_upward[first:], of_downward[first:]
    plus, minus, difference = plus[length:], minus[length:], difference[length:]
    for step in range(len(plus)):
        plus[step] = of_upward[step] / of_ranges[step]
        minus[step] = of_downward[step] / of_ranges[step]
        difference[step] = plus[step] - minus[step]


@indicator(
    "Choppiness index",
    length(14, least=2),
    outputs={"value": "percent"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length + 1,
    levels=(38.2, 61.8),
    formula="100 * log(sum of the last `length` true ranges / (highest high - lowest low)) / log(`length`): 100 when "
    "prices only went back and forth, 0 when each candle took them further",
    source="E. W. (Bill) Dreiss; TradingView, Choppiness Index",
    notes="Unknown where highs and lows have not moved for `length` candles. The first candle's true range is its "
    "range, as on TradingView. Some charts take the close before the window into the highest and lowest price.",
    aliases=("chop",),
)
@kernel
def choppiness(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    steps = len(high)
    if steps < length:
        return
    ranges, highest, lowest = np.empty(steps), np.empty(steps), np.empty(steps)
    true_ranges(high, low, close, ranges)
    ways = sums(ranges, length)
    greatest(high, length, highest)
    least(low, length, lowest)
    scale = 100.0 / math.log(length)
    ways, highest, lowest, value = ways[length - 1 :], highest[length - 1 :], lowest[length - 1 :], value[length - 1 :]
    for step in range(len(value)):
        value[step] = ways[step] / (highest[step] - lowest[step])
    for step in range(len(value)):
        value[step] = scale * math.log(value[step])
