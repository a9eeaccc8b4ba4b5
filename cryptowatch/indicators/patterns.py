"""Candle patterns of one and two candles: 1 on the candle that completes one, else 0.

The body lies between open and close, the range between low and high, the shadows are what the range has beyond the
body; a candle is white when it closes above its open, black when below. Nison describes patterns in words: the numbers
are ours, and parameters where it matters. What is compared are shares of ranges and bodies, so prices may be measured
in anything. Markets that never close hardly ever open away from the close before: where Nison wants such a gap, opening
at the close is enough.

Falling and rising patterns are mirror images: they share a kernel that looks at prices times 1 or -1. Shapes are told
by `&` and without a branch, since which way one goes would be anybody's guess; the window behind is only looked at
where the shape is right.
"""

from cryptowatch.indicators.catalogue import Parameter, Unit, indicator, length, number
from cryptowatch.indicators.kernel import Out, Series, kernel

NISON = "Steve Nison, Japanese Candlestick Charting Techniques (1991)"
AFTER_A_FALL = "after a fall: the close before is below the mean of the `length` closes up to it"
AFTER_A_RISE = "after a rise: the close before is above the mean of the `length` closes up to it"
NO_GAP = "TA-Lib and TradingView want a gap, and so hardly ever find one where trading never stops."

_FLAG: dict[str, Unit] = {"value": "flag"}
_BOTH: dict[str, Unit] = {"bullish": "flag", "bearish": "flag"}
_SHAPE = (number("shadow", 2, 1, 10), number("short", 0.1, 0, 0.5))
_SHAPE_NOTES = (
    "TradingView takes the trend from the mean of 50 closes, this one among them, and wants a body that is small "
    "beside recent ones; TA-Lib looks at no trend."
)


def before() -> Parameter:
    """How many candles before a pattern tell what it is measured by."""
    return length(10, least=2, most=200)


@indicator(
    "Doji",
    number("body", 0.05, 0, 0.5),
    outputs=_FLAG,
    warm_up=lambda body: 0,
    look_back=lambda body: 1,
    drawn="price",
    formula="the body is at most `body` of the range, and there is a range",
    source=NISON,
    notes="TA-Lib measures the body by the ranges of the ten candles before.",
)
@kernel
def doji(open: Series, high: Series, low: Series, close: Series, body: float, value: Out) -> None:
    for step in range(len(close)):
        whole, tie = high[step] - low[step], tie_of(high[step])
        value[step] = 1.0 if (whole > tie) & (abs(close[step] - open[step]) <= body * whole + tie) else 0.0


@indicator(
    "Hammer",
    before(),
    *_SHAPE,
    outputs=_FLAG,
    warm_up=lambda length, shadow, short: length,
    look_back=lambda length, shadow, short: length + 1,
    drawn="price",
    formula=f"a body of either colour, a lower shadow of at least `shadow` bodies, an upper one of at most `short` of "
    f"the range; {AFTER_A_FALL}",
    source=NISON,
    notes=f"The same candle after a rise is a hanging man. {_SHAPE_NOTES}",
)
@kernel
def hammer(
    open: Series, high: Series, low: Series, close: Series, length: int, shadow: float, short: float, value: Out
) -> None:
    for step in range(length, len(close)):
        shape = hangs(1.0, open[step], high[step], low[step], close[step], shadow, short)
        value[step] = 1.0 if shape and trend(close, step - 1, length) < 0 else 0.0


@indicator(
    "Inverted hammer",
    before(),
    *_SHAPE,
    outputs=_FLAG,
    warm_up=lambda length, shadow, short: length,
    look_back=lambda length, shadow, short: length + 1,
    drawn="price",
    formula=f"a body of either colour, an upper shadow of at least `shadow` bodies, a lower one of at most `short` of "
    f"the range; {AFTER_A_FALL}",
    source=NISON,
    notes=f"The same candle after a rise is a shooting star. {_SHAPE_NOTES}",
)
@kernel
def inverted_hammer(
    open: Series, high: Series, low: Series, close: Series, length: int, shadow: float, short: float, value: Out
) -> None:
    for step in range(length, len(close)):
        shape = hangs(-1.0, open[step], low[step], high[step], close[step], shadow, short)
        value[step] = 1.0 if shape and trend(close, step - 1, length) < 0 else 0.0


