"""Evaluate the moments that are ready: every closed candle since the last evaluated one, in order, once.

The watch state moves on and the alert rows appear in one transaction, or neither. A moment is ready when its own
market's candle is settled and each input from elsewhere is settled too, or has kept it waiting for one interval of
that input; then it is evaluated with that input unknown. Evaluation never goes back.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cryptowatch.alerts.episode import Kind, Policy, advance
from cryptowatch.clock import Clock
from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.markets.loads import last_closed_steps, load_starts
from cryptowatch.markets.panel import Panel
from cryptowatch.rules import Memo
from cryptowatch.store.database import Connection, Cursor, transaction
from cryptowatch.store.evaluation import (
    Frontier,
    NewAlert,
    Standing,
    StoredWatch,
    frontiers,
    known_markets,
    lock_standings,
    save_alerts,
    save_standings,
)
from cryptowatch.store.panels import read_panel, reading
from cryptowatch.watches.compiled import WatchEvaluation, WatchRule
from cryptowatch.watches.policy import policy_of

#: Moments evaluated in one transaction, over all its watches and markets: a second or two of work. A long absence is
#: caught up in several.
MOST_MOMENTS = 20_000
#: Of one watch and market at most, so that the others come along.
MOST_OF_ONE = 2048
#: Bytes of figures kept for the other rules of a batch.
MOST_REMEMBERED = 256 * 1024 * 1024

#: Frontiers of the markets at hand, by interval name, then market id.
Frontiers = Mapping[str, Mapping[int, Frontier]]
#: Gives the compiled rules of a watch.
RuleOf = Callable[[StoredWatch], WatchRule]


class UnknownMarketsError(ValueError):
    """A message names markets that are not in the database."""


@dataclass(frozen=True)
class Segment:
    """Moments of one watch that share their load starts: evaluated at once, for all markets that stand alike.

    Args:
        first, last: base steps, both inclusive.
        starts: the first step of the load of each interval, by name.
    """

    watch_id: int
    first: int
    last: int
    starts: tuple[tuple[str, int], ...]


def analyse(
    writer: Connection,
    reader: Connection,
    clock: Clock,
    rule_of: RuleOf,
    interval_s: int,
    market_ids: Sequence[int],
    on_alerts: Callable[[list[int]], object],
) -> int:
    """Evaluate what is ready on these markets for the watches that read this interval; returns the moments evaluated.

    Args:
        writer: the primary: watch state and alerts.
        reader: another connection, on which candles are read in one snapshot, taken after the states are locked.
        on_alerts: told of new alerts' ids after each transaction has committed.

    Raises:
        UnknownMarketsError: some ids are no markets; the others have been evaluated.
    """
    with transaction(writer) as cursor:
        known = known_markets(cursor, market_ids)
    evaluated = 0
    while True:
        with transaction(writer) as cursor:
            moments, alert_ids = _analyse_once(cursor, reader, clock.now(), rule_of, interval_s, sorted(known))
        if alert_ids:
            on_alerts(alert_ids)
        evaluated += moments
        if not moments:
            break
    unknown = sorted(set(market_ids) - known)
    if unknown:
        raise UnknownMarketsError(f"no markets with the ids {unknown[:10]}")
    return evaluated


def _analyse_once(
    cursor: Cursor, reader: Connection, now: datetime, rule_of: RuleOf, interval_s: int, market_ids: list[int]
) -> tuple[int, list[int]]:
    watches, standings = lock_standings(cursor, interval_s, market_ids)
    names = {name for watch in watches.values() for name in watch.look_back}
    alerts: list[NewAlert] = []
    moved: dict[tuple[int, int], Standing] = {}
    moments = 0
    with reading(reader) as snapshot:
        known = {name: frontiers(snapshot, interval_named(name), market_ids) for name in names}
        panels = _Panels(snapshot, {watch.id: rule_of(watch) for watch in watches.values()})
        for segment, members in _segments(watches, standings, known, now):
            watch = watches[segment.watch_id]
            ids = [one.market_id for one in members]
            said = panels.evaluate(watch, segment, ids)
            for row, standing in enumerate(members):
                alerts += _move(said, standing, row)
                moved[standing.watch_id, standing.market_id] = standing
            moments += len(members) * (segment.last - segment.first + 1)
    if moved:
        save_standings(cursor, watches, list(moved.values()))
    return moments, save_alerts(cursor, alerts, now)


def _segments(
    watches: Mapping[int, StoredWatch], standings: Sequence[Standing], known: Frontiers, now: datetime
) -> list[tuple[Segment, list[Standing]]]:
    """What is ready, market by market gathered into segments, in order of time: those of one load come together."""
    found: dict[Segment, list[Standing]] = defaultdict(list)
    left = MOST_MOMENTS
    for standing in standings:
        if left <= 0:
            break
        for segment in ready_segments(watches[standing.watch_id], standing, known, now, min(left, MOST_OF_ONE)):
            found[segment].append(standing)
            left -= segment.last - segment.first + 1
    return sorted(found.items(), key=lambda item: (item[0].first, item[0].watch_id))


def ready_segments(
    watch: StoredWatch, standing: Standing, known: Frontiers, now: datetime, most: int = MOST_OF_ONE
) -> list[Segment]:
    """The moments of one watch on one market that may be evaluated now, in order, cut where the loads' starts change.

    Args:
        now: market time, to tell which inputs from elsewhere have been waited for long enough.
        most: moments at most.
    """
    base = watch.watch.grid
    own = known[base.name].get(standing.market_id)
    if own is None:
        return []
    first = max(standing.next_step, own.first_step)
    segments: list[Segment] = []
    start, starts = first, None
    step = first
    for step in range(first, min(own.settled_to, first + most)):
        if not _is_ready(watch, standing.market_id, base, step, known, now):
            break
        here = tuple(sorted(load_starts(watch.look_back, base, step).items()))
        if starts is not None and here != starts:
            segments.append(Segment(watch.id, start, step - 1, starts))
            start = step
        starts = here
    else:
        step = min(own.settled_to, first + most)
    if starts is not None:
        segments.append(Segment(watch.id, start, step - 1, starts))
    return segments


def _is_ready(watch: StoredWatch, market_id: int, base: Interval, step: int, known: Frontiers, now: datetime) -> bool:
    starts = load_starts(watch.look_back, base, step)
    own = known[base.name][market_id]
    if own.have_from > starts[base.name]:
        return False  # older history is still on its way
    for name, last in last_closed_steps(watch.look_back, base, step).items():
        if name == base.name:
            continue
        interval = interval_named(name)
        input_ = known[name].get(market_id)
        settled = input_ is not None and input_.settled_to > last and input_.have_from <= starts[name]
        if not settled and now < interval.close_time(last) + interval.length:
            return False
    return True


class _Panels:
    """Loads panels for one transaction, each once, and evaluates rules on them; equal parts of rules once, too."""

    def __init__(self, cursor: Cursor, rules: Mapping[int, WatchRule]) -> None:
        self._cursor = cursor
        self._rules = rules
        self._memo = self._new_memo()
        self._loaded: dict[tuple[str, int, int, tuple[int, ...]], Panel] = {}

    def _new_memo(self) -> Memo:
        return Memo(one for rule in self._rules.values() for one in rule.conditions)

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
        key = (name, first, last, tuple(market_ids))
        if key not in self._loaded:
            self._loaded[key] = read_panel(self._cursor, interval_named(name), market_ids, first, last)
        return self._loaded[key]


@dataclass(frozen=True)
class _Said:
    """What a watch's rules say of a segment, a row a market. `base` is the panel of the watch's own interval."""

    watch: StoredWatch
    rule: WatchRule
    policy: Policy
    segment: Segment
    evaluation: WatchEvaluation
    base: Panel


def _move(said: _Said, standing: Standing, row: int) -> list[NewAlert]:
    """Take one market through the segment's moments: its episode and next step move, alerts come out."""
    grid, evaluation = said.watch.watch.grid, said.evaluation
    steps = range(said.segment.first, said.segment.last + 1)
    truths = evaluation.truth[row].tolist()
    ends = [None] * len(steps) if evaluation.ended is None else evaluation.ended[row].tolist()
    alerts = []
    for step, truth, ended in zip(steps, truths, ends, strict=True):
        standing.episode, kinds = advance(standing.episode, truth, grid.close_time(step), said.policy, ended)
        alerts += [_alert(said, standing.market_id, row, step, kind) for kind in kinds]
    standing.next_step = said.segment.last + 1
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
