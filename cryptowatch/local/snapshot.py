"""What the local stack is doing, read from its database, its queues and its mail folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from cryptowatch.markets.interval import interval_of_seconds
from cryptowatch.queues import depth
from cryptowatch.store import status
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.deliveries import counts

#: Alerts the screen shows.
SHOWN_ALERTS = 8


@dataclass(frozen=True)
class NewestEmail:
    subject: str
    file: Path


@dataclass(frozen=True)
class Snapshot:
    """One look at everything the screen shows.

    Args:
        at: market time.
        speed: how many times as fast as wall time it runs.
        next_close: when the next candle that a watch reads closes; None when there is no watch.
        sources: rows of `status.source_rows`.
        alerts: how many there are; `newest_alerts` are rows of `status.newest_alerts`.
        workers: by name, what each did last.
        fleet: how many instances there are, and are wanted.
    """

    at: datetime
    speed: float
    next_close: datetime | None
    sources: list[dict[str, Any]]
    queues: dict[str, dict[str, int]]
    alerts: int
    newest_alerts: list[dict[str, Any]]
    deliveries: dict[str, Any]
    emails: int
    newest_email: NewestEmail | None
    workers: dict[str, str]
    fleet: str
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def newest_alert_id(self) -> int:
        return max((int(alert["id"]) for alert in self.newest_alerts), default=0)

    @property
    def candles(self) -> int:
        return sum(int(source["candles"]) for source in self.sources)


def take_snapshot(
    connection: Connection,
    sqs: Any,
    queue_urls: dict[str, str],
    at: datetime,
    emails: Sequence[Path],
    workers: dict[str, str],
    fleet: str,
    speed: float = 1.0,
) -> Snapshot:
    """Look at everything once."""
    sources = status.source_rows(connection, at)
    with transaction(connection) as cursor:
        deliveries = counts(cursor)
        cursor.execute("SELECT count(*) FROM alerts")
        alerts = cursor.fetchone()[0]  # type: ignore[index]
        cursor.execute(
            "SELECT DISTINCT input.interval_s FROM watch_inputs input JOIN watch_state USING (watch_id) ORDER BY 1"
        )
        grids = [interval_of_seconds(seconds) for (seconds,) in cursor.fetchall()]
    return Snapshot(
        at=at,
        speed=speed,
        next_close=min((grid.close_time(grid.step_at(at)) for grid in grids), default=None),
        sources=sources,
        queues={name: depth(sqs, url) for name, url in queue_urls.items()},
        alerts=alerts,
        newest_alerts=status.newest_alerts(connection, SHOWN_ALERTS),
        deliveries=deliveries,
        emails=len(emails),
        newest_email=_newest(emails),
        workers=workers,
        fleet=fleet,
        errors=status.series_errors(connection),
    )


def _newest(emails: Sequence[Path]) -> NewestEmail | None:
    if not emails:
        return None
    message = message_from_bytes(emails[-1].read_bytes(), policy=policy.default)
    return NewestEmail(str(message["Subject"]), emails[-1])
