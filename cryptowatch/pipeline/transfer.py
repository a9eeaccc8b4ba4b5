"""Importing and exporting candles, by the control function: one batch a request, since a request has its limit."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.sources.candles import checked_candles
from cryptowatch.sources.errors import BadAnswerError
from cryptowatch.store.backfills import open_series
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.transfer import HoleError, candles_before, import_candles
from cryptowatch.store.watches import market_ids_of
from cryptowatch.watches.values import IntervalName, MarketName, Moment

#: Candles in one request or answer: under 2 MB of JSON, where Lambda takes 6.
MOST_CANDLES = 20_000

#: Seconds since the epoch, open, high, low, close, volume.
Row = tuple[int, float, float, float, float, float]


class ImportRequest(BaseModel):
    """One batch of an import.

    Args:
        until: the candles from the first one to this moment are all there are.
        leave_hole: what lies between them and the oldest stored candle is given up.
    """

    model_config = ConfigDict(extra="forbid")

    market: MarketName
    interval: IntervalName
    candles: Annotated[tuple[Row, ...], Field(min_length=1, max_length=MOST_CANDLES)]
    until: Moment
    leave_hole: bool = False


class ExportRequest(BaseModel):
    """One batch of an export: the newest candles before a moment."""

    model_config = ConfigDict(extra="forbid")

    market: MarketName
    interval: IntervalName
    since: Moment
    before: Moment


def import_batch(connection: Connection, asked: ImportRequest, now: datetime) -> dict[str, Any]:
    """Store a batch; what is stored already stays as it is. Importing it again changes nothing.

    Raises:
        RefusedError: not candles, not closed yet, or a hole would be left behind them.
    """
    grid = interval_named(asked.interval)
    try:
        found = checked_candles([[row[0] * 1000, *row[1:]] for row in asked.candles], grid)
    except BadAnswerError as error:
        raise RefusedError(f"{asked.market} {grid}: {error}") from None
    last, end = next(reversed(found)), grid.step_at(asked.until)
    if last > grid.last_closed(now):
        raise RefusedError(f"{asked.market} {grid}: the candle of {grid.open_time(last):%Y-%m-%d %H:%M} is not closed")
    with transaction(connection) as cursor:
        (market_id,) = market_ids_of(cursor, [Market.parse(asked.market)])
        open_series(cursor, market_id, grid, now)
        try:
            done = import_candles(
                cursor, market_id, grid, list(found.values()), max(end, last + 1), leave_hole=asked.leave_hole
            )
        except HoleError as hole:
            raise RefusedError(f"{asked.market} {grid}: {_what_to_do(grid, hole)}") from None
    return done._asdict()


def _what_to_do(grid: Interval, hole: HoleError) -> str:
    begin, end = (f"{grid.open_time(step):%Y-%m-%d %H:%M}" for step in (hole.from_step, hole.to_step))
    return (
        f"the import ends at {begin}, what is stored begins at {end}: import what lies between first, "
        f"backfill --since {begin[:10]}, or leave it unknown with --leave-hole"
    )


def export_batch(connection: Connection, asked: ExportRequest) -> dict[str, Any]:
    """The newest candles asked for, at most `MOST_CANDLES`: `candles`, ascending, as an import takes them.

    Raises:
        RefusedError: nothing is stored of the market at that interval.
    """
    grid = interval_named(asked.interval)
    with transaction(connection) as cursor:
        cursor.execute(
            """
            SELECT market_id FROM series JOIN markets ON id = market_id
            WHERE source = %s AND symbol = %s AND interval_s = %s
            """,
            (*Market.parse(asked.market), grid.seconds),
        )
        found = cursor.fetchone()
        if found is None:
            raise RefusedError(f"nothing is stored of {asked.market} at {grid}")
        return {"candles": candles_before(cursor, found[0], grid, asked.since, asked.before, MOST_CANDLES)}
