"""Each market at each interval: what is wanted of it, how far it was asked for, how far it is settled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptowatch.markets.interval import Interval, interval_of_seconds
from cryptowatch.store.database import Cursor

#: Series that some watch of today reads, or that those are built from.
WANTED = """
EXISTS (SELECT 1 FROM wanted_series wanted
        WHERE wanted.market_id = series.market_id AND wanted.interval_s = series.interval_s)
"""


@dataclass
class Series:
    """One row of `series`, as grid steps. Frontiers are exclusive: `settled_to` is the first step not settled.

    Args:
        wanted_from: the oldest step the watches need.
        have_from: the oldest step error-free answers reach back to; None before the first answer.
        first_step: the oldest candle stored; None when there is none.
    """

    market_id: int
    symbol: str
    interval: Interval
    wanted_from: int
    have_from: int | None
    covered_to: int | None
    settled_to: int | None
    first_step: int | None


def watched_series(cursor: Cursor, source: str) -> list[Series]:
    """The series to ask a source for, for the watches of today: those that wait longest first, those that failed last.

    None of markets that it does not list any more, and none that is built from another.
    """
    cursor.execute(
        f"""
        SELECT market_id, symbol, interval_s, wanted_from, have_from, covered_to, settled_to, first_time
        FROM series JOIN markets ON markets.id = market_id
        WHERE source = %s AND built_from IS NULL AND delisted_at IS NULL AND {WANTED}
        ORDER BY series.last_error IS NOT NULL,
                 coalesce(settled_to, wanted_from) + interval_s * interval '1 second', market_id
        """,
        (source,),
    )
    return [_series(row) for row in cursor.fetchall()]


def _series(row: Sequence[Any]) -> Series:
    market_id, symbol, interval_s, *times = row
    interval = interval_of_seconds(interval_s)
    wanted, *others = (None if time is None else interval.step_at(time) for time in times)
    assert wanted is not None
    return Series(market_id, symbol, interval, wanted, *others)


def save_frontiers(
    cursor: Cursor, series: Series, *, moved: bool, new: int = 0, revisions: int = 0, late: int = 0
) -> None:
    """Write the frontiers of a series and clear its error.

    They only ever widen: a backfill moves its old end at any time while ingest moves its new one.

    Args:
        new: candles stored that were not there.
        moved: `settled_to` has moved, so there is something to analyse.
        revisions: candles whose values the source has changed.
        late: candles that came after their step was settled without them.
    """
    grid = series.interval

    def time(step: int | None) -> datetime | None:
        return None if step is None else grid.open_time(step)

    cursor.execute(
        """
        UPDATE series
        SET have_from = least(have_from, %s), covered_to = greatest(covered_to, %s),
            settled_to = greatest(settled_to, %s), first_time = least(first_time, %s),
            settled_at = CASE WHEN %s THEN clock_timestamp() ELSE settled_at END,
            candles = candles + %s, revisions = revisions + %s, late_candles = late_candles + %s,
            last_error = NULL, last_error_at = NULL
        WHERE market_id = %s AND interval_s = %s
        """,
        (
            time(series.have_from),
            time(series.covered_to),
            time(series.settled_to),
            time(series.first_step),
            moved,
            new,
            revisions,
            late,
            series.market_id,
            grid.seconds,
        ),
    )


def save_error(cursor: Cursor, series: Series, message: str, at: datetime) -> None:
    """Keep what went wrong with a series, for `status`; the next success clears it."""
    cursor.execute(
        "UPDATE series SET last_error = %s, last_error_at = %s WHERE market_id = %s AND interval_s = %s",
        (message, at, series.market_id, series.interval.seconds),
    )


def mark_unobtainable(cursor: Cursor, series: Series, from_step: int, to_step: int) -> None:
    """Record that the source no longer serves the steps `[from_step, to_step)`."""
    grid = series.interval
    cursor.execute(
        """
        INSERT INTO unobtainable (market_id, interval_s, from_time, to_time) VALUES (%s, %s, %s, %s)
        ON CONFLICT (market_id, interval_s, from_time)
        DO UPDATE SET to_time = greatest(unobtainable.to_time, excluded.to_time)
        """,
        (series.market_id, grid.seconds, grid.open_time(from_step), grid.open_time(to_step)),
    )


def stored_steps(cursor: Cursor, series: Series, from_step: int) -> list[int]:
    """The steps from `from_step` on whose candles are stored, ascending."""
    grid = series.interval
    cursor.execute(
        "SELECT open_time FROM candles WHERE market_id = %s AND interval_s = %s AND open_time >= %s ORDER BY 1",
        (series.market_id, grid.seconds, grid.open_time(from_step)),
    )
    return [grid.step_at(time) for (time,) in cursor.fetchall()]


def steps_shown(
    cursor: Cursor, market_ids: Collection[int], interval: Interval, from_step: int, to_step: int
) -> set[int]:
    """The steps in `[from_step, to_step)` whose candle is stored for any of these markets."""
    cursor.execute(
        """
        SELECT DISTINCT open_time FROM candles
        WHERE market_id = ANY(%s) AND interval_s = %s AND open_time >= %s AND open_time < %s
        """,
        (list(market_ids), interval.seconds, interval.open_time(from_step), interval.open_time(to_step)),
    )
    return {interval.step_at(time) for (time,) in cursor.fetchall()}
