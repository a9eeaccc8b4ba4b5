"""Backfills that people asked for: one row a market and interval, kept until it is asked for anew."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import RealDictCursor

from cryptowatch.markets.interval import Interval, interval_of_seconds
from cryptowatch.store.database import Connection, Cursor, advisory_lock
from cryptowatch.store.series import Series

#: First half of the key of the advisory locks on a source's backfill; the second half is a hash of its name.
_BACKFILL_LOCK = 7_311
#: Tries in a row that may fail before a backfill is given up.
MOST_FAILURES = 6
#: Minutes (wall time) without a change after which an open backfill is taken for forgotten.
FORGOTTEN_MINUTES = 20


@dataclass
class Job:
    """An open backfill: what is had of the series, and how far back it goes.

    Args:
        since: the step asked for.
        goal: the oldest step to ask for; None when it is not known yet how far back the source has any.
    """

    series: Series
    since: int
    goal: int | None


def backfill_lock(connection: Connection, source: str) -> AbstractContextManager[bool]:
    """Hold the one right to backfill a source. Yields False, at once, when another process has it."""
    return advisory_lock(connection, _BACKFILL_LOCK, source)


def open_series(cursor: Cursor, market_id: int, interval: Interval, now: datetime) -> None:
    """Make a series that nobody has asked for yet; it begins with the candle that is open at `now` (market time)."""
    cursor.execute(
        "INSERT INTO series (market_id, interval_s, wanted_from) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (market_id, interval.seconds, interval.open_time(interval.step_at(now))),
    )


def read_interval(cursor: Cursor, market_id: int, interval: Interval) -> Interval:
    """The interval that the source is asked for: a shorter one, where this one is built from that."""
    cursor.execute(
        "SELECT built_from FROM series WHERE market_id = %s AND interval_s = %s AND built_from IS NOT NULL",
        (market_id, interval.seconds),
    )
    part = cursor.fetchone()
    return interval if part is None else read_interval(cursor, market_id, interval_of_seconds(part[0]))


def ask_for(cursor: Cursor, market_id: int, interval: Interval, since: datetime, now: datetime) -> None:
    """Open a backfill back to `since`, on the grid. One that is open or done goes on when more is asked for; one that
    failed or was cancelled is opened again.

    Args:
        now: market time.
    """
    open_series(cursor, market_id, interval, now)
    cursor.execute(
        """
        INSERT INTO backfills AS kept (market_id, interval_s, since, started_from)
        SELECT market_id, interval_s, %(since)s, coalesce(have_from, %(now)s)
        FROM series WHERE market_id = %(market_id)s AND interval_s = %(interval_s)s
        ON CONFLICT (market_id, interval_s) DO UPDATE
        SET since = excluded.since, goal = NULL, state = 'open', error = NULL, failures = 0, retry_at = NULL,
            started_from = excluded.started_from, candles = 0, answers = 0,
            asked_at = clock_timestamp(), changed_at = clock_timestamp()
        WHERE kept.state IN ('failed', 'cancelled') OR excluded.since < kept.since
        """,
        {"market_id": market_id, "interval_s": interval.seconds, "since": since, "now": now},
    )


def cancel(cursor: Cursor, market_id: int, interval: Interval) -> bool:
    """End an open backfill; what it has stored stays. False when there is none."""
    cursor.execute(
        """
        UPDATE backfills SET state = 'cancelled', changed_at = clock_timestamp()
        WHERE market_id = %s AND interval_s = %s AND state = 'open'
        """,
        (market_id, interval.seconds),
    )
    return cursor.rowcount == 1


def open_jobs(cursor: Cursor, source: str) -> list[Job]:
    """The open backfills of a source whose time has come, those that have least first."""
    cursor.execute(
        """
        SELECT market_id, symbol, interval_s, since, goal,
               series.wanted_from, have_from, covered_to, settled_to, first_time
        FROM backfills JOIN series USING (market_id, interval_s) JOIN markets ON markets.id = market_id
        WHERE source = %s AND state = 'open' AND (retry_at IS NULL OR retry_at <= clock_timestamp())
        ORDER BY have_from DESC NULLS FIRST, market_id, interval_s
        """,
        (source,),
    )
    return [_job(*row) for row in cursor.fetchall()]


def _job(market_id: int, symbol: str, interval_s: int, since: datetime, goal: datetime | None, *times: Any) -> Job:
    grid = interval_of_seconds(interval_s)
    series = Series(market_id, symbol, grid, *(None if time is None else grid.step_at(time) for time in times))  # type: ignore[arg-type]
    return Job(series, grid.step_at(since), None if goal is None else grid.step_at(goal))


def seconds_to_retry(cursor: Cursor, source: str) -> float | None:
    """How long until the next open backfill of a source may be tried; None when none is open."""
    cursor.execute(
        """
        SELECT min(greatest(0, extract(epoch FROM retry_at - clock_timestamp())))::float8
        FROM backfills JOIN markets ON id = market_id WHERE source = %s AND state = 'open'
        """,
        (source,),
    )
    (seconds,) = cursor.fetchone()  # type: ignore[misc]
    return None if seconds is None else float(seconds)


def touch(cursor: Cursor, source: str) -> None:
    """Say that somebody sees to the open backfills of a source, even if it gives nothing now."""
    cursor.execute(
        """
        UPDATE backfills SET changed_at = clock_timestamp()
        WHERE state = 'open' AND market_id IN (SELECT id FROM markets WHERE source = %s)
        """,
        (source,),
    )


def save_goal(cursor: Cursor, job: Job, goal: int) -> None:
    """Keep how far back the source has any candles."""
    grid = job.series.interval
    cursor.execute(
        "UPDATE backfills SET goal = %s WHERE market_id = %s AND interval_s = %s",
        (grid.open_time(goal), job.series.market_id, grid.seconds),
    )


def save_progress(cursor: Cursor, job: Job, *, new: int, answers: int, done: bool) -> None:
    """Count what a piece brought. One that was cancelled meanwhile stays so."""
    cursor.execute(
        """
        UPDATE backfills SET candles = candles + %s, answers = answers + %s, failures = 0, error = NULL,
               retry_at = NULL, changed_at = clock_timestamp(),
               state = CASE WHEN state = 'open' AND %s THEN 'done' ELSE state END
        WHERE market_id = %s AND interval_s = %s
        """,
        (new, answers, done, job.series.market_id, job.series.interval.seconds),
    )


def save_failed_try(cursor: Cursor, job: Job, message: str) -> None:
    """Keep what went wrong; it is tried again later, each time twice as late, and given up in the end."""
    cursor.execute(
        """
        UPDATE backfills SET error = %s, failures = failures + 1, changed_at = clock_timestamp(),
               retry_at = clock_timestamp() + 15 * 2 ^ failures * interval '1 second',
               state = CASE WHEN state = 'open' AND failures + 1 >= %s THEN 'failed' ELSE state END
        WHERE market_id = %s AND interval_s = %s
        """,
        (message, MOST_FAILURES, job.series.market_id, job.series.interval.seconds),
    )


def give_up(cursor: Cursor, source: str, message: str) -> None:
    """End all open backfills of a source that cannot be read at all."""
    cursor.execute(
        """
        UPDATE backfills SET state = 'failed', error = %s, changed_at = clock_timestamp()
        WHERE state = 'open' AND market_id IN (SELECT id FROM markets WHERE source = %s)
        """,
        (message, source),
    )


def forgotten_sources(cursor: Cursor) -> list[str]:
    """Sources with an open backfill that nobody has worked on for long: its message was lost."""
    cursor.execute(
        """
        SELECT DISTINCT source FROM backfills JOIN markets ON id = market_id
        WHERE state = 'open' AND greatest(changed_at, retry_at) < clock_timestamp() - %s * interval '1 minute'
        """,
        (FORGOTTEN_MINUTES,),
    )
    return [source for (source,) in cursor.fetchall()]


def progress(connection: Connection, pairs: list[tuple[int, int]] | None) -> list[dict[str, Any]]:
    """How the backfills stand, JSON-ready, times as ISO 8601 text in UTC.

    Args:
        pairs: market id and interval in seconds of those to tell of; None: all.
    """
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(
            """
            SELECT source || ':' || symbol AS market, interval_s, since, goal, started_from,
                   coalesce(have_from, started_from) AS reached, first_time AS oldest,
                   state, error, backfills.candles, answers
            FROM backfills JOIN series USING (market_id, interval_s) JOIN markets ON id = market_id
            WHERE %(all)s OR (market_id, interval_s) IN (
                SELECT * FROM unnest(%(ids)s::integer[], %(seconds)s::integer[])
            )
            ORDER BY market, interval_s
            """,
            {
                "all": pairs is None,
                "ids": [one for one, _ in pairs or ()],
                "seconds": [seconds for _, seconds in pairs or ()],
            },
        )
        return [_told(row) for row in cursor.fetchall()]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    interval = interval_of_seconds(row.pop("interval_s")).name
    times = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    return {"market": times.pop("market"), "interval": interval, **times}
