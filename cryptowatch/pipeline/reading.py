"""Reading one series of a source: ask for what is not settled, store it, settle what can be."""

from collections.abc import Callable, Iterator
from datetime import datetime

from aws_lambda_powertools import Logger

from cryptowatch.markets.interval import Interval
from cryptowatch.markets.settling import GRACE, lost_range, settle
from cryptowatch.pipeline.older import read_piece
from cryptowatch.pipeline.told import MovedMarkets
from cryptowatch.sources.exchange import Exchange, Page
from cryptowatch.store.building import build_above
from cryptowatch.store.candles import merge_candles
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.series import Series, mark_unobtainable, save_frontiers, steps_shown, stored_steps

logger = Logger(service="ingest")

#: Seconds before the run's own limit at which it stops asking: the time-outs of one market's requests, and storing.
MARGIN_S = 40.0
#: How far back a market without trades is asked again, for candles that the source publishes late.
ASKED_AGAIN = 5 * GRACE


class SeriesReader:
    """Reads series of one source; a series' frontiers are moved in the transaction that stores its candles.

    Args:
        seconds_left: how long the process may still run.
    """

    def __init__(
        self, exchange: Exchange, connection: Connection, moved: MovedMarkets, seconds_left: Callable[[], float]
    ) -> None:
        self.exchange = exchange
        self.connection = connection
        self.moved = moved
        self.seconds_left = seconds_left
        self.answers = 0

    def read(self, series: Series, now: datetime) -> None:
        """The candles from the last settled step on, one back, to see revisions; at first the newest there are."""
        if series.have_from is None:
            self.read_older(series, now)
            return
        self._mark_lost(series, self.exchange.history_start(series.interval, now))
        start = first_step_to_ask(series, series.have_from)
        for page in self._pages(series, start, series.interval.last_closed(now), now):
            self._store_page(series, page)

    def read_older(self, series: Series, now: datetime) -> None:
        """The newest piece of history that is wanted and not had."""
        piece = read_piece(self.connection, self.exchange, series, series.wanted_from, now, lead=True)
        self.answers += piece.answers
        self._tell(series, series.interval, *piece.built)

    def settle_what_others_showed(self, series: Series, market_ids: list[int], now: datetime) -> None:
        """Steps without a trade here that the source has shown for another of these, a minute after their close.

        Only of a series that this run has read: an answer from before that minute was over proves nothing.
        """
        if series.settled_to is None or series.covered_to is None or series.settled_to >= series.covered_to:
            return
        grid = series.interval
        with transaction(self.connection) as cursor:
            shown = steps_shown(cursor, market_ids, grid, series.settled_to, series.covered_to)
            settled_to = settle(series.settled_to, series.covered_to, (), shown, grid.step_at(now - GRACE))
            if settled_to == series.settled_to:
                return
            series.settled_to = settled_to
            save_frontiers(cursor, series, moved=True)
            built = build_above(cursor, series.market_id, grid, ())
        self._tell(series, grid, *built)

    def _pages(self, series: Series, first_step: int, last_step: int, now: datetime) -> Iterator[Page]:
        for page in self.exchange.pages(series.symbol, series.interval, first_step, last_step, now):
            self.answers += 1
            yield page
            if self.seconds_left() < MARGIN_S:
                return

    def _mark_lost(self, series: Series, oldest_served: int | None) -> None:
        lost = lost_range(series.settled_to, series.covered_to, oldest_served)
        if lost is None:
            return
        with transaction(self.connection) as cursor:
            mark_unobtainable(cursor, series, *lost)
            series.covered_to = lost[1]
            save_frontiers(cursor, series, moved=False)
        logger.warning(
            "history lost",
            extra={"market": f"{self.exchange.name}:{series.symbol}", "from_step": lost[0], "to_step": lost[1]},
        )

    def _store_page(self, series: Series, page: Page) -> None:
        """Store one answer and move the frontiers by it, in one transaction."""
        grid = series.interval
        before = series.settled_to
        with transaction(self.connection) as cursor:
            merged = merge_candles(cursor, series.market_id, grid.seconds, page.candles)
            # An answer that begins later than it was asked to shows that what lies before is no longer served.
            lost = lost_range(series.settled_to, series.covered_to, page.covered_from)
            if lost:
                mark_unobtainable(cursor, series, *lost)
            series.covered_to = max(series.covered_to or page.covered_to, page.covered_to)
            new_steps = [grid.step_at(time) for time in merged.new]
            late = sum(1 for step in new_steps if before is not None and step < before)
            if series.first_step is None and new_steps:
                series.first_step = new_steps[0]
                series.settled_to = series.first_step
            if series.settled_to is not None:
                stored = stored_steps(cursor, series, series.settled_to)
                series.settled_to = settle(series.settled_to, series.covered_to, stored, (), 0)
            moved = series.settled_to != before
            save_frontiers(cursor, series, moved=moved, new=len(new_steps), revisions=len(merged.revised), late=late)
            built = build_above(cursor, series.market_id, grid, [*merged.new, *merged.revised])
        self._tell(series, *([grid] if moved else []), *built)

    def _tell(self, series: Series, *intervals: Interval) -> None:
        for interval in intervals:
            self.moved.add(interval.seconds, series.market_id)


def first_step_to_ask(series: Series, have_from: int) -> int:
    """One before the last settled step, to see revisions; of a market that has been silent for long only what may
    still come late, not all of its silence again.
    """
    if series.covered_to is None:
        return have_from
    asked_again = max(2, ASKED_AGAIN // series.interval.length)
    latest = series.covered_to - asked_again
    return max(have_from, latest if series.settled_to is None else max(series.settled_to - 1, latest))
