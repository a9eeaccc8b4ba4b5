"""Oscillators of moving averages: how far a fast one is from a slow one, or how it moves."""

import numpy as np

from cryptowatch.indicators.averages import ema_look_back, smooth
from cryptowatch.indicators.catalogue import indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.momentum import standstill, standstill_of
from cryptowatch.indicators.windows import mean


def _line_warm_up(name: str, slow: int, signal: int) -> dict[str, int]:
    line, average = slow - 1, slow + signal - 2
    return {name: line, "signal": average, "histogram": average}


def _line_look_back(fast: int, slow: int, signal: int) -> int:
    return ema_look_back(slow) + ema_look_back(signal)


def _share_look_back(fast: int, slow: int, signal: int) -> int:
    return _line_look_back(fast, slow, signal) + standstill(slow)


@indicator(
    "Moving average convergence/divergence",
    length(12, "fast"),
    length(26, "slow", 2),
    length(9, "signal"),
    ascending=("fast", "slow"),
    outputs={"macd": "change", "signal": "change", "histogram": "change"},
    warm_up=lambda fast, slow, signal: _line_warm_up("macd", slow, signal),
    look_back=_line_look_back,
    levels=(0,),
    formula="macd: ema(`fast`) - ema(`slow`); signal: ema(`signal`) of macd; histogram: macd - signal",
    source="Gerald Appel, Technical Analysis: Power Tools for Active Investors (2005); TradingView, ta.macd",
    notes="TA-Lib begins the fast average later, so that both begin at the same candle; `ta` begins both with the "
    "first close. After the look-back all agree.",
)
@kernel
def macd(source: Series, fast: int, slow: int, signal: int, macd: Out, signal_: Out, histogram: Out) -> None:
    apart(source, fast, slow, signal, False, macd, signal_, histogram)


@indicator(
    "Percentage price oscillator",
    length(12, "fast"),
    length(26, "slow", 2),
    length(9, "signal"),
    ascending=("fast", "slow"),
    outputs={"ppo": "percent", "signal": "percent", "histogram": "percent"},
    warm_up=lambda fast, slow, signal: _line_warm_up("ppo", slow, signal),
    look_back=_share_look_back,
    levels=(0,),
    formula="ppo: 100 * (ema(`fast`) - ema(`slow`)) / ema(`slow`); signal: ema(`signal`) of ppo; "
    "histogram: ppo - signal",
    source="Gerald Appel, Technical Analysis: Power Tools for Active Investors (2005); TradingView, Price Oscillator",
    notes="macd as a share of the slow average, so that markets compare. TA-Lib's default averages are simple ones.",
)
@kernel
def ppo(source: Series, fast: int, slow: int, signal: int, ppo: Out, signal_: Out, histogram: Out) -> None:
    apart(source, fast, slow, signal, True, ppo, signal_, histogram)


@indicator(
    "Percentage volume oscillator",
    length(12, "fast"),
    length(26, "slow", 2),
    length(9, "signal"),
    ascending=("fast", "slow"),
    outputs={"pvo": "percent", "signal": "percent", "histogram": "percent"},
    warm_up=lambda fast, slow, signal: _line_warm_up("pvo", slow, signal),
    look_back=_share_look_back,
    levels=(0,),
    source_default="volume",
    formula="pvo: 100 * (ema(`fast`) - ema(`slow`)) / ema(`slow`) of the volume; signal: ema(`signal`) of pvo; "
    "histogram: pvo - signal",
    source="StockCharts, ChartSchool: Percentage Volume Oscillator (PVO); TradingView, Volume Oscillator",
    notes="Unknown when nothing was traded for ten times `slow` (1000 candles at most), or yet; the signal begins anew "
    "behind that. TradingView's has the lengths 5 and 10 and no signal.",
)
@kernel
def pvo(source: Series, fast: int, slow: int, signal: int, pvo: Out, signal_: Out, histogram: Out) -> None:
    apart(source, fast, slow, signal, True, pvo, signal_, histogram)


