"""Turn alert ids into emails: one a recipient, of all that is due of them.

A delivery is claimed by a lease in its row before it is published and marked after, so two copies of an id in flight
send one email; only a crash between publishing and marking can repeat one, and that is counted (`uncertain`). Whether
to send is decided once, under a lock on the recipient, in the order of candle time.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from aws_lambda_powertools import Logger
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)

from cryptowatch.alerts.decision import MOST_ALERTS, Candidate, decide
from cryptowatch.alerts.due import Due
from cryptowatch.alerts.email import AlertText, Email, render
from cryptowatch.clock import Clock
from cryptowatch.markets.interval import interval_of_seconds
from cryptowatch.queues import MalformedMessageError, read_alert_ids
from cryptowatch.store import deliveries as store
from cryptowatch.store.database import Connection, Cursor, transaction
from cryptowatch.watches.lateness import is_late, when_due

logger = Logger(service="notify")

#: Seconds a claim lasts: longer than the function may run (30 s), shorter than the queue's visibility (180 s).
LEASE_S = 60.0
#: Seconds without which no other recipient is begun: SNS may take 13, then the email must still be marked as sent.
#: Who is left comes again with the message.
LEAST_S = 15.0

#: Publishes an email to a recipient; raises botocore's errors.
Publish = Callable[[str, Email], None]


def notify(
    records: Iterable[Mapping[str, Any]],
    connection: Connection,
    clock: Clock,
    publish: Publish,
    gather_s: float,
    seconds_left: Callable[[], float] = lambda: math.inf,
) -> list[str]:
    """Send what these SQS records name, and all else that is due of the same recipients.

    Args:
        gather_s: seconds to wait first for the rest of a storm.
        seconds_left: how long the process may still run.

    Returns:
        The message ids of the records that must come again: unreadable ones, ones that name unknown alerts, and ones
        with an alert that is still to be sent (its recipient's lock or its lease is another's, SNS failed, or there
        was no time left).
    """
    wanted, failed = _read(records)
    time.sleep(gather_s)
    all_ids = sorted({id_ for ids in wanted.values() for id_ in ids})
    with transaction(connection) as cursor:
        known = store.known_alerts(cursor, all_ids)
        recipients = store.recipients_waiting(cursor, all_ids, clock.now())
    for recipient in recipients:
        more = True
        while more and seconds_left() >= LEAST_S:
            more = _deliver(recipient, connection, clock, publish)
        if more:
            logger.warning("no time left, the rest comes again", extra={"recipient": recipient})
            break
    with transaction(connection) as cursor:
        waiting = store.still_waiting(cursor, all_ids, clock.now())
    for message_id, ids in wanted.items():
        unknown = sorted(set(ids) - known)
        if unknown:
            logger.error("unknown alerts", extra={"message_id": message_id, "alert_ids": unknown})
        if unknown or waiting.intersection(ids):
            failed.append(message_id)
    return failed


def _read(records: Iterable[Mapping[str, Any]]) -> tuple[dict[str, list[int]], list[str]]:
    wanted: dict[str, list[int]] = {}
    failed: list[str] = []
    for record in records:
        message_id = str(record["messageId"])
        try:
            wanted[message_id] = read_alert_ids(record["body"])
        except MalformedMessageError as error:
            logger.error("unreadable message", extra={"message_id": message_id, "error": str(error)})
            failed.append(message_id)
    return wanted, failed


def _deliver(recipient: str, connection: Connection, clock: Clock, publish: Publish) -> bool:
    """Decide, claim, publish and mark what is due of one recipient, as much as one email may carry; another's lock or
    lease is left alone. Gives whether there may be more to do now.
    """
    email_id = uuid4()
    with transaction(connection) as cursor:
        if not store.lock_recipient(cursor, recipient):
            return False
        taken = store.due_deliveries(cursor, recipient, clock.now(), MOST_ALERTS)
        more = len(taken) == MOST_ALERTS
        to_send = _decide(cursor, recipient, _due_now(cursor, recipient, taken, clock), clock)
        if not to_send:
            return more
        held = store.held_since_last_email(cursor, recipient)
        ids = [delivery.alert_id for delivery in to_send]
        repeats = store.lease(cursor, recipient, ids, email_id, clock.now(), LEASE_S)
    log = {"recipient": recipient, "email_id": str(email_id), "alert_ids": ids, "maybe_repeated": repeats}
    try:
        publish(recipient, render([_text(delivery) for delivery in to_send], held))
    except ClientError as error:
        _refused(error, recipient, email_id, ids, connection, clock)
    except (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError):
        logger.exception("publish failed", extra=log)
        with transaction(connection) as cursor:
            store.release(cursor, recipient, email_id)
    except BotoCoreError:
        # SNS may have taken it: the lease runs out by itself, which counts it as uncertain.
        logger.exception("no answer to publish", extra=log)
    else:
        with transaction(connection) as cursor:
            store.mark_sent(cursor, recipient, email_id)
        logger.info("email sent", extra=log)
        return more
    return False


def _refused(
    error: ClientError, recipient: str, email_id: UUID, ids: list[int], connection: Connection, clock: Clock
) -> None:
    """SNS said no: for good, to this email; for now, to any; or, failing itself, it may have taken it all the same."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    logger.error("publish refused", extra={"recipient": recipient, "alert_ids": ids, "code": code, "error": str(error)})
    with transaction(connection) as cursor:
        if code.startswith("InvalidParameter") and any(what in str(error) for what in ("Subject", "Message")):
            store.hold(cursor, recipient, ids, "refused", clock.now())
        elif status < 500:
            store.release(cursor, recipient, email_id)


