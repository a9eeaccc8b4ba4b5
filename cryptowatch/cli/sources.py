"""What `cryptowatch sources` prints: the exchanges that give candles without a key, from what ccxt knows of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from cryptowatch.cli.show import out
from cryptowatch.sources.describe import Description, LeftOut, Markets, Survey, describe, describe_all
from cryptowatch.sources.errors import UnknownSourceError

#: Seconds of silence before progress is shown.
_PATIENCE_S = 1.0


class NoSourceError(Exception):
    """The named exchange cannot be read; one line."""


def one_source(name: str) -> Description:
    """The exchange called `name`.

    Raises:
        NoSourceError: there is none, or it gives no candles without a key.
    """
    try:
        found = describe(name)
    except UnknownSourceError as error:
        raise NoSourceError(str(error)) from None
    if isinstance(found, LeftOut):
        raise NoSourceError(f"{found.id} cannot be a source: {found.why}")
    return found


def all_sources() -> Survey:
    """Every exchange, with progress on a terminal."""
    with _progress() as progress:
        return describe_all(progress)


def as_data(found: Survey | Description) -> dict[str, Any]:
    """For `--json`."""
    if isinstance(found, Description):
        return asdict(found)
    return {
        "sources": [asdict(one) for one in found.described],
        "left_out": [asdict(one) for one in found.left_out],
    }


def show_all(survey: Survey) -> None:
    """A line for each exchange, then how many are left out and why."""
    table = Table(box=None)
    for title in ("source", "spot page", "requests/s", "perpetual page", "requests/s", "newest"):
        table.add_column(title, justify="left" if title == "source" else "right")
    table.add_column("intervals")
    for one in survey.described:
        newest = f"{one.newest_candles:,}" if one.newest_candles else "all" if one.reach_known else "?"
        table.add_row(one.name, *_cells(one.spot), *_cells(one.perpetual), newest, " ".join(one.intervals))
    out.print(table)
    out.print(f"{len(survey.described)} exchanges give candles without a key, {len(survey.left_out)} are left out:")
    for reason, group in groupby(sorted(survey.left_out, key=lambda one: one.reason), key=lambda one: one.reason):
        ids = [one.id for one in group]
        out.print(f"  {len(ids)}: {reason}: {', '.join(ids)}")


def show_one(one: Description) -> None:
    """All facts of one exchange."""
    out.print(f"{one.name}  {one.title}" + (f", {one.website}" if one.website else ""), style="bold")
    if one.id != one.name:
        out.print(f"  in ccxt: {one.id}")
    out.print(f"  intervals: {' '.join(one.intervals)}")
    for kind, markets in (("spot", one.spot), ("perpetual", one.perpetual)):
        out.print(f"  {kind}: {_sentence(markets)}")
    out.print(f"  history: {_history(one)}")
    out.print("  key: not needed for candles")


def _cells(markets: Markets | None) -> tuple[str, str]:
    if markets is None:
        return "-", "-"
    return f"{markets.page:,}" if markets.page else "?", _rate(markets.requests_per_second)


def _sentence(markets: Markets | None) -> str:
    if markets is None:
        return "none"
    page = f"{markets.page:,} candles a page" if markets.page else "ccxt tells no page size"
    return f"{markets.written}, {page}, {_rate(markets.requests_per_second)} requests for candles a second"


def _history(one: Description) -> str:
    if one.newest_candles:
        return f"the newest {one.newest_candles:,} candles of a market"
    return "all" if one.reach_known else "ccxt tells no limit; what an answer leaves out is found out while reading"


def _rate(per_second: float) -> str:
    """Three figures, without an exponent."""
    return f"{per_second:,.{0 if per_second >= 100 else 1 if per_second >= 10 else 2}f}"


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Something to tell progress to; a line on the terminal shows it, if there is one and it takes long."""
    console = Console(stderr=True)
    status = console.status("")
    start, shown = time.monotonic(), False

    def tell(done: int, of: int) -> None:
        nonlocal shown
        if not console.is_terminal or time.monotonic() - start < _PATIENCE_S:
            return
        status.update(f"reading what ccxt knows: {done} of {of} exchanges")
        if not shown:
            status.start()
            shown = True

    try:
        yield tell
    finally:
        status.stop()
