"""Reading candles: sealed blocks and the rows of the open tail, laid on the grid as a panel."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from cryptowatch.markets.interval import Interval
from cryptowatch.markets.panel import Floats, Panel, Steps, fill_panel
from cryptowatch.store.blocks import BLOCK, read_candles
from cryptowatch.store.database import Connection, Cursor, transaction


@contextmanager
def reading(connection: Connection) -> Iterator[Cursor]:
    """A snapshot to read panels in. No partition is dropped while it lasts: the lock is taken before the snapshot."""
    with transaction(connection, snapshot=True) as cursor:
        cursor.execute("LOCK TABLE ONLY candles IN ACCESS SHARE MODE")
        yield cursor


def read_panel(cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_step: int, last_step: int) -> Panel:
    """The candles of these markets from `first_step` to `last_step`, both inclusive, filled as far as settled.

    One row a market, in ascending order of ids. Read it in a transaction with a snapshot: rows, frontiers and holes
    must be of one moment.
    """
    return read_panels(cursor, interval, market_ids, [first_step], last_step)[first_step]


def read_panels(
    cursor: Cursor, interval: Interval, market_ids: Sequence[int], first_steps: Collection[int], last_step: int
) -> dict[int, Panel]:
    """Panels that end alike, by their first steps, each as `read_panel` gives it: their candles are read once."""
    ids = sorted(market_ids)
    holes = _unobtainable(cursor, interval, ids, last_step)
    start = min(first_steps) // BLOCK * BLOCK - BLOCK
    values = read_candles(cursor, interval, ids, start, last_step)
    panels = {}
    for first in first_steps:
        before = _closes_before(cursor, interval, ids, values[3, :, : first - start], start, holes)
        settled = _settled(cursor, interval, ids, first)
        panels[first] = fill_panel(
            interval, first, tuple(ids), values[:, :, first - start :].copy(), before, holes, settled
        )
    return panels


def _closes_before(
    cursor: Cursor, interval: Interval, ids: list[int], closes: Floats, near: int, holes: list[tuple[int, int, int]]
) -> Floats:
    """By row, the last close stored before the load; NaN where there is none, or an unobtainable hole behind it.

    It is nearly always in the block before; only for a market that was silent all that time the rows are asked.

    Args:
        closes: as stored, from the step `near` up to the load.
    """
    first_step = near + closes.shape[1]
    known = ~np.isnan(closes)
    column = closes.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    before: Floats = closes[np.arange(len(ids)), column]
    step = np.where(known.any(axis=1), column + near, near)
    silent = [ids[row] for row in np.flatnonzero(~known.any(axis=1))]
    for market_id, last, close in _last_before(cursor, interval, silent, near):
        row = ids.index(market_id)
        before[row], step[row] = close, last
    for row, start, stop in holes:
        if start < first_step and stop > step[row] + 1:
            before[row] = np.nan
    return before


def _last_before(cursor: Cursor, interval: Interval, market_ids: list[int], step: int) -> list[tuple[int, int, float]]:
    """Market, step and close of the last candle before `step`; only those that have any are looked for."""
    cursor.execute(
        """
        SELECT series.market_id, last.open_time, last.close
        FROM series
        CROSS JOIN LATERAL (
            SELECT open_time, close FROM candles
            WHERE candles.market_id = series.market_id AND interval_s = %(interval_s)s AND open_time < %(before)s
            ORDER BY open_time DESC LIMIT 1
        ) AS last
        WHERE series.market_id = ANY(%(markets)s) AND series.interval_s = %(interval_s)s
          AND series.first_time < %(before)s
        """,
        {"markets": market_ids, "interval_s": interval.seconds, "before": interval.open_time(step)},
    )
    return [(market_id, interval.step_at(time), close) for market_id, time, close in cursor.fetchall()]


def _unobtainable(cursor: Cursor, interval: Interval, ids: list[int], last_step: int) -> list[tuple[int, int, int]]:
    """Row and steps `[from, to)` of each hole up to `last_step`."""
    cursor.execute(
        """
        SELECT market_id, from_time, to_time FROM unobtainable
        WHERE market_id = ANY(%s) AND interval_s = %s AND from_time <= %s
        """,
        (ids, interval.seconds, interval.open_time(last_step)),
    )
    return [
        (ids.index(market_id), interval.step_at(start), interval.step_at(end))
        for market_id, start, end in cursor.fetchall()
    ]


def _settled(cursor: Cursor, interval: Interval, ids: list[int], first_step: int) -> Steps:
    """By row, the first step that is not settled."""
    cursor.execute(
        # A series whose older history is still on its way is not known at all yet.
        """
        SELECT market_id, settled_to FROM series
        WHERE market_id = ANY(%s) AND interval_s = %s AND have_from <= greatest(%s, wanted_from)
          AND settled_to IS NOT NULL
        """,
        (ids, interval.seconds, interval.open_time(first_step)),
    )
    settled = dict(cursor.fetchall())
    return np.array([interval.step_at(settled[id_]) if id_ in settled else first_step for id_ in ids], dtype=np.int64)
