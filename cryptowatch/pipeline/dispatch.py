"""Each minute: which sources have a closed step that is not settled; one run of ingest for each."""

from collections.abc import Callable

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.sources import sources_to_read

logger = Logger(service="dispatch")


def dispatch(connection: Connection, clock: Clock, invoke: Callable[[str], None]) -> list[str]:
    """Start ingest for every source that has something to read; returns their names.

    The watches of today decide, so a watch applied long after the deploy needs no new schedule.

    Args:
        invoke: starts ingest for one source, without waiting for it.
    """
    with transaction(connection) as cursor:
        names = sources_to_read(cursor, clock.now())
    for name in names:
        invoke(name)
    logger.info("dispatched", extra={"sources": names})
    return names
