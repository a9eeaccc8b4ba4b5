"""Blocks: 64 settled steps of one market, sealed for fast reading. Rows are the truth, a block is a copy of them.

Every range of 64 steps that holds a candle has a block, or else a row in `unsealed`; triggers on `candles` see to it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.interval import Interval, interval_of_seconds
from cryptowatch.markets.panel import Floats
from cryptowatch.store.binary import copy_in, copy_out, row_type, steps_of, times_of
from cryptowatch.store.database import CANDLE_WRITERS_LOCK, Connection, Cursor, transaction
from cryptowatch.store.upkeep import RIPE

#: Steps in a block. A chunk is a whole number of blocks.
BLOCK = 64
#: Blocks sealed in one transaction: writers wait for it, some hundredths of a second.
BLOCKS_AT_ONCE = 100

_VALUES = ("open", "high", "low", "close", "volume")
_BLOCK_ROW = row_type(market_id=">i4", start_time=">i8", data=("<f8", (5, BLOCK)))
_SEALED_ROW = row_type(market_id=">i4", interval_s=">i4", start_time=">i8", data=("<f8", (5, BLOCK)))
_CANDLE_ROW = row_type(market_id=">i4", open_time=">i8", **dict.fromkeys(_VALUES, ">f8"))

_BLOCKS = """
SELECT market_id, start_time, data FROM candle_blocks
WHERE market_id = ANY(%(markets)s) AND interval_s = %(interval_s)s AND start_time BETWEEN %(first_block)s AND %(last)s
"""

# Range by range along the primary key; OFFSET 0 keeps the planner from joining in any other way.
_ROWS = """
SELECT candle.* FROM unsealed CROSS JOIN LATERAL (
    SELECT market_id, open_time, open, high, low, close, volume FROM candles
    WHERE candles.market_id = unsealed.market_id AND candles.interval_s = %(interval_s)s
      AND open_time >= start_time AND open_time < start_time + %(block)s
      AND open_time BETWEEN %(first)s AND %(last)s
    OFFSET 0
) AS candle
WHERE unsealed.market_id = ANY(%(markets)s) AND unsealed.interval_s = %(interval_s)s
  AND start_time BETWEEN %(first_block)s AND %(last)s
"""


def read_candles(
    cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_step: int, last_step: int
) -> Floats:
    """The stored candles of these markets in `[first_step, last_step]`, shape `(5, market, time)`, NaN where none is.

    Read it in a transaction with a snapshot: blocks and rows must be of one moment.
    """
    width = max(0, last_step - first_step + 1)
    values = np.full((5, len(market_ids), width), np.nan)
    if not width or not market_ids:
        return values
    ids = np.array(market_ids, dtype=np.int64)
    order = np.argsort(ids)
    asked = {
        "markets": ids[order].tolist(),
        "interval_s": interval.seconds,
        "block": interval.length * BLOCK,
        "first_block": interval.open_time(first_step // BLOCK * BLOCK),
        "first": interval.open_time(first_step),
        "last": interval.open_time(last_step),
    }

    def rows_of(table: NDArray[Any]) -> NDArray[np.int64]:
        return order[np.searchsorted(ids, table["market_id"], sorter=order)]

    blocks = copy_out(cursor, _BLOCK_ROW, _BLOCKS, asked)
    starts = steps_of(interval, blocks["start_time"])
    rows = rows_of(blocks)
    for start in np.unique(starts):
        here = starts == start
        low, high = max(start, first_step), min(start + BLOCK, last_step + 1)
        part = blocks["data"][here][:, :, low - start : high - start]
        values[:, rows[here], low - first_step : high - first_step] = part.transpose(1, 0, 2)

    tail = copy_out(cursor, _CANDLE_ROW, _ROWS, asked)
    at = steps_of(interval, tail["open_time"]) - first_step
    rows = rows_of(tail)
    for column, name in zip(values, _VALUES, strict=True):
        column[rows, at] = tail[name]
    return values


def seal(connection: Connection, most: int = BLOCKS_AT_ONCE) -> int:
    """Seal some of the ripe blocks, in one transaction; returns how many."""
    with transaction(connection) as cursor:
        # Before the first read: a change that committed between a read and the write would leave a wrong block.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (CANDLE_WRITERS_LOCK,))
        cursor.execute(f"{RIPE} ORDER BY interval_s, start_time, market_id LIMIT %s", (most,))
        ripe = cursor.fetchall()
        for seconds in sorted({one[1] for one in ripe}):
            interval = interval_of_seconds(seconds)
            starts = sorted({interval.step_at(time) for _, own, time in ripe if own == seconds})
            for start in starts:
                ids = [id_ for id_, own, time in ripe if own == seconds and interval.step_at(time) == start]
                _seal(cursor, interval, ids, start)
    return len(ripe)


def _seal(cursor: Cursor, interval: Interval, market_ids: list[int], start: int) -> None:
    values = read_candles(cursor, interval, market_ids, start, start + BLOCK - 1)
    holds = ~np.isnan(values[3]).all(axis=1)
    sealed = np.zeros(len(market_ids), dtype=_SEALED_ROW)
    sealed["market_id"], sealed["interval_s"] = market_ids, interval.seconds
    sealed["start_time"] = times_of(interval, np.array([start]))[0]
    sealed["data"] = values.transpose(1, 0, 2)
    copy_in(cursor, "candle_blocks", _SEALED_ROW, sealed[holds])
    cursor.execute(
        "DELETE FROM unsealed WHERE market_id = ANY(%s) AND interval_s = %s AND start_time = %s",
        (market_ids, interval.seconds, interval.open_time(start)),
    )
