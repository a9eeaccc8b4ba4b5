"""From a Python expression tree to checked nodes: names, types, intervals, look-backs."""

import ast
from collections.abc import Sequence
from typing import NoReturn

from cryptowatch.indicators import find, names
from cryptowatch.markets.interval import CHUNK, Interval
from cryptowatch.rules.calls import indicated, number_text
from cryptowatch.rules.errors import RuleError, RuleWarning, nearest
from cryptowatch.rules.functions import FORMS, MOVES, function
from cryptowatch.rules.levels import unlike
from cryptowatch.rules.nodes import (
    AlignedCondition,
    AlignedNumeric,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Indicated,
    Junction,
    Negative,
    Node,
    Not,
    Numeric,
    Series,
    all_parts,
    joined,
)
from cryptowatch.rules.parse import offset_of
from cryptowatch.rules.sense import always, unlike_kinds

SERIES = ("open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4", "hour", "weekday")

#: Candles of one interval that a whole rule may need.
LONGEST_LOOK_BACK = 50_000
#: Figures to compute for one market: parts of the rule times the candles each is computed over. A hundred markets
#: of them take about 300 MB of a worker's memory.
MOST_FIGURES = 400_000

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Checker:
    """Checks one rule.

    Args:
        text: the rule, for error messages.
        base: the interval that plain series are read on: the watch's own.
        warnings: gets what is understood, but hardly meant.
    """

    def __init__(self, text: str, base: Interval, warnings: list[RuleWarning] | None = None) -> None:
        self.text = text
        self.base = base
        self.warnings: list[RuleWarning] = [] if warnings is None else warnings

    def rule(self, tree: ast.expr) -> Condition:
        """The whole rule, as a condition on the watch's own grid.

        Raises:
            RuleError: with the place and what to do.
        """
        condition = self.own_condition(self.condition(tree))
        for name, candles in condition.look_back.items():
            if candles > LONGEST_LOOK_BACK:
                raise self.error(
                    tree, f"the rule looks back {candles} candles of {name}, more than {LONGEST_LOOK_BACK}"
                )
        figures = sum(
            condition.look_back.get(part.frame.name, 0) + 2 * CHUNK
            for part in all_parts(condition)
            if part.frame is not None
        )
        if figures > MOST_FIGURES:
            raise self.error(
                tree,
                f"the rule has {figures} figures to compute for a market, more than {MOST_FIGURES}",
                "use shorter lengths, or split it into two watches",
            )
        return condition

    def within(self, frame: Interval) -> "Checker":
        """One that reads plain series on `frame`."""
        return Checker(self.text, frame, self.warnings)

    def error(self, node: ast.AST, message: str, hint: str = "") -> RuleError:
        return RuleError(message, self.text, offset_of(node, self.text), hint)

    def warn_of_comparison(self, place: ast.AST, left: Numeric, right: Numeric) -> None:
        """Where comparing two sides depends on the first candle that was loaded, or they are of two kinds."""
        odd = unlike_kinds(left, right)
        if name := unlike(left, right):
            message = f"{name} counts from the first candle that is loaded: its level says nothing, only how it moves"
            hint = f"compare it with itself, like {name} > sma({name}, 20) or {name}.rising(3)"
        elif odd:
            message, hint = odd, "compare like with like, or divide one by its own average"
        else:
            return
        self.warnings.append(RuleWarning(message, offset_of(place, self.text), hint))

    def _warn_of_always(self, place: ast.AST, sign: str, left: Numeric, right: Numeric) -> None:
        said = always(sign, left, right)
        if said is not None and (left.frame or right.frame):
            message = f"{left.text} {sign} {right.text} is always {str(said).lower()}"
            self.warnings.append(RuleWarning(message, offset_of(place, self.text), "compare it with another value"))

    def condition(self, tree: ast.expr) -> Condition:
        node = self.node(tree)
        if isinstance(node, Indicated) and find(node.indicator).outputs[node.output] == "flag":
            self.warn_of_comparison(tree, node, node)
            return Comparison(f"{node.text} > 0", node.frame, node.look_back, ">", node, _constant(0))
        if not isinstance(node, Condition):
            raise self.error(tree, f"a condition is needed here, and {node.text} is a number", "compare it: < > <= >=")
        return node

    def number(self, tree: ast.expr) -> Numeric:
        node = self.node(tree)
        if not isinstance(node, Numeric):
            raise self.error(tree, f"a number is needed here, and {node.text} is a condition")
        return node

    def node(self, tree: ast.expr) -> Node:
        match tree:
            case ast.BoolOp():
                parts = [self.condition(value) for value in tree.values]
                return self._junction("and" if isinstance(tree.op, ast.And) else "or", parts)
            case ast.UnaryOp(op=ast.Not()):
                of = self.condition(tree.operand)
                return Not(f"not {_wrapped(of)}", of.frame, of.look_back, of)
            case ast.UnaryOp(op=ast.USub()):
                return self._negative(self.number(tree.operand))
            case ast.Compare():
                return self._comparison(tree)
            case ast.BinOp():
                return self._arithmetic(tree)
            case ast.Constant():
                return self._constant(tree)
            case ast.Name():
                return self._name(tree)
            case ast.Attribute():
                return self._output(tree)
            case ast.Call():
                return self._call(tree)
            case ast.Subscript():
                raise self.error(tree, "there are no [ ] in a rule", "for an earlier candle write ago(x, 1)")
        raise self.error(tree, "this is not part of the rule language", "see docs/rules.md")

    def on_one_frame(self, *numbers: Numeric) -> tuple[Numeric, ...]:
        """All on a grid they share: their own, or else that of plain series."""
        if len({one.frame for one in numbers if one.frame is not None}) <= 1:
            return numbers
        return tuple(self.own_number(one) for one in numbers)

    def own_number(self, of: Numeric) -> Numeric:
        """It on the grid of plain series."""
        if of.frame is None or of.frame == self.base:
            return of
        return AlignedNumeric(of.text, self.base, self._with_own_grid(of), of)

    def own_condition(self, of: Condition) -> Condition:
        """It on the grid of plain series."""
        if of.frame == self.base:
            return of
        return AlignedCondition(of.text, self.base, self._with_own_grid(of), of)

    def _with_own_grid(self, of: Node) -> dict[str, int]:
        # Also where nothing else is read of it, its panel tells at which moments the other one is looked at.
        return joined({self.base.name: 1}, of.look_back)

    def _junction(self, operator: str, parts: Sequence[Condition]) -> Condition:
        """Conditions joined, on the grid they share, or else on that of plain series."""
        if len({part.frame for part in parts}) > 1:
            parts = [self.own_condition(part) for part in parts]
        text = f" {operator} ".join(_wrapped(part) for part in parts)
        needed = joined(*(part.look_back for part in parts))
        return Junction(text, parts[0].frame, needed, operator, tuple(parts))

    def _negative(self, of: Numeric) -> Numeric:
        if isinstance(of, Constant):
            return _constant(-of.value)
        return Negative(f"-{_wrapped(of)}", of.frame, of.look_back, of)

    def _comparison(self, tree: ast.Compare) -> Condition:
        sides = [self.number(side) for side in (tree.left, *tree.comparators)]
        parts: list[Condition] = []
        for operator, left, right, place in zip(tree.ops, sides, sides[1:], tree.comparators, strict=False):
            sign = _COMPARISONS.get(type(operator))
            if sign is None:
                equal = isinstance(operator, ast.Eq | ast.NotEq)
                message = "prices are hardly ever equal to the last digit" if equal else "this compares nothing"
                raise self.error(place, message, "compare with < > <= >=")
            self.warn_of_comparison(place, left, right)
            self._warn_of_always(place, sign, left, right)
            left, right = self.on_one_frame(left, right)
            frame = left.frame or right.frame
            if frame is None:
                raise self.error(tree, "this compares two constants: it is always the same")
            needed = joined(left.look_back, right.look_back)
            parts.append(Comparison(f"{left.text} {sign} {right.text}", frame, needed, sign, left, right))
        if len(parts) == 1:
            return parts[0]
        return self._junction("and", parts)

    def _arithmetic(self, tree: ast.BinOp) -> Numeric:
        operator = _ARITHMETIC.get(type(tree.op))
        if operator is None:
            logical = isinstance(tree.op, ast.BitAnd | ast.BitOr)
            hint = "join conditions with and, or" if logical else "there are + - * /"
            raise self.error(tree, "this operator is not part of the rule language", hint)
        left, right = self.on_one_frame(self.number(tree.left), self.number(tree.right))
        if isinstance(left, Constant) and isinstance(right, Constant):
            return self._constant_arithmetic(tree, operator, left.value, right.value)
        if operator == "/" and isinstance(right, Constant) and right.value == 0:
            self._division_by_zero(tree)
        text = f"{_wrapped(left)} {operator} {_wrapped(right)}"
        frame = left.frame or right.frame
        return Arithmetic(text, frame, joined(left.look_back, right.look_back), operator, left, right)

    def _constant_arithmetic(self, tree: ast.BinOp, operator: str, left: float, right: float) -> Constant:
        if operator == "/" and right == 0:
            self._division_by_zero(tree)
        value = {"+": left + right, "-": left - right, "*": left * right, "/": left / (right or 1)}[operator]
        return self._limited(tree, value)

    def _division_by_zero(self, tree: ast.BinOp) -> NoReturn:
        raise self.error(tree.right, "this divides by zero")

    def _constant(self, tree: ast.Constant) -> Constant:
        value = tree.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(tree, f"{str(value)[:40]!r} is not a number")
        return self._limited(tree, value)

    def _limited(self, tree: ast.expr, value: float) -> Constant:
        if not abs(value) <= 1e15:
            raise self.error(tree, "this number is too large", "at most 1e15")
        return _constant(float(value))

    def _name(self, tree: ast.Name) -> Node:
        if tree.id in SERIES:
            return Series(tree.id, self.base, {self.base.name: 1}, tree.id)
        if tree.id in names():
            return indicated(self, tree, find(tree.id), [], [], None)
        if tree.id in FORMS:
            raise self.error(tree, f"{tree.id} is a function", f"write {FORMS[tree.id]}")
        raise self._unknown(tree, tree.id)

    def _unknown(self, tree: ast.AST, name: str) -> RuleError:
        return self.error(tree, f"unknown name {name[:40]!r}", nearest(name, [*SERIES, *names(), *FORMS]))

    def _output(self, tree: ast.Attribute) -> Node:
        """`macd(12, 26, 9).signal`: an output of an indicator."""
        call = tree.value
        name = call.func if isinstance(call, ast.Call) else call
        if isinstance(name, ast.Name) and name.id not in (*SERIES, *names(), *FORMS):
            raise self._unknown(name, name.id)
        if not isinstance(name, ast.Name) or name.id not in names():
            hint = f"write .{tree.attr}(3)" if tree.attr in MOVES else "indicators have, like macd().signal"
            raise self.error(tree, f"{ast.unparse(call)[:40]} has no outputs", hint)
        args, keywords = (call.args, call.keywords) if isinstance(call, ast.Call) else ([], [])
        return indicated(self, call, find(name.id), args, keywords, tree)

    def _call(self, tree: ast.Call) -> Node:
        if isinstance(tree.func, ast.Attribute):
            called = tree.func.attr
            if called not in MOVES:
                raise self.error(tree, f"{called[:40]!r} is not something a value can do", nearest(called, MOVES))
            return function(self, tree, called, [tree.func.value, *tree.args])
        if not isinstance(tree.func, ast.Name):
            raise self.error(tree, "this is not part of the rule language", "see docs/rules.md")
        name = tree.func.id
        if name in names():
            return indicated(self, tree, find(name), tree.args, tree.keywords, None)
        if name in FORMS:
            return function(self, tree, name, tree.args)
        if name in SERIES:
            raise self.error(tree, f"{name} is a series and takes nothing", f"write {name}")
        raise self._unknown(tree, name)


def _constant(value: float) -> Constant:
    return Constant(number_text(value), None, {}, value)


def _wrapped(node: Node) -> str:
    """Its text, in brackets where it stands beside an operator."""
    while isinstance(node, AlignedNumeric | AlignedCondition) and node.of is not None:
        node = node.of
    return f"({node.text})" if isinstance(node, Arithmetic | Junction | Comparison) else node.text
