"""Looking again at what was stored: gaps to ask for once more, and candles that look wrong.

Nothing here moves a frontier or a watch: what comes late is stored and counted, what looks wrong is marked, and rules
use both as they are.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import INTERVALS, Interval, interval_of_seconds
from cryptowatch.store.candles import merge_candles
from cryptowatch.store.database import Cursor
from cryptowatch.store.series import WANTED

#: How long after its end a gap is asked for again, and after each time that brought nothing; then never again.
DELAYS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7))
#: How much settled history makes a review worth a task.
REVIEW_EVERY = timedelta(hours=1)
#: How far back the first review of a series looks.
OLDEST = timedelta(days=7)
#: How far a candle reaches beyond its open and close, as a share of them, to be marked.
WICK = 0.4
#: Gaps of a source asked for in one slice of work.
MOST_GAPS = 200

# Settled steps not looked at yet, from the last candle before them on: a gap may have begun there.
_TODO = f"""
SELECT market_id, interval_s, make_interval(secs => interval_s) AS step, settled_to,
       coalesce((SELECT max(open_time) FROM candles
                 WHERE candles.market_id = series.market_id AND candles.interval_s = series.interval_s
                   AND open_time < greatest(reviewed_to, first_time, %(oldest)s)),
                greatest(reviewed_to, first_time, %(oldest)s)) AS since
FROM series JOIN markets ON markets.id = market_id LEFT JOIN series_reviews USING (market_id, interval_s)
WHERE source = %(source)s AND settled_to > greatest(reviewed_to, first_time, %(oldest)s) AND {WANTED}
"""

_FIND_GAPS = f"""
INSERT INTO gap_asks (market_id, interval_s, from_time, to_time, next_ask)
SELECT market_id, interval_s, before + step, open_time, open_time + %(first_delay)s
FROM ({_TODO}) AS todo
CROSS JOIN LATERAL (
    SELECT open_time, lag(open_time) OVER (ORDER BY open_time) AS before FROM candles
    WHERE candles.market_id = todo.market_id AND candles.interval_s = todo.interval_s
      AND open_time >= since AND open_time < settled_to
) AS walk
WHERE before + step < open_time
  AND NOT EXISTS (SELECT 1 FROM unobtainable lost
                  WHERE lost.market_id = todo.market_id AND lost.interval_s = todo.interval_s
                    AND from_time < open_time AND to_time > before + step)
ON CONFLICT (market_id, interval_s, from_time) DO NOTHING
"""

# Another market shows the same coin against the same kind of money: dollars, and coins that stand for them, are one.
_MARK = f"""
WITH wicks AS (
    SELECT candles.*, source, split_part(symbol, '/', 1) AS base,
           regexp_replace(split_part(symbol, '/', 2), '^(USDT|USDC)$', 'USD') AS quote,
           greatest(high / greatest(open, close) - 1, 1 - low / least(open, close)) AS wick
    FROM ({_TODO}) AS todo
    JOIN candles ON candles.market_id = todo.market_id AND candles.interval_s = todo.interval_s
         AND open_time >= since AND open_time < settled_to
    JOIN markets ON markets.id = candles.market_id
    WHERE high >= greatest(open, close) * (1 + %(wick)s) OR low <= least(open, close) * (1 - %(wick)s)
)
INSERT INTO candle_marks (market_id, interval_s, open_time, wick, elsewhere)
SELECT DISTINCT ON (wicks.market_id, wicks.interval_s, wicks.open_time)
       wicks.market_id, wicks.interval_s, wicks.open_time, wick, other.id
FROM wicks
JOIN markets other ON other.source <> wicks.source AND split_part(other.symbol, '/', 1) = base
     AND regexp_replace(split_part(other.symbol, '/', 2), '^(USDT|USDC)$', 'USD') = quote
JOIN candles shown ON shown.market_id = other.id AND shown.interval_s = wicks.interval_s
     AND shown.open_time = wicks.open_time
WHERE greatest(shown.high / greatest(shown.open, shown.close) - 1,
               1 - shown.low / least(shown.open, shown.close)) < wick / 2
