"""Scheduled each minute: queues again what a crash or a lost message has left."""

from typing import Any

import boto3

from cryptowatch.pipeline.sweep import logger, sweep
from cryptowatch.pipeline.told import MovedMarkets
from cryptowatch.queues import AlertsQueue, AnalysisQueue, depth
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect

_settings = Settings()
_sqs = boto3.client("sqs")
_analysis: AnalysisQueue | None = None


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers what was queued again and how deep the queues are."""
    global _analysis  # the broker's connection outlives an invocation
    _analysis = _analysis or AnalysisQueue(_settings)
    connection = connect(_settings)
    try:
        moved = MovedMarkets(connection, _analysis)
        queued = sweep(connection, _settings.clock, moved, AlertsQueue(_settings, _sqs))
    finally:
        connection.close()
    # Asked each minute, the queues go on reporting their depth to the scaling even when nobody works on them.
    urls = {"analysis": _settings.analysis_queue_url, "studies": _settings.studies_queue_url}
    return {"queued": queued, **{name: depth(_sqs, url) for name, url in urls.items()}}
