"""What `cryptowatch backfill` prints, and the bars while it goes on."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from cryptowatch.cli.show import out
from cryptowatch.pipeline.catalog import ExchangeCatalog
from cryptowatch.watches.market_names import expand

#: How backfills stand, as the control function tells it.
Rows = list[dict[str, Any]]

#: Seconds between two looks.
LOOK_S = 1.0
#: Backfills with a bar of their own; one more bar is that of all.
MOST_BARS = 12


def expanded(names: Sequence[str], exchange_url: str | None, warn: Callable[[str], None]) -> list[str]:
    """The markets these names stand for.

    Raises:
        MarketNameError: a name that stands for none.
    """
    catalog = ExchangeCatalog(base_url=exchange_url, warn=warn)
    return list(dict.fromkeys(market for name in names for market in expand(name, catalog)))


def share_done(row: dict[str, Any]) -> float:
    """How much of a backfill is done, from 0 to 1."""
    if row["state"] == "done":
        return 1.0
    start, reached, goal = (
        datetime.fromisoformat(row[key]).timestamp()
        for key in ("started_from", "reached", "goal" if row["goal"] else "since")
    )
    return min(1.0, max(0.0, (start - reached) / (start - goal))) if start > goal else 0.0


def follow(rows: Rows, look: Callable[[], Rows]) -> Rows:
    """Show bars until nothing is open, or until Ctrl-C; gives how they stand then."""
    began, had = time.monotonic(), _candles(rows)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(
        *columns, TextColumn("{task.fields[told]}"), console=console, disable=not console.is_terminal
    ) as bars:
        tasks = {_name(row): bars.add_task(_name(row), total=1.0, told="") for row in rows[:MOST_BARS]}
        total = bars.add_task(f"all {len(rows)}", total=float(len(rows)), told="")
        try:
            while True:
                for row in rows[:MOST_BARS]:
                    told = row["error"] or f"back to {row['reached'][:16].replace('T', ' ')}"
                    bars.update(tasks[_name(row)], completed=share_done(row), told=told)
                rate = (_candles(rows) - had) / max(LOOK_S, time.monotonic() - began)
                told = f"{_candles(rows):,} candles, {rate:,.0f} a second"
                bars.update(total, completed=sum(map(share_done, rows)), told=told)
                if all(row["state"] != "open" for row in rows):
                    return rows
                time.sleep(LOOK_S)
                rows = look()
        except KeyboardInterrupt:
            console.print("it goes on without us: the same command shows it again, --cancel ends it")
            return rows


def show(rows: Rows) -> None:
    """A table of how the backfills stand."""
    if not rows:
        out.print("no backfill was asked for")
        return
    table = Table("market", "interval", "state", "done", "oldest candle (UTC)", "candles", "answers", "", box=None)
    for row in rows:
        begins = row["state"] == "done" and (row["oldest"] or row["reached"]) > row["since"]
        note = row["error"] or ("the source has none before" if begins else "")
        oldest = row["oldest"][:16].replace("T", " ") if row["oldest"] else "-"
        counts = (f"{row[name]:,}" for name in ("candles", "answers"))
        table.add_row(row["market"], row["interval"], row["state"], f"{share_done(row):.0%}", oldest, *counts, note)
    out.print(table)


def _candles(rows: Rows) -> int:
    return sum(row["candles"] for row in rows)


def _name(row: dict[str, Any]) -> str:
    return f"{row['market']} {row['interval']}"
