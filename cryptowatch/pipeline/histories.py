"""Stored candles as the studies read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.markets.loads import load_start
from cryptowatch.markets.panel import Floats, Rows
from cryptowatch.store.blocks import read_candles
from cryptowatch.store.database import Connection
from cryptowatch.store.panels import reading
from cryptowatch.store.previews import oldest_candles
from cryptowatch.studies.history import MarketHistory


def read_histories(
    connection: Connection, look_back: Mapping[str, int], market_ids: Sequence[int], begin: datetime, now: datetime
) -> dict[int, MarketHistory]:
    """The stored candles of those of these markets that have any, by id.

    Args:
        look_back: candles of each interval, by its name, that are needed before `begin`.
    """
    stored: dict[str, dict[int, Rows]] = {}
    with reading(connection) as cursor:
        oldest = oldest_candles(cursor, market_ids, [interval_named(name).seconds for name in look_back])
        for name, candles in look_back.items():
            interval = interval_named(name)
            # Days may be stored for years and minutes for a week: no room is made for candles that are not there.
            there = interval.step_at(oldest.get(interval.seconds, now))
            first, last = max(there, load_start(candles, interval.step_at(begin))), interval.last_closed(now)
            stored[name] = _rows(market_ids, read_candles(cursor, interval, market_ids, first, last), first)
    histories = {}
    for id_ in market_ids:
        rows = {name: found[id_] for name, found in stored.items()}
        closes = [_last_close(interval_named(name), one) for name, one in rows.items() if len(one.steps)]
        if closes:
            histories[id_] = MarketHistory(rows, max(closes))
    return histories


def _last_close(interval: Interval, rows: Rows) -> datetime:
    return interval.close_time(int(rows.steps[-1]))


def _rows(market_ids: Sequence[int], values: Floats, first: int) -> dict[int, Rows]:
    """The candles there are, by market, of an array `(5, market, time)` that begins at step `first`."""
    rows = {}
    for row, id_ in enumerate(market_ids):
        there = np.flatnonzero(~np.isnan(values[3, row]))
        rows[id_] = Rows(there + first, np.ascontiguousarray(values[:, row, there].T), None)
    return rows
