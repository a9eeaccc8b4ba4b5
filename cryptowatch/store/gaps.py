"""The holes of the stored series: steps without a stored candle, and what each of them is.

A settled step without a candle is missing (and filled when it is read) unless the source no longer serves it: then it
is unobtainable, and unknown. A closed step that is not settled yet is listed too, of series that some watch of today
reads; of others nobody asks for it. What lies before a series' oldest candle is no hole.
"""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from psycopg2.errors import QueryCanceled

from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import INTERVALS, interval_of_seconds
from cryptowatch.store.database import Connection, Cursor, transaction

#: Seconds the query may take: it reads every candle of the series and time asked for.
PATIENCE_S = 30
#: Totals given at most, those of the series with the most steps without a candle.
MOST_TOTALS = 1000

MISSING, UNOBTAINABLE, NOT_SETTLED = "missing", "unobtainable", "not settled"

#: Whether some watch of today reads a series.
_WATCHED = """
EXISTS (SELECT 1 FROM wanted_series wanted
        WHERE wanted.market_id = series.market_id AND wanted.interval_s = series.interval_s)
"""

# For each interval the first step wanted and the first that has not closed; for each series which of its steps are
# settled (from `known_from` to `settled_to`) and which are wanted but not settled, as ranges of open times. Its holes
# are found by walking its candles along the primary key, `lag` beside `open_time`; only the holes are compared with
# those ranges. Both ends matter: the hole before the first candle, and the one after the last.
_PIECES = f"""
WITH grid AS (
    SELECT * FROM unnest(%(lengths)s::integer[], %(since)s::timestamptz[], %(closed_to)s::timestamptz[])
                  AS grid (interval_s, since, closed_to)
), chosen AS MATERIALIZED (
    SELECT market_id, series.interval_s, source || ':' || symbol AS market, since, first_time, have_from,
           settled_to, wanted_from, closed_to, make_interval(secs => series.interval_s) AS step,
           {_WATCHED} AS watched,
           coalesce((SELECT range_agg(tstzrange(from_time, to_time)) FROM unobtainable
                     WHERE unobtainable.market_id = series.market_id
                       AND unobtainable.interval_s = series.interval_s AND to_time > since), '{{}}') AS lost
    FROM series JOIN markets ON markets.id = market_id JOIN grid ON grid.interval_s = series.interval_s
    WHERE (%(source)s::text IS NULL OR source = %(source)s) AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
), spans AS (
    SELECT market_id, interval_s, market, step, lost,
           CASE WHEN settled_to > greatest(first_time, have_from)
                THEN tstzmultirange(tstzrange(greatest(first_time, have_from), settled_to)) ELSE '{{}}' END AS settled,
           CASE WHEN watched AND coalesce(have_from, closed_to) > wanted_from
                THEN tstzmultirange(tstzrange(wanted_from, coalesce(have_from, closed_to))) ELSE '{{}}' END
           + CASE WHEN watched AND closed_to > coalesce(settled_to, have_from, wanted_from)
                  THEN tstzmultirange(tstzrange(coalesce(settled_to, have_from, wanted_from), closed_to))
                  ELSE '{{}}' END AS open,
           since
    FROM chosen
), bounded AS MATERIALIZED (
    SELECT *, greatest(since, lower(settled + open + lost)) AS start, upper(settled + open + lost) AS stop FROM spans
), holes AS (
    SELECT bounded.*, hole.from_time, hole.to_time
    FROM bounded CROSS JOIN LATERAL (
        SELECT before + step AS from_time, open_time AS to_time
        FROM (SELECT open_time, lag(open_time, 1, start - step) OVER (ORDER BY open_time) AS before
              FROM candles
              WHERE candles.market_id = bounded.market_id AND candles.interval_s = bounded.interval_s
                AND open_time >= start AND open_time < stop) AS walk
        WHERE before + step < open_time
        UNION ALL
        SELECT after_last, stop
        FROM (SELECT coalesce(max(open_time) + step, start) AS after_last
              FROM candles
              WHERE candles.market_id = bounded.market_id AND candles.interval_s = bounded.interval_s
                AND open_time >= start AND open_time < stop) AS last
        WHERE after_last < stop
    ) AS hole
    WHERE start < stop
), pieces AS MATERIALIZED (
    SELECT market, interval_s, state, lower(piece) AS from_time, upper(piece) AS to_time,
           (extract(epoch FROM upper(piece) - lower(piece)) / interval_s)::bigint AS candles
    FROM holes
    CROSS JOIN LATERAL (VALUES (%(missing)s, settled - lost), (%(unobtainable)s, lost),
                               (%(not_settled)s, open - lost)) AS kind (state, span)
    CROSS JOIN LATERAL unnest(tstzmultirange(tstzrange(holes.from_time, holes.to_time)) * span) AS piece
)
"""

# The newest pieces, and the totals of all of them, from one walk. A row of totals has no state; that of everything has
# no market either.
_QUERY = f"""
{_PIECES}
(SELECT market, interval_s, state, from_time, to_time, candles, NULL::bigint, NULL::bigint, NULL::bigint
 FROM pieces ORDER BY from_time DESC, market, interval_s LIMIT %(limit)s)
UNION ALL
(SELECT market, interval_s, NULL, NULL, NULL, count(*),
        coalesce(sum(candles) FILTER (WHERE state = %(missing)s), 0)::bigint,
        coalesce(sum(candles) FILTER (WHERE state = %(unobtainable)s), 0)::bigint,
        coalesce(sum(candles) FILTER (WHERE state = %(not_settled)s), 0)::bigint
 FROM pieces GROUP BY GROUPING SETS ((market, interval_s), ())
 ORDER BY market IS NULL DESC, sum(candles) DESC LIMIT %(most_totals)s)
"""


