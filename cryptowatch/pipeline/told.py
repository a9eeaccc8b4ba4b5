"""The markets with newly settled steps, gathered for a moment and then told to the workers."""

import time

from aws_lambda_powertools import Logger

from cryptowatch.queues import MARKETS_A_MESSAGE, AnalysisQueue
from cryptowatch.store.database import Connection, wal_position

logger = Logger(service="analysis-queue")

#: Seconds a market may wait for others of its source to share a message with.
PATIENCE_S = 1.0


class MovedMarkets:
    """Gathers market ids by interval and queues their analysis: when a message is full, when the oldest has waited
    for `PATIENCE_S`, and at the end. A crash in between loses nothing: the sweep finds what is left.
    """

    def __init__(self, connection: Connection, queue: AnalysisQueue) -> None:
        self._connection = connection
        self._queue = queue
        self._ids: dict[int, set[int]] = {}
        self._since = 0.0

    def add(self, interval_s: int, market_id: int) -> None:
        """Tell, soon, that steps of this market at this interval were settled by a transaction that has committed."""
        if not self._ids:
            self._since = time.monotonic()
        ids = self._ids.setdefault(interval_s, set())
        ids.add(market_id)
        if len(ids) >= MARKETS_A_MESSAGE:
            self.flush()

    def flush_if_old(self) -> None:
        if self._ids and time.monotonic() - self._since >= PATIENCE_S:
            self.flush()

    def flush(self) -> int:
        """Tell all that was gathered; returns the number of messages."""
        if not self._ids:
            return 0
        wal = wal_position(self._connection)
        gathered, self._ids = self._ids, {}
        messages = 0
        for interval_s, ids in gathered.items():
            messages += self._queue.send(interval_s, sorted(ids), wal)
            logger.info("queued for analysis", extra={"interval_s": interval_s, "market_ids": sorted(ids), "wal": wal})
        return messages
