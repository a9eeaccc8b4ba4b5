"""Bands: a line with one above and one below it that say how far prices usually go."""

import numpy as np

from cryptowatch.indicators.averages import ema_look_back, smooth, wilder_look_back
from cryptowatch.indicators.catalogue import indicator, length, number
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.smoothing import next_standstill, standstill, standstill_of
from cryptowatch.indicators.windows import greatest_and_least, line, mean, mean_and_deviation, true_ranges


@indicator(
    "Bollinger bands",
    length(20, least=2),
    number("deviations", 2, 0.1, 10),
    outputs={
        "middle": "price",
        "upper": "price",
        "lower": "price",
        "width": "ratio",
        "percent": "ratio",
        "above": "flag",
        "below": "flag",
    },
    optional=("width", "percent", "above", "below"),
    warm_up=lambda length, deviations: length - 1,
    look_back=lambda length, deviations: length,
    drawn="price",
    formula="middle: sma(`length`); upper and lower: middle ± `deviations` * population standard deviation; "
    "width: (upper - lower) / middle; percent: (value - lower) / (upper - lower); above, below: 1 where the value is "
    "above upper, below lower",
    source="John Bollinger, Bollinger on Bollinger Bands (2001); TradingView, ta.bb",
    notes="width and percent are plain numbers (1 at the upper band), in ta and on some charts 100 times that. "
    "percent is unknown where the bands meet.",
    aliases=("bb", "bbands"),
)
@kernel
def bollinger(
    source: Series,
    length: int,
    deviations: float,
    middle: Out,
    upper: Out,
    lower: Out,
    width: Out,
    percent: Out,
    above: Out,
    below: Out,
) -> None:
    first = length - 1
    deviation = np.full(len(source), np.nan)
    mean_and_deviation(source, length, middle, deviation)
    around(deviations, middle, deviation, upper, lower)
    place_within(source[first:], middle[first:], upper[first:], lower[first:], width[first:], percent[first:])
    mark_outside(source[first:], upper[first:], lower[first:], above[first:], below[first:])


@kernel
def around(multiplier: float, middle: Out, reach: Out, upper: Out, lower: Out) -> None:
    """Bands that are `multiplier` times `reach` away from the middle."""
    for step in range(len(middle)):
        half = multiplier * reach[step]
        upper[step] = middle[step] + half
        lower[step] = middle[step] - half


@kernel
def place_within(source: Series, middle: Out, upper: Out, lower: Out, width: Out, percent: Out) -> None:
    """How wide bands are, and where between them the value lies; each only if it has a length."""
    for step in range(len(width)):
        width[step] = (upper[step] - lower[step]) / middle[step]
    for step in range(len(percent)):
        percent[step] = (source[step] - lower[step]) / (upper[step] - lower[step])


@kernel
def mark_outside(source: Series, upper: Out, lower: Out, above: Out, below: Out) -> None:
    """1 where the value is above the upper band, or below the lower, and 0 where not; each only if it has a length."""
    for step in range(len(above)):
        above[step] = 1.0 if source[step] > upper[step] else 0.0
    for step in range(len(below)):
        below[step] = 1.0 if source[step] < lower[step] else 0.0


@indicator(
    "Keltner channels",
    length(20),
    length(10, "atr_length"),
    number("multiplier", 2, 0.1, 20),
    outputs={
        "middle": "price",
        "upper": "price",
        "lower": "price",
        "width": "ratio",
        "percent": "ratio",
        "above": "flag",
        "below": "flag",
    },
    optional=("width", "percent", "above", "below"),
    warm_up=lambda length, atr_length, multiplier: max(length, atr_length) - 1,
    look_back=lambda length, atr_length, multiplier: (
        max(ema_look_back(length), wilder_look_back(atr_length) + 1) + standstill(max(length, atr_length))
    ),
    drawn="price",
    formula="middle: ema(`length`) of close; upper and lower: middle ± `multiplier` * atr(`atr_length`); "
    "width: (upper - lower) / middle; percent: (close - lower) / (upper - lower); above, below: 1 where close is above "
    "upper, below lower",
    source="Linda Raschke's version of Chester Keltner, How to Make Money in Commodities (1960); TradingView, the "
    "Keltner Channels chart indicator",
    notes="As the chart indicator draws them by default. TradingView's function ta.kc averages the true range with an "
    "ema instead. ta gives Keltner's first version: simple averages of the typical price and of high - low over "
    "10 candles. Where nothing has moved for ten times the longer length (1000 candles at most), close lies between "
    "bands made of ever older candles: percent is unknown, above and below are 0.",
    aliases=("kc",),
)
@kernel
def keltner(
    high: Series,
    low: Series,
    close: Series,
    length: int,
    atr_length: int,
    multiplier: float,
    middle: Out,
    upper: Out,
    lower: Out,
    width: Out,
    percent: Out,
    above: Out,
    below: Out,
) -> None:
    first = max(length, atr_length) - 1
    ranges, average = np.empty(len(close)), np.full(len(close), np.nan)
    true_ranges(high, low, close, ranges)
    smooth(ranges, atr_length, 1.0 / atr_length, average)
    smooth(close, length, 2.0 / (length + 1), middle)
    middle[:first] = np.nan
    around(multiplier, middle, average, upper, lower)
    place_within(close[first:], middle[first:], upper[first:], lower[first:], width[first:], percent[first:])
    mark_outside(close[first:], upper[first:], lower[first:], above[first:], below[first:])
    remembered = standstill_of(max(length, atr_length))
    still = next_standstill(ranges, 0, remembered)
    while still < len(close):
        while still < len(close) and ranges[still] == 0:
            if len(percent):
                percent[still] = np.nan
            if len(above):
                above[still] = 0.0
            if len(below):
                below[still] = 0.0
            still += 1
        still = next_standstill(ranges, still, remembered)