ORDER BY wicks.market_id, wicks.interval_s, wicks.open_time, other.id
ON CONFLICT DO NOTHING
"""


class GapAsk(NamedTuple):
    """A gap to ask for again, as steps `[first, end)`."""

    market_id: int
    symbol: str
    interval: Interval
    first: int
    end: int


def sources_to_review(cursor: Cursor, now: datetime) -> list[str]:
    """Sources with settled history not looked at for long, or with a gap whose time has come."""
    cursor.execute(
        f"""
        SELECT DISTINCT source FROM series JOIN markets ON markets.id = market_id
        LEFT JOIN series_reviews USING (market_id, interval_s)
        WHERE settled_to > greatest(reviewed_to, first_time, %s) + %s AND {WANTED}
        UNION SELECT source FROM gap_asks JOIN markets ON id = market_id WHERE next_ask <= %s
        """,
        (now - OLDEST, REVIEW_EVERY, now),
    )
    return [source for (source,) in cursor.fetchall()]


def review(cursor: Cursor, source: str, now: datetime) -> None:
    """Look through what was settled since the last time: note its gaps, mark what looks wrong."""
    values = {"source": source, "oldest": now - OLDEST, "first_delay": DELAYS[0], "wick": WICK}
    cursor.execute(_FIND_GAPS, values)
    cursor.execute(_MARK, values)
    cursor.execute(
        f"""
        INSERT INTO series_reviews (market_id, interval_s, reviewed_to)
        SELECT market_id, interval_s, settled_to FROM ({_TODO}) AS todo
        ON CONFLICT (market_id, interval_s) DO UPDATE SET reviewed_to = excluded.reviewed_to
        """,
        values,
    )


def due_gaps(cursor: Cursor, source: str, now: datetime) -> list[GapAsk]:
    """The gaps of a source whose time has come, by series, ascending."""
    cursor.execute(
        """
        SELECT market_id, symbol, interval_s, from_time, to_time FROM gap_asks JOIN markets ON id = market_id
        WHERE source = %s AND next_ask <= %s ORDER BY market_id, interval_s, from_time LIMIT %s
        """,
        (source, now, MOST_GAPS),
    )
    return [_gap(*row) for row in cursor.fetchall()]


def _gap(market_id: int, symbol: str, interval_s: int, begin: datetime, end: datetime) -> GapAsk:
    grid = interval_of_seconds(interval_s)
    return GapAsk(market_id, symbol, grid, grid.step_at(begin), grid.step_at(end))


def save_asked(cursor: Cursor, gap: GapAsk, candles: list[Candle], now: datetime) -> int:
    """Store what came late of a gap, and say when it is asked for again; returns how many candles came."""
    grid = gap.interval
    inside = [one for one in candles if gap.first <= grid.step_at(one.open_time) < gap.end]
    new = len(merge_candles(cursor, gap.market_id, grid.seconds, inside).new)
    cursor.execute(
        """
        UPDATE series SET candles = candles + %(new)s, late_candles = late_candles + %(new)s
        WHERE market_id = %(market_id)s AND interval_s = %(interval_s)s
        """,
        {"new": new, "market_id": gap.market_id, "interval_s": grid.seconds},
    )
    cursor.execute(
        """
        UPDATE gap_asks
        SET asks = asks + 1, found = found + %s,
            next_ask = CASE WHEN found + %s < %s THEN %s + (%s::interval[])[asks + 2] END
        WHERE market_id = %s AND interval_s = %s AND from_time = %s
        """,
        (new, new, gap.end - gap.first, now, list(DELAYS), gap.market_id, grid.seconds, grid.open_time(gap.first)),
    )
    return new


def told_of_gaps(cursor: Cursor, gaps: list[dict[str, Any]]) -> None:
    """Add to each gap, as `store.gaps` tells it, how often it was asked for again, and when it is next."""
    for gap in gaps:
        cursor.execute(
            """
            SELECT coalesce(max(asks), 0), min(next_ask) FROM gap_asks JOIN markets ON id = market_id
            WHERE source || ':' || symbol = %s AND interval_s = %s AND from_time < %s AND to_time > %s
            """,
            (gap["market"], INTERVALS[gap["interval"]].seconds, gap["to"], gap["from"]),
        )
        asks, next_ask = cursor.fetchone()  # type: ignore[misc]
        gap |= {"asks": asks, "next_ask": None if next_ask is None else next_ask.isoformat()}


def marked(cursor: Cursor, since: datetime, limit: int) -> list[dict[str, Any]]:
    """The newest marked candles since a moment, JSON-ready."""
    cursor.execute(
        """
        SELECT own.source || ':' || own.symbol, interval_s, open_time, wick, other.source || ':' || other.symbol
        FROM candle_marks JOIN markets own ON own.id = market_id JOIN markets other ON other.id = elsewhere
        WHERE open_time >= %s ORDER BY open_time DESC, 1 LIMIT %s
        """,
        (since, limit),
    )
    return [
        {
            "market": market,
            "interval": interval_of_seconds(seconds).name,
            "open_time": time.isoformat(),
            "wick": wick,
            "not_on": other,
        }
        for market, seconds, time, wick, other in cursor.fetchall()
    ]
