"""Backfill one source for a minute: the older history that people asked for, newest first, a piece of each in turn.

One process backfills a source at a time, and steps aside while ingest reads it, so nothing live waits for history. What
was done is in the database after each piece: whoever comes next goes on from there.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.ingest import seconds_left_of
from cryptowatch.pipeline.older import read_piece
from cryptowatch.settings import Settings
from cryptowatch.sources.endpoint import NotSimulatedError
from cryptowatch.sources.errors import BadAnswerError, MarketError, SourceUnavailableError, UnknownSourceError
from cryptowatch.sources.exchange import Exchange
from cryptowatch.sources.registry import open_source
from cryptowatch.store.backfills import (
    Job,
    backfill_lock,
    give_up,
    open_jobs,
    save_failed_try,
    save_goal,
    save_progress,
    seconds_to_retry,
    touch,
)
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.reviews import GapAsk, due_gaps, review, save_asked
from cryptowatch.store.sources import is_being_read, paused_until, save_failure
from cryptowatch.store.turns import StoredTurns

logger = Logger(service="backfill")

#: Seconds of work before a task hands on to the next one, so that other bulk work has its turn.
SLICE_S = 60.0
#: Seconds a backfill waits while ingest reads the source, before it hands on; and between two looks.
ASIDE_S = 20.0
LOOK_S = 0.2
#: Seconds until a source that failed is tried again; twice as many each time, up to the most that SQS can delay.
FIRST_WAIT_S = 15
LONGEST_WAIT_S = 900

_DAY = INTERVALS["1d"]


class Next(NamedTuple):
    """When the source's next task is due, in seconds, and how many in a row got nothing from it."""

    delay_s: int
    tries: int


