"""Oscillators: how fast, and how far, prices have moved."""

import numpy as np

from cryptowatch.indicators.averages import smooth, wilder_look_back
from cryptowatch.indicators.catalogue import indicator, length
from cryptowatch.indicators.doubling import double_sums
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.smoothing import go_on_and_settle, next_standstill, standstill, standstill_of
from cryptowatch.indicators.windows import sums
from cryptowatch.markets.panel import Floats

#: Candles whose ranks `ranks_among` counts at a time; they stay in the fastest cache.
_TILE = 128


def rsi_look_back(candles: int) -> int:
    """Candles that an rsi of this length is made of, a standstill included."""
    return wilder_look_back(candles) + 1 + standstill(candles)


@indicator(
    "Relative strength index",
    length(14, least=2),
    outputs={"value": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: rsi_look_back(length),
    levels=(30, 70),
    formula="100 - 100 / (1 + average gain / average loss), Wilder's averages begun with the mean of the first "
    "`length` changes; 100 when the average loss is 0",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.rsi",
    notes="A candle without a change leaves it exactly as it was: both averages shrink alike. It is unknown when "
    "nothing has moved for ten lengths (1000 candles at most), or yet: charts draw 100 there, other libraries 0; "
    "neither says anything.",
)
@kernel
def rsi(source: Series, length: int, value: Out) -> None:
    steps = len(source) - 1
    if steps < length:
        return
    gains, losses, gain, loss = np.empty(steps), np.empty(steps), np.empty(steps), np.empty(steps)
    now = source[1:]
    for step in range(steps):
        change = now[step] - source[step]
        gains[step] = max(change, 0.0)
        losses[step] = max(-change, 0.0)
    smooth(gains, length, 1.0 / length, gain)
    smooth(losses, length, 1.0 / length, loss)
    gain, loss, value = gain[length - 1 :], loss[length - 1 :], value[length:]
    for step in range(len(value)):
        value[step] = 100.0 * (gain[step] / (gain[step] + loss[step]))
    remembered = standstill_of(length)
    still = 0  # candles in a row without a change
    for step in range(steps):
        still = still + 1 if now[step] == source[step] else 0
        if still and step >= length:
            value[step + 1 - length] = value[step - length] if still < remembered else np.nan


@kernel
def smooth_and_forget(source: Series, moves: Series, length: int, weight: float, remembered: int, value: Out) -> None:
    """`smooth`, but 0 once `moves` were 0 for `remembered` candles, and until they are not: it then goes on from 0."""
    smooth(source, length, weight, value)
    begin = next_standstill(moves, 0, remembered)
    while begin < len(source):
        stop = begin
        while stop < len(source) and moves[stop] == 0:
            stop += 1
        for step in range(max(begin, length - 1), stop):
            value[step] = 0.0
        if length <= stop < len(source):
            value[stop] = weight * source[stop]
            go_on_and_settle(source[stop:], 0, weight, value[stop:])
        begin = next_standstill(moves, stop, remembered)


@kernel
def smooth_anew(source: Series, length: int, weight: float, value: Out) -> None:
    """`smooth`, begun anew behind each value that is NaN; `value` is all NaN before."""
    smooth(source, length, weight, value)
    steps = len(source)
    if steps == 0 or not np.isnan(value[steps - 1]):
        return  # what follows a NaN would be NaN to the end
    begin = 0
    for stop in range(steps):
        if np.isnan(source[stop]):
            smooth(source[begin:stop], length, weight, value[begin:stop])
            begin = stop + 1
    smooth(source[begin:], length, weight, value[begin:])


@indicator(
    "Rate of change",
    length(12),
    outputs={"value": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(0,),
    formula="100 * (value - value `length` candles ago) / value `length` candles ago",
    source="StockCharts, ChartSchool: Rate of Change (ROC); TradingView, ta.roc",
    notes="TradingView's chart has a length of 9, TA-Lib 10.",
)
@kernel
def roc(source: Series, length: int, value: Out) -> None:
    changes_in_percent(source, length, value)


@kernel
def changes_in_percent(source: Series, length: int, value: Out) -> None:
    """How much more each value is than the one `length` candles before, in percent of that."""
    now, out = source[length:], value[length:]
    for step in range(len(out)):
        out[step] = 100.0 * ((now[step] - source[step]) / source[step])


@indicator(
    "Momentum",
    length(10),
    outputs={"value": "change"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(0,),
    formula="value - value `length` candles ago",
    source="TradingView, ta.mom",
    aliases=("mom",),
)
@kernel
def momentum(source: Series, length: int, value: Out) -> None:
    now, value = source[length:], value[length:]
    for step in range(len(value)):
        value[step] = now[step] - source[step]


@indicator(
    "Chande momentum oscillator",
    length(9),
    outputs={"value": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(-50, 50),
    formula="100 * (gains - losses) / (gains + losses), the sums of the last `length` changes: from -100 to 100",
    source="Tushar Chande and Stanley Kroll, The New Technical Trader (1994); TradingView, ta.cmo",
    notes="TA-Lib sums as Wilder's average does, which makes it 2 * rsi - 100. Unknown where nothing has moved for "
    "`length` candles.",
)
@kernel
def cmo(source: Series, length: int, value: Out) -> None:
    steps = len(source) - 1
    if steps < length:
        return
    gains, moves = np.empty(steps), np.empty(steps)
    now = source[1:]
    for step in range(steps):
        change = now[step] - source[step]
        gains[step] = max(change, 0.0)
        moves[step] = abs(change)
    of_gains, of_moves = sums(gains, length)[length - 1 :], sums(moves, length)[length - 1 :]
    value = value[length:]
    for step in range(len(value)):
        value[step] = 200.0 * (of_gains[step] / of_moves[step]) - 100.0


@indicator(
    "Ultimate oscillator",
    length(7, "fast"),
    length(14, "medium", 2),
    length(28, "slow", 3),
    ascending=("fast", "medium", "slow"),
    outputs={"value": "percent"},
    warm_up=lambda fast, medium, slow: slow,
    look_back=lambda fast, medium, slow: slow + 1,
    levels=(30, 70),
    formula="100 * (4 * share(`fast`) + 2 * share(`medium`) + share(`slow`)) / 7; share: the sum of the close's "
    "distances from the true low, divided by the sum of the true ranges",
    source="Larry Williams, The Ultimate Oscillator (Technical Analysis of Stocks & Commodities 3:4, 1985); "
    "TradingView, Ultimate Oscillator",
    notes="Unknown where the market has not moved for `fast` candles.",
    aliases=("uo",),
)
@kernel
def ultimate_oscillator(
    high: Series, low: Series, close: Series, fast: int, medium: int, slow: int, value: Out
) -> None:
    steps = len(close) - 1
    if steps < slow:
        return
    pressure, reach = np.empty(steps), np.empty(steps)
    tops, bottoms, now = high[1:], low[1:], close[1:]
    for step in range(steps):
        bottom = min(bottoms[step], close[step])
        pressure[step] = now[step] - bottom
        reach[step] = max(tops[step], close[step]) - bottom
    of_fast, in_fast = sums(pressure, fast), sums(reach, fast)
    of_medium, in_medium = wider_sums(pressure, of_fast, fast, medium), wider_sums(reach, in_fast, fast, medium)
    of_slow, in_slow = wider_sums(pressure, of_medium, medium, slow), wider_sums(reach, in_medium, medium, slow)
    of_fast, of_medium, of_slow = of_fast[slow - 1 :], of_medium[slow - 1 :], of_slow[slow - 1 :]
    in_fast, in_medium, in_slow = in_fast[slow - 1 :], in_medium[slow - 1 :], in_slow[slow - 1 :]
    value = value[slow:]
    for step in range(len(value)):
        shares = 4.0 * (of_fast[step] / in_fast[step]) + 2.0 * (of_medium[step] / in_medium[step])
        value[step] = 100.0 * ((shares + of_slow[step] / in_slow[step]) / 7.0)


@kernel
def wider_sums(source: Series, total: Out, width: int, length: int) -> Floats:
    """`sums` of windows of `length`; where these are twice as long as `width`, from its sums in `total`."""
    value: Floats = np.empty(len(source))
    if length // 2 == width:
        double_sums(source, total, width, length % 2, value)
    else:
        value = sums(source, length)
    return value


@indicator(
    "Connors RSI",
    length(3, "rsi_length", 2),
    length(2, "streak_length", 2),
    length(100, "rank_length"),
    outputs={"value": "percent"},
    warm_up=lambda rsi_length, streak_length, rank_length: max(rsi_length, streak_length, rank_length + 1),
    look_back=lambda rsi_length, streak_length, rank_length: (
        rank_length + rsi_look_back(rsi_length) + rsi_look_back(streak_length)
    ),
    levels=(10, 90),
    formula="mean of three: rsi(`rsi_length`); rsi(`streak_length`) of the streak, which counts the candles in a row "
    "that have risen, or, below 0, fallen; and how many of the `rank_length` changes before, in percent of the price, "
    "were not above this one, in percent",
    source="Larry Connors and Cesar Alvarez, An Introduction to ConnorsRSI (2012); TradingView, Connors RSI",
    notes="A streak that began before what is loaded counts as long as that. Unknown when nothing has moved for as "
    "long as one of the rsi knows.",
    aliases=("crsi",),
)
@kernel
def connors_rsi(source: Series, rsi_length: int, streak_length: int, rank_length: int, value: Out) -> None:
    steps = len(source)
    streak, moves = np.zeros(steps), np.zeros(steps)
    for step in range(1, steps):
        before = source[step - 1]
        change = source[step] - before
        moves[step] = change / before
        if change > 0:
            streak[step] = max(streak[step - 1], 0.0) + 1
        elif change < 0:
            streak[step] = min(streak[step - 1], 0.0) - 1
    of_source, of_streak = np.full(steps, np.nan), np.full(steps, np.nan)
    rsi(source, rsi_length, of_source)
    rsi(streak, streak_length, of_streak)
    ranks = np.empty(steps)
    ranks_among(moves, rank_length, ranks)
    unknown = 0  # the last candle that has no change in percent: behind a price of 0, or the first
    for step in range(1, steps):
        if not np.isfinite(moves[step]):
            unknown = step
        elif step - unknown > rank_length and step >= rsi_length:
            value[step] = (of_source[step] + of_streak[step] + 100.0 * ranks[step] / rank_length) / 3.0


@kernel
def ranks_among(source: Series, length: int, value: Out) -> None:
    """How many of the `length` values before each are not above it; undefined where there are not so many."""
    for start in range(length, len(source), _TILE):
        now, out = source[start : start + _TILE], value[start : start + _TILE]
        out[:] = 0.0
        for lag in range(1, length + 1):
            past = source[start - lag :]
            for place in range(len(out)):
                out[place] += 1.0 if past[place] <= now[place] else 0.0
