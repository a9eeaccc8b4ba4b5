"""What people do not want to be told of for a while, and what they have acknowledged. Times are market time, UTC."""

from datetime import datetime
from typing import Any, Literal

from cryptowatch.store.database import Cursor

MuteKind = Literal["watch", "market", "recipient", "tag"]

#: Whether a mute covers a delivery, at its candle's close or now; `{now}` is a parameter of the query.
COVERED = """
EXISTS (SELECT 1 FROM mutes mute
        WHERE (alert.close_time >= mute.since AND alert.close_time < mute.until
               OR %(now)s >= mute.since AND %(now)s < mute.until)
          AND CASE mute.kind WHEN 'watch' THEN mute.name = watch.name
                             WHEN 'market' THEN mute.name = market.source || ':' || market.symbol
                             WHEN 'recipient' THEN mute.name = delivery.recipient
                             ELSE watch.definition -> 'tags' ? mute.name END)
"""

#: Whether an alert only says again what was acknowledged: the episode it belongs to.
ACKED = """
(alert.kind = 'repeated' AND coalesce((
    SELECT told.acked_at IS NOT NULL FROM alerts told
    WHERE told.watch_id = alert.watch_id AND told.generation = alert.generation AND told.market_id = alert.market_id
      AND told.kind = 'fired' AND told.close_time <= alert.close_time
    ORDER BY told.close_time DESC LIMIT 1), false))
"""


class NothingNamedError(ValueError):
    """There is no watch, market, recipient, tag or alert of that name."""


def mute(cursor: Cursor, kind: MuteKind, name: str, now: datetime, until: datetime) -> None:
    """Tell nothing of it until then; a mute of the same thing that is running gives way.

    Raises:
        NothingNamedError: nothing is called that.
    """
    check_name(cursor, kind, name)
    unmute(cursor, kind, name, now)
    cursor.execute("INSERT INTO mutes (kind, name, since, until) VALUES (%s, %s, %s, %s)", (kind, name, now, until))


def unmute(cursor: Cursor, kind: MuteKind, name: str, now: datetime) -> bool:
    """End a mute now; False when none was running."""
    cursor.execute("UPDATE mutes SET until = %s WHERE kind = %s AND name = %s AND until > %s", (now, kind, name, now))
    return bool(cursor.rowcount)


def running_mutes(cursor: Cursor, now: datetime) -> list[dict[str, Any]]:
    """What is muted now: `kind`, `name`, `until` (ISO 8601)."""
    cursor.execute("SELECT kind, name, until FROM mutes WHERE until > %s ORDER BY until, kind, name", (now,))
    return [{"kind": kind, "name": name, "until": until.isoformat()} for kind, name, until in cursor.fetchall()]


def acknowledge(cursor: Cursor, alert_id: int, now: datetime) -> dict[str, str]:
    """Say no more of an alert's episode than its end; gives `watch` and `market`.

    Raises:
        NothingNamedError: there is no such alert, or it is the end of an episode.
    """
    cursor.execute(
        """
        UPDATE alerts SET acked_at = coalesce(acked_at, %s)
        WHERE id = (SELECT told.id FROM alerts told JOIN alerts named USING (watch_id, generation, market_id)
                    WHERE named.id = %s AND named.kind <> 'resolved' AND told.kind = 'fired'
                      AND told.close_time <= named.close_time
                    ORDER BY told.close_time DESC LIMIT 1)
        RETURNING (SELECT name FROM watches WHERE id = watch_id),
                  (SELECT source || ':' || symbol FROM markets WHERE id = market_id)
        """,
        (now, alert_id),
    )
    row = cursor.fetchone()
    if row is None:
        raise NothingNamedError(f"no alert {alert_id} that fired: `cryptowatch alerts` lists them")
    return {"watch": row[0], "market": row[1]}


_KNOWN = {
    "watch": "SELECT 1 FROM watches WHERE name = %s AND removed_at IS NULL",
    "market": "SELECT 1 FROM markets WHERE source || ':' || symbol = %s",
    "recipient": "SELECT 1 FROM recipients WHERE name = %s AND removed_at IS NULL",
    "tag": "SELECT 1 FROM watches WHERE definition -> 'tags' ? %s AND removed_at IS NULL",
}


def check_name(cursor: Cursor, kind: MuteKind, name: str) -> None:
    """Raises:
    NothingNamedError: nothing is called that.
    """
    cursor.execute(f"{_KNOWN[kind]} LIMIT 1", (name,))
    if cursor.fetchone() is None:
        raise NothingNamedError(f"no {kind} {name!r} in the watch list that is applied")
