"""Reads one source: invoked by dispatch with `{"source": name, "shard": 0, "shards": 1}`, an exchange and a share of
its markets, or with `{"metrics": [name, ...]}`, sources of market-wide figures.
"""

from functools import lru_cache
from typing import Any

from cryptowatch.pipeline.figures import read_source
from cryptowatch.pipeline.ingest import IngestRun, lambda_seconds_left, logger
from cryptowatch.pipeline.told import MovedMarkets
from cryptowatch.queues import AnalysisQueue
from cryptowatch.settings import Settings
from cryptowatch.sources.endpoint import NotSimulatedError
from cryptowatch.sources.errors import UnknownSourceError
from cryptowatch.sources.exchange import Exchange
from cryptowatch.sources.registry import open_source
from cryptowatch.store.database import connect, transaction
from cryptowatch.store.sources import save_failure

_settings = Settings()
_queue: AnalysisQueue | None = None


@lru_cache(maxsize=8)
def _source(name: str, speed: float) -> Exchange:
    """Kept between invocations: reading an exchange's list of markets takes longer than reading its candles."""
    return open_source(name, base_url=_settings.exchange_url, speed=speed)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers how the run ended."""
    if "metrics" in event:
        return _read_metrics(event["metrics"])
    global _queue  # the broker's connection outlives an invocation
    _queue = _queue or AnalysisQueue(_settings)
    name = event["source"]
    connection = connect(_settings)
    try:
        exchange = _source(name, _settings.clock_speed)
        moved = MovedMarkets(connection, _queue)
        shard, shards = event.get("shard", 0), event.get("shards", 1)
        run = IngestRun(name, exchange, connection, moved, _settings.clock, lambda_seconds_left(context), shard, shards)
        return {"source": name, "outcome": run.run(), "answers": run.answers, "failures": run.failures}
    except (UnknownSourceError, NotSimulatedError) as error:
        logger.error("no such source", extra={"source": name, "error": str(error)})
        with transaction(connection) as cursor:
            save_failure(cursor, name, str(error), _settings.clock.now())
        return {"source": name, "outcome": "unknown", "answers": 0, "failures": 1}
    finally:
        connection.close()


def _read_metrics(names: list[str]) -> dict[str, Any]:
    url, speed = _settings.exchange_url, _settings.clock_speed
    connection = connect(_settings)
    try:
        return {name: read_source(connection, _settings.clock, name, base_url=url, speed=speed) for name in names}
    finally:
        connection.close()
