"""Work out the track record of one watch, over the newest stored candles of its markets. Runs in bulk workers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from cryptowatch.clock import Clock
from cryptowatch.markets.panel import build_panel
from cryptowatch.pipeline.histories import read_histories
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.track_records import POOLED, StoredRecord, save_records, studied_watch
from cryptowatch.studies.evaluate import evaluate
from cryptowatch.studies.history import MarketHistory
from cryptowatch.studies.subject import Findings, Subject
from cryptowatch.studies.track_record import Past, in_words, track_record
from cryptowatch.watches.values import format_duration

#: Candles of a market that a record looks at: the newest ones that are stored. What a task needs grows with it.
MOST_CANDLES = 10_000
#: Markets whose candles are held at once.
MARKETS_AT_ONCE = 20


def study_watch(connection: Connection, clock: Clock, watch_id: int) -> int:
    """Write the record of a watch anew, in one transaction; gives how many markets it stands on, 0 if it is gone."""
    with transaction(connection) as cursor:
        found = studied_watch(cursor, watch_id)
    if found is None:
        return 0
    generation, watch, market_ids = found
    subject, now = Subject.of(watch, market_ids), clock.now()
    begin = watch.grid.open_time(watch.grid.last_closed(now) - MOST_CANDLES + 1)
    pasts: dict[int, Past] = {}
    for first in range(0, len(market_ids), MARKETS_AT_ONCE):
        some = market_ids[first : first + MARKETS_AT_ONCE]
        histories = read_histories(connection, subject.rule.look_back, some, begin, now)
        findings = Findings()
        evaluate([subject], histories, None, [findings])
        pasts |= _pasts(subject, histories, findings)
    records = [_record(subject, POOLED, list(pasts.values()))]
    if len(market_ids) > 1:
        records += [_record(subject, id_, [past]) for id_, past in pasts.items()]
    with transaction(connection) as cursor:
        save_records(cursor, watch_id, generation, records, now)
    return len(pasts)


def _pasts(subject: Subject, histories: Mapping[int, MarketHistory], findings: Findings) -> dict[int, Past]:
    grid = subject.watch.grid
    fired: dict[int, list[int]] = {id_: [] for id_ in histories}
    for alert in findings.alerts:
        if alert.kind == "fired":
            fired[alert.market_id].append(grid.step_at(alert.open_time))
    pasts = {}
    for id_, history in histories.items():
        rows = history.candles[grid.name]
        if not len(rows.steps):
            continue
        first, last = int(rows.steps[0]), int(rows.steps[-1])
        panel = build_panel(grid, first, last, {id_: rows}, {}, {id_: last + 1})
        steps = np.arange(first, last + 1, dtype=np.int64)
        signals = np.isin(steps, fired[id_])
        known = steps >= findings.first_known.get(id_, last + 1)
        pasts[id_] = Past(steps, panel.open[0], panel.low[0], panel.close[0], signals, known)
    return pasts


def _record(subject: Subject, market_id: int, pasts: Sequence[Past]) -> StoredRecord:
    grid = subject.watch.grid
    horizons = []
    for after in subject.watch.track_record:
        record, span = track_record(pasts, after), format_duration(after * grid.length)
        horizons.append({**asdict(record), "span": span, "words": in_words(record, span)})
    first = min((int(past.steps[0]) for past in pasts), default=None)
    last = max((int(past.steps[-1]) for past in pasts), default=None)
    return StoredRecord(
        market_id,
        None if first is None else grid.open_time(first),
        None if last is None else grid.close_time(last),
        horizons,
    )
