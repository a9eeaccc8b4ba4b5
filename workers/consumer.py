"""A Celery consumer that loses no message it cannot read."""

from typing import Any

from celery.worker.consumer import Consumer
from kombu.message import Message

from workers.log import logger


class RejectingConsumer(Consumer):  # type: ignore[misc]
    """Rejects a message whose body cannot be decoded, so that it ends in the dead-letter queue.

    Celery's own consumer acknowledges it, and it is gone.
    """

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        logger.error("undecodable message", extra={"error": repr(exc), "body": repr(message.body)[:200]})
        message.reject()  # type: ignore[no-untyped-call]

    def on_unknown_message(self, body: Any, message: Message) -> None:
        logger.error("unknown message", extra={"body": repr(body)[:200]})
        message.reject()  # type: ignore[no-untyped-call]
