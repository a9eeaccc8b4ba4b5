"""A compiled rule: what it needs, and what it says of a panel."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.markets.panel import Floats, Panel
from cryptowatch.rules import nodes
from cryptowatch.rules.check import Checker
from cryptowatch.rules.errors import RuleWarning
from cryptowatch.rules.evaluate import Evaluator, Memo
from cryptowatch.rules.let import Let, parse_with
from cryptowatch.rules.truth import UNKNOWN, told
from cryptowatch.rules.windows import align, columns_at, take, too_much_filled

#: Share of a look-back's candles that may be filled ones before a rule no longer trusts it.
MAX_FILLED_SHARE = 0.5
#: Candles that share is taken of at least: a single quiet candle does not make `close > 100` unknown.
LEAST_TRUSTED = 10


@dataclass(frozen=True)
class Evaluation:
    """What a rule says of each market at each moment.

    Args:
        truth: int8, shape `(market, moment)`: 1 true, 0 false, -1 unknown.
        figures: the values its comparisons look at, by their text, each float64 of the same shape.
    """

    truth: NDArray[np.int8]
    figures: dict[str, Floats]


@dataclass(frozen=True)
class Rule:
    """A checked rule on an interval. Get one from `compile_rule`.

    Args:
        warnings: what it can hardly mean.
    """

    text: str
    interval: Interval
    condition: nodes.Condition
    warnings: tuple[RuleWarning, ...] = field(default=(), compare=False)

    @property
    def look_back(self) -> dict[str, int]:
        """Candles of each interval, by its name, that the rule's truth at one candle is computed from."""
        return {self.interval.name: 1, **self.condition.look_back}

    def evaluate(
        self, panels: Mapping[str, Panel], first_step: int, last_step: int, memo: Memo | None = None
    ) -> Evaluation:
        """The rule's truth and figures for the moments from `first_step` to `last_step`, both inclusive.

        Args:
            panels: one for each interval of `look_back`, of the same markets, each from its load's start on.
            memo: shared with other rules that are evaluated on some of the same panels.
        """
        base = panels[self.interval.name]
        evaluator = Evaluator(panels, self.interval, memo or Memo([self.condition]))
        moments = np.arange(first_step, last_step + 1, dtype=np.int64) - base.first_step
        truth = take(evaluator.truth(self.condition), moments, UNKNOWN)
        for name, candles in self.look_back.items():
            panel = panels[name]
            columns = moments if panel is base else columns_at(moments, panel, base)
            truth[too_much_filled(panel, columns, max(candles, LEAST_TRUSTED), MAX_FILLED_SHARE)] = UNKNOWN
        figures: dict[str, Floats] = {}
        for node in _figures(self.condition):
            values = evaluator.numbers(node)
            panel = evaluator.panel(node)
            if panel is not base:
                values = align(values, panel, base, np.nan)
            figures[node.text] = take(values, moments, np.nan)
        return Evaluation(told(truth), figures)


def compile_rule(text: str, interval: Interval, let: Let = ()) -> Rule:
    """Check a rule for a watch on `interval`.

    Args:
        let: names for parts of it, and the texts they stand for.

    Raises:
        RuleError: what is wrong, where, and what to do.

    Example:
        >>> from cryptowatch.markets.interval import INTERVALS
        >>> compile_rule("close > sma(20)", INTERVALS["1h"]).look_back
        {'1h': 20}
    """
    checker = Checker(text, interval)
    condition = checker.rule(parse_with(text, let))
    return Rule(text, interval, condition, tuple(checker.warnings))


def warm_up() -> None:
    """Load the compiler and the loop over markets, so that the first evaluation does not wait for them.

    Compiled indicators then load in milliseconds each. Where none is on disk yet, one is compiled when a rule needs it.
    """
    interval = interval_named("1m")
    rule = compile_rule("sma(2) > 0", interval)
    column = np.ones((1, 8))
    none_filled = np.zeros((1, 8), dtype=np.bool_)
    panel = Panel(interval, 0, (1,), column, column, column, column, column, none_filled)
    rule.evaluate({interval.name: panel}, 0, 7)


def _figures(node: nodes.Node) -> list[nodes.Numeric]:
    """The numeric parts that conditions look at, in order of appearance, without constants and repeats."""
    match node:
        case nodes.Junction():
            found = [figure for part in node.parts for figure in _figures(part)]
        case nodes.Not(of=of) | nodes.AlignedCondition(of=of) | nodes.Lasting(of=of) if of is not None:
            found = _figures(of)
        case nodes.Comparison() | nodes.Crossing():
            found = [side for side in (node.left, node.right) if side is not None]
        case nodes.Moving(of=of) if of is not None:
            found = [of]
        case _:
            found = []
    plain = [_plain(figure) for figure in found]
    return list({figure.text: figure for figure in plain if figure.frame is not None}.values())


def _plain(figure: nodes.Numeric) -> nodes.Numeric:
    return figure.of if isinstance(figure, nodes.AlignedNumeric) and figure.of is not None else figure
