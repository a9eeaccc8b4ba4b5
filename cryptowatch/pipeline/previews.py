"""Preview a watch list over the stored candles. Runs in bulk workers; `preview_request` is what control keeps."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from cryptowatch.clock import Clock
from cryptowatch.markets.interval import interval_named
from cryptowatch.pipeline.histories import read_histories
from cryptowatch.pipeline.preview_request import NOTHING_STORED, PreviewRequest
from cryptowatch.rules import RuleError
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.previews import (
    oldest_candles,
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

#: Candles of the interval with the most of them that are held at once, over all markets.
MOST_CANDLES = 4_000_000
#: Alerts that a result tells one by one, the newest.
MOST_ALERTS = 5_000
#: Characters of a result (JSON): an answer of Lambda has 6 MB at most.
LONGEST_RESULT = 5_000_000
#: What is answered when the summaries alone are longer than that.
TOO_LONG = "the preview is too long to be sent: ask for one --watch, or a shorter time with --since"


#: What is answered when a task that had begun was ended: by its time limit, or because its worker went.
CUT_OFF = "the preview took too long, or its worker went: ask again, for one --watch or a shorter time with --since"
#: The share that is done once somebody has begun.
_BEGUN = 0.001


class _NoPreviewError(ValueError):
    """There is none; the text says why."""


def run_preview(connection: Connection, clock: Clock, preview_id: int) -> None:
    """Work out a preview and keep its result; one that is done or forgotten is left alone."""
    with transaction(connection) as cursor:
        found = request_of(cursor, preview_id)
        save_progress(cursor, preview_id, _BEGUN)
    if found is None:
        return
    data, begun_before = found
    try:
        if begun_before:
            raise _NoPreviewError(CUT_OFF)
        result = _worked_out(connection, clock, preview_id, PreviewRequest.model_validate(data))
    except _NoPreviewError as error:
        with transaction(connection) as cursor:
            save_failure(cursor, preview_id, str(error))
        return
    with transaction(connection) as cursor:
        save_result(cursor, preview_id, result)


def _worked_out(connection: Connection, clock: Clock, preview_id: int, asked: PreviewRequest) -> dict[str, Any]:
    watches = [one.watch for one in asked.watch_list.watches]
    chosen = [watch for watch in watches if asked.only in (None, watch.name)]
    seconds = {interval_named(name).seconds for one in asked.watch_list.watches for name in one.look_back}
    with transaction(connection) as cursor:
        ids = stored_markets(cursor, (name for watch in chosen for name in watch.markets), seconds)
        oldest = oldest_candles(cursor, ids.values(), seconds)
    if not oldest:
        raise _NoPreviewError(NOTHING_STORED)
    now = clock.now()
    start = None if asked.since is None else now - asked.since
    subjects = [_subject(watch, ids) for watch in watches]
    previewed = [subject for subject in subjects if subject.watch in chosen]
    findings = [Findings() for _ in previewed]
    begins = {interval_s: max(start or first, first) for interval_s, first in oldest.items()}
    batches = _batches(sorted(ids.values()), begins, now)
    for done, batch in enumerate(batches, 1):
        look_back = joined_look_back(subject.rule.look_back for subject in subjects)
        histories = read_histories(connection, look_back, batch, start or min(oldest.values()), now)
        evaluate(previewed, begun_at(histories, subjects, start), start, findings)
        with transaction(connection) as cursor:
            save_progress(cursor, preview_id, 0.95 * done / len(batches))
    told = report(previewed, findings, {id_: name for name, id_ in ids.items()}, asked.watch_list.delivery)
    return _result(told, chosen, set(ids))


def _subject(watch: Watch, ids: dict[str, int]) -> Subject:
    try:
        return Subject.of(watch, (ids[name] for name in watch.markets if name in ids))
    except RuleError as error:
        # Checked by another version, or by nobody.
        text = f"the running system does not understand a rule of watch {watch.name!r}: {error.message}"
        raise _NoPreviewError(text) from None


def _batches(market_ids: Sequence[int], begins: Mapping[int, datetime], now: datetime) -> list[Sequence[int]]:
    """The markets in parts whose candles are held at once; `begins` says from when on, by interval in seconds."""
    width = max(1, *(int((now - begin).total_seconds()) // interval_s for interval_s, begin in begins.items()))
    size = max(1, min(MOST_TOGETHER, MOST_CANDLES // width))
    return [market_ids[first : first + size] for first in range(0, len(market_ids), size)]


def _result(told: dict[str, Any], chosen: Sequence[Watch], stored: set[str]) -> dict[str, Any]:
    """What is kept: the report, with as many of its alerts, the newest, as an answer has room for."""
    missing = [
        {"watch": watch.name, "market": name, "why": "nothing stored yet"}
        for watch in chosen
        for name in watch.markets
        if name not in stored
    ]
    alerts = told["alerts"]
    result = {
        **told,
        "alerts": [],
        "alerts_left_out": len(alerts),
        "candles": "the stored candles",
        "without_candles": missing,
        "stars": [],
        "shared": [],
    }
    room = LONGEST_RESULT - len(json.dumps(result))
    if room < 0:
        raise _NoPreviewError(TOO_LONG)
    newest = alerts[-MOST_ALERTS:]
    ends = accumulate(len(json.dumps(one)) + 2 for one in reversed(newest))
    kept = newest[len(newest) - sum(end <= room for end in ends) :]
    return {**result, "alerts": kept, "alerts_left_out": len(alerts) - len(kept)}