class GapsRefusedError(ValueError):
    """The gaps of what was asked for cannot be told; one line that says what to do."""


class Asked(NamedTuple):
    """Which holes are asked for.

    Args:
        since: back to the step in which this time (aware) lies.
        limit: how many holes to give, the newest first; totals are of all.
        source: of the markets of one source; None: all.
        market: of one market, as `kraken:BTC/USD`; None: all.
        interval: at one interval, as `1h`; None: all.
    """

    since: datetime
    limit: int
    source: str | None = None
    market: str | None = None
    interval: str | None = None


def gaps(connection: Connection, asked: Asked, now: datetime) -> dict[str, Any]:
    """The holes, newest first, and totals by market and interval; JSON-ready, times as ISO 8601 text in UTC.

    A hole covers the steps that open in [`from`, `to`); where it reaches further back than asked for, it is cut there.
    Reads every candle (its open time only) of the series and time asked for: some two million a second here.

    Raises:
        GapsRefusedError: the source, market or interval is not stored, or the answer would take too long.
    """
    with transaction(connection) as cursor:
        source, symbol = _checked(cursor, asked)
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", (f"{PATIENCE_S * 1000:.0f}ms",))
        try:
            cursor.execute(_QUERY, _parameters(asked, source, symbol, now))
        except QueryCanceled:
            raise GapsRefusedError(
                f"finding the gaps of so many candles takes longer than {PATIENCE_S:g} s: "
                "name a market, an interval, or a shorter time with --since"
            ) from None
        rows = cursor.fetchall()
    totals = sorted(_total(row) for row in rows if row[2] is None and row[0] is not None)
    (everything,) = (_total(row) for row in rows if row[0] is None)
    return {
        "since": asked.since.isoformat(),
        "now": now.isoformat(),
        "gaps": [_gap(row) for row in rows if row[2] is not None],
        "totals": [total.as_data() for total in totals],
        "all": everything.counts(),
    }


def _parameters(asked: Asked, source: str | None, symbol: str | None, now: datetime) -> dict[str, Any]:
    grids = [INTERVALS[asked.interval]] if asked.interval else list(INTERVALS.values())
    return {
        "lengths": [grid.seconds for grid in grids],
        "since": [grid.open_time(grid.step_at(asked.since)) for grid in grids],
        "closed_to": [grid.open_time(grid.step_at(now)) for grid in grids],
        "source": source,
        "symbol": symbol,
        "limit": asked.limit,
        "most_totals": MOST_TOTALS + 1,
        "missing": MISSING,
        "unobtainable": UNOBTAINABLE,
        "not_settled": NOT_SETTLED,
    }


class _Total(NamedTuple):
    """How many holes a series has, and how many candles of each state they are."""

    market: str
    seconds: int
    gaps: int
    missing: int
    unobtainable: int
    not_settled: int

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("gaps", "missing", "unobtainable", "not_settled")}

    def as_data(self) -> dict[str, Any]:
        return {"market": self.market, "interval": interval_of_seconds(self.seconds).name, **self.counts()}


def _total(row: Sequence[Any]) -> _Total:
    market, seconds, _, _, _, holes, missing, unobtainable, not_settled = row
    return _Total(market, seconds, holes, missing, unobtainable, not_settled)


def _gap(row: Sequence[Any]) -> dict[str, Any]:
    market, seconds, state, start, stop, candles, *_ = row
    return {
        "market": market,
        "interval": interval_of_seconds(seconds).name,
        "from": start.isoformat(),
        "to": stop.isoformat(),
        "candles": candles,
        "state": state,
    }


def _checked(cursor: Cursor, asked: Asked) -> tuple[str | None, str | None]:
    """Source and symbol to look at, both None for all; refuses what is not stored."""
    if asked.market is not None:
        market = Market.parse(asked.market)
        if asked.source not in (None, market.source):
            raise GapsRefusedError(f"{asked.market} is no market of {asked.source}: leave --source out")
        _check_market(cursor, market, asked.interval)
        return market
    if asked.source is not None:
        cursor.execute("SELECT DISTINCT source FROM markets")
        known = [name for (name,) in cursor.fetchall()]
        if asked.source not in known:
            raise GapsRefusedError(f"nothing is stored of source {asked.source!r}{_hint(asked.source, known)}")
    return asked.source, None


def _check_market(cursor: Cursor, market: Market, interval: str | None) -> None:
    cursor.execute(
        """
        SELECT series.interval_s FROM markets JOIN series ON market_id = id
        WHERE source = %s AND symbol = %s ORDER BY 1
        """,
        market,
    )
    stored = [interval_of_seconds(seconds).name for (seconds,) in cursor.fetchall()]
    if not stored:
        cursor.execute("SELECT source || ':' || symbol FROM markets WHERE id IN (SELECT market_id FROM series)")
        known = [name for (name,) in cursor.fetchall()]
        raise GapsRefusedError(f"nothing is stored of market {str(market)!r}{_hint(str(market), known)}")
    if interval is not None and interval not in stored:
        raise GapsRefusedError(f"{market} is not stored at {interval}: it is at {', '.join(stored)}")


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f": did you mean {near[0]!r}?" if near else ": a watch list decides what is read and stored"
