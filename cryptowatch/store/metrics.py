"""Figures of the whole market over time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg2.extras import execute_values

from cryptowatch.store.database import Cursor


class Value(NamedTuple):
    """What a metric was from `time` on."""

    time: datetime
    value: float


def save_figures(cursor: Cursor, figures: Iterable[tuple[str, datetime, float]]) -> int:
    """Keep figures (name, time, value); those that are there cost nothing. Gives how many are new or changed."""
    rows = sorted(set(figures))
    changed = execute_values(
        cursor,
        """
        INSERT INTO metrics AS kept (name, time, value) VALUES %s
        ON CONFLICT (name, time) DO UPDATE SET value = excluded.value WHERE kept.value <> excluded.value
        RETURNING 1
        """,
        rows,
        fetch=True,
    )
    return len(changed)


def value_at(cursor: Cursor, name: str, at: datetime) -> Value | None:
    """The latest value from `at` or before; None when there is none."""
    cursor.execute(
        "SELECT time, value FROM metrics WHERE name = %s AND time <= %s ORDER BY time DESC LIMIT 1", (name, at)
    )
    row = cursor.fetchone()
    return Value(*row) if row else None


def values_between(cursor: Cursor, name: str, start: datetime, end: datetime) -> list[Value]:
    """The values of the times from `start` to before `end`, ascending, and the one that held at `start`."""
    before = value_at(cursor, name, start)
    cursor.execute(
        "SELECT time, value FROM metrics WHERE name = %s AND time > %s AND time < %s ORDER BY time", (name, start, end)
    )
    return [*([before] if before else []), *(Value(*row) for row in cursor.fetchall())]


def newest_values(cursor: Cursor) -> list[tuple[str, Value, int]]:
    """Of each metric the name, its newest value, and how many there are."""
    cursor.execute(
        """
        SELECT DISTINCT ON (name) name, time, value, count(*) OVER (PARTITION BY name)
        FROM metrics ORDER BY name, time DESC
        """
    )
    return [(name, Value(time, value), count) for name, time, value, count in cursor.fetchall()]


def sources_due(cursor: Cursor, sources: Sequence[tuple[str, datetime]]) -> list[str]:
    """Those of these sources of metrics that are not left alone and were not read since the time given for each."""
    execute_values(
        cursor, "INSERT INTO sources (name) VALUES %s ON CONFLICT DO NOTHING", [(name,) for name, _ in sources]
    )
    cursor.execute(
        """
        SELECT name FROM sources JOIN unnest(%s::text[], %s::timestamptz[]) AS asked (source, since) ON source = name
        WHERE (paused_until IS NULL OR paused_until <= clock_timestamp())
          AND coalesce(greatest(last_success, last_error_at), '-infinity') <= since
        ORDER BY 1
        """,
        ([name for name, _ in sources], [since for _, since in sources]),
    )
    return [name for (name,) in cursor.fetchall()]
