"""Evaluate the moments that are ready: every closed candle since the last evaluated one, in order, once.

The watch state moves on and the alert rows appear in one transaction, or neither. A moment is ready when its own
market's candle is settled and each input from elsewhere is settled too, or has kept it waiting for one interval of
that input; then it is evaluated with that input unknown. Evaluation never goes back.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat

import numpy as np
import psycopg2
from aws_lambda_powertools import Logger

from cryptowatch.alerts.episode import FALSE, Kind, Policy, advance
from cryptowatch.clock import Clock
from cryptowatch.markets.interval import interval_named
from cryptowatch.markets.loads import last_closed_steps
from cryptowatch.markets.panel import Panel
from cryptowatch.pipeline.ready import MOST_OF_ONE, Frontiers, Segment, ready_segments
from cryptowatch.rules import Memo
from cryptowatch.store.database import Connection, Cursor, transaction
from cryptowatch.store.evaluation import (
    NewAlert,
    Standing,
    StoredWatch,
    frontiers,
    known_markets,
    lock_standings,
    save_alerts,
    save_standings,
)
from cryptowatch.store.panels import read_panels, reading
from cryptowatch.watches.compiled import WatchEvaluation, WatchRule
from cryptowatch.watches.policy import policy_of

logger = Logger(service="worker")

#: Moments evaluated in one transaction, over all its watches and markets: a second or two of work. A long absence is
#: caught up in several.
MOST_MOMENTS = 40_000
#: Bytes of figures kept for the other rules of a batch.
MOST_REMEMBERED = 256 * 1024 * 1024

#: Gives the compiled rules of a watch.
RuleOf = Callable[[StoredWatch], WatchRule]


class UnknownMarketsError(ValueError):
    """A message names markets that are not in the database."""


def analyse(
    writer: Connection,
    reader: Connection,
    clock: Clock,
    rule_of: RuleOf,
    interval_s: int,
    market_ids: Sequence[int],
    on_alerts: Callable[[list[int]], object],
    replica: Connection | None = None,
) -> int:
    """Evaluate what is ready on these markets for the watches that read this interval; returns the moments evaluated.

    Args:
        writer: the primary: watch state and alerts.
        reader: another connection, on which candles are read in one snapshot, taken after the states are locked.
        on_alerts: told of new alerts' ids after each transaction has committed.
        replica: to read from instead, as long as it serves; that an input did not come in time is left to `reader`.

    Raises:
        UnknownMarketsError: some ids are no markets; the others have been evaluated.
    """
    with transaction(writer) as cursor:
        known = known_markets(cursor, market_ids)
    evaluated = 0
    source = replica or reader
    again = True
    while again:
        pass_ = _Pass(clock.now(), rule_of, patient=source is replica)
        try:
            with transaction(writer) as cursor:
                alert_ids = pass_.run(cursor, source, interval_s, sorted(known))
        except psycopg2.Error as error:
            if source is not replica:
                raise
            logger.warning("replica left", extra={"error": str(error).strip()})
            source = reader
            continue
        if alert_ids:
            on_alerts(alert_ids)
        evaluated += pass_.moments
        again = pass_.cut or pass_.overdue
        if pass_.overdue:
            source = reader
    unknown = sorted(set(market_ids) - known)
    if unknown:
        raise UnknownMarketsError(f"no markets with the ids {unknown[:10]}")
    return evaluated


class _Pass:
    """One transaction's worth of evaluation.

    Args:
        patient: leave alone what could be evaluated only because an input has not come in time.
    """

    def __init__(self, now: datetime, rule_of: RuleOf, *, patient: bool) -> None:
        self.now = now
        self.rule_of = rule_of
        self.patient = patient
        self.moments = 0
        self.cut = False  # there may be more to do
        self.overdue = False  # it was patient with something

    def run(self, cursor: Cursor, reader: Connection, interval_s: int, market_ids: list[int]) -> list[int]:
        """Evaluate what is ready, in the caller's transaction; returns the new alerts' ids."""
        watches, standings = lock_standings(cursor, interval_s, market_ids)
        names = {name for watch in watches.values() for name in watch.look_back}
        alerts: list[NewAlert] = []
        moved: dict[tuple[int, int], Standing] = {}
        with reading(reader) as snapshot:
            known = {name: frontiers(snapshot, interval_named(name), market_ids) for name in names}
            segments = self._segments(watches, standings, known)
            panels = _Panels(snapshot, {watch.id: self.rule_of(watch) for watch in watches.values()})
            for segment, members in segments:
                panels.expect(watches[segment.watch_id], segment, [one.market_id for one in members])
            for segment, members in segments:
                said = panels.evaluate(watches[segment.watch_id], segment, [one.market_id for one in members])
                alerts += _move(said, members)
                moved |= {(one.watch_id, one.market_id): one for one in members}
                self.moments += len(members) * segment.length
        save_standings(cursor, watches, list(moved.values()))
        return save_alerts(cursor, alerts, self.now)

    def _segments(
        self, watches: Mapping[int, StoredWatch], standings: Sequence[Standing], known: Frontiers
    ) -> list[tuple[Segment, list[Standing]]]:
        """What is ready, gathered into segments in order of time: those of one load come together.

        Markets of a watch that stand at the same step with the same frontiers are worked out once.
        """
        alike: dict[tuple[object, ...], list[Standing]] = defaultdict(list)
        for one in standings:
            own = [known[name].get(one.market_id) for name in watches[one.watch_id].look_back]
            alike[one.watch_id, one.next_step, *own].append(one)
        found: dict[Segment, list[Standing]] = defaultdict(list)
        left = MOST_MOMENTS
        for members in alike.values():
            watch, first = watches[members[0].watch_id], members[0]
            overdue = None if self.patient else self.now
            most = max(1, min(MOST_OF_ONE, left // len(members)))
            segments = ready_segments(watch, first, known, overdue, most) if left > 0 else []
            if self.patient and not self.overdue:
                more = ready_segments(watch, first, known, self.now, most)
                self.overdue = sum(one.length for one in more) > sum(one.length for one in segments)
            length = sum(one.length for one in segments)
            self.cut = self.cut or left <= 0 or length >= most
            left -= length * len(members)
            for segment in segments:
                found[segment] += members
        for members in found.values():
            members.sort(key=lambda one: one.market_id)  # the order of a panel's rows
        return sorted(found.items(), key=lambda item: (item[0].first, item[0].watch_id))


class _Panels:
    """Loads panels for one transaction, each once, and evaluates rules on them; equal parts of rules once, too."""

    def __init__(self, cursor: Cursor, rules: Mapping[int, WatchRule]) -> None:
        self._cursor = cursor
        self._rules = rules
        self._memo = self._new_memo()
        self._expected: dict[tuple[str, int, tuple[int, ...]], set[int]] = defaultdict(set)
        self._loaded: dict[tuple[str, int, tuple[int, ...]], dict[int, Panel]] = {}

    def _new_memo(self) -> Memo:
        return Memo(one for rule in self._rules.values() for one in rule.conditions)

    def expect(self, watch: StoredWatch, segment: Segment, market_ids: list[int]) -> None:
        """Tell of a segment before any is evaluated: loads that end alike are read together."""
        ends = last_closed_steps(watch.look_back, watch.watch.grid, segment.last)
        for name, start in segment.starts:
            self._expected[name, ends[name], tuple(market_ids)].add(start)

    def evaluate(self, watch: StoredWatch, segment: Segment, market_ids: list[int]) -> "_Said":
        """What the rules say at the segment's moments, rows in the order of `market_ids`."""
        base = watch.watch.grid
        ends = last_closed_steps(watch.look_back, base, segment.last)
        panels = {name: self._panel(name, start, ends[name], market_ids) for name, start in segment.starts}
        if self._memo.size > MOST_REMEMBERED:
            self._memo = self._new_memo()
        rule = self._rules[watch.id]
        evaluation = rule.evaluate(panels, segment.first, segment.last, self._memo)
        return _Said(watch, rule, policy_of(watch.watch), segment, evaluation, panels[base.name])

    def _panel(self, name: str, first: int, last: int, market_ids: list[int]) -> Panel:
        key = (name, last, tuple(market_ids))
        if key not in self._loaded:
            starts = self._expected[key]
            self._loaded[key] = read_panels(self._cursor, interval_named(name), market_ids, starts, last)
        return self._loaded[key][first]


