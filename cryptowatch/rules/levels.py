"""Levels that depend on where the candles begin: on-balance volume and its like count from the first one loaded.

What a number would become had its load begun elsewhere is `factor ** scale * value + shift * constant`, with a factor
and a constant that nobody knows. `obv` has the shift 1, `nvi` the scale 1, `cumulative_return` both, most numbers none.
A comparison says something where both sides have the same, or where a mere factor is compared with 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptowatch.indicators import find
from cryptowatch.rules import nodes

#: Shift and scale of the cumulative indicators that do not add up: a product, and a share of the first value.
STARTS = {"nvi": (0.0, 1.0), "cumulative_return": (1.0, 1.0)}
#: Outputs in percent or as a ratio that divide by their source's level. The others are the same wherever it stands.
RELATIVE = frozenset(
    {
        ("bollinger", "width"),
        ("change_pct", "value"),
        ("connors_rsi", "value"),
        ("kst", "histogram"),
        ("kst", "kst"),
        ("kst", "signal"),
        ("ppo", "histogram"),
        ("ppo", "ppo"),
        ("ppo", "signal"),
        ("pvo", "histogram"),
        ("pvo", "pvo"),
        ("pvo", "signal"),
        ("roc", "value"),
        ("trix", "value"),
        ("ulcer_index", "value"),
    }
)


@dataclass(frozen=True)
class Level:
    """How a number depends on where its load begins.

    Args:
        name: the cumulative indicator that makes it do so; empty where none does.
        interval: the one that it is counted on.
        shift: how often its unknown constant is in the number.
        scale: to which power its unknown factor is.
        floating: it depends on it in another way, which nothing takes out again.
    """

    name: str = ""
    interval: str = ""
    shift: float = 0.0
    scale: float = 0.0
    floating: bool = False

    def with_(self, shift: float, scale: float) -> "Level":
        """The same indicator's, with another shift and scale: none at all where both are 0."""
        # Nine digits: of 0.1 + 0.2 - 0.3 nothing is left.
        shift, scale = float(f"{shift:.9g}"), float(f"{scale:.9g}")
        return replace(self, shift=shift, scale=scale) if shift or scale else NONE

    @property
    def lost(self) -> "Level":
        """That of what is made of this number in a way that is not followed further."""
        return replace(self, floating=True) if self.name else NONE


NONE = Level()


def unlike(left: nodes.Numeric, right: nodes.Numeric) -> str:
    """The cumulative indicator that makes comparing the two depend on where the load begins; empty when none does."""
    level = _of_either((left, right))
    return level.name if level.floating else ""


def level_of(node: nodes.Node | None) -> Level:
    """How this number depends on where its load begins."""
    match node:
        case nodes.Indicated():
            return _indicated(node)
        case nodes.Negative(of=of):
            return _times(level_of(of), -1.0)
        case nodes.AlignedNumeric(of=of):
            return level_of(of)
        case nodes.Chosen(yes=nodes.Numeric() as yes, no=nodes.Numeric() as no):
            return _of_either((yes, no))
        case nodes.Windowed(of=of):
            return _moves(level_of(of)) if node.function == "change" else level_of(of)
        case nodes.Applied():
            return _applied(node)
        case nodes.Arithmetic(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
            if node.operator in "+-":
                return _sum(left, right, 1.0 if node.operator == "+" else -1.0)
            return _product(left, right, 1.0 if node.operator == "*" else -1.0)
    return NONE


def _indicated(node: nodes.Indicated) -> Level:
    """What an indicator leaves of its source's level: all in the same unit, the scale in differences, else nothing."""
    entry = find(node.indicator)
    if entry.cumulative:
        shift, scale = STARTS.get(entry.name, (1.0, 0.0))
        return Level(entry.name, node.frame.name if node.frame else "", shift, scale)
    level = level_of(node.sources[0])
    if entry.outputs[node.output] == "price" or level.floating:
        return level
    if entry.outputs[node.output] == "change":
        return _moves(level)
    return level.lost if level.shift and (entry.name, node.output) in RELATIVE else NONE


def _moves(level: Level) -> Level:
    """That of a difference of two such numbers."""
    return level if level.floating else level.with_(0.0, level.scale)


def _times(level: Level, by: float) -> Level:
    if level.floating or not level.name:
        return level
    return level.with_(level.shift * by, level.scale if by else 0.0)


def _is_zero(node: nodes.Numeric) -> bool:
    return isinstance(node, nodes.Constant) and node.value == 0


def _of_either(numbers: Iterable[nodes.Numeric]) -> Level:
    """The level that all of them have; a factor leaves 0 as it is. Floating where they differ."""
    every = list(numbers)
    levels = [level_of(one) for one in every]
    known = {level for one, level in zip(every, levels, strict=True) if not _is_zero(one)}
    first = next((level for level in levels if level.name), NONE)
    shifted_zero = first.shift and any(map(_is_zero, every))
    return first.lost if len(known) > 1 or shifted_zero else first


def _sum(left: nodes.Numeric, right: nodes.Numeric, sign: float) -> Level:
    levels = level_of(left), _times(level_of(right), sign)
    one, other = levels
    if not (one.name and other.name):
        level, beside = (one, right) if one.name else (other, left)
        return level if not level.scale or _is_zero(beside) else level.lost
    same = (one.name, one.interval, one.scale) == (other.name, other.interval, other.scale)
    if one.floating or other.floating or not same:
        return one.lost
    return one.with_(one.shift + other.shift, one.scale)


def _product(left: nodes.Numeric, right: nodes.Numeric, power: float) -> Level:
    one, other = level_of(left), level_of(right)
    if isinstance(right, nodes.Constant):
        # A constant divisor is never 0: the checker refuses it.
        return _times(one, right.value if power > 0 else 1 / right.value)
    if isinstance(left, nodes.Constant) and power > 0:
        return _times(other, left.value)
    if left == right and power < 0:
        return NONE
    level = one if one.name else other
    same = not (one.name and other.name) or (one.name, one.interval) == (other.name, other.interval)
    if one.floating or other.floating or one.shift or other.shift or not same:
        return level.lost
    return level.with_(0.0, one.scale + power * other.scale)


def _applied(node: nodes.Applied) -> Level:
    if node.function in ("min", "max"):
        return _of_either(node.arguments)
    level = level_of(node.arguments[0])
    if level.floating or level.shift:
        return level.lost
    if node.function == "log":
        return level.with_(level.scale, 0.0)
    return level.with_(0.0, level.scale / 2) if node.function == "sqrt" else level
