"""Where a local stack's candles come from, and when its clock starts."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptowatch.local.exchange.replay import ReplayRecord
from cryptowatch.sources.registry import open_source
from cryptowatch.watches.document import DocumentError, read_document

Kind = Literal["auto", "live", "simulated", "replay"]

#: Seconds an exchange has to answer before `auto` takes the simulated one.
PROBE_S = 5.0
#: How many times as fast as wall time simulated markets run.
SIMULATED_SPEED = 60.0
#: Seconds of wall time in which a replay passes one recorded interval.
REPLAY_INTERVAL_S = 2.0
#: Recorded steps left before a replay's start, as history for its rules.
REPLAY_HISTORY = 1100


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
        BadRecordError: the folder to replay is not one of recorded candles.
    """
    now = datetime.now(UTC)
    if kind == "replay" or (kind == "auto" and replay):
        assert replay is not None
        return _replay(replay, speed)
    if kind == "auto":
        reason = _why_not_live(_first_source(watches))
        if reason:
            tell(f"{reason}: using simulated markets")
        kind = "simulated" if reason else "live"
    if kind == "live":
        return Origin("live", "live", None, 1.0, now, None)
    start = now.replace(second=0, microsecond=0)
    return Origin("simulated", "simulated", "simulated", speed or SIMULATED_SPEED, start, None)


def _replay(folder: Path, speed: float | None) -> Origin:
    record = ReplayRecord(folder)
    first, last = record.span()
    length = record.interval.length
    history = min(REPLAY_HISTORY * length, (last - first) / 2)
    start = first + timedelta(seconds=history // length * length.total_seconds())
    usual = length.total_seconds() / REPLAY_INTERVAL_S
    return Origin("replay", f"replay-{folder.resolve().name}", str(folder.resolve()), speed or usual, start, last)


def _first_source(watches: Path) -> str:
    """The exchange of the first market of a watch list, as far as it can be read; it is checked later."""
    try:
        data = read_document(watches.read_text()).data
        return str(data["watches"][0]["markets"][0]).partition(":")[0]
    except (OSError, DocumentError, LookupError, TypeError):
        return "kraken"


def _why_not_live(source: str) -> str | None:
    """None when the exchange answers in time, else why it cannot be used."""
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
