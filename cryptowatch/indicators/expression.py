"""Indicators for notebooks: an expression of the rule language over arrays or a data frame."""

from collections.abc import Sequence
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
            volume`, ascending in time. Its index is looked at where an indicator needs the time: a DatetimeIndex in
            UTC.
        open, high, low, close, volume: instead of a frame, arrays, all of one shape: `(time,)` or `(market, time)`,
            ascending in time. Only those that the expression reads are needed. NaN is an unknown candle.
        time: when each candle opens, shape `(time,)`: datetime64, or seconds since 1970, UTC. Needed by indicators
            that are counted by the day, like `vwap` and `pivot_points`.

    Returns:
        float64 of the shape given, or a Series with the frame's index. NaN where unknown, never infinite.

    Raises:
        RuleError: the expression cannot be understood.
        BadCandlesError: arrays of different shapes, one that is missing, or times that are no regular grid.

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

    if isinstance(frame.index, pd.DatetimeIndex):
        time = frame.index.tz_convert("UTC").tz_localize(None) if frame.index.tz else frame.index
        time = np.asarray(time, dtype="datetime64[s]")
    arrays = {name: frame[name].to_numpy(dtype=np.float64) for name in _COLUMNS if name in frame.columns}
    return pd.Series(_of_arrays(expression, arrays, time), index=frame.index, name=expression)


def _of_arrays(expression: str, columns: dict[str, Any], time: ArrayLike | None) -> Floats:
    # The language is made of indicators, so its package builds upon this one; only this door leads back.
    from cryptowatch.rules.number import compile_number

    for name in columns:
        if name not in _COLUMNS:
            raise BadCandlesError(f"unknown series {name!r}: there are {', '.join(_COLUMNS)}, and time")
    given = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items() if values is not None}
    shape = _shape(given)
    interval, first_step = _grid(time, shape[-1])
    number = compile_number(expression, interval)
    for name in number.series:
        if name == "time" and time is None:
            raise BadCandlesError(f"{expression} needs the time of each candle: give time=")
        if name != "time" and name not in given:
            raise BadCandlesError(f"{expression} reads {name}, which was not given")
    markets = 1 if len(shape) == 1 else shape[0]
    unknown = np.broadcast_to(np.nan, (markets, shape[-1]))
    arrays = {name: given[name].reshape(markets, -1) if name in given else unknown for name in _COLUMNS}
    none_filled = np.broadcast_to(np.False_, (markets, shape[-1]))
    panel = Panel(interval, first_step, tuple(range(markets)), filled=none_filled, **arrays)
    return number.values(panel).reshape(shape)


def _shape(given: dict[str, Floats]) -> tuple[int, ...]:
    if not given:
        raise BadCandlesError("no candles: give the series that the expression reads, like close=")
    shapes = {name: values.shape for name, values in given.items()}
    shape = next(iter(shapes.values()))
    if len(shape) not in (1, 2):
        raise BadCandlesError(f"an array of candles has the shape (time,) or (market, time), not {shape}")
    if len(set(shapes.values())) > 1:
        raise BadCandlesError(f"the arrays must have one shape, not {shapes}")
    return shape


def _grid(time: ArrayLike | None, steps: int) -> tuple[Interval, int]:
    """The interval of candles that open at these times, and the step of the first."""
    if time is None:
        return INTERVALS["1m"], 0
    times = np.asarray(time)
    if times.dtype.kind == "M":
        times = times.astype("datetime64[s]")
    seconds: NDArray[np.int64] = times.astype(np.int64)
    if seconds.shape != (steps,):
        raise BadCandlesError(f"time must have the shape ({steps},), not {seconds.shape}")
    apart: Sequence[int] = np.unique(np.diff(seconds)).tolist()
    try:
        interval = interval_of_seconds(apart[0]) if len(apart) == 1 else None
    except UnknownIntervalError as error:
        raise BadCandlesError(f"time: {error}") from None
    if interval is None or (seconds[0] - interval.offset) % interval.seconds:
        raise BadCandlesError(
            "time must be a regular grid of one interval without a gap: fill or leave out candles first"
        )
    return interval, int((seconds[0] - interval.offset) // interval.seconds)
