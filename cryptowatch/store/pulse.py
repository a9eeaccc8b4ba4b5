"""What the system measures of itself each minute, for its alarms and its dashboard."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.status import source_rows

#: Alerts older than this are not counted any more when they are sent: the longest digest is a week.
REMEMBERED = timedelta(days=8)


@dataclass(frozen=True)
class Pulse:
    """The figures of one moment; counts are of the whole minute before it."""

    alerts_made: int
    alerts_sent: int
    alerts_held: int
    #: Seconds since the time of the oldest alert that is due and neither sent nor held back.
    oldest_unsent_s: float
    #: Since the first.
    candles_stored: int
    #: By source: seconds past its close that the market has waited which has waited longest.
    lag_s: dict[str, float]

    @property
    def greatest_lag_s(self) -> float:
        """Over all sources; 0 where nothing is watched."""
        return max(self.lag_s.values(), default=0.0)


def pulse(connection: Connection, now: datetime) -> Pulse:
    """Measure it."""
    until = now.replace(second=0, microsecond=0)
    times = {"now": now, "from": until - timedelta(minutes=1), "until": until, "since": now - REMEMBERED}
    with transaction(connection) as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT alerts.id) FILTER (WHERE created_at >= %(from)s AND created_at < %(until)s),
                   count(*) FILTER (WHERE sent_at >= %(from)s AND sent_at < %(until)s),
                   count(*) FILTER (WHERE held_by IS NOT NULL AND decided_at >= %(from)s AND decided_at < %(until)s),
                   coalesce(max(extract(epoch FROM %(now)s - due_at))
                            FILTER (WHERE due_at <= %(now)s AND sent_at IS NULL AND held_by IS NULL), 0)::float8
            FROM alerts LEFT JOIN deliveries ON alert_id = alerts.id
            WHERE created_at > %(since)s
            """,
            times,
        )
        made, sent, held, oldest = cursor.fetchone()  # type: ignore[misc]
    rows = source_rows(connection, now)
    return Pulse(
        alerts_made=made,
        alerts_sent=sent,
        alerts_held=held,
        oldest_unsent_s=oldest,
        candles_stored=sum(row["candles"] for row in rows),
        lag_s={row["name"]: row["lag_seconds"] for row in rows if row["lag_seconds"] is not None},
    )
