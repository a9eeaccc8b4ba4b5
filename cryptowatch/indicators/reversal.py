"""Stop and reverse: a line on one side of the price until the price crosses it."""

import math

import numpy as np

from cryptowatch.indicators.averages import smooth, wilder_look_back
from cryptowatch.indicators.catalogue import indicator, length, number
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.windows import true_ranges


@indicator(
    "Parabolic stop and reverse",
    number("step", 0.02, 0.001, 1),
    number("max", 0.2, 0.001, 1),
    outputs={
        "value": "price",
        "long": "flag",
        "up": "price",
        "down": "price",
        "up_signal": "flag",
        "down_signal": "flag",
    },
    optional=("up", "down", "up_signal", "down_signal"),
    warm_up=lambda step, max: 1,
    look_back=lambda step, max: math.ceil(10 / step) + 2,
    drawn="price",
    flips=True,
    formula="value moves towards the farthest price of its side, by `step` of the way, and by `step` more, up to "
    "`max`, for each new extreme; it never enters the two candles before. When the low falls below it (short: the "
    "high rises above) it changes sides and begins at the extreme. long: 1 below the price, 0 above; up and down: "
    "value while long and while short, else unknown; up_signal and down_signal: 1 at the candle that changes to long "
    "and to short",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.sar",
    notes="As on TradingView: it looks whether the price crossed the value first and then keeps the value out of the "
    "two candles before; it begins long when the second close is higher; a price that only touches changes nothing. "
    "TA-Lib keeps it out first, begins by the first highs and lows, and changes sides at a touch, so at every candle "
    "of a price that stands still: on recorded candles it has the same side at 94 to 98 % and the same value at 79 to "
    "89 % of them. ta has the same value at 95 to 99 %, if its rows are numbered from 0; else it is wrong. The "
    "look-back, 10 / `step` candles, is a convention: of 900 loads of recorded candles with the defaults each agreed "
    "with older ones after at most 108; with steps from 0.005 to 0.1 none needed more than 5.5 / `step`.",
    aliases=("sar",),
)
@kernel
def psar(
    high: Series,
    low: Series,
    close: Series,
    step: float,
    max: float,
    value: Out,
    long: Out,
    up: Out,
    down: Out,
    up_signal: Out,
    down_signal: Out,
) -> None:
    steps = len(close)
    if steps < 2:
        return
    bottoms, tops = np.empty(steps), np.empty(steps)  # of the two candles before
    bottoms[:2], tops[:2] = low[0], high[0]
    of_bottoms, of_tops, last_low, last_high = bottoms[2:], tops[2:], low[1:], high[1:]
    for now in range(steps - 2):
        of_bottoms[now] = low[now] if low[now] < last_low[now] else last_low[now]
        of_tops[now] = high[now] if high[now] > last_high[now] else last_high[now]
    follow(high, low, bottoms, tops, close[1] > close[0], step, max, value, long)
    before, now_long, line = long, long[1:], value[1:]
    up, down, up_signal, down_signal = up[1:], down[1:], up_signal[1:], down_signal[1:]
    for now in range(len(up)):
        up[now] = line[now] if now_long[now] > 0 else np.nan
    for now in range(len(down)):
        down[now] = np.nan if now_long[now] > 0 else line[now]
    for now in range(len(up_signal)):
        up_signal[now] = 1.0 if now_long[now] > before[now] else 0.0
    for now in range(len(down_signal)):
        down_signal[now] = 1.0 if now_long[now] < before[now] else 0.0
    long[0] = np.nan


@kernel
def follow(
    high: Series,
    low: Series,
    bottoms: Series,
    tops: Series,
    rising: bool,
    step: float,
    max: float,
    value: Out,
    long: Out,
) -> None:
    """The value and its side at each candle but the first, which has the side it begins with.

    Args:
        bottoms: the lowest low of the two candles before; `tops`: their highest high.
    """
    # Falling is rising upside down: `side` is 1 or -1, and prices are multiplied by it.
    side = 1.0 if rising else -1.0
    long[0] = 1.0 if rising else 0.0
    stop = low[0] if rising else -high[0]
    extreme = high[1] if rising else -low[1]
    start = step if step < max else max
    pace = start
    for now in range(1, len(high)):
        near = low[now] if side > 0 else -high[now]
        far = high[now] if side > 0 else -low[now]
        stop += pace * (extreme - stop)
        if stop > near:
            side = -side
            stop = -(far if far > extreme else extreme)
            extreme = -near
            pace = start
        else:
            faster = pace + step if pace + step < max else max
            pace = faster if far > extreme else pace
            extreme = far if far > extreme else extreme
        limit = bottoms[now] if side > 0 else -tops[now]
        stop = limit if limit < stop else stop
        value[now] = side * stop
        long[now] = 1.0 if side > 0 else 0.0


@indicator(
    "Supertrend",
    length(10),
    number("multiplier", 3, 0.1, 30),
    outputs={"value": "price", "long": "flag"},
    warm_up=lambda length, multiplier: length - 1,
    look_back=lambda length, multiplier: wilder_look_back(length) + 1 + math.ceil(25 * multiplier**2),
    drawn="price",
    flips=True,
    formula="upper and lower band: (high + low) / 2 ± `multiplier` * atr(`length`); a band only comes closer to the "
    "price until a close was beyond it. value: the lower band while long, the upper while short; it becomes long when "
    "the close is above the upper band, and short when it is below the lower. long: 1 or 0",
    source="Olivier Seban; TradingView, ta.supertrend",
    notes="Begins short, however close the bands, as on TradingView, whose direction is -1 where long is 1 and 1 where "
    "it is 0. pandas-ta compares the close with the bands of the candle before: on recorded candles it has the same "
    "side at 97 to 100 % and the same value at 90 to 99 % of them. The look-back is a convention: that of the atr, and "
    "25 * `multiplier`² candles for the sides, since prices take that much longer to cross wider bands. Of 900 loads "
    "of recorded candles with the defaults each agreed with older ones after at most 255; with multipliers from 1 to 8 "
    "none needed more than 0.7 of the look-back.",
)
@kernel
def supertrend(high: Series, low: Series, close: Series, length: int, multiplier: float, value: Out, long: Out) -> None:
    true_ranges(high, low, close, long)
    smooth(long, length, 1.0 / length, value)
    long[: length - 1] = np.nan
    upper = np.inf
    lower = -np.inf
    rising = False
    for step in range(length - 1, len(close)):
        middle = (high[step] + low[step]) / 2.0
        half = multiplier * value[step]
        before = close[step - 1] if step > 0 else close[step]
        # A band only comes closer, until a close was beyond it.
        lower = middle - half if middle - half > lower or before < lower else lower
        upper = middle + half if middle + half < upper or before > upper else upper
        if step >= length:  # the first has no side to leave: it begins short
            rising = close[step] >= lower if rising else close[step] > upper
        value[step] = lower if rising else upper
        long[step] = 1.0 if rising else 0.0
