"""Read one source, or a shard of its markets: ask for what is not settled, store it, and say which markets moved.

One market's failure never stops the others. The run stops asking in time for its own limit and the next one goes on
where it stopped. Answers are asked for in ascending order from the covered frontier, so a market without a trade for
hours goes on by itself: an empty answer moves the frontier too.
"""

import time
from collections.abc import Callable
from datetime import datetime

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.pipeline.listing import refresh_listing
from cryptowatch.pipeline.reading import MARGIN_S, SeriesReader
from cryptowatch.pipeline.told import MovedMarkets
from cryptowatch.sources.breaker import wait_seconds
from cryptowatch.sources.errors import MarketError, MarketRequestFailedError, SourceUnavailableError
from cryptowatch.sources.exchange import Exchange
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.series import Series, save_error, watched_series
from cryptowatch.store.sources import count_failure, leave_alone, paused_until, save_success, source_lock
from cryptowatch.store.turns import StoredTurns

logger = Logger(service="ingest")

#: Requests that fail one after the other before the run takes the source for unavailable.
FAILURES_IN_A_ROW = 5
#: Seconds after its start at which a run leaves older history to the next one, which a new minute is about to start.
HISTORY_S = 40.0
#: Seconds a source that refused us for asking too much is left alone when it did not say for how long.
DEFAULT_WAIT_S = 30.0


class IngestRun:
    """One run of ingest for one source.

    Args:
        name: the source.
        exchange: where its candles come from.
        moved: told of each market with newly settled steps.
        clock: our own time, to record how far the source's is ahead.
        seconds_left: how long the process may still run.
        shard, shards: which share of the source's markets is read; the first shard also reads its list of markets.
    """

    def __init__(
        self,
        name: str,
        exchange: Exchange,
        connection: Connection,
        moved: MovedMarkets,
        clock: Clock,
        seconds_left: Callable[[], float],
        shard: int = 0,
        shards: int = 1,
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.connection = connection
        self.moved = moved
        self.clock = clock
        self.seconds_left = seconds_left
        self.shard, self.shards = shard, shards
        self.reader = SeriesReader(exchange, connection, moved, seconds_left)
        self.failures = 0
        self.started = time.monotonic()
        exchange.turns = StoredTurns(connection, name)

    @property
    def answers(self) -> int:
        """How many answers with candles there were."""
        return self.reader.answers

    def run(self) -> str:
        """Do it; returns `done`, `paused`, `unavailable`, `out of time`, or `busy` when another run is at it."""
        with source_lock(self.connection, self.name, self.shard) as held:
            if not held:
                return "busy"
            with transaction(self.connection) as cursor:
                if paused_until(cursor, self.name):
                    return "paused"
            outcome = self._read_source()
        logger.info(
            "ingested", extra={"source": self.name, "shard": self.shard, "outcome": outcome, "answers": self.answers}
        )
        return outcome

    def _read_source(self) -> str:
        try:
            now = self.exchange.now()
            ahead = (now - self.clock.now()).total_seconds()
            if self.shard == 0:
                self._read_listing(now)
            outcome = self._read_series(now)
        except SourceUnavailableError as error:
            self._save_failure(error)
            return "unavailable"
        self.moved.flush()
        if self.answers or not self.failures:
            with transaction(self.connection) as cursor:
                ended = save_success(cursor, self.name, now, ahead)
            if ended:
                logger.warning("source is back", extra={"source": self.name})
        return outcome

    def _read_listing(self, now: datetime) -> None:
        """What the source lists; when it does not tell, its candles are read all the same."""
        try:
            refresh_listing(self.connection, self.exchange, now)
        except SourceUnavailableError as error:
            if error.asked_to_wait:
                raise
            logger.warning("listing failed", extra={"source": self.name, "error": str(error)})

    def _save_failure(self, error: SourceUnavailableError) -> None:
        self.moved.flush()
        asked = error.retry_after or (DEFAULT_WAIT_S if error.asked_to_wait else None)
        with transaction(self.connection) as cursor:
            failures = count_failure(cursor, self.name, str(error), self.clock.now())
            wait_s = wait_seconds(failures, asked) / self.exchange.speed
            began = wait_s > 0 and leave_alone(cursor, self.name, wait_s)
        logger.warning("source failed", extra={"source": self.name, "error": str(error), "failures": failures})
        if began:
            logger.warning("source is left alone", extra={"source": self.name, "seconds": wait_s})

    def _read_series(self, now: datetime) -> str:
        with transaction(self.connection) as cursor:
            wanted = watched_series(cursor, self.name)
        series = [one for one in wanted if one.market_id % self.shards == self.shard]
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
                self.reader.read(one, now)
                read.append(one)
                in_a_row = 0
            except MarketError as error:
                self._keep_error(one, error)
                in_a_row = in_a_row + 1 if isinstance(error, MarketRequestFailedError) else 0
                if in_a_row >= FAILURES_IN_A_ROW and not read:
                    raise SourceUnavailableError(
                        f"{self.name}: {in_a_row} requests failed one after the other, the last one: {error}"
                    ) from error
            self.moved.flush_if_old()
        market_ids = [one.market_id for one in wanted]
        for one in read:
            self.reader.settle_what_others_showed(one, market_ids, now)
        return outcome if outcome != "done" else self._read_histories(read, now)

    def _read_histories(self, series: list[Series], now: datetime) -> str:
        """Older history, a piece of each series in turn, once all that is new is stored."""
        left = [one for one in series if wants_older(one)]
        while left:
            for one in list(left):
                if self.seconds_left() < MARGIN_S or time.monotonic() - self.started > HISTORY_S:
                    return "out of time"
                try:
                    self.reader.read_older(one, now)
                except MarketError as error:
                    self._keep_error(one, error)
                    left.remove(one)
                self.moved.flush_if_old()
            left = [one for one in left if wants_older(one)]
        return "done"

    def _keep_error(self, series: Series, error: MarketError) -> None:
        self.failures += 1
        market = f"{self.name}:{series.symbol}"
        logger.warning("market failed", extra={"market": market, "interval": series.interval.name, "error": str(error)})
        with transaction(self.connection) as cursor:
            save_error(cursor, series, str(error), self.clock.now())


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
