"""What becomes of each alert for each recipient: claimed under a lease, decided once, sent, marked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptowatch.store.database import Cursor
from cryptowatch.store.mutes import ACKED, COVERED
from cryptowatch.store.track_records import LINES
from cryptowatch.watches.delivery import DeliverySettings
from cryptowatch.watches.form import Watch

#: First half of the key of the advisory locks on recipients; the second half is a hash of the name.
_RECIPIENT_LOCK = 7_320

_OPEN = "sent_at IS NULL AND held_by IS NULL"
_NO_LIVE_LEASE = "(lease_until IS NULL OR lease_until <= clock_timestamp())"


@dataclass(frozen=True)
class DueDelivery:
    """A delivery whose time has come, with what an email says of its alert. Times are UTC.

    Args:
        decision: `send` when that was decided before; None when it is not decided yet.
        due_at: when its time had come: at its close, or when a digest or quiet hours let it wait until then.
        watched_markets: how many markets its watch watches now.
        settings: what the recipient wants to be told, and when.
        recipient_removed: they left the watch list after the alert.
        clock_ahead_s: the source's clock less ours, seconds.
        muted: it is muted, or was when its candle closed.
        acked: it only says again what was acknowledged.
        track_record: what followed the watch's past signals: on this market, and (True) on all; None when not known.
    """

    alert_id: int
    decision: str | None
    due_at: datetime
    watch_id: int
    watch: Watch
    watched_markets: int
    settings: DeliverySettings
    recipient_removed: bool
    market: str
    rule: str
    interval_s: int
    severity: str
    kind: str
    open_time: datetime
    close_time: datetime
    price: float | None
    figures: dict[str, float | None]
    clock_ahead_s: float
    muted: bool
    acked: bool
    track_record: list[tuple[bool, str]] | None


def known_alerts(cursor: Cursor, alert_ids: Sequence[int]) -> set[int]:
    cursor.execute("SELECT id FROM alerts WHERE id = ANY(%s)", (list(alert_ids),))
    return {id_ for (id_,) in cursor.fetchall()}


def recipients_waiting(cursor: Cursor, alert_ids: Sequence[int], now: datetime) -> list[str]:
    """Who has one of these alerts still to come, and due."""
    cursor.execute(
        f"SELECT DISTINCT recipient FROM deliveries WHERE alert_id = ANY(%s) AND due_at <= %s AND {_OPEN} ORDER BY 1",
        (list(alert_ids), now),
    )
    return [name for (name,) in cursor.fetchall()]


def still_waiting(cursor: Cursor, alert_ids: Sequence[int], now: datetime) -> set[int]:
    """Those of these alerts that somebody still has to be sent, and that are due."""
    cursor.execute(
        f"SELECT DISTINCT alert_id FROM deliveries WHERE alert_id = ANY(%s) AND due_at <= %s AND {_OPEN}",
        (list(alert_ids), now),
    )
    return {id_ for (id_,) in cursor.fetchall()}


def lock_recipient(cursor: Cursor, recipient: str) -> bool:
    """Take the right to decide and claim for a recipient until the transaction ends; False when another has it."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (_RECIPIENT_LOCK, recipient))
    return bool(cursor.fetchone()[0])  # type: ignore[index]


def due_deliveries(cursor: Cursor, recipient: str, now: datetime, limit: int) -> list[DueDelivery]:
    """All that is due of a recipient and leased by nobody, in the order of candle time, `limit` at most."""
    cursor.execute(
        f"""
        SELECT delivery.alert_id, delivery.decision, delivery.due_at, watch.id,
               market.source || ':' || market.symbol, alert.rule, alert.interval_s, alert.severity,
               alert.kind, alert.open_time, alert.close_time,
               alert.price, alert.figures, source.clock_ahead_s, {COVERED}, {ACKED}, {LINES}
        FROM deliveries delivery
        JOIN alerts alert ON alert.id = delivery.alert_id
        JOIN watches watch ON watch.id = alert.watch_id
        JOIN markets market ON market.id = alert.market_id
        JOIN sources source ON source.name = market.source
        WHERE delivery.recipient = %(recipient)s AND due_at <= %(now)s AND {_OPEN} AND {_NO_LIVE_LEASE}
        ORDER BY alert.close_time, delivery.alert_id
        LIMIT %(limit)s
        FOR UPDATE OF delivery
        """,
        {"recipient": recipient, "now": now, "limit": limit},
    )
    rows = cursor.fetchall()
    # Once each: a storm has a thousand alerts of a watch that names five hundred markets.
    watches = _watches(cursor, {row[3] for row in rows})
    wishes = _wishes(cursor, recipient)
    filled: list[list[Any]] = [[*row[:4], *watches[row[3]], *wishes, *row[4:]] for row in rows]
    return [DueDelivery(*values) for values in filled]


def _watches(cursor: Cursor, ids: Collection[int]) -> dict[int, tuple[Watch, int]]:
    """These watches, each with how many markets it watches."""
    cursor.execute(
        """
        SELECT id, definition, (SELECT count(*) FROM watch_state WHERE watch_id = id)
        FROM watches WHERE id = ANY(%s)
        """,
        (list(ids),),
    )
    return {id_: (Watch.model_validate(definition), markets) for id_, definition, markets in cursor.fetchall()}


def _wishes(cursor: Cursor, recipient: str) -> tuple[DeliverySettings, bool]:
    """What a recipient wants to be told, and whether they have left the list."""
    cursor.execute("SELECT settings, removed_at IS NOT NULL FROM recipients WHERE name = %s", (recipient,))
    settings, removed = cursor.fetchone()  # type: ignore[misc]
    return DeliverySettings.model_validate(settings), removed


