"""One JSON line an event, like the functions', so that a candle can be followed to its email."""

import logging

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

SERVICE = "worker"

logger = Logger(service=SERVICE)


def configure_logging() -> None:
    """Send Celery's own log through the same formatter, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(LambdaPowertoolsFormatter(log_record_order=["level", "message", "timestamp"]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger(SERVICE).propagate = False  # it has a handler of its own
    logging.getLogger("botocore").setLevel(logging.WARNING)
