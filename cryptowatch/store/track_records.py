"""Track records of watches: when they are due, what they say. Times are market time, UTC."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptowatch.markets.interval import interval_of_seconds
from cryptowatch.store.database import Cursor
from cryptowatch.watches.form import Watch

#: How old a record may be before it is worked out anew.
REFRESH = timedelta(days=1)
#: How long a task that was queued may take before it is taken for lost.
LOST = timedelta(hours=2)
#: The market id under which the record of all markets together is kept.
POOLED = 0


@dataclass(frozen=True)
class StoredRecord:
    """The record of a watch on one market, or on all (`POOLED`): one dict a horizon, JSON-ready."""

    market_id: int
    from_time: datetime | None
    to_time: datetime | None
    horizons: Sequence[Mapping[str, Any]]


def queue_due(cursor: Cursor, now: datetime) -> list[int]:
    """The watches whose record is to be worked out: new ones and new generations, once all history that they want is
    there, and those with an old one. They count as queued from now on.
    """
    cursor.execute(
        """
        INSERT INTO track_record_runs (watch_id, generation, queued_at)
        SELECT watch.id, watch.generation, %(now)s FROM watches watch
        LEFT JOIN track_record_runs run ON run.watch_id = watch.id
        WHERE removed_at IS NULL
          AND (run.watch_id IS NULL OR run.generation <> watch.generation
               OR CASE WHEN run.written_at IS NULL OR run.queued_at > run.written_at
                       THEN run.queued_at < %(now)s - %(lost)s ELSE run.written_at < %(now)s - %(refresh)s END)
          AND NOT EXISTS (
              SELECT 1 FROM watch_state state
              JOIN watch_inputs input ON input.watch_id = state.watch_id
              JOIN series ON series.market_id = state.market_id AND series.interval_s = input.interval_s
              WHERE state.watch_id = watch.id AND (have_from IS NULL OR have_from > wanted_from) AND last_error IS NULL)
        ON CONFLICT (watch_id) DO UPDATE SET generation = excluded.generation, queued_at = excluded.queued_at
        RETURNING watch_id
        """,
        {"now": now, "refresh": REFRESH, "lost": LOST},
    )
    return sorted(id_ for (id_,) in cursor.fetchall())


def studied_watch(cursor: Cursor, watch_id: int) -> tuple[int, Watch, list[int]] | None:
    """The generation, the watch and its markets' ids; None when it is not on the list any more."""
    cursor.execute(
        """
        SELECT generation, definition, ARRAY(SELECT market_id FROM watch_state WHERE watch_id = id ORDER BY 1)
        FROM watches WHERE id = %s AND removed_at IS NULL
        """,
        (watch_id,),
    )
    row = cursor.fetchone()
    return None if row is None else (row[0], Watch.model_validate(row[1]), row[2])


def save_records(
    cursor: Cursor, watch_id: int, generation: int, records: Sequence[StoredRecord], now: datetime
) -> None:
    """Put these records of a watch in the place of the ones before; not those of a generation that nobody waits for."""
    cursor.execute(
        "SELECT 1 FROM track_record_runs WHERE watch_id = %s AND generation = %s FOR UPDATE", (watch_id, generation)
    )
    if cursor.fetchone() is None:
        return
    cursor.execute("DELETE FROM track_records WHERE watch_id = %s", (watch_id,))
    for one in records:
        cursor.execute(
            """
            INSERT INTO track_records (watch_id, market_id, generation, from_time, to_time, horizons)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            (watch_id, one.market_id, generation, one.from_time, one.to_time, json.dumps(one.horizons)),
        )
    cursor.execute(
        "UPDATE track_record_runs SET written_at = greatest(%s, queued_at) WHERE watch_id = %s AND generation = %s",
        (now, watch_id, generation),
    )


def record_rows(cursor: Cursor, watch: str | None, *, each: bool = True) -> list[dict[str, Any]]:
    """The records of one watch, or of all, JSON-ready: of all its markets (`market` is null), then, with `each`, market
    by market.
    """
    cursor.execute(
        """
        SELECT watch.name, market.source || ':' || market.symbol, watch.interval_s, from_time, to_time, horizons
        FROM track_records record
        JOIN watches watch ON watch.id = record.watch_id AND watch.generation = record.generation
        LEFT JOIN markets market ON market.id = record.market_id
        WHERE removed_at IS NULL AND watch.name = coalesce(%s, watch.name) AND (record.market_id = %s OR %s)
        ORDER BY watch.name, market.id NULLS FIRST
        """,
        (watch, POOLED, each),
    )
    return [
        {
            "watch": name,
            "market": market,
            "interval": interval_of_seconds(seconds).name,
            "from": start.isoformat() if start else None,
            "to": end.isoformat() if end else None,
            "horizons": horizons,
        }
        for name, market, seconds, start, end, horizons in cursor.fetchall()
    ]


#: A track record as an email tells it, of an alert's own market and of all markets of its watch; NULL without one.
LINES = """
(SELECT json_agg(json_build_array(record.market_id = 0, horizons -> -1 ->> 'words') ORDER BY record.market_id = 0)
 FROM track_records record
 WHERE record.watch_id = watch.id AND record.generation = watch.generation
   AND record.market_id IN (market.id, 0))
"""
