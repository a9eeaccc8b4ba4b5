"""A folder of recorded candles, served at their recorded times."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from cryptowatch.local.exchange.record import (
    NO_CANDLES,
    Candles,
    Record,
    aggregate,
    join,
    longest_part,
    part_steps,
    tiles,
)
from cryptowatch.local.exchange.recorded_file import BadRecordError, market_of, read_candles
from cryptowatch.markets.interval import Interval

__all__ = ["BadRecordError", "ReplayRecord"]

#: Decimals of prices where a record's own have more: what an exchange quotes at most.
_MOST_DECIMALS = 8


@dataclass(frozen=True)
class _Recorded:
    """The candles of one file; `decimals` of its prices."""

    interval: Interval
    candles: Candles
    decimals: int

    @property
    def opens(self) -> datetime:
        return self.interval.open_time(int(self.candles.steps[0]))

    @property
    def closes(self) -> datetime:
        return self.interval.close_time(int(self.candles.steps[-1]))

    def whole_steps(self, interval: Interval) -> tuple[int, int]:
        """The first and the last step of `interval` that lie within the file from their open to their close."""
        first = interval.step_at(self.opens)
        if interval.open_time(first) < self.opens:
            first += 1
        return first, interval.last_closed(self.closes)


class ReplayRecord(Record):
    """Recorded candles of some markets, the same on every source that lists them.

    An interval is served from the file that recorded it, and outside of that file's time from the longest one that
    can be put together to it, where that covers it from open to close. A step without a row in the file had no candle.

    Args:
        folder: its files are named for what is in them, `ETH_BTC-5m.csv.gz` or `.csv`: see `read_candles`; files that
            are no `.csv` are not looked at.
        sources: which exchanges list these markets.
        only: the symbols whose files are read; None: all.

    Raises:
        BadRecordError: no such folder, no recorded candles in it, or a file that is not as described.
    """

    shows_quiet = False

    def __init__(
        self,
        folder: Path,
        sources: Sequence[str] = ("kraken", "coinbase", "binance"),
        only: Collection[str] | None = None,
    ) -> None:
        if not folder.is_dir():
            raise BadRecordError(f"{folder}: no such folder")
        self._sources = tuple(sources)
        self._markets: dict[str, list[_Recorded]] = {}
        for path in sorted(folder.iterdir()):
            if path.name.endswith((".csv", ".csv.gz")) and (only is None or market_of(path)[0] in only):
                self._add(path)
        if not self._markets:
            raise BadRecordError(f"{folder}: no recorded candles: files named like ETH_BTC-5m.csv.gz")

    def _add(self, path: Path) -> None:
        symbol, interval = market_of(path)
        files = self._markets.setdefault(symbol, [])
        if any(one.interval == interval for one in files):
            raise BadRecordError(f"{path}: a second file of {symbol} {interval}")
        candles = read_candles(path, interval)
        files.append(_Recorded(interval, candles, _decimals(candles)))
        files.sort(key=lambda one: -one.interval.seconds)

    def symbols(self, source: str) -> list[str]:
        return sorted(self._markets) if source in self._sources else []

    def decimals(self, source: str, symbol: str) -> int:
        return max(one.decimals for one in self._markets[symbol])

    def bounds(self, symbol: str) -> tuple[datetime, datetime]:
        files = self._markets[symbol]
        return min(one.opens for one in files), max(one.closes for one in files)

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        pieces = [NO_CANDLES]
        free = [(first, last)]
        for one in self._markets[symbol]:
            if not tiles(interval, one.interval):
                continue
            start, end = one.whole_steps(interval)
            left: list[tuple[int, int]] = []
            for low, high in free:
                pieces.append(_part(one, interval, max(low, start), min(high, end)))
                left += [(low, min(high, start - 1)), (max(low, end + 1), high)]
            free = [(low, high) for low, high in left if low <= high]
        found = join(*pieces)
        order = np.argsort(found.steps, kind="stable")
        return Candles(found.steps[order], found.values[order])

    def parts(self, symbol: str, interval: Interval, step: int) -> Interval | None:
        opens, closes = interval.open_time(step), interval.close_time(step)
        whole = [one.interval for one in self._markets[symbol] if one.opens <= opens and closes <= one.closes]
        finest = sorted((one for one in whole if tiles(interval, one)), key=lambda one: one.seconds)
        return finest[0] if finest else None

    @property
    def interval(self) -> Interval:
        """The shortest interval recorded."""
        return min((one.interval for files in self._markets.values() for one in files), key=lambda one: one.seconds)

    def span(self) -> tuple[datetime, datetime]:
        """Open time of the first candle and close time of the last, UTC, of the markets at the shortest interval."""
        some = [one for files in self._markets.values() for one in files if one.interval == self.interval]
        return min(one.opens for one in some), max(one.closes for one in some)


def _part(recorded: _Recorded, interval: Interval, first: int, last: int) -> Candles:
    if last < first:
        return NO_CANDLES
    part = longest_part(interval, [recorded.interval])
    assert part is not None
    return aggregate(recorded.candles.between(*part_steps(interval, part, first, last)), part, interval)


def _decimals(candles: Candles) -> int:
    """The fewest decimals that tell all prices; a digit beyond the fifteenth is the file's, not the exchange's."""
    prices = candles.values[:, :4]
    for decimals in range(_MOST_DECIMALS):
        if np.allclose(np.round(prices, decimals), prices, rtol=1e-12, atol=0):
            return decimals
    return _MOST_DECIMALS
