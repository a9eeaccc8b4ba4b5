"""Moving averages, and what is made of them."""

import numpy as np

from cryptowatch.indicators.catalogue import forgets, indicator, length, number
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.windows import mean, mean_and_deviation


def ema_look_back(candles: int) -> int:
    """Candles after which an `ema` of this length has forgotten its start."""
    return candles + forgets(2 / (candles + 1))


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
    formula="average + 2 / (length + 1) * (value - average), begun with the mean of the first `length` values",
    source="TradingView, ta.ema",
)
@kernel
def ema(source: Series, length: int, value: Out) -> None:
    smooth(source, length, 2.0 / (length + 1), value)


@kernel
def smooth(source: Series, length: int, weight: float, value: Out) -> None:
    """The average with this weight for the newest value, begun with the mean of the first `length` values.

    While all values so far were equal it is exactly that value. Values that are NaN at the start are passed over.
    """
    first = 0
    while first < len(source) and np.isnan(source[first]):
        first += 1
    begin = first + length - 1
    if begin >= len(source):
        return
    total = 0.0
    for step in range(first, begin + 1):
        total += source[step] - source[first]
    average = source[first] + total / length
    value[begin] = average
    for step in range(begin + 1, len(source)):
        average += weight * (source[step] - average)
        value[step] = average


@indicator(
    "Bollinger bands",
    length(20, least=2),
    number("deviations", 2, 0.1, 10),
    outputs={"middle": "price", "upper": "price", "lower": "price", "width": "ratio", "percent": "ratio"},
    warm_up=lambda length, deviations: length - 1,
    look_back=lambda length, deviations: length,
    drawn="price",
    formula="middle: sma; upper and lower: middle ± deviations * population standard deviation; "
    "width: (upper - lower) / middle; percent: (value - lower) / (upper - lower)",
    source="John Bollinger, Bollinger on Bollinger Bands (2001); TradingView, ta.bb",
)
@kernel
def bollinger(
    source: Series, length: int, deviations: float, middle: Out, upper: Out, lower: Out, width: Out, percent: Out
) -> None:
    mean_and_deviation(source, length, middle, width)
    for step in range(length - 1, len(source)):
        half = deviations * width[step]
        upper[step] = middle[step] + half
        lower[step] = middle[step] - half
        width[step] = (upper[step] - lower[step]) / middle[step]
        percent[step] = (source[step] - lower[step]) / (upper[step] - lower[step])


def _macd_warm_up(fast: int, slow: int, signal: int) -> dict[str, int]:
    line, average = slow - 1, slow + signal - 2
    return {"macd": line, "signal": average, "histogram": average}


@indicator(
    "Moving average convergence/divergence",
    length(12, "fast"),
    length(26, "slow", 2),
    length(9, "signal"),
    ascending=("fast", "slow"),
    outputs={"macd": "change", "signal": "change", "histogram": "change"},
    warm_up=_macd_warm_up,
    look_back=lambda fast, slow, signal: ema_look_back(slow) + ema_look_back(signal),
    levels=(0,),
    formula="macd: ema(fast) - ema(slow); signal: ema of macd; histogram: macd - signal",
    source="Gerald Appel, Technical Analysis: Power Tools for Active Investors (2005); TradingView, ta.macd",
)
@kernel
def macd(source: Series, fast: int, slow: int, signal: int, macd: Out, signal_: Out, histogram: Out) -> None:
    slow_average = np.full(len(source), np.nan)
    smooth(source, fast, 2.0 / (fast + 1), macd)
    smooth(source, slow, 2.0 / (slow + 1), slow_average)
    for step in range(len(source)):
        macd[step] -= slow_average[step]
    smooth(macd, signal, 2.0 / (signal + 1), signal_)
    for step in range(len(source)):
        histogram[step] = macd[step] - signal_[step]
