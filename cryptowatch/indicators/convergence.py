"""Oscillators of moving averages: how far a fast one is from a slow one, or how it moves."""

import numpy as np

from cryptowatch.indicators.averages import ema_look_back, smooth
from cryptowatch.indicators.catalogue import indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.momentum import smooth_and_forget, smooth_anew
from cryptowatch.indicators.smoothing import standstill, standstill_of
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

    Where the line is unknown (both averages are 0), the signal begins anew.
    """
    steps = len(source)
    fast_weight, slow_weight = 2.0 / (fast + 1), 2.0 / (slow + 1)
    of_fast, of_slow = np.empty(steps), np.empty(steps)
    if percent:
        remembered = standstill_of(slow)
        smooth_and_forget(source, source, fast, fast_weight, remembered, of_fast)
        smooth_and_forget(source, source, slow, slow_weight, remembered, of_slow)
    else:
        smooth(source, fast, fast_weight, of_fast)
        smooth(source, slow, slow_weight, of_slow)
    of_fast, of_slow = of_fast[slow - 1 :], of_slow[slow - 1 :]
    line, signal_, histogram = line[slow - 1 :], signal_[slow - 1 :], histogram[slow - 1 :]
    if percent:
        for step in range(len(line)):
            here = 100.0 * (of_fast[step] - of_slow[step]) / of_slow[step]
            line[step] = here if abs(here) < np.inf else np.nan
    else:
        for step in range(len(line)):
            line[step] = of_fast[step] - of_slow[step]
    smooth_anew(line, signal, 2.0 / (signal + 1), signal_)
    for step in range(len(line)):
        histogram[step] = line[step] - signal_[step]


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
    steps, last = len(source), length - 1
    weight = 2.0 / (length + 1)
    once, twice = np.empty(steps), np.empty(steps)
    smooth(source, length, weight, once)
    smooth(once[last:], length, weight, twice[last:])
    smooth(twice[2 * last :], length, weight, once[2 * last :])
    before, now, value = once[3 * last :], once[3 * last + 1 :], value[3 * last + 1 :]
    for step in range(len(value)):
        value[step] = 100.0 * (now[step] - before[step]) / before[step]


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
    steps = len(high)
    middle, of_fast, of_slow = np.empty(steps), np.empty(steps), np.empty(steps)
    for step in range(steps):
        middle[step] = (high[step] + low[step]) / 2
    mean(middle, fast, of_fast)
    mean(middle, slow, of_slow)
    of_fast, of_slow, value = of_fast[slow - 1 :], of_slow[slow - 1 :], value[slow - 1 :]
    for step in range(len(value)):
        value[step] = of_fast[step] - of_slow[step]
