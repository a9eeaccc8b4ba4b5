"""Nodes to arrays: a rule over a whole panel at once, equal parts computed once."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
_APPLIED: dict[str, Callable[..., Floats]] = {
    "min": lambda *given: functools.reduce(np.minimum, given),
    "max": lambda *given: functools.reduce(np.maximum, given),
    "abs": np.abs,
    "log": windows.log,
    "sqrt": np.sqrt,
}
_WINDOWS: dict[str, Callable[[Floats, int], Floats]] = {
    "ago": windows.ago,
    "change": windows.change,
}


class Memo:
    """What has been computed: parts that rules share, on the panels they share, are computed once.

    Args:
        conditions: of the rules that are to be evaluated: tells which outputs of an indicator are wanted.
    """

    def __init__(self, conditions: Iterable[nodes.Condition] = ()) -> None:
        self.numbers: dict[tuple[object, ...], Floats] = {}
        self.truth: dict[tuple[object, ...], Truth] = {}
        self.outputs: dict[tuple[object, ...], dict[str, Floats]] = {}
        self.wanted: dict[object, set[str]] = {}
        for condition in conditions:
            for node in nodes.all_parts(condition):
                if isinstance(node, nodes.Indicated):
                    self.wanted.setdefault(node.call, set()).add(node.output)

    @property
    def size(self) -> int:
        """Bytes of the figures it holds, each array once, and without those of the panels."""
        panels = {part for key in self.numbers for part in key if isinstance(part, Panel)}
        candles = [one for panel in panels for one in (panel.open, panel.high, panel.low, panel.close, panel.volume)]
        loaded = {id(_owner(one)) for one in candles}
        figures: list[NDArray[Any]] = [*self.numbers.values(), *self.truth.values()]
        figures += [one for outputs in self.outputs.values() for one in outputs.values()]
        held = {id(owner): owner.nbytes for owner in map(_owner, figures)}
        return sum(size for place, size in held.items() if place not in loaded)


class Evaluator:
    """Evaluates nodes over panels, one an interval, all of the same markets.

    Args:
        panels: by interval name.
        base: the watch's own interval.
        memo: what other rules computed on some of these panels.
    """

    def __init__(self, panels: Mapping[str, Panel], base: Interval, memo: Memo) -> None:
        self._panels = panels
        self._base = base
        self._memo = memo

    def numbers(self, node: nodes.Numeric) -> Floats:
        """Its value at each candle of its frame, NaN where unknown; shape `(market, time)`, or `()` for a constant."""
        key = self._key(node, node)
        if key not in self._memo.numbers:
            with np.errstate(all="ignore"):
                values = self._numbers(node)
            self._memo.numbers[key] = values
        return self._memo.numbers[key]

    def truth(self, node: nodes.Condition) -> Truth:
        """Its truth at each candle of its frame: FALSE, UNKNOWN or TRUE."""
        key = self._key(node, node)
        if key not in self._memo.truth:
            self._memo.truth[key] = self._truth(node)
        return self._memo.truth[key]

    def _key(self, part: object, node: nodes.Node) -> tuple[object, ...]:
        """A part and the panels that it is computed from."""
        return part, *(self._panels[name] for name in sorted(node.look_back))

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
            case nodes.Flag(of=nodes.Condition() as of):
                truth = self.truth(of)
                return np.where(truth == UNKNOWN, np.nan, np.where(truth == TRUE, 1.0, 0.0))
            case nodes.Negative(of=nodes.Numeric() as of):
                return -self.numbers(of)
            case nodes.Arithmetic(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                return _finite(_ARITHMETIC[node.operator](self.numbers(left), self.numbers(right)))
            case nodes.Applied():
                return _finite(_APPLIED[node.function](*(self.numbers(one) for one in node.arguments)))
            case nodes.Chosen(
                condition=nodes.Condition() as condition, yes=nodes.Numeric() as yes, no=nodes.Numeric() as no
            ):
                truth = self.truth(condition)
                chosen = np.where(truth == TRUE, self.numbers(yes), self.numbers(no))
                return np.where(truth == UNKNOWN, np.nan, chosen)
            case nodes.Counted(of=nodes.Condition() as of):
                return windows.count(self.truth(of), node.candles)
            case nodes.Windowed(of=nodes.Numeric() as of):
                return _finite(_WINDOWS[node.function](self.numbers(of), node.candles))
            case nodes.AlignedNumeric(of=nodes.Numeric() as of):
                return windows.align(self.numbers(of), self.panel(of), self.panel(node), np.nan)
        raise TypeError(f"no such number: {node!r}")

    def _outputs(self, node: nodes.Indicated) -> dict[str, Floats]:
        known = self._memo.outputs.setdefault(self._key(node.call, node), {})
        if node.output not in known:
            wanted = self._memo.wanted.get(node.call, set()) | {node.output}
            series = [self.numbers(source) for source in node.sources]
            entry = find(node.indicator)
            known |= entry.compute(*series, parameters=dict(node.parameters), outputs=list(wanted - known.keys()))
        return known

    def _truth(self, node: nodes.Condition) -> Truth:
        match node:
            case nodes.Comparison(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                return compare(node.operator, self.numbers(left), self.numbers(right))
            case nodes.Crossing(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
                sign = ">" if node.function == "crosses_above" else "<"
                return windows.crossing(compare(sign, self.numbers(left), self.numbers(right)))
            case nodes.Moving(of=nodes.Numeric() as of):
                return windows.moving(self.numbers(of), node.candles, ">" if node.function == "rising" else "<")
            case nodes.Lasting(of=nodes.Condition() as of):
                together_of_last = windows.all_of_last if node.function == "all" else windows.any_of_last
                return together_of_last(self.truth(of), node.candles)
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


def _owner(values: NDArray[Any]) -> NDArray[Any]:
    """The array whose memory these are a part of."""
    while isinstance(values.base, np.ndarray):
        values = values.base
    return values


def _finite(values: Floats) -> Floats:
    """The values, unknown where a division by zero or an overflow left no number."""
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


def _series(panel: Panel, name: str) -> Floats:
    match name:
        case "hl2":
            return (panel.high + panel.low) / 2
        case "hlc3":
            # So it is the close itself where a candle has no range.
            return panel.close + ((panel.high - panel.close) + (panel.low - panel.close)) / 3
        case "ohlc4":
            return (panel.open + panel.high + panel.low + panel.close) / 4
        case "time":
            return np.broadcast_to(panel.open_times, panel.close.shape)
        case "hour":
            return np.broadcast_to(panel.open_times // 3600 % 24, panel.close.shape)
        case "weekday":
            # 1 January 1970 was a Thursday; Monday is 0.
            return np.broadcast_to((panel.open_times // 86400 + 3) % 7, panel.close.shape)
    values: Floats = getattr(panel, name)
    return values
