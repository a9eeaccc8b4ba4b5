"""Scheduled each minute: starts ingest for every source that has something to read."""

import json
from typing import Any

import boto3

from cryptowatch.pipeline.dispatch import dispatch, logger
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect

_lambda = boto3.client("lambda")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the names of the sources it started ingest for."""
    settings = Settings()

    def invoke(event: dict[str, Any]) -> None:
        _lambda.invoke(FunctionName=settings.ingest_function, InvocationType="Event", Payload=json.dumps(event))

    connection = connect(settings)
    try:
        return {"sources": dispatch(connection, settings.clock, invoke, settings.metrics)}
    finally:
        connection.close()
