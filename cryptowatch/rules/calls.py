"""Checking indicators: their sources, parameters and interval."""

import ast
from typing import TYPE_CHECKING

from cryptowatch.indicators import BadParameterError, Indicator
from cryptowatch.markets.interval import INTERVALS, Interval, interval_of_seconds
from cryptowatch.rules.errors import nearest
from cryptowatch.rules.functions import FORMS, MOVES
from cryptowatch.rules.nodes import (
    AlignedCondition,
    AlignedNumeric,
    Flag,
    Indicated,
    Numeric,
    Series,
    joined,
    stretched,
)

if TYPE_CHECKING:
    from cryptowatch.rules.check import Checker


def indicated(
    checker: "Checker",
    tree: ast.expr,
    entry: Indicator,
    arguments: list[ast.expr],
    keywords: list[ast.keyword],
    output: ast.Attribute | None,
) -> Numeric:
    """An output of an indicator, on the interval it names, or else on the one that its source lives on.

    Args:
        output: where the rule names one; else the default is meant.

    Raises:
        RuleError: wrong parameters, interval or output.
    """
    name = output.attr if output else entry.default_output
    if output and name not in entry.outputs:
        hint = nearest(name, entry.outputs) or f"it has {', '.join(entry.outputs)}"
        if name in FORMS:
            hint = f"write {name}(3)" if name in MOVES else f"write {name}({entry.name}(), 3)"
        raise checker.error(output, f"{entry.name} has no output {name!r}", hint)
    given, keywords = _interval(checker, keywords)
    sources, numbers = _sources(checker, tree, entry, arguments, given)
    frame = sources[0].frame or checker.base
    if entry.longest_interval_s is not None and frame.seconds > entry.longest_interval_s:
        longest = interval_of_seconds(entry.longest_interval_s)
        raise checker.error(
            tree, f"{entry.name} is never known on {frame}", f"it needs candles of {longest} or shorter"
        )
    named: dict[str, float] = {}
    for keyword in keywords:
        if keyword.arg is None or keyword.arg in named:
            raise checker.error(keyword, f"{entry.name}: a parameter is given once, by its name")
        named[keyword.arg] = _parameter(checker, keyword.value)
    try:
        bound = entry.bind(tuple(_parameter(checker, number) for number in numbers), named)
    except BadParameterError as error:
        raise checker.error(tree, str(error)) from None
    needed = stretched(
        joined(*(source.look_back for source in sources)), entry.look_back(bound, frame.seconds) - 1, frame
    )
    text = _text(entry, bound, sources, given if given != checker.base or _is_brought(sources[0]) else None, name)
    return Indicated(text, frame, needed, entry.name, name, tuple(sorted(bound.items())), sources)


def _interval(checker: "Checker", keywords: list[ast.keyword]) -> tuple[Interval | None, list[ast.keyword]]:
    """The interval that `interval=` names, and the other keywords."""
    others = [keyword for keyword in keywords if keyword.arg != "interval"]
    named = [keyword for keyword in keywords if keyword.arg == "interval"]
    if not named:
        return None, others
    if len(named) > 1:
        raise checker.error(named[1], "the interval is given twice")
    value = named[0].value
    name = value.value if isinstance(value, ast.Constant) else None
    if not isinstance(name, str):
        raise checker.error(value, "an interval is a text", 'write it in quotes, like interval="4h"')
    if name not in INTERVALS:
        raise checker.error(value, f"unknown interval {name!r}", f"one of {', '.join(INTERVALS)}")
    interval = INTERVALS[name]
    if interval < checker.base:
        raise checker.error(value, f"{interval} is shorter than {checker.base}, which this part of the rule is read on")
    return interval, others


def _sources(
    checker: "Checker", tree: ast.expr, entry: Indicator, arguments: list[ast.expr], given: Interval | None
) -> tuple[tuple[Numeric, ...], list[ast.expr]]:
    """The series an indicator reads, all on one grid, and its other arguments.

    One with a source reads its first argument instead, unless that is a number; one of a condition needs it. The grid
    is that of the interval `given`, or else the one that this first argument lives on.
    """
    on_given = checker if given is None else checker.within(given)
    own = _series(entry, on_given.base)
    if entry.inputs[0] == "condition":
        if not arguments or _is_number(arguments[0]):
            raise checker.error(tree, f"{entry.name} needs a condition", f"like {entry.name}(close > sma(20))")
        condition = on_given.condition(arguments[0])
        if given is not None:
            condition = on_given.own_condition(condition)
        return (Flag(condition.text, condition.frame, condition.look_back, condition), *own[1:]), arguments[1:]
    if not arguments or _is_number(arguments[0]):
        return own, arguments
    if entry.inputs[0] != "source":
        raise checker.error(arguments[0], f"{entry.name} reads {', '.join(entry.inputs)}, and takes only numbers")
    source = on_given.number(arguments[0])
    if source.frame is None:
        raise checker.error(arguments[0], "a constant never changes")
    if given is not None:
        return (on_given.own_number(source), *own[1:]), arguments[1:]
    return (source, *_series(entry, source.frame)[1:]), arguments[1:]


def _series(entry: Indicator, frame: Interval) -> tuple[Numeric, ...]:
    """The candle series that an indicator reads, on a grid."""
    return tuple(Series(name, frame, {frame.name: 1}, name) for name in entry.series)


def _is_brought(source: Numeric) -> bool:
    """Whether it lives on a higher interval, and was brought to the one that the indicator names."""
    return isinstance(source.of if isinstance(source, Flag) else source, AlignedNumeric | AlignedCondition)


def _parameter(checker: "Checker", tree: ast.expr) -> float:
    if not _is_number(tree):
        raise checker.error(tree, "a parameter must be a number")
    return float(ast.literal_eval(tree))


def _is_number(tree: ast.expr) -> bool:
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        tree = tree.operand
    # What is too large for a float is too large for every parameter.
    return isinstance(tree, ast.Constant) and type(tree.value) in (int, float) and abs(tree.value) < 1e300  # type: ignore[arg-type]


def _text(
    entry: Indicator, bound: dict[str, float], sources: tuple[Numeric, ...], frame: Interval | None, output: str
) -> str:
    arguments = [] if sources[0].text == entry.series[0] else [sources[0].text]
    arguments += [number_text(bound[parameter.name]) for parameter in entry.parameters]
    if frame:
        arguments.append(f'interval="{frame}"')
    suffix = f".{output}" if output != entry.default_output else ""
    return f"{entry.name}({', '.join(arguments)}){suffix}"


def number_text(value: float) -> str:
    """A number as a rule writes it, to the last digit."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
