"""Invoked by the command line: migrate, apply, alerts, status, gaps. What is refused is answered, not raised."""

from typing import Any

import boto3
from pydantic import ValidationError

from cryptowatch.pipeline.control import Control, first_problem, logger
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect

_settings = Settings()
_sns = boto3.client("sns")
_sqs = boto3.client("sqs")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers `{"ok": true, "result": ...}` or `{"ok": false, "error": one line}`."""
    connection = connect(_settings)
    try:
        control = Control(connection, _settings.clock, _settings, _sns, _sqs)
        return {"ok": True, "result": control.answer(event)}
    except ValidationError as error:
        return {"ok": False, "error": first_problem(error)}
    except RefusedError as error:
        return {"ok": False, "error": str(error)}
    finally:
        connection.close()
