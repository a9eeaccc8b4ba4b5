"""Previews over the stored candles: what was asked, how far it is, what came out."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cryptowatch.store.database import Cursor

#: How long a preview is kept after it was asked.
KEPT = "1 day"


def save_request(cursor: Cursor, request: str) -> int:
    """Keep what is asked (JSON), and forget what was asked long ago; gives its number."""
    cursor.execute("DELETE FROM previews WHERE asked_at < clock_timestamp() - %s::interval", (KEPT,))
    cursor.execute("INSERT INTO previews (request) VALUES (%s) RETURNING id", (request,))
    return int(cursor.fetchone()[0])  # type: ignore[index]


def request_of(cursor: Cursor, preview_id: int) -> tuple[dict[str, Any], bool] | None:
    """What was asked, and whether somebody has begun with it; None when it is done or forgotten."""
    cursor.execute(
        "SELECT request, done > 0 FROM previews WHERE id = %s AND result IS NULL AND error IS NULL", (preview_id,)
    )
    row = cursor.fetchone()
    return None if row is None else (dict(row[0]), bool(row[1]))


def save_progress(cursor: Cursor, preview_id: int, done: float) -> None:
    cursor.execute("UPDATE previews SET done = greatest(done, %s) WHERE id = %s", (done, preview_id))


def save_result(cursor: Cursor, preview_id: int, result: Mapping[str, Any]) -> None:
    cursor.execute("UPDATE previews SET done = 1, result = %s WHERE id = %s", (json.dumps(result), preview_id))


def save_failure(cursor: Cursor, preview_id: int, error: str) -> None:
    cursor.execute("UPDATE previews SET error = %s WHERE id = %s", (error, preview_id))


def outcome(cursor: Cursor, preview_id: int) -> dict[str, Any] | None:
    """`done` (a share), `result` and `error`; None when there is no such preview."""
    cursor.execute("SELECT done, result, error FROM previews WHERE id = %s", (preview_id,))
    row = cursor.fetchone()
    return None if row is None else {"done": row[0], "result": row[1], "error": row[2]}


def stored_markets(cursor: Cursor, names: Iterable[str], intervals_s: Iterable[int]) -> dict[str, int]:
    """The ids of those of these markets (`kraken:BTC/USD`) that have candles at one of these intervals."""
    cursor.execute(
        """
        SELECT DISTINCT source || ':' || symbol, id FROM markets JOIN series ON market_id = id
        WHERE source || ':' || symbol = ANY(%s) AND interval_s = ANY(%s) AND first_time IS NOT NULL
        """,
        (sorted(set(names)), sorted(set(intervals_s))),
    )
    return dict(cursor.fetchall())


def oldest_candles(cursor: Cursor, market_ids: Iterable[int], intervals_s: Iterable[int]) -> dict[int, datetime]:
    """Open time of the oldest candle of these markets, by interval; an interval without candles is not in it."""
    cursor.execute(
        """
        SELECT interval_s, min(first_time) FROM series
        WHERE market_id = ANY(%s) AND interval_s = ANY(%s) AND first_time IS NOT NULL GROUP BY 1
        """,
        (list(market_ids), list(intervals_s)),
    )
    return dict(cursor.fetchall())
