"""A number of the rule language by itself, without a condition around it: for notebooks."""

from dataclasses import dataclass

import numpy as np

from cryptowatch.markets.interval import Interval
from cryptowatch.markets.panel import Floats, Panel
from cryptowatch.rules import nodes
from cryptowatch.rules.check import Checker
from cryptowatch.rules.errors import RuleError
from cryptowatch.rules.evaluate import Evaluator, Memo
from cryptowatch.rules.parse import parse


@dataclass(frozen=True)
class Number:
    """A checked expression on an interval. Get one from `compile_number`."""

    interval: Interval
    node: nodes.Numeric

    @property
    def series(self) -> set[str]:
        """The candle series it reads: `open`, `high`, `low`, `close`, `volume`, `time`."""
        read = {part.name for part in nodes.all_parts(self.node) if isinstance(part, nodes.Series)}
        made_of = {
            "hl2": {"high", "low"},
            "hlc3": {"high", "low", "close"},
            "ohlc4": {"open", "high", "low", "close"},
            "hour": {"time"},
            "weekday": {"time"},
        }
        return {name for one in read for name in made_of.get(one, {one})}

    def values(self, panel: Panel) -> Floats:
        """Its value at each candle, NaN where unknown; float64, shape `(market, time)`."""
        values = Evaluator({self.interval.name: panel}, self.interval, Memo()).numbers(self.node)
        return np.array(np.broadcast_to(values, panel.close.shape))


def compile_number(text: str, interval: Interval) -> Number:
    """Check an expression for candles of `interval`.

    Raises:
        RuleError: what is wrong, where, and what to do.
    """
    node = Checker(text, interval).number(parse(text))
    for part in nodes.all_parts(node):
        if part.frame not in (None, interval):
            raise RuleError("interval= is for rules: candles of one interval are all there is here", text)
    return Number(interval, node)
