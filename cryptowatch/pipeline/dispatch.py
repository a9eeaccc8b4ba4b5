"""Each minute: which sources have a closed step that is not settled; one run of ingest for each, big ones several."""

import math
from collections.abc import Callable, Collection
from typing import Any

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.pipeline.figures import due_sources
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.sources import MOST_SHARDS, sources_to_read

logger = Logger(service="dispatch")

#: Markets that one run reads: at a tenth of a second each, ten seconds of a minute.
MARKETS_A_SHARD = 100


def dispatch(
    connection: Connection,
    clock: Clock,
    invoke: Callable[[dict[str, Any]], None],
    metrics: Collection[str] | None = (),
) -> list[str]:
    """Start ingest for every exchange that has something to read, and for sources of metrics; returns the exchanges.

    The watches of today decide, so a watch applied long after the deploy needs no new schedule.

    Args:
        invoke: starts ingest with an event, without waiting for it.
        metrics: names of those to keep; None: all there are.
    """
    with transaction(connection) as cursor:
        found = sources_to_read(cursor, clock.now())
    for one in found:
        shards = min(MOST_SHARDS, math.ceil(one.markets / MARKETS_A_SHARD))
        for shard in range(shards):
            invoke({"source": one.source, "shard": shard, "shards": shards})
    due = due_sources(connection, clock, metrics)
    if due:
        invoke({"metrics": due})
    logger.info("dispatched", extra={"sources": {one.source: one.markets for one in found}, "metrics": due})
    return [one.source for one in found]