class Backfill:
    """One slice of work on one source.

    Args:
        tries: how many slices before this one, in a row, got nothing from the source.
        seconds_left: how long this slice may still go on.
    """

    def __init__(
        self,
        name: str,
        exchange: Exchange,
        connection: Connection,
        clock: Clock,
        seconds_left: Callable[[], float],
        tries: int = 0,
    ) -> None:
        self.name = name
        self.exchange = exchange
        exchange.turns = StoredTurns(connection, name)
        self.connection = connection
        self.clock = clock
        self.seconds_left = seconds_left
        self.tries = tries

    def run(self) -> Next | None:
        """Do it; None when there is nothing left to do here: all is done, or another process is at it."""
        with backfill_lock(self.connection, self.name) as held:
            if not held:
                return None
            try:
                return self._work()
            except SourceUnavailableError as error:
                return self._left_alone(error)

    def _work(self) -> Next | None:
        now = None
        reviewed = False
        while True:
            with transaction(self.connection) as cursor:
                touch(cursor, self.name)
                jobs = open_jobs(cursor, self.name)
                retry_s = seconds_to_retry(cursor, self.name)
                if paused_until(cursor, self.name):
                    return None if retry_s is None else Next(FIRST_WAIT_S, self.tries)
            if not reviewed:
                self._review(self.clock.now())
                reviewed = True
            if not jobs:
                return None if retry_s is None else Next(min(int(retry_s) + 1, LONGEST_WAIT_S), 0)
            now = now or self.exchange.now()
            for job in jobs:
                if self.seconds_left() <= 0 or not self._source_is_free():
                    return Next(0, 0)
                try:
                    self._piece(job, now)
                except MarketError as error:
                    self._failed(job, error)

    def _review(self, now: datetime) -> None:
        """Look through what is new for gaps and outliers, and ask again for gaps whose time has come."""
        with transaction(self.connection) as cursor:
            review(cursor, self.name, now)
            gaps = due_gaps(cursor, self.name, now)
        for together in _within_a_page(gaps, self.exchange.page()):
            if self.seconds_left() <= 0 or not self._source_is_free():
                return
            first, last = together[0], together[-1]
            try:
                pages = list(self.exchange.pages(first.symbol, first.interval, first.first, last.end - 1, now))
            except MarketError as error:
                logger.warning("gap not asked", extra={"market": first.symbol, "error": str(error)})
                continue
            candles = [candle for page in pages for candle in page.candles]
            with transaction(self.connection) as cursor:
                late = sum(save_asked(cursor, gap, candles, now) for gap in together)
            if late:
                logger.info("candles came late", extra={"market": first.symbol, "candles": late})

    def _source_is_free(self) -> bool:
        """Wait until nobody reads the source for what is new; False when that takes too long."""
        end = time.monotonic() + ASIDE_S
        while True:
            with transaction(self.connection) as cursor:
                if not is_being_read(cursor, self.name):
                    return True
            if time.monotonic() > end:
                return False
            time.sleep(LOOK_S)

    def _piece(self, job: Job, now: datetime) -> None:
        series = job.series
        if job.goal is None:
            job.goal = self._goal(job, now)
            with transaction(self.connection) as cursor:
                save_goal(cursor, job, job.goal)
        new = answers = 0
        if series.have_from is None or series.have_from > job.goal:
            new, answers, _ = read_piece(self.connection, self.exchange, series, job.goal, now)
        assert series.have_from is not None
        with transaction(self.connection) as cursor:
            save_progress(cursor, job, new=new, answers=answers, done=series.have_from <= job.goal)

    def _goal(self, job: Job, now: datetime) -> int:
        """How far back to ask: to the day of the market's first candle, where days tell it, and not before.

        A market listed last year has no minutes of the ten years before, and an exchange takes thousands of empty
        answers to say so.
        """
        series, grid = job.series, job.series.interval
        end = grid.last_closed(now) + 1 if series.have_from is None else series.have_from
        if job.since >= end - self.exchange.page() or grid >= _DAY or _DAY.name not in self.exchange.intervals():
            return job.since
        first, last = (_DAY.step_at(grid.open_time(step)) for step in (job.since, end))
        last = min(last, _DAY.last_closed(now))
        try:
            for page in self.exchange.pages(series.symbol, _DAY, first, last, now):
                if page.candles:
                    return max(job.since, grid.step_at(page.candles[0].open_time))
        except BadAnswerError as error:
            logger.info("its days do not tell", extra={"market": series.symbol, "error": str(error)})
            return job.since
        return max(job.since, min(end, grid.step_at(_DAY.close_time(last))))

    def _failed(self, job: Job, error: MarketError) -> None:
        market = f"{self.name}:{job.series.symbol}"
        logger.warning(
            "backfill failed", extra={"market": market, "interval": job.series.interval.name, "error": str(error)}
        )
        with transaction(self.connection) as cursor:
            save_failed_try(cursor, job, str(error))

    def _left_alone(self, error: SourceUnavailableError) -> Next | None:
        wait = error.retry_after or float(FIRST_WAIT_S * 2**self.tries)
        wait = max(1.0, wait / self.exchange.speed)
        logger.warning("source failed", extra={"source": self.name, "error": str(error), "wait_seconds": wait})
        with transaction(self.connection) as cursor:
            save_failure(cursor, self.name, str(error), self.clock.now(), wait if error.asked_to_wait else 0)
            if seconds_to_retry(cursor, self.name) is None:
                return None  # nobody waits for it; what is due is found again
        return Next(min(int(wait), LONGEST_WAIT_S), min(self.tries + 1, 10))


def _within_a_page(gaps: list[GapAsk], page: int) -> Iterator[list[GapAsk]]:
    """Gaps of one series that one answer covers, together."""
    together: list[GapAsk] = []
    for gap in gaps:
        first = together[0] if together else gap
        if (gap.market_id, gap.interval) != (first.market_id, first.interval) or gap.end - first.first > page:
            yield together
            together = []
        together.append(gap)
    if together:
        yield together


@lru_cache(maxsize=8)
def _exchange(name: str, base_url: str | None, speed: float) -> Exchange:
    """Kept between slices: reading an exchange's list of markets takes longer than a piece."""
    return open_source(name, base_url=base_url, speed=speed)


def backfill_source(connection: Connection, settings: Settings, source: str, tries: int) -> Next | None:
    """One slice of work on a source, by its name; its backfills fail when there is no such source."""
    try:
        exchange = _exchange(source, settings.exchange_url, settings.clock_speed)
    except (UnknownSourceError, NotSimulatedError) as error:
        with transaction(connection) as cursor:
            give_up(cursor, source, str(error))
        return None
    return Backfill(source, exchange, connection, settings.clock, seconds_left_of(SLICE_S), tries).run()
