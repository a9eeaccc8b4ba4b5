"""Where a value stands among the last ones."""

import numpy as np

from cryptowatch.indicators.catalogue import indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.windows import greatest, least, line, mean_and_deviation


@indicator(
    "Highest",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="greatest of the last `length` values, this one among them",
    source="TradingView, ta.highest",
    source_default="high",
)
@kernel
def highest(source: Series, length: int, value: Out) -> None:
    greatest(source, length, value)


@indicator(
    "Lowest",
    length(20),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="least of the last `length` values, this one among them",
    source="TradingView, ta.lowest",
    source_default="low",
)
@kernel
def lowest(source: Series, length: int, value: Out) -> None:
    least(source, length, value)


@indicator(
    "Candles since a condition was true",
    length(500),
    outputs={"value": "candles"},
    warm_up=lambda length: 0,
    look_back=lambda length: length,
    formula="candles since the condition was last true, 0 on a candle where it is",
    source="TradingView, ta.barssince",
    notes="Unknown when it was not true within the last `length` candles, this one among them; TradingView looks back "
    "as far as the chart goes.",
    aliases=("barssince",),
)
@kernel
def bars_since(condition: Series, length: int, value: Out) -> None:
    last = -length
    for step in range(len(condition)):
        if condition[step] != 0:
            last = step
        if step - last < length:
            value[step] = step - last


@indicator(
    "Z-score",
    length(20, least=2),
    outputs={"value": "ratio"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    levels=(-2, 0, 2),
    formula="(value - mean) / population standard deviation, both of the last `length` values",
    source="TradingView, (source - ta.sma(source, length)) / ta.stdev(source, length)",
    notes="Unknown when all values of the window are equal. pandas-ta-classic takes the sample deviation, which makes "
    "it smaller by the factor sqrt((length - 1) / length).",
)
@kernel
def zscore(source: Series, length: int, value: Out) -> None:
    deviation = np.empty(len(source))
    mean_and_deviation(source, length, value, deviation)
    for step in range(len(source)):
        value[step] = (source[step] - value[step]) / deviation[step]


@indicator(
    "Percentile rank",
    length(100),
    outputs={"value": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    formula="share of the `length` values before this one that are less than it or equal",
    source="TradingView, ta.percentrank",
    notes="100 on a flat market: every value before equals this one.",
    aliases=("percentrank",),
)
@kernel
def percentile_rank(source: Series, length: int, value: Out) -> None:
    count = len(source) - length
    if count <= 0:
        return
    now, out = source[length:], value[length:]
    out[:] = 0.0
    for first in range(length):
        before = source[first : first + count]
        for step in range(count):
            out[step] += 1.0 if before[step] <= now[step] else 0.0
    for step in range(count):
        out[step] = 100.0 * out[step] / length


@indicator(
    "Linear regression",
    length(14, least=2),
    outputs={"value": "price", "slope": "change", "r2": "ratio"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="the straight line of least squares through the last `length` values; value: its end at this candle; "
    "slope: its rise from one candle to the next; r2: the share of the values' variance that it explains",
    source="TradingView, ta.linreg(source, length, 0)",
    notes="r2 is unknown when all values of the window are equal.",
    aliases=("linear_regression",),
)
@kernel
def linreg(source: Series, length: int, value: Out, slope: Out, r2: Out) -> None:
    mean_and_deviation(source, length, value, r2)
    line(source, length, slope, value)
    spread = (length * length - 1.0) / 12  # variance of the candles' places
    for step in range(len(source)):
        explained = slope[step] / r2[step]
        share = spread * explained * explained
        r2[step] = 1.0 if share > 1 else share
