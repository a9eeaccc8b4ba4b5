"""Older history of a series, newest first: one piece after the other, backwards from what is had.

A piece is stored and `have_from` moved to its beginning in one transaction, so whatever is cut off goes on where it
stopped, and what needs little history has it early.
"""

from datetime import datetime
from typing import NamedTuple

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import Interval
from cryptowatch.markets.loads import LEAD
from cryptowatch.markets.settling import settle
from cryptowatch.sources.exchange import Exchange
from cryptowatch.store.building import build_above
from cryptowatch.store.candles import merge_candles
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.series import Series, save_frontiers, stored_steps


class Piece(NamedTuple):
    """What one piece brought: candles that were not stored, how many answers it took, and which intervals that are
    built from this one have moved by it.
    """

    new: int
    answers: int
    built: list[Interval]


def read_piece(
    connection: Connection, exchange: Exchange, series: Series, down_to: int, now: datetime, *, lead: bool = False
) -> Piece:
    """Read the newest piece of `series` that is not had yet, about one answer long; moves its frontiers.

    Of a series that was never asked for, the newest piece ends with the last closed step.

    Args:
        down_to: the oldest step wanted; older ones are left alone.
        now: the exchange's own time.
        lead: when `down_to` is reached and has no candle, look for one in the `LEAD` steps before it, too.

    Raises:
        SourceUnavailableError, MarketError: the piece is not had; nothing was stored or moved.
    """
    grid = series.interval
    end = grid.last_closed(now) + 1 if series.have_from is None else series.have_from
    start = min(end, max(down_to, end - exchange.page()))
    candles, answers = _ask(exchange, series, start, end, now)
    if not answers:
        start = min(end, down_to)  # nothing of it is served, so nothing older is
    if lead and start == down_to and (not candles or grid.step_at(candles[0].open_time) > start):
        before, more = _ask(exchange, series, start - LEAD, start, now)
        candles, answers = before + candles, answers + more
    new, built = _store(connection, series, candles, start, end)
    return Piece(new, answers, built)


def _ask(exchange: Exchange, series: Series, start: int, end: int, now: datetime) -> tuple[list[Candle], int]:
    """Every candle the source has of the steps `[start, end)`. What it no longer serves of them lies before its
    oldest candle, so before everything that is stored: there is nothing to mark.
    """
    pages = list(exchange.pages(series.symbol, series.interval, start, end - 1, now))
    return [candle for page in pages for candle in page.candles], len(pages)


def _store(
    connection: Connection, series: Series, candles: list[Candle], start: int, end: int
) -> tuple[int, list[Interval]]:
    grid = series.interval
    with transaction(connection) as cursor:
        merged = merge_candles(cursor, series.market_id, grid.seconds, candles)
        series.have_from = start
        if series.covered_to is None:
            series.covered_to = end
        if candles:
            oldest = grid.step_at(candles[0].open_time)
            series.first_step = oldest if series.first_step is None else min(series.first_step, oldest)
        if series.settled_to is None and series.first_step is not None:
            stored = stored_steps(cursor, series, series.first_step)
            series.settled_to = settle(series.first_step, series.covered_to, stored, (), 0)
        save_frontiers(cursor, series, moved=True, new=len(merged.new), revisions=len(merged.revised))
        built = build_above(cursor, series.market_id, grid, [*merged.new, *merged.revised])
    return len(merged.new), built
