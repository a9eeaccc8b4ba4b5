"""One file of recorded candles: what its name says, what must be in it."""

import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryptowatch.local.exchange.record import Candles
from cryptowatch.markets.interval import Interval, UnknownIntervalError, interval_named

_NAME = re.compile(r"(?P<base>[A-Za-z0-9]+)_(?P<quote>[A-Za-z0-9]+)-(?P<interval>[A-Za-z0-9]+)\.csv(\.gz)?")
_COLUMNS = ["open_time", "open", "high", "low", "close", "volume"]


class BadRecordError(ValueError):
    """A folder or file of recorded candles cannot be read."""


def market_of(path: Path) -> tuple[str, Interval]:
    """The symbol and the interval that a file is named for: `ETH_BTC-5m.csv.gz` holds `ETH/BTC` at `5m`.

    Raises:
        BadRecordError: it is not named like that.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise BadRecordError(f"{path}: a file of candles is named like ETH_BTC-5m.csv.gz")
    try:
        interval = interval_named(match["interval"])
    except UnknownIntervalError as error:
        raise BadRecordError(f"{path}: {error}") from None
    return f"{match['base']}/{match['quote']}".upper(), interval


def read_candles(path: Path, interval: Interval) -> Candles:
    """The candles of a file, `.csv` or `.csv.gz`, figures as they are written to the last bit; see `candles_of`."""
    return candles_of(_table(path), path, interval)


def candles_of(table: pd.DataFrame, path: Path, interval: Interval) -> Candles:
    """The candles of a table, which was read from `path`.

    Columns `open_time` (ISO 8601, UTC, ascending, on the interval's grid), `open`, `high`, `low`, `close` (above zero),
    `volume` (zero or more); a step without a candle has no row.

    Raises:
        BadRecordError: it is not like that; the message names the first row that is not.
    """
    if list(table.columns) != _COLUMNS:
        columns = ",".join(map(str, table.columns))
        raise BadRecordError(f"{path}: the columns must be {','.join(_COLUMNS)}, not {columns[:120]}")
    try:
        times = pd.to_datetime(table["open_time"], utc=True, format="ISO8601")
        values = table[_COLUMNS[1:]].to_numpy(dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadRecordError(f"{path}: not candles: {_line(error)}") from error
    if len(table) == 0:
        raise BadRecordError(f"{path}: no candles in it")
    seconds = times.to_numpy(dtype="datetime64[s]").astype(np.int64)
    steps, rest = np.divmod(seconds - interval.offset, interval.seconds)
    open_, high, low, close, volume = values.T
    _refuse(path, ~np.isfinite(values).all(axis=1), "a figure is missing or not finite")
    off_grid = times.isna().to_numpy(dtype=np.bool_) | (rest != 0)
    _refuse(path, off_grid, f"the open time is not on the grid of {interval}")
    _refuse(path, np.diff(steps, prepend=steps[0] - 1) <= 0, "the open time is not after the one before")
    _refuse(path, np.less_equal(values[:, :4].min(axis=1), 0), "a price is zero or negative")
    _refuse(path, volume < 0, "the volume is negative")
    _refuse(path, np.less(high, low), "the high is below the low")
    outside = (np.maximum(open_, close) > high) | (np.minimum(open_, close) < low)
    _refuse(path, outside, "open or close is outside of high and low")
    return Candles(steps, values)


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype={"open_time": str})
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise BadRecordError(f"{path}: not a table: {_line(error)}") from error


def _refuse(path: Path, bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise BadRecordError(f"{path}: row {int(np.argmax(bad)) + 2}: {what}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
