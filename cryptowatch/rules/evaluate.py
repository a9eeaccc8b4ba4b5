"""Nodes to arrays: a rule over a whole panel at once, equal parts computed once."""

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cryptowatch.indicators import find
from cryptowatch.markets.interval import Interval
from cryptowatch.markets.panel import Bools, Floats, Panel
from cryptowatch.rules import nodes

Truth = NDArray[np.int8]

#: Kleene's three values, ordered so that `and` is the least and `or` the greatest of their parts.
FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)


class Evaluator:
    """Evaluates nodes over panels, one an interval, all of the same markets.

    Args:
        panels: by interval name.
        base: the watch's own interval.
    """

    def __init__(self, panels: Mapping[str, Panel], base: Interval) -> None:
        self._panels = panels
        self._base = base
        self._known: dict[tuple[str, str | None, type], NDArray[np.float64] | Truth] = {}

    def numbers(self, node: nodes.Numeric) -> Floats:
        """Its value at each candle of its frame, NaN where unknown; shape `(market, time)`, or `()` for a constant."""
        key = (node.text, node.frame.name if node.frame else None, type(node))
        if key not in self._known:
            with np.errstate(all="ignore"):
                values = self._numbers(node)
            self._known[key] = np.where(np.isfinite(values), values, np.nan)
        return cast(Floats, self._known[key])

    def truth(self, node: nodes.Condition) -> Truth:
        """Its truth at each candle of its frame: FALSE, UNKNOWN or TRUE."""
        key = (node.text, node.frame.name if node.frame else None, type(node))
        if key not in self._known:
            self._known[key] = self._truth(node)
        return cast(Truth, self._known[key])

    def _panel(self, node: nodes.Node) -> Panel:
        return self._panels[(node.frame or self._base).name]

    def _numbers(self, node: nodes.Numeric) -> Floats:
        match node:
            case nodes.Constant():
                return np.float64(node.value)  # type: ignore[return-value]
            case nodes.Series():
                return _series(self._panel(node), node.name)
            case nodes.Indicated(source=nodes.Numeric() as source):
                outputs = find(node.indicator).compute(
                    np.ascontiguousarray(self.numbers(source)), dict(node.parameters)
                )
                return outputs[node.output]
            case nodes.Negative(of=nodes.Numeric() as of):
                return -self.numbers(of)
            case nodes.Arithmetic(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                return _ARITHMETIC[node.operator](self.numbers(left), self.numbers(right))
            case nodes.Windowed(of=nodes.Numeric() as of):
                return _WINDOWS[node.function](self.numbers(of), node.candles)
            case nodes.AlignedNumeric(of=nodes.Numeric() as of):
                return self._aligned(self.numbers(of), of, node, np.nan)
        raise TypeError(f"no such number: {node!r}")

    def _truth(self, node: nodes.Condition) -> Truth:
        match node:
            case nodes.Comparison(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                return compare(node.operator, self.numbers(left), self.numbers(right))
            case nodes.Crossing(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                sign = ">" if node.function == "crosses_above" else "<"
                return _crossing(compare(sign, self.numbers(left), self.numbers(right)))
            case nodes.Moving(of=nodes.Numeric() as of):
                values = self.numbers(of)
                sign = ">" if node.function == "rising" else "<"
                return _all_of_last(compare(sign, values, _ago(values, 1)), node.candles)
            case nodes.Not(of=nodes.Condition() as of):
                return TRUE - self.truth(of)
            case nodes.Junction():
                together = np.minimum if node.operator == "and" else np.maximum
                truth = self.truth(node.parts[0])
                for part in node.parts[1:]:
                    truth = together(truth, self.truth(part))
                return truth
            case nodes.AlignedCondition(of=nodes.Condition() as of):
                return self._aligned(self.truth(of), of, node, UNKNOWN)
        raise TypeError(f"no such condition: {node!r}")

    def _aligned(self, values: NDArray, of: nodes.Node, to: nodes.Node, unknown: object) -> NDArray:  # type: ignore[type-arg]
        return align(values, self._panel(of), self._panel(to), unknown)


def align(values: NDArray, source: Panel, target: Panel, unknown: object) -> NDArray:  # type: ignore[type-arg]
    """Columns of `source`'s grid, at each column of `target`'s: the last step closed when the target's step closes.

    `unknown` where that step is outside the source panel: before its start, or not settled yet.
    """
    steps = np.arange(target.first_step, target.first_step + target.width, dtype=np.int64)
    closes = target.interval.offset + (steps + 1) * target.interval.seconds
    columns = (closes - source.interval.offset) // source.interval.seconds - 1 - source.first_step
    inside = (columns >= 0) & (columns < source.width)
    out = np.full((values.shape[0], len(steps)), unknown, dtype=values.dtype)
    out[:, inside] = values[:, columns[inside]]
    return out


def compare(sign: str, left: Floats, right: Floats) -> Truth:
    """Truth of a comparison; unknown where a side is NaN."""
    holds = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[sign](left, right)
    unknown = np.isnan(left) | np.isnan(right)
    return np.where(unknown, UNKNOWN, np.where(holds, TRUE, FALSE)).astype(np.int8)


def too_much_filled(panel: Panel, look_back: int, most: float) -> Bools:
    """Where more than the share `most` of the last `look_back` candles were filled ones; shape `(market, time)`."""
    counted = ~np.isnan(panel.close)
    filled = _sums_of_last(panel.filled, look_back)
    return filled > most * _sums_of_last(counted, look_back)


def _sums_of_last(flags: Bools, candles: int) -> NDArray[np.int64]:
    sums = np.cumsum(flags, axis=1, dtype=np.int64)
    sums[:, candles:] -= sums[:, :-candles].copy()
    return sums


def _series(panel: Panel, name: str) -> Floats:
    match name:
        case "hl2":
            return (panel.high + panel.low) / 2
        case "hlc3":
            return (panel.high + panel.low + panel.close) / 3
        case "ohlc4":
            return (panel.open + panel.high + panel.low + panel.close) / 4
    return cast(Floats, getattr(panel, name))


def _ago(values: Floats, candles: int) -> Floats:
    out = np.full_like(values, np.nan)
    out[:, candles:] = values[:, :-candles]
    return out


def _extreme(values: Floats, candles: int, function: np.ufunc) -> Floats:
    out = np.full_like(values, np.nan)
    if values.shape[1] >= candles:
        windows = np.lib.stride_tricks.sliding_window_view(values, candles, axis=1)
        out[:, candles - 1 :] = function.reduce(windows, axis=2)
    return out


def _all_of_last(truth: Truth, candles: int) -> Truth:
    out = truth.copy()
    for back in range(1, candles):
        out[:, back:] = np.minimum(out[:, back:], truth[:, :-back])
        out[:, :back] = np.minimum(out[:, :back], UNKNOWN)
    return out


def _crossing(now: Truth) -> Truth:
    before = np.full_like(now, UNKNOWN)
    before[:, 1:] = now[:, :-1]
    crossing: Truth = np.minimum(now, TRUE - before)
    return crossing


_ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
_WINDOWS: dict[str, Callable[[Floats, int], Floats]] = {
    "ago": _ago,
    "change": lambda values, candles: values - _ago(values, candles),
    "highest": lambda values, candles: _extreme(values, candles, np.maximum),
    "lowest": lambda values, candles: _extreme(values, candles, np.minimum),
}
