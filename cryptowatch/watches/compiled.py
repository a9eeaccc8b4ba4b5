"""The rules of a watch, compiled: when it fires, and what ends that."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryptowatch.alerts.episode import Kind
from cryptowatch.markets.interval import Interval
from cryptowatch.markets.panel import Floats, Panel
from cryptowatch.rules import Memo, Rule, compile_rule
from cryptowatch.rules.let import Let
from cryptowatch.rules.nodes import Condition
from cryptowatch.watches.form import Watch


@dataclass(frozen=True)
class WatchEvaluation:
    """What the rules of a watch say of each market at each moment.

    Args:
        truth: of `when`, int8, shape `(market, moment)`: 1 true, 0 false, -1 unknown.
        ended: of `until`, likewise; None where the watch has none.
        figures: the values that `when` looks at, by their text, each float64 of the same shape.
        figures_at_end: those of `when` and of `until`.
    """

    truth: NDArray[np.int8]
    ended: NDArray[np.int8] | None
    figures: dict[str, Floats]
    figures_at_end: dict[str, Floats]

    def figures_of(self, kind: Kind) -> dict[str, Floats]:
        """The values that an alert of this kind tells."""
        return self.figures_at_end if kind == "resolved" else self.figures


@dataclass(frozen=True)
class WatchRule:
    """A watch's `when` and, if it has one, its `until`. Get one from `rule_of`."""

    when: Rule
    until: Rule | None = None
    let: Let = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What a `Memo` is told of, so that both are computed together."""
        return tuple(rule.condition for rule in self._rules)

    @property
    def look_back(self) -> dict[str, int]:
        """Candles of each interval, by its name, that the watch's state at one candle is moved by."""
        return joined_look_back(rule.look_back for rule in self._rules)

    @property
    def _rules(self) -> tuple[Rule, ...]:
        return (self.when, self.until) if self.until else (self.when,)

    def evaluate(
        self, panels: Mapping[str, Panel], first_step: int, last_step: int, memo: Memo | None = None
    ) -> WatchEvaluation:
        """Both rules at the moments from `first_step` to `last_step`, both inclusive, as `Rule.evaluate` does it.

        Args:
            panels: one for each interval of `look_back`, of the same markets, each from its load's start on.
            memo: shared with other rules that are evaluated on some of the same panels.
        """
        memo = memo or Memo(self.conditions)
        when = self.when.evaluate(panels, first_step, last_step, memo)
        if self.until is None:
            return WatchEvaluation(when.truth, None, when.figures, when.figures)
        until = self.until.evaluate(panels, first_step, last_step, memo)
        return WatchEvaluation(when.truth, until.truth, when.figures, {**when.figures, **until.figures})

    def text_of(self, kind: Kind) -> str:
        """What an alert of this kind says of the rule, as one line."""
        text = self.when.text
        if kind == "resolved" and self.until is not None:
            text = f"{text} until {self.until.text}"
        named = "; ".join(f"{name} = {meaning}" for name, meaning in self.let)
        return " ".join((f"{text} with {named}" if named else text).split())


def rule_of(watch: Watch, compile_: Callable[[str, Interval, Let], Rule] = compile_rule) -> WatchRule:
    """The compiled rules of a watch.

    Args:
        compile_: `compile_rule`, or one that remembers what it compiled.

    Raises:
        RuleError: a rule cannot be understood.
    """
    let = tuple(watch.let.items())
    return WatchRule(
        compile_(watch.when, watch.grid, let),
        compile_(watch.until, watch.grid, let) if watch.until is not None else None,
        let,
    )


def joined_look_back(look_backs: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """How far back a load must reach that serves them all: candles of each interval, by its name."""
    joined: dict[str, int] = {}
    for look_back in look_backs:
        for name, candles in look_back.items():
            joined[name] = max(candles, joined.get(name, 0))
    return joined
