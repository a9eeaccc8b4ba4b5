"""Reading candles: COPY BINARY straight into numpy, laid on the grid as a panel."""

import io
from collections.abc import Sequence

import numpy as np

from cryptowatch.markets.interval import Interval
from cryptowatch.markets.panel import Panel, Rows, build_panel
from cryptowatch.store.database import Cursor

# PostgreSQL's binary COPY format: a header of 19 bytes, then for each row a 16-bit field count and for each
# field a 32-bit length and its bytes, all big-endian; a trailer of -1 (PostgreSQL manual, COPY, Binary Format).
_HEADER = 19
_TRAILER = 2
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("market_length", ">i4"),
        ("market", ">i4"),
        ("seconds_length", ">i4"),
        ("seconds", ">i8"),
    ]
    + [
        (f"{name}_{part}", kind)
        for name in ("open", "high", "low", "close", "volume")
        for part, kind in (("length", ">i4"), ("value", ">f8"))
    ]
)
_VALUES = [f"{name}_value" for name in ("open", "high", "low", "close", "volume")]


def read_panel(cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_step: int, last_step: int) -> Panel:
    """The candles of these markets from `first_step` to `last_step`, both inclusive, filled as far as settled.

    Read it in a transaction with a snapshot: rows, frontiers and holes must be of one moment.
    """
    rows = _read_rows(cursor, interval, market_ids, first_step, last_step)
    return build_panel(
        interval,
        first_step,
        last_step,
        rows,
        _unobtainable(cursor, interval, market_ids, first_step, last_step),
        _settled(cursor, interval, market_ids, first_step),
    )


def _read_rows(
    cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_step: int, last_step: int
) -> dict[int, Rows]:
    ids = sorted(market_ids)
    query = cursor.mogrify(
        """
        SELECT market_id, extract(epoch FROM open_time)::bigint, open, high, low, close, volume
        FROM candles
        WHERE market_id = ANY(%s) AND interval_s = %s AND open_time BETWEEN %s AND %s
        ORDER BY market_id, open_time
        """,
        (ids, interval.seconds, interval.open_time(first_step), interval.open_time(last_step)),
    ).decode()
    buffer = io.BytesIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", buffer)
    table = np.frombuffer(buffer.getbuffer()[_HEADER:-_TRAILER], dtype=_ROW)
    steps = (table["seconds"].astype(np.int64) - interval.offset) // interval.seconds
    values = np.stack([table[name].astype(np.float64) for name in _VALUES], axis=1)
    bounds = np.searchsorted(table["market"], ids, side="left")
    ends = np.searchsorted(table["market"], ids, side="right")
    before = _closes_before(cursor, interval, ids, first_step)
    return {
        market_id: Rows(steps[start:end], values[start:end], before.get(market_id))
        for market_id, start, end in zip(ids, bounds, ends, strict=True)
    }


def _closes_before(cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_step: int) -> dict[int, float]:
    """The last close stored before the load, where that hole is not an unobtainable one."""
    cursor.execute(
        """
        SELECT id, last.close
        FROM unnest(%s::integer[]) AS id
        CROSS JOIN LATERAL (
            SELECT open_time, close FROM candles
            WHERE market_id = id AND interval_s = %s AND open_time < %s ORDER BY open_time DESC LIMIT 1
        ) AS last
        WHERE NOT EXISTS (
            SELECT 1 FROM unobtainable
            WHERE market_id = id AND interval_s = %s AND from_time < %s
              AND to_time > last.open_time + interval_s * interval '1 second'
        )
        """,
        (
            list(market_ids),
            interval.seconds,
            interval.open_time(first_step),
            interval.seconds,
            interval.open_time(first_step),
        ),
    )
    return dict(cursor.fetchall())


def _unobtainable(
    cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_step: int, last_step: int
) -> dict[int, list[tuple[int, int]]]:
    cursor.execute(
        """
        SELECT market_id, from_time, to_time FROM unobtainable
        WHERE market_id = ANY(%s) AND interval_s = %s AND to_time > %s AND from_time <= %s
        """,
        (list(market_ids), interval.seconds, interval.open_time(first_step), interval.open_time(last_step)),
    )
    holes: dict[int, list[tuple[int, int]]] = {}
    for market_id, start, end in cursor.fetchall():
        holes.setdefault(market_id, []).append((interval.step_at(start), interval.step_at(end)))
    return holes


def _settled(cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_step: int) -> dict[int, int]:
    cursor.execute(
        # A series whose older history is still on its way is not known at all yet.
        """
        SELECT market_id, settled_to FROM series
        WHERE market_id = ANY(%s) AND interval_s = %s AND have_from <= greatest(%s, wanted_from)
        """,
        (list(market_ids), interval.seconds, interval.open_time(first_step)),
    )
    settled = {market_id: interval.step_at(time) for market_id, time in cursor.fetchall() if time is not None}
    return {market_id: settled.get(market_id, first_step) for market_id in market_ids}
