"""The bulk tasks, of the studies queue: minutes of work that can wait, cut into parts of at most a minute or two.

A task runs at least once, and may be ended in the middle when its instance goes: it commits part by part, and a second
run goes on where the first one stopped.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import psycopg2
from celery import shared_task
from celery.exceptions import Reject

from cryptowatch.queues import VERSION, MalformedMessageError
from cryptowatch.settings import Settings
from workers.log import logger

_settings = Settings()


def bulk_task(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function the bulk task `name`, called with what `StudiesQueue.send` was given.

    A message that can never be done (the function raises `MalformedMessageError`) is rejected; while the database is
    away it goes back to the queue.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def run(**message: Any) -> None:
            started = time.monotonic()
            try:
                if message.pop("version", None) != VERSION:
                    raise MalformedMessageError(f"not a message of version {VERSION}: {str(message)[:80]}")
                function(**message)
            except MalformedMessageError as error:
                logger.error("message rejected", extra={"task": name, "error": str(error)})
                raise Reject(str(error), requeue=False) from error
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                logger.warning("database away, message goes back", extra={"task": name, "error": str(error)})
                raise Reject(str(error), requeue=True) from error
            seconds = round(time.monotonic() - started, 3)
            logger.info("studied", extra={"task": name, "seconds": seconds, "arguments": message})

        return shared_task(name=name, time_limit=_settings.studies_limit_seconds)(run)  # type: ignore[no-any-return]

    return decorate
