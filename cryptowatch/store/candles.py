"""Writing candles: COPY into a temporary table, then one merge. Idempotent, and it tells what it changed.

What follows from a change (an old value is kept, a sealed block goes) is done by triggers on `candles`.
"""

import io
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptowatch.markets.candle import Candle
from cryptowatch.store.database import CANDLE_WRITERS_LOCK, Cursor

_INCOMING = """
CREATE TEMP TABLE IF NOT EXISTS incoming_candles (
    market_id integer, open_time timestamptz, open float8, high float8, low float8, close float8, volume float8
) ON COMMIT DELETE ROWS
"""

_VALUES = "open, high, low, close, volume"

# Of candles that are there already nothing is written: no row version, no WAL.
_INSERT = f"""
INSERT INTO candles (market_id, interval_s, open_time, {_VALUES})
SELECT market_id, %(interval_s)s, open_time, {_VALUES} FROM incoming_candles
ON CONFLICT (market_id, interval_s, open_time) DO NOTHING
RETURNING market_id, open_time
"""

# The bounds let the planner leave out all other partitions.
_UPDATE = """
UPDATE candles AS kept
SET open = new.open, high = new.high, low = new.low, close = new.close, volume = new.volume
FROM incoming_candles AS new
WHERE kept.market_id = new.market_id AND kept.interval_s = %(interval_s)s AND kept.open_time = new.open_time
  AND kept.open_time BETWEEN %(first)s AND %(last)s
  AND (kept.open, kept.high, kept.low, kept.close, kept.volume)
      IS DISTINCT FROM (new.open, new.high, new.low, new.close, new.volume)
RETURNING kept.market_id, kept.open_time
"""

# PostgreSQL's binary COPY format: a signature, then for each row a 16-bit field count and for each field a 32-bit
# length and its bytes, all big-endian; a trailer of -1. Times count microseconds from 2000.
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ROW = struct.Struct("!h" + "ii" + "iq" + "id" * 5)
_TRAILER = struct.pack("!h", -1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Merged(NamedTuple):
    """What a merge changed: open times of candles that are new, and of those that were revised."""

    new: list[datetime]
    revised: list[datetime]


def merge_candles(cursor: Cursor, market_id: int, interval_s: int, candles: Sequence[Candle]) -> Merged:
    """Store closed candles of one market at one interval, within the caller's transaction."""
    return merge_many(cursor, interval_s, {market_id: candles})[market_id]


def merge_many(cursor: Cursor, interval_s: int, candles: Mapping[int, Sequence[Candle]]) -> dict[int, Merged]:
    """Store closed candles of many markets at one interval, by market id, within the caller's transaction.

    Of one market no open time may come twice.
    """
    merged = {market_id: Merged([], []) for market_id in candles}
    times = [candle.open_time for some in candles.values() for candle in some]
    if not times:
        return merged
    bounds = {"interval_s": interval_s, "first": min(times), "last": max(times)}
    # Shared by all writers; whoever seals candles into blocks takes it exclusively.
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (CANDLE_WRITERS_LOCK,))
    cursor.execute("SELECT make_candle_partitions(%(interval_s)s, %(first)s, %(last)s)", bounds)
    cursor.execute(_INCOMING)
    cursor.execute("DELETE FROM incoming_candles")
    cursor.copy_expert("COPY incoming_candles FROM STDIN (FORMAT binary)", io.BytesIO(b"".join(_rows(candles))))
    cursor.execute(_INSERT, bounds)
    new = cursor.fetchall()
    for market_id, time in new:
        merged[market_id].new.append(time)
    if len(new) < len(times):
        cursor.execute(_UPDATE, bounds)
        for market_id, time in cursor.fetchall():
            merged[market_id].revised.append(time)
    for one in merged.values():
        one.new.sort()
        one.revised.sort()
    return merged


def _rows(candles: Mapping[int, Iterable[Candle]]) -> Iterator[bytes]:
    """In the order of the primary key: neighbours in the table and in its index are written together."""
    yield _SIGNATURE
    for market_id in sorted(candles):
        for time, *values in candles[market_id]:
            open_, high, low, close, volume = values
            since = (time - _EPOCH) // _MICROSECOND
            yield _ROW.pack(7, 4, market_id, 8, since, 8, open_, 8, high, 8, low, 8, close, 8, volume)
    yield _TRAILER
