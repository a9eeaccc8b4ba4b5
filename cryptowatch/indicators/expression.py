"""Indicators for notebooks: an expression of the rule language over arrays or a data frame."""

from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cryptowatch.markets.interval import INTERVALS, Interval, UnknownIntervalError, interval_of_seconds
from cryptowatch.markets.panel import Floats, Panel

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("open", "high", "low", "close", "volume")


class BadCandlesError(ValueError):
    """The arrays are not candles on one grid, or one that the expression reads is missing."""


@overload
def evaluate(expression: str, frame: "pd.DataFrame", /) -> "pd.Series[float]": ...
@overload
def evaluate(
    expression: str,
    /,
    *,
    open: ArrayLike | None = None,
    high: ArrayLike | None = None,
    low: ArrayLike | None = None,
    close: ArrayLike | None = None,
    volume: ArrayLike | None = None,
    time: ArrayLike | None = None,
) -> Floats: ...
def evaluate(expression: str, frame: Any = None, /, *, time: ArrayLike | None = None, **columns: Any) -> Any:
    """The values of an expression at each candle: those that a rule with this expression sees.

    Args:
        expression: a number in the rule language: an indicator, or what is made of some, like `"ema(rsi(14), 9)"` or
            `"macd(12, 26, 9).signal"`. `interval=` is for rules only.
        frame: candles as a pandas DataFrame with the columns that the expression reads of `open high low close
            volume`, ascending in time. Where the expression needs the time, its index must be a DatetimeIndex; one
            without a zone is UTC.
        open, high, low, close, volume: instead of a frame, arrays, all of one shape: `(time,)` or `(market, time)`,
            ascending in time. Only those that the expression reads are needed. NaN is an unknown candle.
        time: when each candle opens, shape `(time,)`: datetimes (UTC where they have no zone), or whole seconds since
            1970. Needed by what is counted by the day, like `vwap`, `pivot_points` and `hour`.

    Returns:
        float64 of the shape given, or a Series with the frame's index. NaN where unknown, never infinite.

    Raises:
        RuleError: the expression cannot be understood.
        BadCandlesError: arrays of different shapes, one that is missing, or, where the expression needs them, times
            that are not a regular grid.

    Example:
        >>> import numpy as np
        >>> from cryptowatch.indicators import evaluate
        >>> evaluate("sma(3)", close=[1.0, 2.0, 6.0, 7.0])
        array([nan, nan,  3.,  5.])
        >>> evaluate("highest(high, 2) - low", high=[[5.0, 4.0], [3.0, 8.0]], low=[[1.0, 1.0], [2.0, 2.0]])
        array([[nan,  4.],
               [nan,  6.]])
        >>> import pandas as pd
        >>> evaluate("change_pct(1)", pd.DataFrame({"close": [100.0, 101.0]}))
        0    NaN
        1    1.0
        Name: change_pct(1), dtype: float64
    """
    if frame is None:
        return _of_arrays(expression, columns, time)
    if columns or time is not None:
        raise BadCandlesError("give a frame or arrays, not both")
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise BadCandlesError(
            f"a frame of pandas is needed, not {type(frame).__name__}; give arrays by name, like close="
        )
    index = frame.index if isinstance(frame.index, pd.DatetimeIndex) else None
    arrays = {name: frame[name] for name in _COLUMNS if name in frame.columns}
    return pd.Series(_of_arrays(expression, arrays, index), index=frame.index, name=expression)


def _of_arrays(expression: str, columns: dict[str, Any], time: Any) -> Floats:
    # The language is made of indicators, so its package builds upon this one; only this door leads back.
    from cryptowatch.rules.number import compile_number

    for name in columns:
        if name not in _COLUMNS:
            raise BadCandlesError(f"unknown series {name!r}: there are {', '.join(_COLUMNS)}, and time")
    # On which interval does not matter, unless it reads the time.
    needed = compile_number(expression, INTERVALS["1m"]).series
    given = {name: _floats(name, values) for name, values in columns.items() if name in needed and values is not None}
    for name in sorted(needed - {"time"} - given.keys()):
        raise BadCandlesError(f"{expression} reads {name}, which was not given")
    if "time" in needed and time is None:
        raise BadCandlesError(
            f"{expression} needs the time of each candle: give time=, or a frame with a DatetimeIndex"
        )
    shape = _shape(given, columns)
    interval, first_step = _grid(time, shape[-1]) if "time" in needed else (INTERVALS["1m"], 0)
    markets = 1 if len(shape) == 1 else shape[0]
    unknown = np.broadcast_to(np.nan, (markets, shape[-1]))
    arrays = {name: given[name].reshape(markets, shape[-1]) if name in given else unknown for name in _COLUMNS}
    none_filled = np.broadcast_to(np.False_, (markets, shape[-1]))
    panel = Panel(interval, first_step, tuple(range(markets)), filled=none_filled, **arrays)
    return compile_number(expression, interval).values(panel).reshape(shape)


def _floats(name: str, values: Any) -> Floats:
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadCandlesError(f"{name} is not an array of numbers: {error}") from None


def _shape(given: dict[str, Floats], columns: dict[str, Any]) -> tuple[int, ...]:
    """The shape of the arrays that are read; of an expression of the time alone, of any that were given."""
    some = given or {name: _floats(name, values) for name, values in columns.items() if values is not None}
    if not some:
        raise BadCandlesError("no candles: give the series that the expression reads, like close=")
    shapes = {name: values.shape for name, values in some.items()}
    shape = next(iter(shapes.values()))
    if len(shape) not in (1, 2):
        raise BadCandlesError(f"an array of candles has the shape (time,) or (market, time), not {shape}")
    if len(set(shapes.values())) > 1:
        raise BadCandlesError(f"the arrays must have one shape, not {shapes}")
    return shape


def _grid(time: Any, steps: int) -> tuple[Interval, int]:
    """The interval of candles that open at these times, and the step of the first."""
    seconds = _seconds(time)
    if seconds.shape != (steps,):
        raise BadCandlesError(f"time must have the shape ({steps},), not {seconds.shape}")
    apart: list[int] = np.unique(np.diff(seconds)).tolist()
    if not apart:
        return INTERVALS["1m"], int(seconds[0]) // 60 if steps else 0
    if apart[0] <= 0:
        raise BadCandlesError("time must ascend, each candle once")
    if apart[0] % 60_000 == 0 and apart[0] > max(INTERVALS.values()).seconds:
        raise BadCandlesError("time must be in seconds, not in milliseconds")
    try:
        interval = interval_of_seconds(apart[0]) if len(apart) == 1 else None
    except UnknownIntervalError as error:
        raise BadCandlesError(f"time: {error}") from None
    if interval is None or (seconds[0] - interval.offset) % interval.seconds:
        raise BadCandlesError("time must be a regular grid of one interval: fill the gaps, or take a part without any")
    return interval, int((seconds[0] - interval.offset) // interval.seconds)


def _seconds(time: Any) -> NDArray[np.int64]:
    """Whole seconds since 1970 of datetimes, with a zone or in UTC, or of seconds."""
    values = np.asarray(time)
    if values.dtype.kind in "iuf" and values.size:
        return values.astype(np.int64)
    import pandas as pd

    try:
        moments = pd.to_datetime(pd.Index(time), utc=True).tz_localize(None)
    except (TypeError, ValueError) as error:
        raise BadCandlesError(f"time is neither datetimes nor seconds: {error}") from None
    return np.asarray(moments, dtype="datetime64[s]").astype(np.int64)
