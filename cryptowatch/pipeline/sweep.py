"""Each minute: queue again what a crash, a dead-letter queue or a lost message has left. Repeats are harmless."""

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.pipeline.told import MovedMarkets
from cryptowatch.queues import AlertsQueue
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.deliveries import unclaimed_alerts
from cryptowatch.store.moments import ready_moments

logger = Logger(service="sweep")

#: Seconds (wall time) that work may take on its own way before the sweep takes it for lost.
PATIENCE_S = 20.0


def sweep(
    connection: Connection,
    clock: Clock,
    moved: MovedMarkets,
    alerts: AlertsQueue,
    patience_s: float = PATIENCE_S,
) -> dict[str, int]:
    """Queue deliveries whose time has come, candles settled and never analysed, and moments whose wait ran out.

    However often one was queued before does not matter.

    Returns:
        How many alerts and how many markets were queued.
    """
    now = clock.now()
    with transaction(connection) as cursor:
        left_alerts = unclaimed_alerts(cursor, now, patience_s)
        left_moments = ready_moments(cursor, now, patience_s)
    alerts.send(left_alerts)
    for interval_s, market_ids in left_moments.items():
        for market_id in market_ids:
            moved.add(interval_s, market_id)
    moved.flush()
    queued = {"alerts": len(left_alerts), "markets": sum(map(len, left_moments.values()))}
    if any(queued.values()):
        logger.warning("queued again", extra=queued)
    return queued
