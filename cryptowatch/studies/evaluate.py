"""What watches would have told over candles of the past: by the live code, on the loads that live would have had."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cryptowatch.alerts.episode import UNKNOWN, Kind
from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.markets.panel import Bools, Panel
from cryptowatch.rules import Memo
from cryptowatch.rules.windows import align, take
from cryptowatch.studies.history import History, MarketHistory
from cryptowatch.studies.moments import Segment, segments
from cryptowatch.studies.subject import Alert, Findings, Subject, span_of
from cryptowatch.studies.walk import Walk
from cryptowatch.watches.compiled import WatchEvaluation
from cryptowatch.watches.form import Watch

#: Markets to evaluate together, as in one message to a worker.
MOST_TOGETHER = 100

#: Told of moments that are done.
Progress = Callable[[int], object]


def evaluate(
    subjects: Sequence[Subject],
    markets: Mapping[int, MarketHistory],
    start: datetime | None,
    findings: Sequence[Findings],
    progress: Progress = lambda moments: None,
) -> None:
    """Take each of these watches through the past of its markets.

    Args:
        markets: `MOST_TOGETHER` is a good number of them; those that no watch is on are left alone.
        start: when the watches were applied; None: before the first candle.
        findings: one a watch: what is found is added to it.
    """
    history = History(markets)
    groups: dict[tuple[str, frozenset[int]], list[int]] = {}
    for index, subject in enumerate(subjects):
        here = subject.markets.intersection(markets)
        groups.setdefault((subject.watch.interval, here), []).append(index)
    for (name, ids), group in groups.items():
        some = {id_: markets[id_] for id_ in sorted(ids)}
        runs = [_Run(subjects[index], some, start, findings[index]) for index in group]
        for run, segment, memo in _in_order(runs, interval_named(name), history):
            progress(run.evaluate(segment, history, memo))
        for run in runs:
            run.end()


def _in_order(runs: Sequence["_Run"], grid: Interval, history: History) -> Iterator[tuple["_Run", Segment, Memo]]:
    """The segments of watches on the same markets in the order of time: equal parts of rules are computed once."""
    spans = [span for span in runs[0].spans.values() if span[0] <= span[1]]
    if not spans:
        return
    first, last = min(first for first, _ in spans), max(last for _, last in spans)
    cut = [
        (segment, place)
        for place, run in enumerate(runs)
        for segment in segments(run.subject.rule.look_back, grid, first, last)
    ]
    chunk, memo = None, Memo()
    for segment, place in sorted(cut):
        if Interval.chunk_start(segment.first) != chunk:
            chunk = Interval.chunk_start(segment.first)
            memo = Memo(one for run in runs for one in run.subject.rule.conditions)
            history.forget()
        yield runs[place], segment, memo


class _Run:
    """One watch on its way through the past of some markets."""

    def __init__(
        self, subject: Subject, markets: Mapping[int, MarketHistory], start: datetime | None, findings: Findings
    ) -> None:
        self.subject = subject
        self.spans = {id_: span_of(subject, market, start) for id_, market in markets.items()}
        self._findings = findings
        self._walks = {id_: Walk(subject.watch.grid, subject.policy) for id_ in markets}

    def evaluate(self, segment: Segment, history: History, memo: Memo) -> int:
        """Take every market through the segment's moments; gives how many these were."""
        ids = [id_ for id_, (first, last) in self.spans.items() if first <= segment.last and segment.first <= last]
        if not ids:
            return 0
        said = _say(self.subject, segment, history, memo, ids)
        done = 0
        for row, id_ in enumerate(ids):
            first, last = max(segment.first, self.spans[id_][0]), min(segment.last, self.spans[id_][1])
            here = slice(first - segment.first, last - segment.first + 1)
            truth = said.evaluation.truth[row, here]
            ended = None if said.evaluation.ended is None else said.evaluation.ended[row, here]
            told = self._walks[id_].through(truth, ended, first)
            self._findings.alerts += [said.alert(row, *one) for one in told]
            self._count(id_, first, truth, None if said.missing is None else said.missing[row, here])
            done += len(truth)
        return done

    def end(self) -> None:
        """Add up what is known once all segments are done."""
        grid = self.subject.watch.grid
        for id_, (first, last) in self.spans.items():
            if first > last:
                continue
            self._findings.went(id_, grid.open_time(first), grid.close_time(last))
            self._findings.held += self._walks[id_].held
            if id_ not in self._findings.first_known:
                self._findings.never_known.append(id_)

    def _count(self, id_: int, first: int, truth: NDArray[np.int8], missing: Bools | None) -> None:
        self._findings.moments += len(truth)
        known = truth != UNKNOWN
        unknown = len(truth) - int(np.count_nonzero(known))
        if unknown and id_ not in self._findings.first_known:
            early = int(np.argmax(known)) if unknown < len(truth) else unknown
            self._findings.too_little_history += early
            unknown -= early
        self._findings.unknown += unknown
        if known.any():
            self._findings.first_known.setdefault(id_, first + int(np.argmax(known)))
        if missing is not None:
            self._findings.perhaps_late += int(np.count_nonzero(missing))


@dataclass(frozen=True)
class _Said:
    """What a watch's rules say of a segment, a row a market.

    Args:
        base: the panel of the watch's own interval.
        missing: at which moments a candle of a higher interval was missing; None: it reads none.
    """

    watch: Watch
    segment: Segment
    evaluation: WatchEvaluation
    base: Panel
    missing: Bools | None

    def alert(self, row: int, step: int, kind: Kind) -> Alert:
        column, grid = step - self.segment.first, self.base.interval
        figures = self.evaluation.figures_of(kind)
        return Alert(
            watch=self.watch.name,
            market_id=self.base.market_ids[row],
            interval=grid.name,
            open_time=grid.open_time(step),
            close_time=grid.close_time(step),
            kind=kind,
            price=_number(self.base.close[row, step - self.base.first_step]),
            values={text: _number(values[row, column]) for text, values in figures.items()},
        )


def _say(subject: Subject, segment: Segment, history: History, memo: Memo, ids: Sequence[int]) -> _Said:
    panels = {name: history.panel(interval_named(name), first, last, ids) for name, first, last in segment.loads}
    base = panels[subject.watch.interval]
    evaluation = subject.rule.evaluate(panels, segment.first, segment.last, memo)
    return _Said(subject.watch, segment, evaluation, base, _missing_inputs(panels, base, segment))


def _missing_inputs(panels: Mapping[str, Panel], base: Panel, segment: Segment) -> Bools | None:
    if len(panels) == 1:
        return None
    moments = np.arange(segment.first, segment.last + 1, dtype=np.int64) - base.first_step
    found = np.zeros((len(base.market_ids), len(moments)), dtype=np.bool_)
    for panel in panels.values():
        if panel is not base:
            found |= take(align(panel.filled, panel, base, False), moments, False)
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
