"""Nodes to arrays: a rule over a whole panel at once, equal parts computed once."""

from collections.abc import Callable, Mapping

import numpy as np

from cryptowatch.indicators import find
from cryptowatch.markets.interval import Interval
from cryptowatch.markets.panel import Floats, Panel
from cryptowatch.rules import nodes, windows
from cryptowatch.rules.truth import TRUE, UNKNOWN, Truth, compare

_ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
_WINDOWS: dict[str, Callable[[Floats, int], Floats]] = {
    "ago": windows.ago,
    "change": windows.change,
    "highest": windows.highest,
    "lowest": windows.lowest,
}


class Evaluator:
    """Evaluates nodes over panels, one an interval, all of the same markets.

    Args:
        panels: by interval name.
        base: the watch's own interval.
    """

    def __init__(self, panels: Mapping[str, Panel], base: Interval) -> None:
        self._panels = panels
        self._base = base
        self._numbers_known: dict[object, Floats] = {}
        self._truth_known: dict[object, Truth] = {}
        self._outputs_known: dict[object, dict[str, Floats]] = {}

    def numbers(self, node: nodes.Numeric) -> Floats:
        """Its value at each candle of its frame, NaN where unknown; shape `(market, time)`, or `()` for a constant."""
        if node not in self._numbers_known:
            with np.errstate(all="ignore"):
                values = self._numbers(node)
            self._numbers_known[node] = values
        return self._numbers_known[node]

    def truth(self, node: nodes.Condition) -> Truth:
        """Its truth at each candle of its frame: FALSE, UNKNOWN or TRUE."""
        if node not in self._truth_known:
            self._truth_known[node] = self._truth(node)
        return self._truth_known[node]

    def panel(self, node: nodes.Node) -> Panel:
        """The panel of its frame."""
        return self._panels[(node.frame or self._base).name]

    def _numbers(self, node: nodes.Numeric) -> Floats:
        match node:
            case nodes.Constant():
                return np.float64(node.value)  # type: ignore[return-value]
            case nodes.Series():
                return _finite(_series(self.panel(node), node.name))
            case nodes.Indicated():
                return self._outputs(node)[node.output]
            case nodes.Negative(of=nodes.Numeric() as of):
                return -self.numbers(of)
            case nodes.Arithmetic(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                return _finite(_ARITHMETIC[node.operator](self.numbers(left), self.numbers(right)))
            case nodes.Windowed(of=nodes.Numeric() as of):
                return _finite(_WINDOWS[node.function](self.numbers(of), node.candles))
            case nodes.AlignedNumeric(of=nodes.Numeric() as of):
                return windows.align(self.numbers(of), self.panel(of), self.panel(node), np.nan)
        raise TypeError(f"no such number: {node!r}")

    def _outputs(self, node: nodes.Indicated) -> dict[str, Floats]:
        call = (node.indicator, node.frame, node.parameters, node.sources)
        if call not in self._outputs_known:
            series = [self.numbers(source) for source in node.sources]
            entry = find(node.indicator)
            self._outputs_known[call] = entry.compute(*series, parameters=dict(node.parameters))
        return self._outputs_known[call]

    def _truth(self, node: nodes.Condition) -> Truth:
        match node:
            case nodes.Comparison(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                return compare(node.operator, self.numbers(left), self.numbers(right))
            case nodes.Crossing(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                sign = ">" if node.function == "crosses_above" else "<"
                return windows.crossing(compare(sign, self.numbers(left), self.numbers(right)))
            case nodes.Moving(of=nodes.Numeric() as of):
                return windows.moving(self.numbers(of), node.candles, ">" if node.function == "rising" else "<")
            case nodes.Not(of=nodes.Condition() as of):
                return TRUE - self.truth(of)
            case nodes.Junction():
                together = np.minimum if node.operator == "and" else np.maximum
                truth = self.truth(node.parts[0])
                for part in node.parts[1:]:
                    truth = together(truth, self.truth(part))
                return truth
            case nodes.AlignedCondition(of=nodes.Condition() as of):
                return windows.align(self.truth(of), self.panel(of), self.panel(node), UNKNOWN)
        raise TypeError(f"no such condition: {node!r}")


def _finite(values: Floats) -> Floats:
    """The values, unknown where a division by zero or an overflow left no number."""
    return np.where(np.isfinite(values), values, np.nan)


def _series(panel: Panel, name: str) -> Floats:
    match name:
        case "hl2":
            return (panel.high + panel.low) / 2
        case "hlc3":
            return (panel.high + panel.low + panel.close) / 3
        case "ohlc4":
            return (panel.open + panel.high + panel.low + panel.close) / 4
    values: Floats = getattr(panel, name)
    return values
