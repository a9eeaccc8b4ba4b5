"""What travels on each queue, and nothing else does: ids, never candles.

`analysis` carries Celery messages for the task `analyse`, a second of work that is wanted at once; `studies` those for
bulk tasks, minutes of work that can wait; `alerts` carries JSON with alert ids. All are versioned; what cannot be read
ends in the dead-letter queue of its queue.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import boto3
from celery import Celery

from cryptowatch.settings import Settings

#: The version of all messages; a reader refuses any other.
VERSION = 1
#: Markets an `analyse` message names at most: about a second of work.
MARKETS_A_MESSAGE = 100
#: Alert ids a message names at most.
ALERTS_A_MESSAGE = 100
#: Seconds a receive waits for a message and a requeued message for its next try.
WAIT_SECONDS = 5
#: Seconds between a task's end and the next receive. Celery waits a whole second by default: one task a second.
POLL_SECONDS = 0.02

ANALYSE = "analyse"
ANALYSIS = "analysis"
STUDIES = "studies"
BACKFILL = "backfill"
TRACK_RECORD = "track_record"
PREVIEW = "preview"


class MalformedMessageError(ValueError):
    """A message is not of the form this version reads."""


def celery_app(queue_urls: Mapping[str, str]) -> Celery:
    """A Celery app on these queues, by name: predefined, so it needs no right to list or create queues.

    How long a message stays invisible is the queue's own setting; a task's limit must be below it.
    """
    app = Celery("cryptowatch", set_as_current=False)
    app.conf.update(
        broker_url="sqs://",
        broker_transport_options={
            "predefined_queues": {name: {"url": url} for name, url in queue_urls.items()},
            "wait_time_seconds": WAIT_SECONDS,
            "polling_interval": POLL_SECONDS,
            "region": boto3.session.Session().region_name or "us-east-1",
        },
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        enable_utc=True,
    )
    return app


class AnalysisQueue:
    """Sends `analyse` messages. Keep one a process: it holds the broker's connection."""

    def __init__(self, settings: Settings) -> None:
        self._app = celery_app({ANALYSIS: settings.analysis_queue_url})

    def send(self, interval_s: int, market_ids: Sequence[int], wal: str) -> int:
        """Queue the analysis of these markets; returns how many messages that took.

        Args:
            interval_s: the interval whose steps were settled, in seconds.
            market_ids: markets with newly settled steps, any number.
            wal: PostgreSQL WAL position after the commit that settled them; a replica is read from there on only.
        """
        sent = 0
        for ids in _in_parts(sorted(set(market_ids)), MARKETS_A_MESSAGE):
            self._app.send_task(
                ANALYSE,
                kwargs={"version": VERSION, "interval_s": interval_s, "market_ids": ids, "wal": wal},
                queue=ANALYSIS,
            )
            sent += 1
        return sent


class StudiesQueue:
    """Sends bulk tasks. Keep one a process: it holds the broker's connection."""

    def __init__(self, settings: Settings) -> None:
        self._app = celery_app({STUDIES: settings.studies_queue_url})

    def send(self, task_name: str, *, delay_s: int = 0, **kwargs: Any) -> None:
        """Queue one bulk task of `workers.studies`; what it is told must be JSON, and ids rather than data.

        Args:
            delay_s: seconds before a worker may have it, at most 900: SQS holds it back, no worker does.
        """
        later = {"delay_seconds": delay_s} if delay_s else {}
        self._app.send_task(task_name, kwargs={"version": VERSION, **kwargs}, queue=STUDIES, **later)


class AlertsQueue:
    """Sends alert ids to be emailed."""

    def __init__(self, settings: Settings, client: Any = None) -> None:
        self._url = settings.alerts_queue_url
        self._client = client or boto3.client("sqs")

    def send(self, alert_ids: Iterable[int]) -> int:
        """Queue these alerts for notify; returns how many messages that took."""
        sent = 0
        for ids in _in_parts(sorted(set(alert_ids)), ALERTS_A_MESSAGE):
            body = json.dumps({"version": VERSION, "alert_ids": ids})
            self._client.send_message(QueueUrl=self._url, MessageBody=body)
            sent += 1
        return sent


def read_alert_ids(body: str) -> list[int]:
    """The alert ids a message on the alerts queue names.

    Raises:
        MalformedMessageError: not JSON, another version, or no list of ids.
    """
    try:
        message = json.loads(body)
    except ValueError:
        raise MalformedMessageError(f"not JSON: {body[:80]!r}") from None
    if not isinstance(message, dict) or message.get("version") != VERSION:
        raise MalformedMessageError(f"not a message of version {VERSION}: {body[:80]!r}")
    return read_ids(message.get("alert_ids"), "alert_ids")


def read_ids(value: object, name: str) -> list[int]:
    """A non-empty list of positive ids.

    Raises:
        MalformedMessageError: anything else; `name` says which field.
    """
    ok = isinstance(value, list) and value and all(type(item) is int and 0 < item < 2**63 for item in value)
    if not ok:
        raise MalformedMessageError(f"{name} must be a list of ids, not {str(value)[:80]}")
    return list(value)  # type: ignore[call-overload, no-any-return]


def read_wal(value: object) -> str:
    """A WAL position of PostgreSQL, like `0/16B3748`.

    Raises:
        MalformedMessageError: anything else.
    """
    if not isinstance(value, str) or not re.fullmatch("[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}", value):
        raise MalformedMessageError(f"wal must be a WAL position, not {str(value)[:80]}")
    return value


def depth(client: Any, url: str) -> dict[str, int]:
    """How many messages of a queue wait (`visible`) and are being worked on (`in_flight`), about.

    Asking also keeps an idle queue's metrics coming: SQS stops reporting after six hours without use.
    """
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return {"visible": int(attributes[names[0]]), "in_flight": int(attributes[names[1]])}


def _in_parts(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    rest = iter(ids)
    while part := list(islice(rest, size)):
        yield part
