"""The tasks of the analysis queue."""

import time
from contextlib import closing
from functools import lru_cache
from typing import Any

import psycopg2
from celery import shared_task
from celery.exceptions import Reject

from cryptowatch.pipeline.analyse import UnknownMarketsError, analyse
from cryptowatch.queues import ANALYSE, VERSION, AlertsQueue, MalformedMessageError, read_ids, read_wal
from cryptowatch.rules import compile_rule
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect
from cryptowatch.store.evaluation import StoredWatch
from cryptowatch.store.replica import Replica
from cryptowatch.watches.compiled import WatchRule, rule_of
from workers.log import logger

_settings = Settings()
_replica = Replica(_settings)


@lru_cache(maxsize=1)
def _alerts_queue() -> AlertsQueue:
    return AlertsQueue(_settings)


_compiled = lru_cache(maxsize=10_000)(compile_rule)


def _queue_alerts(alert_ids: list[int]) -> None:
    _alerts_queue().send(alert_ids)
    logger.info("alerts raised", extra={"alert_ids": alert_ids})


def _rule_of(watch: StoredWatch) -> WatchRule:
    return rule_of(watch.watch, _compiled)


@shared_task(name=ANALYSE, time_limit=_settings.analysis_limit_seconds)  # type: ignore[untyped-decorator]
def analyse_markets(**message: Any) -> None:
    """Evaluate what is ready on the markets a message names: `version, interval_s, market_ids, wal`.

    A message that can never be done is rejected; while the database is away it goes back to the queue.
    """
    started = time.monotonic()
    try:
        interval_s, market_ids, wal = _read(message)
        with closing(connect(_settings)) as writer, closing(connect(_settings)) as reader, _replica.at(wal) as replica:
            moments = analyse(writer, reader, _settings.clock, _rule_of, interval_s, market_ids, _queue_alerts, replica)
    except (MalformedMessageError, UnknownMarketsError) as error:
        logger.error("message rejected", extra={"error": str(error)})
        raise Reject(str(error), requeue=False) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        logger.warning("database away, message goes back", extra={"error": str(error)})
        raise Reject(str(error), requeue=True) from error
    logger.info(
        "analysed",
        extra={
            "interval_s": interval_s,
            "markets": len(market_ids),
            "market_ids": market_ids,
            "moments": moments,
            "seconds": round(time.monotonic() - started, 3),
        },
    )


def _read(message: dict[str, Any]) -> tuple[int, list[int], str]:
    if message.get("version") != VERSION:
        raise MalformedMessageError(f"not a message of version {VERSION}: {str(message)[:80]}")
    interval_s = read_ids([message.get("interval_s")], "interval_s")[0]
    return interval_s, read_ids(message.get("market_ids"), "market_ids"), read_wal(message.get("wal"))
