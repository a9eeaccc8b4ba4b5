"""Each minute, after the sweep: room for new candles, old ones dropped, full blocks queued for sealing, backfills
that were forgotten queued again, track records that are due queued.
"""

from datetime import timedelta
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.queues import BACKFILL, TRACK_RECORD
from cryptowatch.store.backfills import forgotten_sources
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.reviews import sources_to_review
from cryptowatch.store.track_records import queue_due
from cryptowatch.store.upkeep import drop_partitions, make_partitions, retained_from, ripe_blocks

logger = Logger(service="upkeep")

SEAL = "seal"
#: Ripe blocks from which on sealing them is worth a task; until then their rows are read.
ENOUGH = 100


class Tasks(Protocol):
    """Where bulk tasks are queued: `StudiesQueue`."""

    def send(self, task_name: str, **kwargs: Any) -> None: ...


def upkeep(connection: Connection, clock: Clock, retention: dict[int, timedelta], tasks: Tasks) -> dict[str, Any]:
    """Do what is due; returns `made` and `dropped` partitions and how many blocks are `ripe`.

    Args:
        retention: how long candles are kept, by interval in seconds; an interval that is not named is kept for good.
    """
    now = clock.now()
    made = make_partitions(connection, now)
    dropped: list[str] = []
    for interval, cutoff in retained_from(connection, retention, now).items():
        dropped += drop_partitions(connection, interval, cutoff)
    with transaction(connection) as cursor:
        ripe = ripe_blocks(cursor)
        to_go_on = {*forgotten_sources(cursor), *sources_to_review(cursor, now)}
        unstudied = queue_due(cursor, now)
    if ripe >= ENOUGH:
        tasks.send(SEAL)
    for source in sorted(to_go_on):
        tasks.send(BACKFILL, source=source)
    for watch_id in unstudied:
        tasks.send(TRACK_RECORD, watch_id=watch_id)
    done = {"made": made, "dropped": dropped, "ripe": ripe}
    if made or dropped:
        logger.info("candles kept in shape", extra=done)
    return done
