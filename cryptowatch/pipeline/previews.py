"""Preview a watch list over the stored candles. Runs in bulk workers; `preview_request` is what control keeps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptowatch.clock import Clock
from cryptowatch.markets.interval import interval_named
from cryptowatch.pipeline.histories import read_histories
from cryptowatch.pipeline.preview_request import NOTHING_STORED, PreviewRequest
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.previews import (
    oldest_candle,
    request_of,
    save_failure,
    save_progress,
    save_result,
    stored_markets,
)
from cryptowatch.studies.evaluate import MOST_TOGETHER, evaluate
from cryptowatch.studies.report import report
from cryptowatch.studies.subject import Findings, Subject, begun_at
from cryptowatch.watches.compiled import joined_look_back
from cryptowatch.watches.form import Watch

#: Candles of the shortest interval that are held at once, over all markets.
MOST_CANDLES = 4_000_000
#: Alerts that a result tells one by one, the newest: an answer of Lambda has 6 MB at most.
MOST_ALERTS = 5_000


def run_preview(connection: Connection, clock: Clock, preview_id: int) -> None:
    """Work out a preview and keep its result; one that is done or forgotten is left alone."""
    with transaction(connection) as cursor:
        data = request_of(cursor, preview_id)
    if data is None:
        return
    asked = PreviewRequest.model_validate(data)
    watches = [one.watch for one in asked.watch_list.watches]
    chosen = [watch for watch in watches if asked.only in (None, watch.name)]
    seconds = {interval_named(name).seconds for one in asked.watch_list.watches for name in one.look_back}
    with transaction(connection) as cursor:
        ids = stored_markets(cursor, (name for watch in chosen for name in watch.markets), seconds)
        oldest = oldest_candle(cursor, ids.values())
        if oldest is None:
            save_failure(cursor, preview_id, NOTHING_STORED)
            return
    now = clock.now()
    start = None if asked.since is None else now - asked.since
    subjects = [_subject(watch, ids) for watch in watches]
    previewed = [subject for subject in subjects if subject.watch in chosen]
    findings = [Findings() for _ in previewed]
    batches = _batches(subjects, sorted(ids.values()), start or oldest, now)
    for done, batch in enumerate(batches, 1):
        look_back = joined_look_back(subject.rule.look_back for subject in subjects)
        histories = read_histories(connection, look_back, batch, max(start, oldest) if start else oldest, now)
        evaluate(previewed, begun_at(histories, subjects, start), start, findings)
        with transaction(connection) as cursor:
            save_progress(cursor, preview_id, 0.95 * done / len(batches))
    told = report(previewed, findings, {id_: name for name, id_ in ids.items()}, asked.watch_list.delivery)
    with transaction(connection) as cursor:
        save_result(cursor, preview_id, _result(told, chosen, set(ids)))


def _subject(watch: Watch, ids: dict[str, int]) -> Subject:
    return Subject.of(watch, (ids[name] for name in watch.markets if name in ids))


def _batches(
    subjects: Sequence[Subject], market_ids: Sequence[int], begin: datetime, now: datetime
) -> list[Sequence[int]]:
    shortest = min(interval_named(name) for subject in subjects for name in subject.rule.look_back)
    width = max(1, int((now - begin) / shortest.length))
    size = max(1, min(MOST_TOGETHER, MOST_CANDLES // width))
    return [market_ids[first : first + size] for first in range(0, len(market_ids), size)]


def _result(told: dict[str, Any], chosen: Sequence[Watch], stored: set[str]) -> dict[str, Any]:
    missing = [
        {"watch": watch.name, "market": name, "why": "nothing stored yet"}
        for watch in chosen
        for name in watch.markets
        if name not in stored
    ]
    alerts = told["alerts"]
    return {
        **told,
        "alerts": alerts[-MOST_ALERTS:],
        "alerts_left_out": max(0, len(alerts) - MOST_ALERTS),
        "candles": "the stored candles",
        "without_candles": missing,
        "stars": [],
        "shared": [],
    }