@indicator(
    "Shooting star",
    before(),
    *_SHAPE,
    outputs=_FLAG,
    warm_up=lambda length, shadow, short: length,
    look_back=lambda length, shadow, short: length + 1,
    drawn="price",
    formula=f"a body of either colour, an upper shadow of at least `shadow` bodies, a lower one of at most `short` of "
    f"the range; {AFTER_A_RISE}",
    source=NISON,
    notes=f"The same candle after a fall is an inverted hammer. {_SHAPE_NOTES} {NO_GAP}",
)
@kernel
def shooting_star(
    open: Series, high: Series, low: Series, close: Series, length: int, shadow: float, short: float, value: Out
) -> None:
    for step in range(length, len(close)):
        shape = hangs(-1.0, open[step], low[step], high[step], close[step], shadow, short)
        value[step] = 1.0 if shape and trend(close, step - 1, length) > 0 else 0.0


@indicator(
    "Marubozu",
    before(),
    number("shadow", 0.05, 0, 0.3),
    outputs=_BOTH,
    warm_up=lambda length, shadow: length,
    look_back=lambda length, shadow: length + 1,
    drawn="price",
    formula="shadows of at most `shadow` of the range each, and a body longer than the mean of the `length` bodies "
    "before; bullish: white, bearish: black",
    source=NISON,
    notes="TA-Lib measures the shadows by the ranges of the ten candles before, TradingView by the body.",
)
@kernel
def marubozu(
    open: Series, high: Series, low: Series, close: Series, length: int, shadow: float, bullish: Out, bearish: Out
) -> None:
    for step in range(length, len(close)):
        bottom, top = in_order(open[step], close[step])
        most = shadow * (high[step] - low[step]) + tie_of(high[step])
        bare = (high[step] - top <= most) & (bottom - low[step] <= most) & (top > bottom)
        found = bare and is_long(open, close, step, step - 1, length)
        bullish[step] = 1.0 if found & (close[step] > open[step]) else 0.0
        bearish[step] = 1.0 if found & (close[step] < open[step]) else 0.0


@indicator(
    "Engulfing",
    before(),
    outputs=_BOTH,
    warm_up=lambda length: length + 1,
    look_back=lambda length: length + 2,
    drawn="price",
    formula=f"two bodies of different colours, of which the second covers the first and is longer; bullish: the second "
    f"is white, {AFTER_A_FALL}; bearish: it is black, after a rise",
    source=NISON,
    notes="The bodies may share one end. TradingView wants a second body that is long and a first one that is short "
    "beside recent ones, and another trend; TA-Lib looks at no trend.",
)
@kernel
def engulfing(open: Series, close: Series, length: int, bullish: Out, bearish: Out) -> None:
    for step in range(length + 1, len(close)):
        side = 1.0 if close[step] > open[step] else -1.0
        begin, end = side * open[step], side * close[step]
        covered_begin, covered_end = side * open[step - 1], side * close[step - 1]
        covers = (begin <= covered_end) & (covered_end < covered_begin) & (covered_begin <= end)
        covers = covers & ((begin < covered_end) | (covered_begin < end))
        found = covers and side * trend(close, step - 2, length) < 0
        bullish[step] = 1.0 if found & (side > 0) else 0.0
        bearish[step] = 1.0 if found & (side < 0) else 0.0


@indicator(
    "Harami",
    before(),
    number("share", 0.5, 0.05, 0.95),
    outputs=_BOTH,
    warm_up=lambda length, share: length + 1,
    look_back=lambda length, share: length + 2,
    drawn="price",
    formula="a body longer than the mean of the `length` before it, then one of either colour, or a doji, that lies "
    f"within it and is at most `share` as long; bullish: the first is black, {AFTER_A_FALL}; bearish: it is white, "
    "after a rise",
    source=NISON,
    notes="The bodies may share one end. TradingView wants different colours; TA-Lib looks at no trend.",
)
@kernel
def harami(
    open: Series, high: Series, low: Series, close: Series, length: int, share: float, bullish: Out, bearish: Out
) -> None:
    for step in range(length + 1, len(close)):
        side = 1.0 if close[step - 1] < open[step - 1] else -1.0
        top, bottom = side * open[step - 1], side * close[step - 1]
        lower, upper = in_order(side * open[step], side * close[step])
        small = (upper - lower <= share * (top - bottom) + tie_of(high[step])) & (high[step] > low[step])
        within = (bottom <= lower) & (upper <= top) & (bottom < top)
        found = small & within and side * trend(close, step - 2, length) < 0
        found = found and is_long(open, close, step - 1, step - 2, length)
        bullish[step] = 1.0 if found & (side > 0) else 0.0
        bearish[step] = 1.0 if found & (side < 0) else 0.0


