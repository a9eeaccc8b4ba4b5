"""Candles of intervals that the exchange lacks, built from those of a shorter one in the transaction that stores it.

Built candles are ordinary rows, their series an ordinary series: whoever reads them need not know.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptowatch.markets.building import build
from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import Interval, interval_of_seconds
from cryptowatch.store.candles import merge_candles
from cryptowatch.store.database import Cursor
from cryptowatch.store.series import Series, mark_unobtainable, save_frontiers

_SECOND = timedelta(seconds=1)


class _Parts(NamedTuple):
    """How far the parts are had, covered and settled, in steps of the interval that is built: whole candles only."""

    have_from: int
    covered_to: int
    settled_to: int


def build_above(cursor: Cursor, market_id: int, part: Interval, changed: Iterable[datetime]) -> list[Interval]:
    """Build what is complete of the series that are built from this one; call it after its frontiers are saved.

    A candle is complete when each of its parts is settled; one unobtainable part makes it unobtainable.

    Args:
        part: the interval of the candles that were stored.
        changed: open times of those that are new or revised: what was built from them before is built anew.

    Returns:
        The intervals of the series that moved.
    """
    cursor.execute(
        """
        SELECT built.interval_s, symbol, built.wanted_from, built.have_from, built.covered_to, built.settled_to,
               built.first_time, parts.have_from, parts.covered_to, parts.settled_to
        FROM series built JOIN series parts ON parts.market_id = built.market_id AND parts.interval_s = built.built_from
        JOIN markets ON markets.id = built.market_id
        WHERE built.market_id = %s AND built.built_from = %s AND parts.have_from IS NOT NULL
        ORDER BY 1
        """,
        (market_id, part.seconds),
    )
    changed = list(changed)
    moved = []
    for interval_s, symbol, *times, have_from, covered_to, settled_to in cursor.fetchall():
        grid = interval_of_seconds(interval_s)
        wanted, *others = (None if time is None else grid.step_at(time) for time in times)
        series = Series(market_id, symbol, grid, wanted or 0, *others)
        start = grid.step_at(have_from - _SECOND) + 1
        parts = _Parts(start, grid.step_at(covered_to), grid.step_at(settled_to) if settled_to else start)
        if _build_one(cursor, series, part, parts, changed):
            moved.append(grid)
    return moved


def _build_one(cursor: Cursor, series: Series, part: Interval, parts: _Parts, changed: list[datetime]) -> bool:
    grid = series.interval
    had_from, had_to = series.have_from, series.settled_to
    steps = {grid.step_at(time) for time in changed}
    if had_from is None or had_to is None:
        steps.update(range(parts.have_from, parts.settled_to))
    else:
        steps.update(range(parts.have_from, had_from), range(had_to, parts.settled_to))
    new = revised = 0
    for first, last in _runs(step for step in steps if parts.have_from <= step < parts.settled_to):
        lost = _lost(cursor, series, part, first, last)
        built = build(_stored(cursor, series, part, first, last), grid)
        candles = [one for one in built if not _within(one, grid, lost)]
        merged = merge_candles(cursor, series.market_id, grid.seconds, candles)
        new, revised = new + len(merged.new), revised + len(merged.revised)
        if candles:
            oldest = grid.step_at(candles[0].open_time)
            series.first_step = oldest if series.first_step is None else min(series.first_step, oldest)
        for from_step, to_step in lost:
            mark_unobtainable(cursor, series, from_step, to_step + 1)
    series.have_from = parts.have_from
    series.covered_to = parts.covered_to
    if series.first_step is not None:
        series.settled_to = parts.settled_to
    moved = (series.have_from, series.settled_to) != (had_from, had_to)
    if moved or new or revised:
        save_frontiers(cursor, series, moved=moved, new=new, revisions=revised)
    return moved


def _stored(cursor: Cursor, series: Series, part: Interval, first: int, last: int) -> Iterator[Candle]:
    grid = series.interval
    cursor.execute(
        """
        SELECT open_time, open, high, low, close, volume FROM candles
        WHERE market_id = %s AND interval_s = %s AND open_time >= %s AND open_time < %s ORDER BY open_time
        """,
        (series.market_id, part.seconds, grid.open_time(first), grid.close_time(last)),
    )
    return map(Candle._make, cursor.fetchall())


def _lost(cursor: Cursor, series: Series, part: Interval, first: int, last: int) -> list[tuple[int, int]]:
    """The steps from `first` to `last` that have an unobtainable part, as ranges, both ends inclusive."""
    grid = series.interval
    cursor.execute(
        """
        SELECT greatest(from_time, %(start)s), least(to_time, %(end)s) FROM unobtainable
        WHERE market_id = %(market_id)s AND interval_s = %(part)s AND from_time < %(end)s AND to_time > %(start)s
        ORDER BY 1
        """,
        {
            "market_id": series.market_id,
            "part": part.seconds,
            "start": grid.open_time(first),
            "end": grid.close_time(last),
        },
    )
    return [(grid.step_at(start), grid.step_at(end - _SECOND)) for start, end in cursor.fetchall()]


def _within(candle: Candle, grid: Interval, ranges: list[tuple[int, int]]) -> bool:
    step = grid.step_at(candle.open_time)
    return any(first <= step <= last for first, last in ranges)


def _runs(steps: Iterable[int]) -> list[tuple[int, int]]:
    """These steps as runs without a hole, both ends inclusive, ascending."""
    runs: list[tuple[int, int]] = []
    for step in sorted(steps):
        if runs and step == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], step
        else:
            runs.append((step, step))
    return runs
