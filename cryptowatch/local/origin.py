"""Where a local stack's candles come from, and when its clock starts."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from cryptowatch.clock import WallClock
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.watches.document import DocumentError, read_document

Kind = Literal["auto", "live", "simulated", "replay"]

#: Seconds an exchange has to answer before `auto` takes the simulated one.
PROBE_S = 5.0
#: How many times as fast as wall time simulated markets run.
SIMULATED_SPEED = 60.0
#: Seconds of wall time in which a replay passes one recorded interval.
REPLAY_INTERVAL_S = 1.0
#: Steps of a record left before a replay's start, as history for its rules, but no more than this part of it.
REPLAY_HISTORY, REPLAY_HISTORY_PART = 1100, 0.3


class OriginError(ValueError):
    """Candles cannot come from there."""


@dataclass(frozen=True)
class Origin:
    """What was decided.

    Args:
        record: what the simulated exchange serves: `simulated` or a folder; None reads the real ones.
        start, end: where the record's clock starts and ends; no end for simulated markets.
        name: the data folder's, one for each origin: candles of different origins never mix.
    """

    kind: Literal["live", "simulated", "replay"]
    name: str
    record: str | None
    speed: float
    start: datetime
    end: datetime | None


def decide(kind: Kind, replay: Path | None, speed: float | None, watches: Path, tell: Callable[[str], None]) -> Origin:
    """Choose the origin; `auto` asks the watch list's first exchange and says why it fell back.

    Raises:
        OriginError: the folder to replay is not one of recorded candles, or holds none that the watch list reads.
    """
    now = WallClock().now()
    if kind == "replay" or (kind == "auto" and replay):
        if replay is None:
            raise OriginError("a replay needs a folder of recorded candles")
        return _replay(replay, speed, watches)
    if kind == "auto":
        first = next(_markets(watches), ("kraken", "", ""))
        reason = _why_not_live(first[0])
        if reason:
            tell(f"{reason}: using simulated markets")
        kind = "simulated" if reason else "live"
    if kind == "live":
        return Origin("live", "live", None, 1.0, now, None)
    start = now.replace(second=0, microsecond=0)
    return Origin("simulated", "simulated", "simulated", speed or SIMULATED_SPEED, start, None)


def _replay(folder: Path, speed: float | None, watches: Path) -> Origin:
    """The time for which the markets of the watch list were recorded."""
    from cryptowatch.local.exchange.replay import BadRecordError, ReplayRecord  # needs pandas, which is slow to load

    try:
        record = ReplayRecord(folder)
    except BadRecordError as error:
        raise OriginError(str(error)) from None
    wanted = list(_markets(watches))
    read = {
        (symbol, interval)
        for source, pattern, interval in wanted
        for symbol in record.symbols(source)
        if fnmatchcase(symbol, pattern)
    }
    if wanted and not read:
        held = ", ".join(sorted({symbol for source in {one[0] for one in wanted} for symbol in record.symbols(source)}))
        raise OriginError(f"{folder}: holds no market of {watches}; recorded are {held or 'none of its exchanges'}")
    bounds = [record.bounds(symbol) for symbol, _ in read] or [record.span()]
    first, last = min(opens for opens, _ in bounds), max(closes for _, closes in bounds)
    grid = _shortest({interval for _, interval in read}) or record.interval
    history = min(REPLAY_HISTORY * grid.length, (last - first) * REPLAY_HISTORY_PART)
    start = first + timedelta(seconds=history // grid.length * grid.seconds)
    usual = max(1.0, grid.seconds / REPLAY_INTERVAL_S)
    return Origin("replay", f"replay-{folder.resolve().name}", str(folder.resolve()), speed or usual, start, last)


def _shortest(names: set[str]) -> Interval | None:
    grids = [INTERVALS[name] for name in names if name in INTERVALS]
    return min(grids, key=lambda grid: grid.seconds, default=None)


def _markets(watches: Path) -> Iterator[tuple[str, str, str]]:
    """Source, symbol or pattern, and interval of what a watch list reads, as far as it can be read: it is checked
    later."""
    try:
        data: Any = read_document(watches.read_text()).data
        for watch in data["watches"]:
            for market in watch["markets"]:
                source, _, symbol = str(market).partition(":")
                yield source, symbol, str(watch["interval"])
    except (OSError, ValueError, DocumentError, LookupError, TypeError):
        return


def _why_not_live(source: str) -> str | None:
    """None when the exchange answers in time, else why it cannot be used."""
    from cryptowatch.sources.registry import open_source  # needs ccxt, which is slow to load

    answers: queue.Queue[str | None] = queue.Queue()

    def ask() -> None:
        try:
            open_source(source, timeout_ms=int(PROBE_S * 1000)).now()
            answers.put(None)
        except Exception as error:  # whatever it is, it is the answer
            answers.put(str(error))

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=PROBE_S)
    except queue.Empty:
        return f"{source} does not answer within {PROBE_S:g} s"