@indicator(
    "Piercing pattern",
    before(),
    number("penetration", 0.5, 0.1, 0.9),
    outputs=_FLAG,
    warm_up=lambda length, penetration: length + 1,
    look_back=lambda length, penetration: length + 2,
    drawn="price",
    formula="a black body longer than the mean of the `length` before it, then a white one that opens at or below its "
    f"close and ends more than `penetration` of the way up, but below its open; {AFTER_A_FALL}",
    source=NISON,
    notes=f"What ends at or above that open is engulfing. {NO_GAP}",
)
@kernel
def piercing(open: Series, close: Series, length: int, penetration: float, value: Out) -> None:
    for step in range(length + 1, len(close)):
        shape = pierces(1.0, open[step - 1], close[step - 1], open[step], close[step], penetration)
        found = shape and trend(close, step - 2, length) < 0 and is_long(open, close, step - 1, step - 2, length)
        value[step] = 1.0 if found else 0.0


@indicator(
    "Dark cloud cover",
    before(),
    number("penetration", 0.5, 0.1, 0.9),
    outputs=_FLAG,
    warm_up=lambda length, penetration: length + 1,
    look_back=lambda length, penetration: length + 2,
    drawn="price",
    formula="a white body longer than the mean of the `length` before it, then a black one that opens at or above its "
    f"close and ends more than `penetration` of the way down, but above its open; {AFTER_A_RISE}",
    source=NISON,
    notes=f"What ends at or below that open is engulfing. {NO_GAP}",
    aliases=("dark_cloud_cover",),
)
@kernel
def dark_cloud(open: Series, close: Series, length: int, penetration: float, value: Out) -> None:
    for step in range(length + 1, len(close)):
        shape = pierces(-1.0, open[step - 1], close[step - 1], open[step], close[step], penetration)
        found = shape and trend(close, step - 2, length) > 0 and is_long(open, close, step - 1, step - 2, length)
        value[step] = 1.0 if found else 0.0


@kernel
def tie_of(price: float) -> float:
    """Differences of prices that are this close are equal: 10.1 - 10.0 is a bit less than 10.2 - 10.1."""
    return 1e-12 * abs(price)


@kernel
def in_order(one: float, other: float) -> tuple[float, float]:
    """The lower and the upper of two prices."""
    return (one, other) if one < other else (other, one)


@kernel
def hangs(side: float, open: float, top: float, bottom: float, close: float, shadow: float, short: float) -> bool:
    """Whether a candle's body lies at its top and a long shadow hangs from it; with `side` -1, upside down."""
    lower, upper = in_order(side * open, side * close)
    top, bottom = side * top, side * bottom
    tie = tie_of(top)
    long_enough = lower - bottom >= shadow * (upper - lower) - tie
    return bool((upper > lower) & long_enough & (top - upper <= short * (top - bottom) + tie))


@kernel
def pierces(side: float, top: float, bottom: float, begin: float, end: float, penetration: float) -> bool:
    """Whether a white body reaches up into the black one before; with `side` -1, upside down."""
    top, bottom, begin, end = side * top, side * bottom, side * begin, side * end
    far_enough = end - bottom > penetration * (top - bottom) + tie_of(top)
    return bool((begin <= bottom) & (bottom < end) & (end < top) & far_enough)


@kernel
def trend(close: Series, last: int, length: int) -> float:
    """How the close of the candle `last` lies to the mean of the `length` up to it: 1 above, -1 below, 0 at it."""
    # Asked on few candles, so it is summed anew; always from the oldest on, that it does not depend on the start.
    distance = 0.0
    for step in range(last - length + 1, last):
        distance += close[last] - close[step]
    tie = length * tie_of(close[last])
    return 1.0 if distance > tie else (-1.0 if distance < -tie else 0.0)


@kernel
def is_long(open: Series, close: Series, step: int, last: int, length: int) -> bool:
    """Whether a candle's body is longer than the mean of the `length` bodies up to the candle `last`."""
    bodies = 0.0
    for place in range(last - length + 1, last + 1):
        bodies += abs(close[place] - open[place])
    return bool(abs(close[step] - open[step]) * length > bodies + length * tie_of(close[step]))
