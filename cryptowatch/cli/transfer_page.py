"""The work of `cryptowatch import` and `export`, batch by batch, and what they print."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from cryptowatch.cli import candle_files
from cryptowatch.cli.show import out
from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.recorded_file import BadRecordError
from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import Interval, UnknownIntervalError, interval_named
from cryptowatch.pipeline.transfer import MOST_CANDLES

__all__ = ["BadRecordError", "NothingWrittenError", "read", "send_all", "show_imported", "show_written", "take"]

#: Asks the control function for one batch.
AskBatch = Callable[[dict[str, Any]], dict[str, Any]]
#: What became of imported candles, as it is counted and as it is called.
_COUNTS = {
    "new": "stored",
    "same": "there already",
    "differ": "there with other figures",
    "newer": "left to the source",
}


class NothingWrittenError(ValueError):
    """An export that cannot be written; one line."""


@dataclass(frozen=True)
class Brought:
    """The candles of one file."""

    path: Path
    market: str
    interval: Interval
    candles: Candles


def read(path: Path, source: str) -> Brought:
    """A file, checked.

    Raises:
        BadRecordError: it is not named for a market, or holds what is no candle.
    """
    symbol, interval = candle_files.named(path)
    return Brought(path, str(Market(source, symbol)), interval, candle_files.read(path, interval))


def send_all(brought: Sequence[Brought], ask: AskBatch, *, leave_hole: bool) -> list[dict[str, Any]]:
    """Import file by file, each from its newest candles back, so that what is there is whole at any moment."""
    return [{"file": str(one.path), **_send(one, ask, leave_hole)} for one in brought]


def _send(one: Brought, ask: AskBatch, leave_hole: bool) -> dict[str, Any]:
    grid, steps, values = one.interval, one.candles.steps, one.candles.values
    counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
    until = grid.open_time(int(steps[-1]) + 1)
    for stop in range(len(steps), 0, -MOST_CANDLES):
        start = max(0, stop - MOST_CANDLES)
        times = steps[start:stop] * grid.seconds + grid.offset
        rows = [[time, *row] for time, row in zip(times.tolist(), values[start:stop].tolist(), strict=True)]
        batch = {"market": one.market, "interval": grid.name, "candles": rows, "until": until.isoformat()}
        counts.update(ask({**batch, "leave_hole": leave_hole}))
        until = grid.open_time(int(steps[start]))
    return {"market": one.market, "interval": grid.name, **counts}


def take(market: str, interval: str, since: str, folder: Path, format_: str, ask: AskBatch) -> dict[str, Any]:
    """Write the stored candles of a market to a file in `folder`.

    Raises:
        NothingWrittenError: no such interval, nothing stored in that time, or the file cannot be written.
    """
    try:
        grid, symbol = interval_named(interval), Market.parse(market).symbol
    except (UnknownIntervalError, ValueError) as error:
        raise NothingWrittenError(str(error)) from None
    before = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    rows: list[Any] = []
    while True:
        page = ask({"market": market, "interval": interval, "since": since, "before": before})["candles"]
        rows = page + rows
        if len(page) < MOST_CANDLES:
            break
        before = datetime.fromtimestamp(page[0][0], UTC).isoformat()
    if not rows:
        raise NothingWrittenError(f"nothing is stored of {market} at {interval} since {since}")
    path = folder / candle_files.file_name(symbol, grid, f".{format_}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        candle_files.write(path, rows)
    except OSError as error:
        raise NothingWrittenError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    first, last = (datetime.fromtimestamp(row[0], UTC).isoformat() for row in (rows[0], rows[-1]))
    return {"file": str(path), "market": market, "candles": len(rows), "first": first, "last": last}


def show_imported(results: Sequence[dict[str, Any]]) -> None:
    table = Table("file", "market", "interval", *_COUNTS.values(), box=None)
    for one in results:
        table.add_row(one["file"], one["market"], one["interval"], *(f"{one[name]:,}" for name in _COUNTS))
    out.print(table)


def show_written(written: Sequence[dict[str, Any]]) -> None:
    for one in written:
        first, last = (one[name][:16].replace("T", " ") for name in ("first", "last"))
        out.print(f"{one['file']}: {one['candles']:,} candles from {first} to {last} UTC")
