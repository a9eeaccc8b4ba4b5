"""Each source's health: last success, last error, and how long it has asked us to wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cryptowatch.store.database import Connection, Cursor, transaction

#: First half of the key of the advisory locks on sources; the second half is a hash of the name.
_INGEST_LOCK = 7_310


@contextmanager
def source_lock(connection: Connection, source: str) -> Iterator[bool]:
    """Hold the one right to read a source. Yields False, at once, when another process has it."""
    key = (_INGEST_LOCK, source)
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", key)
        held = bool(cursor.fetchone()[0])  # type: ignore[index]
    try:
        yield held
    finally:
        if held and not connection.closed:
            with transaction(connection) as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)


def is_being_read(cursor: Cursor, source: str) -> bool:
    """Whether a process holds the right to read a source."""
    cursor.execute(
        """
        SELECT EXISTS (SELECT 1 FROM pg_locks
                       WHERE locktype = 'advisory' AND classid = %s AND objid = (hashtext(%s)::bigint & 4294967295)::oid
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        """,
        (_INGEST_LOCK, source),
    )
    return bool(cursor.fetchone()[0])  # type: ignore[index]


def paused_until(cursor: Cursor, source: str) -> datetime | None:
    """Until when (wall time) the source has asked us to wait; None when it has not."""
    cursor.execute("SELECT paused_until FROM sources WHERE name = %s AND paused_until > clock_timestamp()", (source,))
    row = cursor.fetchone()
    return row[0] if row else None


def save_success(cursor: Cursor, source: str, at: datetime, ahead_s: float) -> None:
    """A run that got answers.

    Args:
        at: the source's own time.
        ahead_s: its clock less ours, in seconds: lateness is measured on the source's clock.
    """
    cursor.execute(
        "UPDATE sources SET last_success = %s, clock_ahead_s = %s, paused_until = NULL WHERE name = %s",
        (at, ahead_s, source),
    )


def save_failure(cursor: Cursor, source: str, message: str, at: datetime, wait_seconds: float = 0) -> None:
    """Keep what went wrong; when the source asked us to wait, nobody asks it for `wait_seconds` of wall time."""
    cursor.execute(
        """
        UPDATE sources
        SET last_error = %s, last_error_at = %s,
            paused_until = CASE WHEN %s > 0 THEN clock_timestamp() + %s * interval '1 second' END
        WHERE name = %s
        """,
        (message, at, wait_seconds, wait_seconds, source),
    )


def sources_to_read(cursor: Cursor, now: datetime) -> list[str]:
    """The sources with a closed step that is not settled, or history still to fetch, for the watches of today."""
    cursor.execute(
        """
        SELECT DISTINCT markets.source
        FROM series
        JOIN markets ON markets.id = series.market_id
        JOIN sources ON sources.name = markets.source
        JOIN watch_state state ON state.market_id = series.market_id
        JOIN watch_inputs input ON input.watch_id = state.watch_id AND input.interval_s = series.interval_s
        WHERE (sources.paused_until IS NULL OR sources.paused_until <= clock_timestamp())
          AND (series.settled_to IS NULL
               OR series.settled_to + series.interval_s * interval '1 second' <= %(now)s
               OR series.have_from IS NULL
               OR series.wanted_from < series.have_from)
        ORDER BY 1
        """,
        {"now": now},
    )
    return [name for (name,) in cursor.fetchall()]