def _due_now(
    cursor: Cursor, recipient: str, deliveries: list[store.DueDelivery], clock: Clock
) -> list[store.DueDelivery]:
    """Those that no digest and no quiet hours put off; the others wait for their time."""
    now = []
    for delivery in deliveries:
        at = _due(delivery).at
        # A source's clock may be ahead of ours: its close alone puts nothing off.
        if delivery.decision == "send" or at <= max(clock.now(), delivery.close_time):
            now.append(delivery)
            continue
        by = "digest" if delivery.watch.digest else "quiet_hours"
        store.postpone(cursor, recipient, delivery.alert_id, at, by)
        log = {"recipient": recipient, "alert_ids": [delivery.alert_id], "until": at.isoformat(), "by": by}
        logger.info("postponed", extra=log)
    return now


def _due(delivery: store.DueDelivery) -> Due:
    return when_due(delivery.close_time, delivery.severity, delivery.watch, delivery.settings)


def _decide(cursor: Cursor, recipient: str, due: list[store.DueDelivery], clock: Clock) -> list[store.DueDelivery]:
    """Those to send; the others are held for good. What was decided before stays decided."""
    to_send: list[store.DueDelivery] = []
    held: dict[str, list[int]] = defaultdict(list)
    candidates = [_candidate(delivery, clock) for delivery in due]
    reasons = decide(candidates, partial(store.emails_of_day, cursor, recipient))
    for delivery, held_by in zip(due, reasons, strict=True):
        if held_by:
            held[held_by].append(delivery.alert_id)
        else:
            to_send.append(delivery)
    for reason, ids in held.items():
        store.hold(cursor, recipient, ids, reason, clock.now())
        logger.info("held", extra={"recipient": recipient, "held_by": reason, "alert_ids": ids})
    return to_send


def _candidate(delivery: store.DueDelivery, clock: Clock) -> Candidate:
    source_now = clock.now() + timedelta(seconds=delivery.clock_ahead_s)
    interval = interval_of_seconds(delivery.interval_s)
    due = _due(delivery)
    return Candidate(
        watch_id=delivery.watch_id,
        close_time=delivery.close_time,
        max_per_day=delivery.watch.max_per_day,
        recipient_max_per_day=delivery.settings.max_per_day,
        # What a digest let wait is no later than it said, if it has gone from the watch since.
        late=is_late(delivery.watch, interval, max(due.at, delivery.due_at), source_now),
        removed=delivery.recipient_removed,
        too_mild=not delivery.settings.wants(delivery.severity),
        muted=delivery.muted,
        acked=delivery.acked,
        dropped=due.dropped,
        decided=delivery.decision == "send",
    )


def _text(delivery: store.DueDelivery) -> AlertText:
    watch = delivery.watch
    return AlertText(
        alert_id=delivery.alert_id,
        watch=watch.name,
        market=delivery.market,
        interval=interval_of_seconds(delivery.interval_s).name,
        kind=delivery.kind,
        severity=delivery.severity,
        rule=delivery.rule,
        close_time=delivery.close_time,
        price=delivery.price,
        figures=delivery.figures,
        title=watch.title,
        note=watch.note,
        watched_markets=delivery.watched_markets,
        track_record=tuple((pooled, words) for pooled, words in delivery.track_record or ()),
    )
