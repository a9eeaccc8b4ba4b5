"""Oscillators: how fast, and how far, prices have moved."""

import numpy as np

from cryptowatch.indicators.averages import wilder_look_back
from cryptowatch.indicators.catalogue import indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel


def standstill(length: int) -> int:
    """Candles without a move after which what divides two averages of this length is unknown.

    Both averages shrink alike while nothing moves: their ratio stays, and is made of ever older candles.
    """
    return min(10 * length, 1000)


#: `standstill`, for kernels.
standstill_of = kernel(standstill)


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
    if len(source) <= length:
        return
    gain = loss = 0.0
    still = 0  # candles in a row without a change
    for step in range(1, length + 1):
        change = source[step] - source[step - 1]
        gain += max(change, 0.0)
        loss += max(-change, 0.0)
        still = still + 1 if change == 0 else 0
    gain /= length
    loss /= length
    strength = 100.0 * (gain / (gain + loss))
    value[length] = strength
    weight = 1.0 / length
    remembered = standstill_of(length)
    for step in range(length + 1, len(source)):
        change = source[step] - source[step - 1]
        gain += weight * (max(change, 0.0) - gain)
        loss += weight * (max(-change, 0.0) - loss)
        if change != 0:
            still = 0
            strength = 100.0 * (gain / (gain + loss))
        else:
            still += 1
        value[step] = strength if still < remembered else np.nan


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
    for step in range(length, len(source)):
        past = source[step - length]
        value[step] = 100.0 * (source[step] - past) / past


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
    for step in range(length, len(source)):
        value[step] = source[step] - source[step - length]


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
    gains, moves = np.empty(len(source)), np.empty(len(source))
    for step in range(1, len(source)):
        change = source[step] - source[step - 1]
        gains[step] = max(change, 0.0)
        moves[step] = abs(change)
    value[length:] = 0.0
    add_share(gains[1:], moves[1:], length, 200.0, value[1:])
    for step in range(length, len(source)):
        value[step] -= 100.0


@kernel
def add_share(part: Series, whole: Series, length: int, weight: float, value: Out) -> None:
    """Add to each `value`, `weight` times, the window's sum of `part` as a share of that of `whole`.

    Neither has negative values: sums of them lose nothing, and equal rows give exactly 1. NaN where both sums are 0.
    """
    steps = len(part)
    part_ends, whole_ends = np.empty(length + 1), np.empty(length + 1)
    part_ends[length] = whole_ends[length] = 0.0
    for block in range(0, steps, length):
        of_part = of_whole = 0.0
        if block > 0:
            for place in range(length - 1, 0, -1):
                of_part += part[block - length + place]
                of_whole += whole[block - length + place]
                part_ends[place] = of_part
                whole_ends[place] = of_whole
        of_part = of_whole = 0.0
        for place in range(min(length, steps - block)):
            of_part += part[block + place]
            of_whole += whole[block + place]
            if block > 0 or place == length - 1:
                share = (of_part + part_ends[place + 1]) / (of_whole + whole_ends[place + 1])
                value[block + place] += weight * share


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
    pressure, reach = np.empty(len(close)), np.empty(len(close))
    for step in range(1, len(close)):
        before = close[step - 1]
        bottom = min(low[step], before)
        pressure[step] = close[step] - bottom
        reach[step] = max(high[step], before) - bottom
    shares = np.zeros(len(close))
    add_share(pressure[1:], reach[1:], fast, 4.0, shares[1:])
    add_share(pressure[1:], reach[1:], medium, 2.0, shares[1:])
    add_share(pressure[1:], reach[1:], slow, 1.0, shares[1:])
    for step in range(slow, len(close)):
        value[step] = 100.0 * (shares[step] / 7.0)


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
    unknown = 0  # the last candle that has no change in percent: behind a price of 0, or the first
    for step in range(1, steps):
        now = moves[step]
        if not np.isfinite(now):
            unknown = step
        elif step - unknown > rank_length and step >= rsi_length:
            rank = 0
            for past in range(step - rank_length, step):
                rank += moves[past] <= now
            value[step] = (of_source[step] + of_streak[step] + 100.0 * rank / rank_length) / 3.0
