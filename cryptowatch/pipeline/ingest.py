"""Read one source: ask for what is not settled, store it, settle what can be, and say which markets moved.

One market's failure never stops the others. The run stops asking in time for its own limit and the next one goes on
where it stopped. Answers are asked for in ascending order from the covered frontier, so a market without a trade for
hours goes on by itself: an empty answer moves the frontier too.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.markets.settling import GRACE, lost_range, settle
from cryptowatch.pipeline.older import read_piece
from cryptowatch.pipeline.told import MovedMarkets
from cryptowatch.sources.errors import MarketError, MarketRequestFailedError, SourceUnavailableError
from cryptowatch.sources.exchange import Exchange, Page
from cryptowatch.store.candles import merge_candles
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.series import (
    Series,
    mark_unobtainable,
    save_error,
    save_frontiers,
    steps_shown,
    stored_steps,
    watched_series,
)
from cryptowatch.store.sources import paused_until, save_failure, save_success, source_lock

logger = Logger(service="ingest")

#: Requests that fail one after the other before the run takes the source for unavailable.
FAILURES_IN_A_ROW = 5
#: Seconds before the run's own limit at which it stops asking: the time-outs of one market's requests, and storing.
MARGIN_S = 40.0
#: Seconds after its start at which a run leaves older history to the next one, which a new minute is about to start.
HISTORY_S = 40.0
#: How far back a market without trades is asked again, for candles that the source publishes late.
ASKED_AGAIN = 5 * GRACE
#: Seconds a source that failed is left alone when it did not say for how long.
DEFAULT_WAIT_S = 30.0


class IngestRun:
    """One run of ingest for one source.

    Args:
        name: the source.
        exchange: where its candles come from.
        moved: told of each market with newly settled steps.
        clock: our own time, to record how far the source's is ahead.
        seconds_left: how long the process may still run.
    """

    def __init__(
        self,
        name: str,
        exchange: Exchange,
        connection: Connection,
        moved: MovedMarkets,
        clock: Clock,
        seconds_left: Callable[[], float],
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.connection = connection
        self.moved = moved
        self.clock = clock
        self.seconds_left = seconds_left
        self.answers = 0
        self.failures = 0
        self.started = time.monotonic()

    def run(self) -> str:
        """Do it; returns `done`, `paused`, `unavailable`, `out of time`, or `busy` when another run is at it."""
        with source_lock(self.connection, self.name) as held:
            if not held:
                return "busy"
            with transaction(self.connection) as cursor:
                if paused_until(cursor, self.name):
                    return "paused"
            outcome = self._read_source()
        logger.info("ingested", extra={"source": self.name, "outcome": outcome, "answers": self.answers})
        return outcome

    def _read_source(self) -> str:
        try:
            now = self.exchange.now()
            ahead = (now - self.clock.now()).total_seconds()
            outcome = self._read_series(now)
        except SourceUnavailableError as error:
            wait = error.retry_after or (DEFAULT_WAIT_S if error.asked_to_wait else 0.0)
            self._save_failure(str(error), wait / self.exchange.speed)
            return "unavailable"
        self.moved.flush()
        if self.answers or not self.failures:
            with transaction(self.connection) as cursor:
                save_success(cursor, self.name, now, ahead)
        return outcome

    def _save_failure(self, message: str, wait_s: float) -> None:
        self.moved.flush()
        logger.warning("source failed", extra={"source": self.name, "error": message, "wait_seconds": wait_s})
        with transaction(self.connection) as cursor:
            save_failure(cursor, self.name, message, self.clock.now(), wait_s)

    def _read_series(self, now: datetime) -> str:
        with transaction(self.connection) as cursor:
            series = watched_series(cursor, self.name)
        in_a_row = 0
        outcome = "done"
        read: list[Series] = []
        for one in series:
            if self.seconds_left() < MARGIN_S:
                outcome = "out of time"
                break
            if not is_due(one, now):
                continue
            try:
                self._read_one(one, now)
                read.append(one)
                in_a_row = 0
            except MarketError as error:
                self._keep_error(one, error)
                self.failures += 1
                in_a_row = in_a_row + 1 if isinstance(error, MarketRequestFailedError) else 0
                if in_a_row >= FAILURES_IN_A_ROW and not read:
                    raise SourceUnavailableError(
                        f"{self.name}: {in_a_row} requests failed one after the other, the last one: {error}"
                    ) from error
            self.moved.flush_if_old()
        self._settle_what_others_showed(read, [one.market_id for one in series], now)
        return outcome if outcome != "done" else self._read_histories(read, now)

    def _read_histories(self, series: list[Series], now: datetime) -> str:
        """Older history, a piece of each series in turn, once all that is new is stored."""
        left = [one for one in series if wants_older(one)]
        while left:
            for one in list(left):
                if self.seconds_left() < MARGIN_S or time.monotonic() - self.started > HISTORY_S:
                    return "out of time"
                try:
                    self._read_older(one, now)
                except MarketError as error:
                    self._keep_error(one, error)
                    self.failures += 1
                    left.remove(one)
                self.moved.flush_if_old()
            left = [one for one in left if wants_older(one)]
        return "done"

    def _keep_error(self, series: Series, error: MarketError) -> None:
        logger.warning(
            "market failed",
            extra={
                "market": f"{self.name}:{series.symbol}",
                "interval": series.interval.name,
                "error": str(error),
            },
        )
        with transaction(self.connection) as cursor:
            save_error(cursor, series, str(error), self.clock.now())

    def _read_one(self, series: Series, now: datetime) -> None:
        """The candles from the last settled step on, one back, to see revisions; at first the newest there are."""
        if series.have_from is None:
            self._read_older(series, now)
            return
        self._mark_lost(series, self.exchange.history_start(series.interval, now))
        start = self._first_step_to_ask(series, series.have_from)
        for page in self._pages(series, start, series.interval.last_closed(now), now):
            self._store_page(series, page)

    def _read_older(self, series: Series, now: datetime) -> None:
        self.answers += read_piece(self.connection, self.exchange, series, series.wanted_from, now, lead=True).answers
        self.moved.add(series.interval.seconds, series.market_id)

    @staticmethod
    def _first_step_to_ask(series: Series, have_from: int) -> int:
        """One before the last settled step, to see revisions; of a market that has been silent for long only what may
        still come late, not all of its silence again.
        """
        if series.covered_to is None:
            return have_from
        asked_again = max(2, ASKED_AGAIN // series.interval.length)
        latest = series.covered_to - asked_again
        return max(have_from, latest if series.settled_to is None else max(series.settled_to - 1, latest))

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
            extra={"market": f"{self.name}:{series.symbol}", "from_step": lost[0], "to_step": lost[1]},
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
        if moved:
            self.moved.add(grid.seconds, series.market_id)

    def _settle_what_others_showed(self, read: list[Series], market_ids: list[int], now: datetime) -> None:
        """Steps without a trade here that the source has shown for another market, a minute after their close.

        Only of series that this run has read: an answer from before that minute was over proves nothing.
        """
        for one in read:
            if one.settled_to is None or one.covered_to is None or one.settled_to >= one.covered_to:
                continue
            grid = one.interval
            with transaction(self.connection) as cursor:
                shown = steps_shown(cursor, market_ids, grid, one.settled_to, one.covered_to)
                settled_to = settle(one.settled_to, one.covered_to, (), shown, grid.step_at(now - GRACE))
                if settled_to == one.settled_to:
                    continue
                one.settled_to = settled_to
                save_frontiers(cursor, one, moved=True)
            self.moved.add(grid.seconds, one.market_id)


def is_due(series: Series, now: datetime) -> bool:
    """Whether a closed step of it is not settled, or history is wanted that it does not have."""
    if series.settled_to is None or wants_older(series):
        return True
    return series.settled_to <= series.interval.last_closed(now)


def wants_older(series: Series) -> bool:
    """Whether history is wanted that it does not have."""
    return series.have_from is None or series.wanted_from < series.have_from


def lambda_seconds_left(context: object) -> Callable[[], float]:
    """How long a Lambda invocation may still run, from its context."""
    remaining: Callable[[], int] = context.get_remaining_time_in_millis  # type: ignore[attr-defined]
    return lambda: remaining() / 1000


def seconds_left_of(limit_s: float) -> Callable[[], float]:
    """How much is left of `limit_s` seconds from now, for callers outside Lambda."""
    end = time.monotonic() + limit_s
    return lambda: end - time.monotonic()
