"""Checking functions: of numbers, of conditions, and of the last candles."""

import ast
from typing import TYPE_CHECKING

from cryptowatch.markets.interval import Interval
from cryptowatch.rules.nodes import (
    Applied,
    Chosen,
    Condition,
    Counted,
    Crossing,
    Lasting,
    Moving,
    Node,
    Numeric,
    Windowed,
    joined,
    stretched,
)

if TYPE_CHECKING:
    from cryptowatch.rules.check import Checker

CROSSINGS = ("crosses_above", "crosses_below")
MOVES = ("rising", "falling")
#: How each function is written.
FORMS = {
    "crosses_above": "crosses_above(a, b)",
    "crosses_below": "crosses_below(a, b)",
    "rising": "rising(value, candles)",
    "falling": "falling(value, candles)",
    "ago": "ago(value, candles)",
    "change": "change(value, candles)",
    "any": "any(condition, candles)",
    "all": "all(condition, candles)",
    "count": "count(condition, candles)",
    "when": "when(condition, a, b)",
    "min": "min(a, b)",
    "max": "max(a, b)",
    "abs": "abs(value)",
    "log": "log(value)",
    "sqrt": "sqrt(value)",
}

#: Candles a function may look back.
LONGEST_WINDOW = 2000


def function(checker: "Checker", tree: ast.Call, name: str, arguments: list[ast.expr]) -> Node:
    """A call of one of `FORMS`; `arguments` holds what stands before the dot of `x.rising(3)` first.

    Raises:
        RuleError: wrong arguments.
    """
    if tree.keywords:
        keyword = tree.keywords[0]
        hint = "give it to the indicators inside" if keyword.arg == "interval" else ""
        raise checker.error(keyword, f"{name} takes no named parameters", hint)
    wanted = FORMS[name].count(",") + 1
    enough = len(arguments) >= wanted if name in ("min", "max") else len(arguments) == wanted
    if not enough:
        count = {1: "one argument", 2: "two arguments", 3: "three arguments"}[wanted]
        more = " or more" if name in ("min", "max") else ""
        raise checker.error(tree, f"{name} takes {count}{more}", f"write {FORMS[name]}")
    if name in CROSSINGS:
        return _crossing(checker, tree, name, arguments)
    if name in ("any", "all", "count"):
        return _of_conditions(checker, name, arguments)
    if name == "when":
        return _chosen(checker, arguments)
    if name in ("min", "max", "abs", "log", "sqrt"):
        return _applied(checker, tree, name, arguments)
    return _of_last(checker, name, arguments)


def _crossing(checker: "Checker", tree: ast.Call, name: str, arguments: list[ast.expr]) -> Condition:
    left, right = checker.number(arguments[0]), checker.number(arguments[1])
    checker.warn_of_comparison(arguments[1], left, right)
    left, right = checker.on_one_frame(left, right)
    frame = left.frame or right.frame
    if frame is None:
        raise checker.error(tree, "two constants never cross")
    needed = stretched(joined(left.look_back, right.look_back), 1, frame)
    return Crossing(f"{name}({left.text}, {right.text})", frame, needed, name, left, right)


def _of_last(checker: "Checker", name: str, arguments: list[ast.expr]) -> Node:
    of = checker.number(arguments[0])
    candles = _candles(checker, arguments[1], name)
    if of.frame is None:
        raise checker.error(arguments[0], "a constant never changes")
    needed = stretched(of.look_back, candles, of.frame)
    text = f"{name}({of.text}, {candles})"
    if name in MOVES:
        checker.warn_of_comparison(arguments[0], of, of)
        return Moving(text, of.frame, needed, name, of, candles)
    return Windowed(text, of.frame, needed, name, of, candles)


def _of_conditions(checker: "Checker", name: str, arguments: list[ast.expr]) -> Node:
    of = checker.condition(arguments[0])
    candles = _candles(checker, arguments[1], name)
    needed = stretched(of.look_back, candles - 1, of.frame)
    text = f"{name}({of.text}, {candles})"
    if name == "count":
        return Counted(text, of.frame, needed, of, candles)
    return Lasting(text, of.frame, needed, name, of, candles)


def _chosen(checker: "Checker", arguments: list[ast.expr]) -> Numeric:
    condition = checker.condition(arguments[0])
    numbers = [checker.number(one) for one in arguments[1:]]
    frames = {part.frame for part in (condition, *numbers) if part.frame is not None}
    if len(frames) > 1:
        condition = checker.own_condition(condition)
        numbers = [checker.own_number(one) for one in numbers]
    yes, no = numbers
    text = f"when({condition.text}, {yes.text}, {no.text})"
    needed = joined(condition.look_back, yes.look_back, no.look_back)
    return Chosen(text, condition.frame, needed, condition, yes, no)


def _applied(checker: "Checker", tree: ast.Call, name: str, arguments: list[ast.expr]) -> Numeric:
    numbers = checker.on_one_frame(*(checker.number(one) for one in arguments))
    frame: Interval | None = next((one.frame for one in numbers if one.frame is not None), None)
    if frame is None:
        raise checker.error(tree, f"{name} of constants is a constant", "write the number")
    text = f"{name}({', '.join(one.text for one in numbers)})"
    return Applied(text, frame, joined(*(one.look_back for one in numbers)), name, numbers)


def _candles(checker: "Checker", tree: ast.expr, name: str) -> int:
    value = tree.value if isinstance(tree, ast.Constant) else None
    if type(value) is not int or not 1 <= value <= LONGEST_WINDOW:
        raise checker.error(tree, f"{name}: candles must be a whole number from 1 to {LONGEST_WINDOW}")
    return value
