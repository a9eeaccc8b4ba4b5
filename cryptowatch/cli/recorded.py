"""A folder of recorded candles as a preview reads it."""

import gzip
import zlib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptowatch.local.exchange.recorded_file import BadRecordError, market_of
from cryptowatch.local.exchange.replay import ReplayRecord
from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.markets.panel import Rows
from cryptowatch.studies.evaluate import MOST_TOGETHER
from cryptowatch.studies.history import MarketHistory

#: What the markets of a folder begin with.
SOURCE = "recorded"
#: Bytes of text of the files that are read together, at most: some 300 MB of candles.
MOST_TEXT = 500_000_000
#: How many bytes of text one byte of a compressed file holds, about.
_COMPRESSED = 4
#: Bytes at the end of a file that its last line is looked for in.
_TAIL = 4096


class RecordedFolder:
    """Files of candles named like `ETH_BTC-5m.csv.gz`, read when they are needed.

    Raises:
        BadRecordError: no such folder, no candles in it, or a file that is not named so; later: a file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, dict[Interval, Path]] = {}
        if not folder.is_dir():
            raise BadRecordError(f"{folder}: no such folder")
        for path in sorted(folder.iterdir()):
            if path.name.endswith((".csv", ".csv.gz")):
                symbol, interval = market_of(path)
                self.files.setdefault(symbol, {})[interval] = path
        if not self.files:
            raise BadRecordError(f"{folder}: no recorded candles: files named like ETH_BTC-5m.csv.gz")

    def end(self, symbols: Collection[str]) -> datetime:
        """When the newest candle of these markets closes, UTC."""
        return max(_last_close(path, one) for symbol in symbols for one, path in self.files[symbol].items())

    def batches(self, symbols: Collection[str]) -> Iterator[list[str]]:
        """The markets in groups that fit into memory, in alphabetical order."""
        batch: list[str] = []
        left = MOST_TEXT
        for symbol in sorted(symbols):
            size = sum(
                path.stat().st_size * (_COMPRESSED if path.suffix == ".gz" else 1)
                for path in self.files[symbol].values()
            )
            if batch and (size > left or len(batch) == MOST_TOGETHER):
                yield batch
                batch, left = [], MOST_TEXT
            batch.append(symbol)
            left -= size
        if batch:
            yield batch

    def read(self, symbol: str, intervals: Collection[str]) -> MarketHistory:
        """The candles of a market at these intervals, each from its own file or put together from shorter ones."""
        record = ReplayRecord(self.folder, (SOURCE,), only=(symbol,))
        opens, closes = record.bounds(symbol)
        candles = {}
        for interval in map(interval_named, intervals):
            found = record.candles(SOURCE, symbol, interval, interval.step_at(opens), interval.last_closed(closes))
            candles[interval.name] = Rows(found.steps, found.values, None)
        return MarketHistory(candles, closes)


def _last_close(path: Path, interval: Interval) -> datetime:
    """When the last candle of a file closes, from its last line alone."""
    try:
        if path.suffix == ".gz":
            tail = gzip.decompress(path.read_bytes())[-_TAIL:]
        else:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _TAIL))
                tail = file.read()
        last = tail.decode().rstrip().rsplit("\n", 1)[-1]
        opened = datetime.fromisoformat(last.split(",", 1)[0])
        return (opened if opened.tzinfo else opened.replace(tzinfo=UTC)) + interval.length
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise BadRecordError(f"{path}: its last line is not a candle: {' '.join(str(error).split())[:120]}") from error
