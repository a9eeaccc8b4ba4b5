"""A folder of recorded candles, served at their recorded times.

One file a market, `ETH_BTC-5m.csv.gz` or `.csv`: columns `open_time,open,high,low,close,volume`, times UTC.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from cryptowatch.local.exchange.record import Candles, aggregate
from cryptowatch.markets.interval import INTERVALS, Interval

_NAME = re.compile(r"(?P<base>[A-Za-z0-9]+)_(?P<quote>[A-Za-z0-9]+)-(?P<interval>[0-9]+[mhdw])\.csv(\.gz)?")
_COLUMNS = ["open_time", "open", "high", "low", "close", "volume"]


class BadRecordError(ValueError):
    """A folder or file of recorded candles cannot be read."""


@dataclass(frozen=True)
class _Recorded:
    interval: Interval
    candles: Candles


class ReplayRecord:
    """Recorded candles of some markets, listed by every source.

    Args:
        folder: where the files are.

    Raises:
        BadRecordError: no such folder, no such file in it, or a file that is not as described above.
    """

    shows_quiet = False

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadRecordError(f"{folder}: no such folder")
        self._markets: dict[str, list[_Recorded]] = {}
        for path in sorted(folder.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is None:
                continue
            interval = INTERVALS.get(match["interval"])
            if interval is None:
                raise BadRecordError(f"{path}: unknown interval {match['interval']!r}: one of {', '.join(INTERVALS)}")
            symbol = f"{match['base']}/{match['quote']}".upper()
            self._markets.setdefault(symbol, []).append(_Recorded(interval, _read(path, interval)))
        if not self._markets:
            raise BadRecordError(f"{folder}: no recorded candles, files named like ETH_BTC-5m.csv.gz")
        for recorded in self._markets.values():
            recorded.sort(key=lambda one: one.interval.seconds)

    def symbols(self, source: str) -> list[str]:
        return sorted(self._markets)

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        for recorded in self._markets[symbol]:
            if interval.seconds % recorded.interval.seconds == 0:
                return _part(recorded, interval, first, last)
        return Candles(np.empty(0, dtype=np.int64), np.empty((0, 5)))

    @property
    def interval(self) -> Interval:
        """The shortest interval recorded."""
        return min((one.interval for recorded in self._markets.values() for one in recorded), key=lambda i: i.seconds)

    def span(self) -> tuple[datetime, datetime]:
        """Open time of the first candle and close time of the last, UTC, of the markets at the shortest interval."""
        some = [one for recorded in self._markets.values() for one in recorded if one.interval == self.interval]
        first = min(int(one.candles.steps[0]) for one in some)
        last = max(int(one.candles.steps[-1]) for one in some)
        return self.interval.open_time(first), self.interval.close_time(last)


def _part(recorded: _Recorded, interval: Interval, first: int, last: int) -> Candles:
    """The steps asked for; of a longer interval than was recorded, made of its parts."""
    grid, candles = recorded.interval, recorded.candles
    ratio = interval.seconds // grid.seconds
    shift = (interval.offset - grid.offset) // grid.seconds
    start, end = np.searchsorted(candles.steps, [first * ratio + shift, (last + 1) * ratio + shift])
    part = Candles(candles.steps[start:end], candles.values[start:end])
    return part if ratio == 1 else aggregate(part, grid, interval)


def _read(path: Path, interval: Interval) -> Candles:
    try:
        table = pd.read_csv(path)
        if list(table.columns) != _COLUMNS:
            raise BadRecordError(f"{path}: columns must be {','.join(_COLUMNS)}, not {','.join(table.columns)}")
        times = pd.to_datetime(table["open_time"], utc=True)
        values = table[_COLUMNS[1:]].to_numpy(dtype=np.float64)
    except BadRecordError:
        raise
    except (OSError, ValueError, EOFError) as error:
        raise BadRecordError(f"{path}: not a table of candles: {error}") from error
    if len(table) == 0 or not np.isfinite(values).all():
        raise BadRecordError(f"{path}: no candles, or some without a number")
    seconds = (times.astype("int64") // _unit(times)).to_numpy()
    steps, rest = np.divmod(seconds - interval.offset, interval.seconds)
    if rest.any() or (np.diff(steps) <= 0).any():
        raise BadRecordError(f"{path}: open times must ascend on the grid of {interval}")
    return Candles(steps.astype(np.int64), values)


def _unit(times: "pd.Series[pd.Timestamp]") -> int:
    """How many of the series' own time units are in a second."""
    return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[times.dt.unit]