def postpone(cursor: Cursor, recipient: str, alert_id: int, due_at: datetime, by: str) -> None:
    """Let it wait until then, for a digest or for quiet hours: the sweep queues it when it is due."""
    cursor.execute(
        "UPDATE deliveries SET due_at = %s, postponed_by = %s WHERE recipient = %s AND alert_id = %s",
        (due_at, by, recipient, alert_id),
    )


def hold(cursor: Cursor, recipient: str, alert_ids: Sequence[int], held_by: str, now: datetime) -> None:
    """Decide for good not to send these."""
    cursor.execute(
        """
        UPDATE deliveries SET decision = 'held', held_by = %s, decided_at = %s, lease_until = NULL
        WHERE recipient = %s AND alert_id = ANY(%s)
        """,
        (held_by, now, recipient, list(alert_ids)),
    )


def lease(
    cursor: Cursor, recipient: str, alert_ids: Sequence[int], email_id: UUID, now: datetime, seconds: float
) -> int:
    """Decide to send these and claim them for one email; returns how many have an older lease that ran out.

    Such a one may have gone out without being marked: it is counted, and sent (again).
    """
    cursor.execute(
        """
        UPDATE deliveries
        SET decision = 'send', decided_at = coalesce(decided_at, %s), email_id = %s, attempts = attempts + 1,
            uncertain = uncertain + (lease_until IS NOT NULL)::integer,
            lease_until = clock_timestamp() + %s * interval '1 second'
        WHERE recipient = %s AND alert_id = ANY(%s)
        RETURNING (uncertain > 0)::integer
        """,
        (now, str(email_id), seconds, recipient, list(alert_ids)),
    )
    return sum(row[0] for row in cursor.fetchall())


def mark_sent(cursor: Cursor, recipient: str, email_id: UUID) -> None:
    """The email has gone out."""
    cursor.execute(
        """
        UPDATE deliveries SET sent_at = clock_timestamp(), lease_until = NULL
        WHERE recipient = %s AND email_id = %s AND sent_at IS NULL
        """,
        (recipient, str(email_id)),
    )


def release(cursor: Cursor, recipient: str, email_id: UUID) -> None:
    """The email has not gone out: whoever comes next may send it."""
    cursor.execute(
        """
        UPDATE deliveries SET lease_until = NULL, email_id = NULL
        WHERE recipient = %s AND email_id = %s AND sent_at IS NULL
        """,
        (recipient, str(email_id)),
    )


def emails_of_day(cursor: Cursor, recipient: str, watch_id: int | None, day: date) -> int:
    """Emails to a recipient that carry (or are about to carry) alerts of a watch, or any, on candles of a UTC day.

    One whose lease ran out is not among them: what it carried is due again, and goes into the email that is decided.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    cursor.execute(
        """
        SELECT count(DISTINCT email_id)
        FROM deliveries JOIN alerts ON alerts.id = alert_id
        WHERE recipient = %s AND watch_id = coalesce(%s, watch_id) AND email_id IS NOT NULL
          AND (sent_at IS NOT NULL OR lease_until > clock_timestamp())
          AND close_time >= %s AND close_time < %s
        """,
        (recipient, watch_id, start, start + timedelta(days=1)),
    )
    return int(cursor.fetchone()[0])  # type: ignore[index]


def held_since_last_email(cursor: Cursor, recipient: str) -> dict[str, int]:
    """How many alerts were held back from a recipient since the email before, by what."""
    cursor.execute(
        """
        SELECT held_by, count(*) FROM deliveries
        WHERE recipient = %(recipient)s AND held_by IS NOT NULL AND decided_at > coalesce(
            (SELECT max(decided_at) FROM deliveries WHERE recipient = %(recipient)s AND sent_at IS NOT NULL),
            '-infinity')
        GROUP BY held_by
        """,
        {"recipient": recipient},
    )
    return dict(cursor.fetchall())


def unclaimed_alerts(cursor: Cursor, now: datetime, older_than_s: float) -> list[int]:
    """Alerts with a delivery that is due, open and leased by nobody, written more than `older_than_s` ago."""
    cursor.execute(
        f"""
        SELECT DISTINCT alert_id FROM deliveries JOIN alerts ON alerts.id = alert_id
        WHERE due_at <= %s AND {_OPEN} AND {_NO_LIVE_LEASE}
          AND created_at < clock_timestamp() - %s * interval '1 second'
        ORDER BY 1
        """,
        (now, older_than_s),
    )
    return [id_ for (id_,) in cursor.fetchall()]


def counts(cursor: Cursor) -> dict[str, Any]:
    """How many deliveries wait (and for what, `postponed`), were sent, were held and by what, and may have been sent
    twice.
    """
    cursor.execute(
        f"""
        SELECT count(*) FILTER (WHERE {_OPEN}), count(*) FILTER (WHERE sent_at IS NOT NULL),
               coalesce(sum(uncertain), 0)
        FROM deliveries
        """
    )
    waiting, sent, uncertain = cursor.fetchone()  # type: ignore[misc]
    cursor.execute("SELECT held_by, count(*) FROM deliveries WHERE held_by IS NOT NULL GROUP BY 1 ORDER BY 1")
    held = dict(cursor.fetchall())
    cursor.execute(
        f"SELECT postponed_by, count(*) FROM deliveries WHERE postponed_by IS NOT NULL AND {_OPEN} GROUP BY 1"
    )
    postponed = dict(cursor.fetchall())
    return {"waiting": waiting, "postponed": postponed, "sent": sent, "held": held, "uncertain": uncertain}
