"""Writing candles: COPY into a temporary table, then one merge. Idempotent, and it tells what it changed."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptowatch.markets.candle import Candle
from cryptowatch.store.database import CANDLE_WRITERS_LOCK, Cursor

_INCOMING = """
CREATE TEMP TABLE IF NOT EXISTS incoming (
    open_time timestamptz, open float8, high float8, low float8, close float8, volume float8
) ON COMMIT DELETE ROWS
"""

# Unchanged rows are not written again: no row version, no WAL. All parts of a statement see the same snapshot, so
# `before` holds what was stored before the merge.
_MERGE = """
WITH before AS (
    SELECT open_time FROM candles JOIN incoming USING (open_time)
    WHERE market_id = %(market_id)s AND interval_s = %(interval_s)s
), merged AS (
    INSERT INTO candles AS kept (market_id, interval_s, open_time, open, high, low, close, volume)
    SELECT %(market_id)s, %(interval_s)s, open_time, open, high, low, close, volume FROM incoming
    ON CONFLICT (market_id, interval_s, open_time) DO UPDATE
    SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume
    WHERE (kept.open, kept.high, kept.low, kept.close, kept.volume)
       IS DISTINCT FROM (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
    RETURNING open_time
)
SELECT open_time, open_time NOT IN (SELECT open_time FROM before) FROM merged
"""


class Merged(NamedTuple):
    """What a merge changed: open times of candles that are new, and of those that were revised."""

    new: list[datetime]
    revised: list[datetime]


def merge_candles(cursor: Cursor, market_id: int, interval_s: int, candles: Sequence[Candle]) -> Merged:
    """Store closed candles of one market at one interval, within the caller's transaction."""
    if not candles:
        return Merged([], [])
    # Shared by all writers; whoever seals candles into blocks takes it exclusively.
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (CANDLE_WRITERS_LOCK,))
    cursor.execute(_INCOMING)
    cursor.execute("TRUNCATE incoming")
    lines = (
        f"{candle.open_time.isoformat()}\t{candle.open!r}\t{candle.high!r}\t{candle.low!r}"
        f"\t{candle.close!r}\t{candle.volume!r}\n"
        for candle in candles
    )
    cursor.copy_expert("COPY incoming FROM STDIN", io.StringIO("".join(lines)))
    cursor.execute(_MERGE, {"market_id": market_id, "interval_s": interval_s})
    changed = cursor.fetchall()
    return Merged(
        new=sorted(time for time, inserted in changed if inserted),
        revised=sorted(time for time, inserted in changed if not inserted),
    )
