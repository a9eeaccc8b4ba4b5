"""Figures of the whole market: which are wanted and due, reading them, and telling them to people."""

from collections.abc import Collection
from typing import Any

from aws_lambda_powertools import Logger

from cryptowatch.clock import Clock
from cryptowatch.sources.breaker import wait_seconds
from cryptowatch.sources.errors import SourceUnavailableError
from cryptowatch.sources.metric_reader import read_metrics
from cryptowatch.sources.metrics import metric_sources
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.metrics import newest_values, save_figures, sources_due
from cryptowatch.store.sources import count_failure, leave_alone, save_success, source_lock

logger = Logger(service="metrics")


def due_sources(connection: Connection, clock: Clock, wanted: Collection[str] | None) -> list[str]:
    """The sources of the metrics that are wanted (None: of all) whose time has come."""
    now = clock.now()
    asked = [
        (one.name, now - one.every) for one in metric_sources() if wanted is None or set(one.metrics) & set(wanted)
    ]
    if not asked:
        return []
    with transaction(connection) as cursor:
        return sources_due(cursor, asked)


def read_source(
    connection: Connection, clock: Clock, name: str, *, base_url: str | None = None, speed: float = 1.0
) -> str:
    """Read one source of metrics into the store; gives `done`, `unavailable`, or `busy` when another is at it.

    Args:
        base_url: the simulated exchange, in place of the real source.
        speed: how many times as fast as wall time the clock runs.
    """
    source = next(one for one in metric_sources() if one.name == name)
    with source_lock(connection, name) as held:
        if not held:
            return "busy"
        now = clock.now()
        try:
            figures = read_metrics(source, now, base_url)
        except SourceUnavailableError as error:
            with transaction(connection) as cursor:
                failures = count_failure(cursor, source.name, str(error), now)
                wait_s = wait_seconds(failures, error.retry_after) / speed
                began = wait_s > 0 and leave_alone(cursor, source.name, wait_s)
            logger.warning("source failed", extra={"source": source.name, "error": str(error), "failures": failures})
            if began:
                logger.warning("source is left alone", extra={"source": source.name, "seconds": wait_s})
            return "unavailable"
        with transaction(connection) as cursor:
            changed = save_figures(cursor, figures)
            ended = save_success(cursor, source.name, now, 0.0)
        if ended:
            logger.warning("source is back", extra={"source": source.name})
        logger.info("metrics read", extra={"source": source.name, "changed": changed})
        return "done"


def metrics(connection: Connection) -> dict[str, Any]:
    """Every metric there can be, with its newest value, if it has one; JSON-ready, times as ISO 8601 text in UTC."""
    with transaction(connection) as cursor:
        newest = {name: (value, count) for name, value, count in newest_values(cursor)}
    rows = []
    for source in metric_sources():
        for name, what in source.metrics.items():
            value, count = newest.get(name, (None, 0))
            rows.append(
                {
                    "name": name,
                    "what": what,
                    "source": source.name,
                    "every_minutes": source.every.total_seconds() / 60,
                    "value": value.value if value else None,
                    "time": value.time.isoformat() if value else None,
                    "values": count,
                }
            )
    return {"metrics": rows}
