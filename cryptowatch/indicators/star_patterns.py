"""Candle patterns of three candles: 1 on the candle that completes one, else 0; see `patterns` for their words."""

from cryptowatch.indicators.catalogue import Unit, indicator, number
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.patterns import (
    AFTER_A_FALL,
    AFTER_A_RISE,
    NISON,
    NO_GAP,
    before,
    in_order,
    is_long,
    tie_of,
    trend,
)

_FLAG: dict[str, Unit] = {"value": "flag"}
_STAR = (number("star", 0.3, 0.01, 0.9), number("penetration", 0.5, 0.1, 1))
_ROW = (number("shadow", 0.2, 0, 0.5), number("near", 0.1, 0, 1))
_ROW_NOTES = "TradingView wants shadows of at most 5 %; it and TA-Lib look at no trend."


@indicator(
    "Morning star",
    before(),
    *_STAR,
    outputs=_FLAG,
    warm_up=lambda length, star, penetration: length + 2,
    look_back=lambda length, star, penetration: length + 3,
    drawn="price",
    formula="a black body longer than the mean of the `length` before it; a body of either colour, or a doji, at most "
    "`star` as long, that reaches up no further than `star` of the first; a white body longer than that one, that ends "
    f"at least `penetration` of the way up the first; {AFTER_A_FALL}",
    source=NISON,
    notes=f"`penetration` is 0.3 by default in TA-Lib. {NO_GAP}",
)
@kernel
def morning_star(
    open: Series, high: Series, low: Series, close: Series, length: int, star: float, penetration: float, value: Out
) -> None:
    for step in range(length + 2, len(close)):
        first, middle = step - 2, step - 1
        begin, end = open[step], close[step]
        shape = turns(1.0, open[first], close[first], open[middle], close[middle], begin, end, star, penetration)
        found = shape & (high[middle] > low[middle]) and trend(close, step - 3, length) < 0
        value[step] = 1.0 if found and is_long(open, close, first, step - 3, length) else 0.0


@indicator(
    "Evening star",
    before(),
    *_STAR,
    outputs=_FLAG,
    warm_up=lambda length, star, penetration: length + 2,
    look_back=lambda length, star, penetration: length + 3,
    drawn="price",
    formula="a white body longer than the mean of the `length` before it; a body of either colour, or a doji, at most "
    "`star` as long, that reaches down no further than `star` of the first; a black body longer than that one, that "
    f"ends at least `penetration` of the way down the first; {AFTER_A_RISE}",
    source=NISON,
    notes=f"`penetration` is 0.3 by default in TA-Lib. {NO_GAP}",
)
@kernel
def evening_star(
    open: Series, high: Series, low: Series, close: Series, length: int, star: float, penetration: float, value: Out
) -> None:
    for step in range(length + 2, len(close)):
        first, middle = step - 2, step - 1
        begin, end = open[step], close[step]
        shape = turns(-1.0, open[first], close[first], open[middle], close[middle], begin, end, star, penetration)
        found = shape & (high[middle] > low[middle]) and trend(close, step - 3, length) > 0
        value[step] = 1.0 if found and is_long(open, close, first, step - 3, length) else 0.0


@indicator(
    "Three white soldiers",
    before(),
    *_ROW,
    outputs=_FLAG,
    warm_up=lambda length, shadow, near: length + 2,
    look_back=lambda length, shadow, near: length + 3,
    drawn="price",
    formula="three white bodies, each longer than the mean of the `length` before the first, with an upper shadow of "
    "at most `shadow` of the range; the second and third open within the body before, or above it by at most `near` of "
    f"it, and close higher; not {AFTER_A_RISE}",
    source=NISON,
    notes=_ROW_NOTES,
)
@kernel
def three_white_soldiers(
    open: Series, high: Series, low: Series, close: Series, length: int, shadow: float, near: float, value: Out
) -> None:
    march(1.0, open, high, low, close, length, shadow, near, value)


@indicator(
    "Three black crows",
    before(),
    *_ROW,
    outputs=_FLAG,
    warm_up=lambda length, shadow, near: length + 2,
    look_back=lambda length, shadow, near: length + 3,
    drawn="price",
    formula="three black bodies, each longer than the mean of the `length` before the first, with a lower shadow of "
    "at most `shadow` of the range; the second and third open within the body before, or below it by at most `near` of "
    f"it, and close lower; not {AFTER_A_FALL}",
    source=NISON,
    notes=f"{_ROW_NOTES} TA-Lib wants a white candle before that the first crow closes below the high of.",
)
@kernel
def three_black_crows(
    open: Series, high: Series, low: Series, close: Series, length: int, shadow: float, near: float, value: Out
) -> None:
    march(-1.0, open, low, high, close, length, shadow, near, value)


@kernel
def turns(
    side: float, open: float, close: float, star_open: float, star_close: float, begin: float, end: float,
    star: float, penetration: float,
) -> bool:  # fmt: skip
    """Whether three bodies make a morning star; with `side` -1, an evening star."""
    fall, rise = side * (open - close), side * (end - begin)
    lower, upper = in_order(side * star_open, side * star_close)
    tie = tie_of(open)
    small = (upper - lower <= star * fall + tie) & (upper - side * close <= star * fall + tie)
    deep = side * (end - close) >= penetration * fall - tie
    return bool((fall > 0) & small & (rise > upper - lower) & deep)


@kernel
def march(
    side: float, open: Series, top: Series, bottom: Series, close: Series,
    length: int, shadow: float, near: float, value: Out,
) -> None:  # fmt: skip
    """Three white soldiers; with `side` -1 and top and bottom exchanged, three black crows."""
    in_line = 0  # candles in a row that march, each behind the one before
    begun = reached = 0.0
    for step in range(len(close)):
        begin, end = side * open[step], side * close[step]
        tie = tie_of(end)
        marches = (end > begin) & (side * top[step] - end <= shadow * side * (top[step] - bottom[step]) + tie)
        behind = (end > reached) & (begun <= begin) & (begin - reached <= near * (reached - begun) + tie)
        in_line = (in_line + 1 if behind else 1) if marches else 0
        begun, reached = begin, end
        if step < length + 2:
            continue
        first = step - 2
        found = in_line >= 3 and side * trend(close, first - 1, length) <= 0
        for each in range(first, step + 1):
            found = found and is_long(open, close, each, first - 1, length)
        value[step] = 1.0 if found else 0.0
