"""What a rule is made of, after it was checked.

A node lives on a *frame*: the grid of an interval. Plain series live on the watch's own; `interval="4h"` puts an
indicator on another, and an aligned node brings it to the watch's: what it was at the last candle closed by then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

from cryptowatch.markets.interval import Interval, interval_named

#: Candles needed of each interval, by its name.
LookBack = Mapping[str, int]


@dataclass(frozen=True)
class Node:
    """A part of a rule.

    Args:
        text: it, normalised: what figures are called and equal parts are found by.
        frame: the interval it lives on; None for a constant.
        look_back: candles of each interval that its value at one candle is computed from.
    """

    text: str
    frame: Interval | None
    look_back: LookBack = field(compare=False, hash=False)


@dataclass(frozen=True)
class Numeric(Node):
    """A part that has a number at each candle."""


@dataclass(frozen=True)
class Condition(Node):
    """A part that is true, false or unknown at each candle."""


@dataclass(frozen=True)
class Constant(Numeric):
    value: float = 0.0


@dataclass(frozen=True)
class Series(Numeric):
    name: str = "close"


@dataclass(frozen=True)
class Indicated(Numeric):
    """One output of an indicator of its input series."""

    indicator: str = ""
    output: str = ""
    parameters: tuple[tuple[str, float], ...] = ()
    sources: tuple[Numeric, ...] = ()

    @property
    def call(self) -> object:
        """What all of its outputs have in common."""
        return self.indicator, self.frame, self.parameters, self.sources


@dataclass(frozen=True)
class Flag(Numeric):
    """A condition as a number: 1 where it is true, 0 where it is false."""

    of: Condition | None = None


@dataclass(frozen=True)
class Negative(Numeric):
    of: Numeric | None = None


@dataclass(frozen=True)
class Arithmetic(Numeric):
    operator: str = "+"
    left: Numeric | None = None
    right: Numeric | None = None


@dataclass(frozen=True)
class Windowed(Numeric):
    """`ago` and `change`: beside an earlier candle."""

    function: str = ""
    of: Numeric | None = None
    candles: int = 1


@dataclass(frozen=True)
class Applied(Numeric):
    """`min`, `max`, `abs`, `log`, `sqrt` of numbers of the same candle."""

    function: str = ""
    arguments: tuple[Numeric, ...] = ()


@dataclass(frozen=True)
class Chosen(Numeric):
    """`when`: one number where a condition is true, another where it is false."""

    condition: Condition | None = None
    yes: Numeric | None = None
    no: Numeric | None = None


@dataclass(frozen=True)
class Counted(Numeric):
    """`count`: on how many of the last candles a condition was true."""

    of: Condition | None = None
    candles: int = 1


@dataclass(frozen=True)
class Lasting(Condition):
    """`any`, `all`: whether a condition was true on one, or on each, of the last candles."""

    function: str = ""
    of: Condition | None = None
    candles: int = 1


@dataclass(frozen=True)
class Moving(Condition):
    """`rising`, `falling`: each of the last candles moved that way."""

    function: str = ""
    of: Numeric | None = None
    candles: int = 1


@dataclass(frozen=True)
class Comparison(Condition):
    operator: str = "<"
    left: Numeric | None = None
    right: Numeric | None = None


@dataclass(frozen=True)
class Crossing(Condition):
    """`crosses_above`, `crosses_below`: on this candle and not on the one before."""

    function: str = ""
    left: Numeric | None = None
    right: Numeric | None = None


@dataclass(frozen=True)
class Not(Condition):
    of: Condition | None = None


@dataclass(frozen=True)
class Junction(Condition):
    """`and`, `or`."""

    operator: str = "and"
    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class AlignedNumeric(Numeric):
    """A higher interval's values on the watch's own grid."""

    of: Numeric | None = None


@dataclass(frozen=True)
class AlignedCondition(Condition):
    """A higher interval's truth on the watch's own grid."""

    of: Condition | None = None


def joined(*parts: LookBack) -> dict[str, int]:
    """What is needed to compute all of these at one candle."""
    names = {name for part in parts for name in part}
    return {name: max(part.get(name, 0) for part in parts) for name in names}


def stretched(look_back: LookBack, candles: int, frame: Interval | None) -> dict[str, int]:
    """What is needed to compute the same for `candles` more candles of `frame` before.

    Of a higher interval that was brought to `frame`, as many as close in that time.
    """
    if frame is None:
        return dict(look_back)
    return {
        name: needed + -(-candles * frame.seconds // interval_named(name).seconds) for name, needed in look_back.items()
    }


def all_parts(node: Node) -> Iterator[Node]:
    """A node and everything it is made of, equal parts once."""
    seen: set[Node] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        yield one
        for attribute in fields(one):
            value = getattr(one, attribute.name)
            inside = value if isinstance(value, tuple) else (value,)
            waiting += [part for part in inside if isinstance(part, Node)]
