"""Volatility: how far prices move, whichever way."""

import math

import numpy as np

from cryptowatch.indicators.averages import smooth, wilder_look_back
from cryptowatch.indicators.catalogue import indicator, length, number
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.windows import mean, mean_and_deviation, true_ranges


@indicator(
    "True range",
    outputs={"value": "change"},
    warm_up=lambda: 0,
    look_back=lambda: 2,
    levels=(0,),
    formula="the greatest of high - low, |high - close before| and |low - close before|",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.tr(true)",
    notes="The first candle has no close before it: high - low there. TA-Lib has no value at that candle.",
    aliases=("tr",),
)
@kernel
def true_range(high: Series, low: Series, close: Series, value: Out) -> None:
    true_ranges(high, low, close, value)


@indicator(
    "Average true range",
    length(14),
    outputs={"value": "change"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: wilder_look_back(length) + 1,
    levels=(0,),
    formula="Wilder's average of the true range, begun with the mean of the first `length`",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.atr",
    notes="The first candle counts with high - low, as on TradingView and in ta; TA-Lib leaves it out. After the "
    "look-back they agree.",
)
@kernel
def atr(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    ranges = np.empty(len(high))
    true_ranges(high, low, close, ranges)
    smooth(ranges, length, 1.0 / length, value)


@indicator(
    "Normalised average true range",
    length(14),
    outputs={"value": "percent"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: wilder_look_back(length) + 1,
    levels=(0,),
    formula="100 * atr(`length`) / close",
    source="John Forman, Cross-Market Evaluations with Normalized Average True Range, "
    "Technical Analysis of Stocks & Commodities (2006)",
    notes="The first candle counts with high - low; TA-Lib leaves it out. After the look-back they agree.",
)
@kernel
def natr(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    ranges = np.empty(len(high))
    true_ranges(high, low, close, ranges)
    smooth(ranges, length, 1.0 / length, value)
    for step in range(length - 1, len(high)):
        value[step] = 100.0 * value[step] / close[step]


@indicator(
    "Standard deviation",
    length(20, least=2),
    outputs={"value": "change"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    levels=(0,),
    formula="square root of the mean squared distance of the last `length` values from their mean",
    source="TradingView, ta.stdev",
    notes="The population's deviation (divided by `length`), as on TradingView and in TA-Lib; pandas divides by "
    "`length` - 1.",
    aliases=("deviation",),
)
@kernel
def stdev(source: Series, length: int, value: Out) -> None:
    mean_and_deviation(source, length, np.empty(len(source)), value)


def _realised_warm_up(length: int, periods: float) -> dict[str, int]:
    return {"close_to_close": length, "parkinson": length - 1, "garman_klass": length - 1}


@indicator(
    "Realised volatility",
    length(20, least=2),
    number("periods", 1, 1, 1e8),
    outputs={"close_to_close": "percent", "parkinson": "percent", "garman_klass": "percent"},
    warm_up=_realised_warm_up,
    look_back=lambda length, periods: length + 1,
    levels=(0,),
    formula="square root of `periods` * 100 times: close_to_close: sample standard deviation of the last `length` "
    "log(close / close before); parkinson: square root of the mean of log(high / low)² / (4 log 2); garman_klass: "
    "square root of the mean of log(high / low)² / 2 - (2 log 2 - 1) log(close / open)²; `periods` is the number of "
    "candles in the time it is told for: 1 for one candle, 365 for a year of daily candles",
    source="Michael Parkinson, The Extreme Value Method for Estimating the Variance of the Rate of Return (1980); "
    "Mark B. Garman and Michael J. Klass, On the Estimation of Security Price Volatilities from Historical Data (1980)",
    notes="TradingView's Historical Volatility is close_to_close of 10 candles, with the population's deviation "
    "(divided by `length`) and a year of 365 days. Unknown while a price that is not positive is in the window.",
)
@kernel
def realised_volatility(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    length: int,
    periods: float,
    close_to_close: Out,
    parkinson: Out,
    garman_klass: Out,
) -> None:
    steps = len(close)
    returns = np.empty(steps)
    ranges = np.empty(steps)
    bodies = np.empty(steps)
    for step in range(steps):
        reach = math.log(high[step] / low[step])
        body = math.log(close[step] / open[step])
        ranges[step] = reach * reach
        bodies[step] = 0.5 * reach * reach - (2.0 * math.log(2.0) - 1.0) * body * body
        returns[step] = math.log(close[step] / close[step - 1]) if step > 0 else np.nan
    mean(ranges, length, parkinson)
    mean(bodies, length, garman_klass)
    mean_and_deviation(returns[1:], length, ranges[1:], close_to_close[1:])
    scale = 100.0 * math.sqrt(periods)
    sample = scale * math.sqrt(length / (length - 1.0))
    for step in range(length - 1, steps):
        close_to_close[step] *= sample
        parkinson[step] = scale * math.sqrt(parkinson[step] / (4.0 * math.log(2.0)))
        garman_klass[step] = scale * math.sqrt(garman_klass[step])
