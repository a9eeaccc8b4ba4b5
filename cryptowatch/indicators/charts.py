"""Charts of their own: other candles, and lines drawn ahead of the price."""

import numpy as np

from cryptowatch.indicators.catalogue import forgets, indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.smoothing import forgets_of
from cryptowatch.indicators.windows import greatest, least


def _ichimoku_warm_up(conversion: int, base: int, span: int) -> dict[str, int]:
    lines = {"conversion": conversion - 1, "base": base - 1, "span_a": base - 1, "span_b": span - 1}
    return lines | {"cloud_a": 2 * (base - 1), "cloud_b": span + base - 2}


@indicator(
    "Ichimoku",
    length(9, "conversion"),
    length(26, "base"),
    length(52, "span"),
    ascending=("conversion", "base", "span"),
    outputs={
        "conversion": "price",
        "base": "price",
        "span_a": "price",
        "span_b": "price",
        "cloud_a": "price",
        "cloud_b": "price",
    },
    warm_up=_ichimoku_warm_up,
    look_back=lambda conversion, base, span: span + base - 1,
    drawn="price",
    formula="conversion, base and span_b: middle between the highest high and the lowest low of the last `conversion`, "
    "`base` and `span` candles; span_a: middle between conversion and base; cloud_a and cloud_b: span_a and span_b of "
    "`base` - 1 candles ago, which is what a chart draws at this candle",
    source="Goichi Hosoda (Ichimoku Sanjin), Ichimoku Kinko Hyo (1969); TradingView, Ichimoku Cloud",
    notes="Charts draw the spans `base` - 1 candles ahead: the cloud around a price is cloud_a and cloud_b, span_a and "
    "span_b are the cloud to come. The lagging span is the close itself, drawn further back. ta gives span_a and "
    "span_b; its visual mode moves them by one candle more and fills the beginning with a mean of all candles.",
)
@kernel
def ichimoku(
    high: Series,
    low: Series,
    conversion: int,
    base: int,
    span: int,
    conversion_: Out,
    base_: Out,
    span_a: Out,
    span_b: Out,
    cloud_a: Out,
    cloud_b: Out,
) -> None:
    middles(high, low, conversion, cloud_a, conversion_)
    middles(high, low, base, cloud_a, base_)
    middles(high, low, span, cloud_a, span_b)
    ahead = base - 1
    cloud_a[:ahead] = np.nan
    for step in range(len(high)):
        span_a[step] = (conversion_[step] + base_[step]) / 2.0
    for step in range(ahead, len(high)):
        cloud_a[step] = span_a[step - ahead]
        cloud_b[step] = span_b[step - ahead]


@kernel
def middles(high: Series, low: Series, length: int, scratch: Out, value: Out) -> None:
    """The middle between the highest high and the lowest low of each window."""
    greatest(high, length, scratch)
    least(low, length, value)
    for step in range(length - 1, len(high)):
        value[step] = (scratch[step] + value[step]) / 2.0


@indicator(
    "Heikin-Ashi candles",
    outputs={"open": "price", "high": "price", "low": "price", "close": "price"},
    warm_up=lambda: 0,
    look_back=lambda: forgets(1 / 2) + 2,
    drawn="price",
    formula="close: (open + high + low + close) / 4; open: middle of the Heikin-Ashi candle before, begun with "
    "(open + close) / 2; high and low: the farthest of the candle's own and of this open and close",
    source="Dan Valcu, Using the Heikin-Ashi Technique, Technical Analysis of Stocks & Commodities (2004); "
    "TradingView, Heikin Ashi charts",
)
@kernel
def heikin_ashi(
    open: Series, high: Series, low: Series, close: Series, open_: Out, high_: Out, low_: Out, close_: Out
) -> None:
    begin = before = (open[0] + close[0]) / 2.0
    remembered, same = forgets_of(0.5), 0  # candles in a row with the same mean price
    for step in range(len(close)):
        end = ((open[step] + close[step]) + (high[step] + low[step])) / 4.0  # in pairs: exact where all are equal
        open_[step] = begin
        close_[step] = end
        high_[step] = max(high[step], max(begin, end))
        low_[step] = min(low[step], min(begin, end))
        same = same + 1 if end == before else 1
        before = end
        begin = (begin + end) / 2.0 if same < remembered else end
