"""Candles that people bring or take: what an import may add to what the source has said, and pages for an export."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import Interval
from cryptowatch.markets.settling import settle
from cryptowatch.store.candles import merge_candles
from cryptowatch.store.database import Cursor
from cryptowatch.store.series import Series, mark_unobtainable, save_frontiers, stored_steps


class HoleError(ValueError):
    """Between what is imported and what is stored would be a hole, the steps `[from_step, to_step)`."""

    def __init__(self, from_step: int, to_step: int) -> None:
        super().__init__("a hole")
        self.from_step, self.to_step = from_step, to_step


class Imported(NamedTuple):
    """What became of imported candles.

    Args:
        new: stored.
        same: were stored already, with the same figures.
        differ: are stored with other figures, which stay: they are the source's.
        newer: close after what the source was asked for; it will tell them itself.
    """

    new: int
    same: int
    differ: int
    newer: int


def import_candles(
    cursor: Cursor, market_id: int, interval: Interval, candles: Sequence[Candle], end: int, *, leave_hole: bool
) -> Imported:
    """Store candles that are not stored yet, as part of the history of their series; nothing stored is changed.

    The first candle to step `end` (exclusive) is taken for complete: a step without a candle in it is missing.

    Args:
        candles: ascending, at least one.
        leave_hole: what lies between them and the oldest stored candle is marked as unobtainable.

    Raises:
        HoleError: there is a hole, and it may not be left.
    """
    series = _locked_series(cursor, market_id, interval)
    begin = interval.step_at(candles[0].open_time)
    if series.covered_to is None:
        series.covered_to = end
    known = [one for one in candles if interval.step_at(one.open_time) < series.covered_to]
    _close_the_gap(cursor, series, end, leave_hole=leave_hole)
    stored = _stored(cursor, series, known)
    new = [one for one in known if one.open_time not in stored]
    late = sum(1 for one in new if series.settled_to is not None and _is_inside(series, one))
    if known:
        series.have_from = begin if series.have_from is None else min(begin, series.have_from)
        series.first_step = begin if series.first_step is None else min(begin, series.first_step)
        merge_candles(cursor, market_id, interval.seconds, new)
    if series.settled_to is None and series.first_step is not None:
        series.settled_to = settle(
            series.first_step, series.covered_to, stored_steps(cursor, series, series.first_step), (), 0
        )
    save_frontiers(cursor, series, moved=True, new=len(new), late=late)
    differ = sum(1 for one in known if one.open_time in stored and stored[one.open_time] != one)
    return Imported(len(new), len(known) - len(new) - differ, differ, len(candles) - len(known))


def _is_inside(series: Series, candle: Candle) -> bool:
    assert series.first_step is not None
    return candle.open_time >= series.interval.open_time(series.first_step)


def _close_the_gap(cursor: Cursor, series: Series, end: int, *, leave_hole: bool) -> None:
    """What lies between `end` and the oldest candle was said by nobody, so it must not be filled."""
    oldest = series.first_step if series.first_step is not None else series.have_from
    if oldest is None or end >= oldest:
        return
    if not leave_hole:
        raise HoleError(end, oldest)
    mark_unobtainable(cursor, series, end, oldest)


def _stored(cursor: Cursor, series: Series, candles: Sequence[Candle]) -> dict[datetime, Candle]:
    if not candles:
        return {}
    cursor.execute(
        """
        SELECT open_time, open, high, low, close, volume FROM candles
        WHERE market_id = %s AND interval_s = %s AND open_time BETWEEN %s AND %s
        """,
        (series.market_id, series.interval.seconds, candles[0].open_time, candles[-1].open_time),
    )
    return {row[0]: Candle(*row) for row in cursor.fetchall()}


def _locked_series(cursor: Cursor, market_id: int, interval: Interval) -> Series:
    cursor.execute(
        """
        SELECT wanted_from, have_from, covered_to, settled_to, first_time FROM series
        WHERE market_id = %s AND interval_s = %s FOR UPDATE
        """,
        (market_id, interval.seconds),
    )
    times = cursor.fetchone()
    assert times is not None
    return Series(market_id, "", interval, *(None if time is None else interval.step_at(time) for time in times))  # type: ignore[arg-type]


def candles_before(
    cursor: Cursor, market_id: int, interval: Interval, since: datetime, before: datetime, limit: int
) -> list[tuple[int, float, float, float, float, float]]:
    """Stored candles that open in `[since, before)`, the newest `limit` of them, ascending; open times as seconds
    since the epoch.
    """
    cursor.execute(
        """
        SELECT extract(epoch FROM open_time)::bigint, open, high, low, close, volume FROM candles
        WHERE market_id = %s AND interval_s = %s AND open_time >= %s AND open_time < %s
        ORDER BY open_time DESC LIMIT %s
        """,
        (market_id, interval.seconds, since, before, limit),
    )
    return cursor.fetchall()[::-1]