@kernel
def apart(
    source: Series, fast: int, slow: int, signal: int, percent: bool, line: Out, signal_: Out, histogram: Out
) -> None:
    """How far a fast average is from a slow one, in percent of that or not; the average of this, and the rest.

    All three averages walk side by side: none waits for another's end. Where the line is unknown (both averages are 0),
    the signal begins anew.
    """
    steps = len(source)
    if steps < slow:
        return
    fast_weight, slow_weight, weight = 2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (signal + 1)
    fast_average = mean_of_first(source, fast)
    for step in range(fast, slow):
        fast_average += fast_weight * (source[step] - fast_average)
    slow_average = mean_of_first(source, slow)
    remembered = standstill_of(slow)
    zeros = 0  # in a row
    for step in range(slow):
        zeros = zeros + 1 if source[step] == 0 else 0
    begun = 0  # values that the signal has, until it is an average
    first = total = average = 0.0
    for step in range(slow - 1, steps):
        now = source[step]
        if step >= slow:
            fast_average += fast_weight * (now - fast_average)
            slow_average += slow_weight * (now - slow_average)
            zeros = zeros + 1 if now == 0 else 0
        if percent and zeros >= remembered:
            fast_average = slow_average = 0.0
        here = fast_average - slow_average
        if percent:
            here = 100.0 * here / slow_average
        if not np.isfinite(here):
            begun = 0
            continue
        line[step] = here
        if begun == signal:
            average += weight * (here - average)
        else:
            first = first if begun else here
            total = total + (here - first) if begun else 0.0
            begun += 1
            if begun < signal:
                continue
            average = first + total / signal
        signal_[step] = average
        histogram[step] = here - average


@kernel
def mean_of_first(source: Series, count: int) -> float:
    """The mean of the first `count` values, exactly their value where all are equal."""
    first: float = source[0]
    total = 0.0
    for step in range(1, count):
        total += source[step] - first
    return first + total / count


@indicator(
    "Triple exponential average (TRIX)",
    length(15),
    outputs={"value": "percent"},
    warm_up=lambda length: 3 * length - 2,
    look_back=lambda length: 3 * ema_look_back(length) + 1,
    levels=(0,),
    formula="change in percent, from one candle to the next, of the ema(`length`) of the ema of the ema",
    source="Jack K. Hutson, Good TRIX (Technical Analysis of Stocks & Commodities 1:5, 1983)",
    notes="As TA-Lib, `ta` and StockCharts have it. TradingView averages the logarithms of the closes and multiplies "
    "their change by 10000: about 100 times this.",
)
@kernel
def trix(source: Series, length: int, value: Out) -> None:
    begin = 3 * length - 3  # the first candle that the third average knows
    if len(source) <= begin:
        return
    weight = 2.0 / (length + 1)
    head = source[: begin + 1]
    averages = np.full((3, begin + 1), np.nan)
    smooth(head, length, weight, averages[0])
    smooth(averages[0], length, weight, averages[1])
    smooth(averages[1], length, weight, averages[2])
    once, twice, thrice = averages[0, begin], averages[1, begin], averages[2, begin]
    for step in range(begin + 1, len(source)):
        before = thrice
        once += weight * (source[step] - once)
        twice += weight * (once - twice)
        thrice += weight * (twice - thrice)
        value[step] = 100.0 * (thrice - before) / before


@indicator(
    "Awesome oscillator",
    length(5, "fast"),
    length(34, "slow", 2),
    ascending=("fast", "slow"),
    outputs={"value": "change"},
    warm_up=lambda fast, slow: slow - 1,
    look_back=lambda fast, slow: slow,
    levels=(0,),
    formula="sma(`fast`) - sma(`slow`) of (high + low) / 2",
    source="Bill Williams, New Trading Dimensions (1998); TradingView, Awesome Oscillator",
    aliases=("awesome_oscillator", "ao"),
)
@kernel
def awesome(high: Series, low: Series, fast: int, slow: int, value: Out) -> None:
    middle = np.empty(len(high))
    for step in range(len(high)):
        middle[step] = (high[step] + low[step]) / 2
    fast_mean = np.empty(len(high))
    mean(middle, fast, fast_mean)
    mean(middle, slow, value)
    for step in range(slow - 1, len(high)):
        value[step] = fast_mean[step] - value[step]
