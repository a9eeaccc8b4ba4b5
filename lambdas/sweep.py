"""Scheduled each minute: queues again what a crash or a lost message has left, keeps the candles in shape, measures."""

from typing import Any

import boto3

from cryptowatch.pipeline.measures import measure
from cryptowatch.pipeline.sweep import logger, sweep
from cryptowatch.pipeline.told import MovedMarkets
from cryptowatch.pipeline.upkeep import upkeep
from cryptowatch.queues import AlertsQueue, AnalysisQueue, StudiesQueue, depth
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect
from cryptowatch.store.pulse import pulse

_settings = Settings()
_sqs = boto3.client("sqs")
_analysis: AnalysisQueue | None = None
_studies: StudiesQueue | None = None


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers what was queued again, what became of the candles' partitions, and how deep the queues are."""
    global _analysis, _studies  # the broker's connections outlive an invocation
    _analysis = _analysis or AnalysisQueue(_settings)
    _studies = _studies or StudiesQueue(_settings)
    connection = connect(_settings)
    try:
        moved = MovedMarkets(connection, _analysis)
        queued = sweep(connection, _settings.clock, moved, AlertsQueue(_settings, _sqs))
        kept = upkeep(connection, _settings.clock, _settings.candle_retention, _studies)
        measure(pulse(connection, _settings.clock.now()), _settings.stack_name)
    finally:
        connection.close()
    # Asked each minute, the queues go on reporting their depth to the scaling even when nobody works on them.
    urls = {"analysis": _settings.analysis_queue_url, "studies": _settings.studies_queue_url}
    return {"queued": queued, "candles": kept, **{name: depth(_sqs, url) for name, url in urls.items()}}
