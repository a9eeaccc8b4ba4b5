"""The bulk tasks, of the studies queue: minutes of work that can wait, cut into parts of at most a minute or two.

A task runs at least once, and may be ended in the middle when its instance goes: it commits part by part, and a second
run goes on where the first one stopped.
"""

import time
from collections.abc import Callable
from contextlib import closing
from functools import lru_cache, wraps
from typing import Any

import psycopg2
from celery import shared_task
from celery.exceptions import Reject

from cryptowatch.pipeline.upkeep import SEAL
from cryptowatch.queues import BACKFILL, PREVIEW, TRACK_RECORD, VERSION, MalformedMessageError, StudiesQueue
from cryptowatch.settings import Settings
from cryptowatch.store.blocks import seal
from cryptowatch.store.database import connect
from workers.log import logger

_settings = Settings()


@lru_cache(maxsize=1)
def _queue() -> StudiesQueue:
    return StudiesQueue(_settings)


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


@bulk_task(SEAL)
def seal_blocks() -> None:
    """Seal what is ripe, batch by batch, for at most a minute; the sweep queues what is left again."""
    until = time.monotonic() + 60
    with closing(connect(_settings)) as connection:
        while seal(connection) and time.monotonic() < until:
            pass


@bulk_task(BACKFILL)
def backfill(source: object, tries: object = 0) -> None:
    """Older history of a source that people asked for: a minute of it, then a message to whoever goes on."""
    from cryptowatch.pipeline.backfill import backfill_source  # ccxt takes a second to load, and only this needs it

    if not (isinstance(source, str) and isinstance(tries, int)):
        raise MalformedMessageError(f"source and tries must be a name and a number, not {source!r:.80}, {tries!r:.80}")
    with closing(connect(_settings)) as connection:
        following = backfill_source(connection, _settings, source, tries)
    if following:
        _queue().send(BACKFILL, delay_s=following.delay_s, source=source, tries=following.tries)


@bulk_task(TRACK_RECORD)
def write_track_record(watch_id: object) -> None:
    """The track record of one watch, written anew."""
    from cryptowatch.pipeline.track_records import study_watch  # scipy takes a second to load, and only this needs it

    if type(watch_id) is not int:
        raise MalformedMessageError(f"watch_id must be a number, not {watch_id!r:.80}")
    with closing(connect(_settings)) as connection:
        study_watch(connection, _settings.clock, watch_id)


@bulk_task(PREVIEW)
def preview(preview_id: object) -> None:
    """A preview over the stored candles that somebody waits for."""
    from cryptowatch.pipeline.previews import run_preview

    if type(preview_id) is not int:
        raise MalformedMessageError(f"preview_id must be a number, not {preview_id!r:.80}")
    with closing(connect(_settings)) as connection:
        run_preview(connection, _settings.clock, preview_id)