@dataclass(frozen=True)
class _Said:
    """What a watch's rules say of a segment, a row a market. `base` is the panel of the watch's own interval."""

    watch: StoredWatch
    rule: WatchRule
    policy: Policy
    segment: Segment
    evaluation: WatchEvaluation
    base: Panel


def _move(said: _Said, standings: Sequence[Standing]) -> list[NewAlert]:
    """Take markets, one a row, through the segment's moments: episodes and next steps move, alerts come out."""
    grid, evaluation, first = said.watch.watch.grid, said.evaluation, said.segment.first
    closes = [grid.close_time(step) for step in range(first, said.segment.last + 1)]
    truths = evaluation.truth.tolist()
    ends = repeat(repeat(None)) if evaluation.ended is None else evaluation.ended.tolist()
    never_true = (evaluation.truth == FALSE).all(axis=1).tolist()
    alerts = []
    for row, (standing, row_truths, row_ends) in enumerate(zip(standings, truths, ends, strict=False)):
        standing.next_step = said.segment.last + 1
        if never_true[row] and standing.episode.waits:
            continue
        for column, (close, truth, ended) in enumerate(zip(closes, row_truths, row_ends, strict=False)):
            standing.episode, kinds = advance(standing.episode, truth, close, said.policy, ended)
            alerts += [_alert(said, standing.market_id, row, first + column, kind) for kind in kinds]
    return alerts


def _alert(said: _Said, market_id: int, row: int, step: int, kind: Kind) -> NewAlert:
    settings = said.watch.watch
    grid, column = settings.grid, step - said.segment.first
    return NewAlert(
        watch_id=said.watch.id,
        generation=said.watch.generation,
        market_id=market_id,
        open_time=grid.open_time(step),
        close_time=grid.close_time(step),
        kind=kind,
        severity=settings.severity,
        rule=said.rule.text_of(kind),
        interval_s=grid.seconds,
        price=_number(said.base.close[row, step - said.base.first_step]),
        figures={name: _number(values[row, column]) for name, values in said.evaluation.figures_of(kind).items()},
        notify=settings.notify,
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
