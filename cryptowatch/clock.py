"""One clock, handed to whatever needs to know the time.

Wall time in the cloud; the record's own time when a record is replayed. Code that needs the time
takes a `Clock` as a parameter; nothing calls `datetime.now()` by itself. Leases, time-outs and
visibility are about processes, not markets, and stay on wall time.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time as the markets know it, always UTC and aware."""

    def now(self) -> datetime: ...


class WallClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still: for tests and for one evaluation at a known moment."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Anchor:
    """Where a record's time stands: at wall time `wall` it was `record` (both seconds since the epoch),
    and it has run `speed` times as fast since, but never beyond `limit`."""

    wall: float
    record: float
    speed: float
    limit: float

    def at(self, wall: float) -> float:
        """Record time, in seconds since the epoch, at wall time `wall`."""
        return min(self.record + (wall - self.wall) * self.speed, self.limit)


class RecordClock:
    """The time of a record being replayed, shared by all processes of a local stack through one small file.

    The local stack writes the file (`write`); every other process only reads it.

    Args:
        path: JSON file holding an `Anchor`; it must exist before `now` is called.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def anchor(self) -> Anchor:
        return Anchor(**json.loads(self.path.read_text()))

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.anchor().at(time.time()), UTC)

    def write(self, anchor: Anchor) -> None:
        """Replace the anchor in one step: a reader sees the old one or the new one, never half of one."""
        fresh = self.path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps(asdict(anchor)))
        fresh.replace(self.path)