@indicator(
    "Donchian channels",
    length(20),
    outputs={"upper": "price", "middle": "price", "lower": "price", "width": "ratio", "percent": "ratio"},
    optional=("width", "percent"),
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="upper: highest high of `length` candles; lower: their lowest low; middle: halfway between; "
    "width: (upper - lower) / middle; percent: (close - lower) / (upper - lower)",
    source="Richard Donchian's four-week rule (Richard Donchian, Donchian's 5- and 20-Day Moving Averages, "
    "Commodities Magazine, 1974); TradingView, the Donchian Channels chart indicator",
    notes="This candle counts, so close is never above upper: compare with the one before for a breakout. ta divides "
    "the width by the sma of close and gives it in percent. percent is unknown where the bands meet.",
)
@kernel
def donchian(
    high: Series,
    low: Series,
    close: Series,
    length: int,
    upper: Out,
    middle: Out,
    lower: Out,
    width: Out,
    percent: Out,
) -> None:
    greatest_and_least(high, low, length, upper, lower)
    for step in range(len(close)):
        middle[step] = (upper[step] + lower[step]) / 2
    place_within(close, middle, upper, lower, width, percent)


@indicator(
    "Chandelier exit",
    length(22),
    number("multiplier", 3, 0.1, 20),
    outputs={"long": "price", "short": "price"},
    warm_up=lambda length, multiplier: length - 1,
    look_back=lambda length, multiplier: wilder_look_back(length) + 1,
    drawn="price",
    formula="long: highest high of `length` candles - `multiplier` * atr(`length`), a stop for those who bought; "
    "short: their lowest low + `multiplier` * atr(`length`), a stop for those who sold",
    source="Charles Le Beau's exit, in Alexander Elder, Come into My Trading Room (2002)",
    notes="The plain definition: the stops may move either way. Many chart scripts let them move with the trend only "
    "and switch sides when close crosses them.",
    aliases=("chandelier",),
)
@kernel
def chandelier_exit(
    high: Series, low: Series, close: Series, length: int, multiplier: float, long: Out, short: Out
) -> None:
    steps = len(close)
    ranges, average = np.empty(steps), np.full(steps, np.nan)
    true_ranges(high, low, close, ranges)
    smooth(ranges, length, 1.0 / length, average)
    greatest_and_least(high, low, length, long, short)
    for step in range(steps):
        long[step] -= multiplier * average[step]
        short[step] += multiplier * average[step]


@indicator(
    "Squeeze",
    length(20, least=2),
    number("deviations", 2, 0.1, 10),
    number("multiplier", 1.5, 0.1, 20),
    outputs={"on": "flag", "momentum": "change"},
    warm_up=lambda length, deviations, multiplier: {"on": length - 1, "momentum": 2 * (length - 1)},
    look_back=lambda length, deviations, multiplier: 2 * length - 1,
    levels=(0,),
    formula="on: 1 where the Bollinger bands lie inside the Keltner channels, both of `length` candles: `deviations` * "
    "standard deviation < `multiplier` * sma of the true range; momentum: take close - (halfway between the highest "
    "high and the lowest low + sma of close) / 2, `length` candles each, and of that the end of the line of least "
    "squares through `length` candles",
    source="John Carter, Mastering the Trade (2005), the TTM Squeeze; LazyBear, Squeeze Momentum Indicator, "
    "TradingView (2014)",
    notes="Prices coil while it is on and may break out when it goes off, the way momentum points. Both channels "
    "have an sma in the middle, as in LazyBear's script, so only their widths count; that script multiplies the "
    "deviation by the channels' 1.5 by mistake, this one by `deviations`.",
    aliases=("ttm_squeeze",),
)
@kernel
def squeeze(
    high: Series,
    low: Series,
    close: Series,
    length: int,
    deviations: float,
    multiplier: float,
    on: Out,
    momentum: Out,
) -> None:
    steps = len(close)
    first = length - 1
    if steps <= first:
        return
    middle, deviation, ranges, reach = np.empty(steps), np.empty(steps), np.empty(steps), np.empty(steps)
    mean_and_deviation(close, length, middle, deviation)
    true_ranges(high, low, close, ranges)
    mean(ranges, length, reach)
    narrow, wide, flags = deviation[first:], reach[first:], on[first:]
    for step in range(len(flags)):
        flags[step] = 1.0 if deviations * narrow[step] < multiplier * wide[step] else 0.0
    top, bottom, distance = ranges, reach, deviation  # no longer needed for what they were
    greatest_and_least(high, low, length, top, bottom)
    for step in range(steps):
        distance[step] = close[step] - ((top[step] + bottom[step]) / 2 + middle[step]) / 2
    line(distance[first:], length, middle[first:], momentum[first:])
