"""Each source's health: last success, last error, and how long it is left alone."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptowatch.store.database import Connection, Cursor, advisory_lock

#: Shards a source may be read in at most.
MOST_SHARDS = 16
#: First half of the key of the advisory locks on sources, and the shard; the second half is a hash of the name.
_INGEST_LOCK = 7_340
#: Market time after which a source's list of markets is read again.
LISTING_AGE = timedelta(hours=1)


def source_lock(connection: Connection, source: str, shard: int = 0) -> AbstractContextManager[bool]:
    """Hold the one right to read a shard of a source. Yields False, at once, when another process has it."""
    return advisory_lock(connection, _INGEST_LOCK + shard, source)


def is_being_read(cursor: Cursor, source: str) -> bool:
    """Whether a process holds the right to read a source, or a shard of it."""
    cursor.execute(
        """
        SELECT EXISTS (SELECT 1 FROM pg_locks
                       WHERE locktype = 'advisory' AND classid::bigint BETWEEN %s AND %s
                         AND objid = (hashtext(%s)::bigint & 4294967295)::oid
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        """,
        (_INGEST_LOCK, _INGEST_LOCK + MOST_SHARDS - 1, source),
    )
    return bool(cursor.fetchone()[0])  # type: ignore[index]


def paused_until(cursor: Cursor, source: str) -> datetime | None:
    """Until when (wall time) the source has asked us to wait; None when it has not."""
    cursor.execute("SELECT paused_until FROM sources WHERE name = %s AND paused_until > clock_timestamp()", (source,))
    row = cursor.fetchone()
    return row[0] if row else None


def save_success(cursor: Cursor, source: str, at: datetime, ahead_s: float) -> bool:
    """A run that got answers. Gives whether it ended a time of being left alone.

    Args:
        at: the source's own time.
        ahead_s: its clock less ours, in seconds: lateness is measured on the source's clock.
    """
    cursor.execute(
        """
        UPDATE sources SET last_success = %s, clock_ahead_s = %s, paused_until = NULL, failures = 0, open_since = NULL
        FROM (SELECT open_since IS NOT NULL AS was_open FROM sources WHERE name = %s FOR UPDATE) AS before
        WHERE name = %s RETURNING was_open
        """,
        (at, ahead_s, source, source),
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def count_failure(cursor: Cursor, source: str, message: str, at: datetime) -> int:
    """Keep what went wrong; gives how many runs in a row got nothing."""
    cursor.execute(
        """
        UPDATE sources SET last_error = %s, last_error_at = %s, failures = failures + 1
        WHERE name = %s RETURNING failures
        """,
        (message, at, source),
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def leave_alone(cursor: Cursor, source: str, seconds: float) -> bool:
    """Let nobody ask the source for so many seconds of wall time. Gives whether it was not left alone before."""
    cursor.execute(
        """
        UPDATE sources SET paused_until = greatest(paused_until, clock_timestamp() + make_interval(secs => %s)),
                           open_since = coalesce(open_since, clock_timestamp())
        FROM (SELECT open_since IS NULL AS was_closed FROM sources WHERE name = %s FOR UPDATE) AS before
        WHERE name = %s RETURNING was_closed
        """,
        (seconds, source, source),
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def save_failure(cursor: Cursor, source: str, message: str, at: datetime, wait_seconds: float = 0) -> None:
    """Keep what went wrong; when the source asked us to wait, nobody asks it for `wait_seconds` of wall time."""
    count_failure(cursor, source, message, at)
    if wait_seconds > 0:
        leave_alone(cursor, source, wait_seconds)


class ToRead(NamedTuple):
    """A source to be read, and how many of its markets are watched."""

    source: str
    markets: int


def sources_to_read(cursor: Cursor, now: datetime) -> list[ToRead]:
    """The sources with a closed step that is not settled, or history still to fetch, for the watches of today; and
    those whose list of markets is old.
    """
    cursor.execute(
        """
        SELECT markets.source, count(DISTINCT markets.id)
        FROM wanted_series wanted
        JOIN series USING (market_id, interval_s)
        JOIN markets ON markets.id = series.market_id
        JOIN sources ON sources.name = markets.source
        WHERE (sources.paused_until IS NULL OR sources.paused_until <= clock_timestamp())
          AND series.built_from IS NULL
        GROUP BY markets.source, sources.listed_at
        HAVING coalesce(sources.listed_at, '-infinity') <= %(now)s - %(age)s
            OR bool_or(markets.delisted_at IS NULL
                       AND (series.settled_to IS NULL
                            OR series.settled_to + series.interval_s * interval '1 second' <= %(now)s
                            OR series.have_from IS NULL
                            OR series.wanted_from < series.have_from))
        ORDER BY 1
        """,
        {"now": now, "age": LISTING_AGE},
    )
    return [ToRead(*row) for row in cursor.fetchall()]
