"""From a Python expression tree to checked nodes: names, types, parameters, intervals, look-backs."""

import ast
import difflib
from collections.abc import Iterable

from cryptowatch.indicators import CATALOGUE, BadParameterError, Indicator
from cryptowatch.markets.interval import Interval, UnknownIntervalError, interval_named
from cryptowatch.rules.errors import RuleError
from cryptowatch.rules.nodes import (
    AlignedCondition,
    AlignedNumeric,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Crossing,
    Indicated,
    Junction,
    Moving,
    Negative,
    Node,
    Not,
    Numeric,
    Series,
    Windowed,
    joined,
    stretched,
)
from cryptowatch.rules.parse import offset_of

SERIES = ("open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4")
CROSSINGS = ("crosses_above", "crosses_below")
MOVES = ("rising", "falling")
WINDOWS = ("ago", "change", "highest", "lowest")

#: Candles a window function may look back.
LONGEST_WINDOW = 2000
#: Candles of one interval that a whole rule may need.
LONGEST_LOOK_BACK = 50_000

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Checker:
    """Checks one rule.

    Args:
        text: the rule, for error messages.
        base: the watch's own interval.
    """

    def __init__(self, text: str, base: Interval) -> None:
        self.text = text
        self.base = base

    def rule(self, tree: ast.expr) -> Condition:
        """The whole rule, as a condition on the watch's own grid.

        Raises:
            RuleError: with the place and what to do.
        """
        condition = self._own_condition(self.condition(tree))
        for name, candles in condition.look_back.items():
            if candles > LONGEST_LOOK_BACK:
                raise self.error(
                    tree, f"the rule looks back {candles} candles of {name}, more than {LONGEST_LOOK_BACK}"
                )
        return condition

    def error(self, node: ast.AST, message: str, hint: str = "") -> RuleError:
        return RuleError(message, self.text, offset_of(node, self.text), hint)

    def condition(self, tree: ast.expr) -> Condition:
        node = self.node(tree)
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
                parts = tuple(self._own_condition(self.condition(value)) for value in tree.values)
                operator = "and" if isinstance(tree.op, ast.And) else "or"
                text = f" {operator} ".join(_wrapped(part) for part in parts)
                return Junction(text, self.base, joined(*(part.look_back for part in parts)), operator, parts)
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
        raise self.error(tree, "this is not part of the rule language", "see docs/rules.md")

    def _negative(self, of: Numeric) -> Numeric:
        if isinstance(of, Constant):
            return Constant(f"-{of.text}", None, {}, -of.value)
        return Negative(f"-{_wrapped(of)}", of.frame, of.look_back, of)

    def _comparison(self, tree: ast.Compare) -> Condition:
        sides = [self.number(side) for side in (tree.left, *tree.comparators)]
        parts: list[Condition] = []
        for operator, left, right, place in zip(tree.ops, sides, sides[1:], tree.comparators, strict=False):
            sign = _COMPARISONS.get(type(operator))
            if sign is None:
                raise self.error(place, "prices are hardly ever equal to the last digit", "compare with < > <= >=")
            if isinstance(left, Constant) and isinstance(right, Constant):
                raise self.error(tree, "this compares two constants: it is always the same")
            left, right = self._on_one_frame(left, right)
            needed = joined(left.look_back, right.look_back)
            text = f"{left.text} {sign} {right.text}"
            parts.append(Comparison(text, left.frame or right.frame, needed, sign, left, right))
        if len(parts) == 1:
            return parts[0]
        own = tuple(self._own_condition(part) for part in parts)
        return Junction(
            " and ".join(part.text for part in own), self.base, joined(*(p.look_back for p in own)), "and", own
        )

    def _arithmetic(self, tree: ast.BinOp) -> Numeric:
        operator = _ARITHMETIC.get(type(tree.op))
        if operator is None:
            raise self.error(tree, "this operator is not part of the rule language", "there are + - * /")
        left, right = self._on_one_frame(self.number(tree.left), self.number(tree.right))
        text = f"{_wrapped(left)} {operator} {_wrapped(right)}"
        frame = left.frame or right.frame
        return Arithmetic(text, frame, joined(left.look_back, right.look_back), operator, left, right)

    def _constant(self, tree: ast.Constant) -> Constant:
        value = tree.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(tree, f"{str(value)[:40]!r} is not a number")
        if not abs(value) <= 1e15:
            raise self.error(tree, "this number is too large", "at most 1e15")
        return Constant(ast.unparse(tree), None, {}, float(value))

    def _name(self, tree: ast.Name) -> Node:
        if tree.id in SERIES:
            return Series(tree.id, self.base, {self.base.name: 1}, tree.id)
        if tree.id in CATALOGUE:
            return self._indicated(tree, CATALOGUE[tree.id], [], [], None)
        raise self._unknown(tree, tree.id)

    def _unknown(self, tree: ast.AST, name: str) -> RuleError:
        known = [*SERIES, *CATALOGUE, *CROSSINGS, *MOVES, *WINDOWS]
        return self.error(tree, f"unknown name {name!r}", _nearest(name, known))

    def _output(self, tree: ast.Attribute) -> Node:
        """`macd(12, 26, 9).signal`: an output of an indicator."""
        call = tree.value
        name = call.func if isinstance(call, ast.Call) else call
        if not isinstance(name, ast.Name) or name.id not in CATALOGUE:
            raise self.error(tree, f"{ast.unparse(call)[:40]} has no outputs", "indicators have, like macd().signal")
        args, keywords = (call.args, call.keywords) if isinstance(call, ast.Call) else ([], [])
        return self._indicated(call, CATALOGUE[name.id], args, keywords, tree)

    def _call(self, tree: ast.Call) -> Node:
        if isinstance(tree.func, ast.Attribute):
            function = tree.func.attr
            if function not in MOVES:
                raise self.error(tree, f"{function!r} is not something a value can do", _nearest(function, MOVES))
            return self._function(tree, function, [tree.func.value, *tree.args])
        if not isinstance(tree.func, ast.Name):
            raise self.error(tree, "this is not part of the rule language", "see docs/rules.md")
        name = tree.func.id
        if name in CATALOGUE:
            return self._indicated(tree, CATALOGUE[name], tree.args, tree.keywords, None)
        if name in (*CROSSINGS, *MOVES, *WINDOWS):
            return self._function(tree, name, tree.args)
        if name in SERIES:
            raise self.error(tree, f"{name} is a series and takes nothing", f"write {name}")
        raise self._unknown(tree, name)

    def _function(self, tree: ast.Call, name: str, arguments: list[ast.expr]) -> Node:
        if tree.keywords:
            raise self.error(tree, f"{name} takes no named parameters")
        if len(arguments) != 2:
            form = f"{name}(a, b)" if name in CROSSINGS else f"{name}(value, candles)"
            raise self.error(tree, f"{name} takes two arguments", f"write {form}")
        if name in CROSSINGS:
            left, right = self._on_one_frame(self.number(arguments[0]), self.number(arguments[1]))
            frame = left.frame or right.frame
            if frame is None:
                raise self.error(tree, "two constants never cross")
            needed = stretched(joined(left.look_back, right.look_back), 1, frame)
            return Crossing(f"{name}({left.text}, {right.text})", frame, needed, name, left, right)
        of = self.number(arguments[0])
        candles = self._candles(arguments[1], name)
        if of.frame is None:
            raise self.error(arguments[0], "a constant never changes")
        before = candles - 1 if name in ("highest", "lowest") else candles
        needed = stretched(of.look_back, before, of.frame)
        text = f"{name}({of.text}, {candles})"
        if name in MOVES:
            return Moving(text, of.frame, needed, name, of, candles)
        return Windowed(text, of.frame, needed, name, of, candles)

    def _candles(self, tree: ast.expr, function: str) -> int:
        value = tree.value if isinstance(tree, ast.Constant) else None
        if type(value) is not int or not 1 <= value <= LONGEST_WINDOW:
            raise self.error(tree, f"{function}: candles must be a whole number from 1 to {LONGEST_WINDOW}")
        return value

    def _indicated(
        self,
        tree: ast.expr,
        entry: Indicator,
        arguments: list[ast.expr],
        keywords: list[ast.keyword],
        output: ast.Attribute | None,
    ) -> Numeric:
        name = output.attr if output else entry.outputs[0]
        if name not in entry.outputs:
            assert output is not None
            hint = _nearest(name, entry.outputs) or f"it has {', '.join(entry.outputs)}"
            raise self.error(output, f"{entry.name} has no output {name!r}", hint)
        frame, keywords = self._frame(keywords)
        source, numbers = self._source(arguments, frame)
        named: dict[str, float] = {}
        for keyword in keywords:
            if keyword.arg is None or keyword.arg in named:
                raise self.error(keyword, f"{entry.name}: a parameter is given once, by its name")
            named[keyword.arg] = self._parameter(keyword.value)
        try:
            bound = entry.bind(tuple(self._parameter(number) for number in numbers), named)
        except BadParameterError as error:
            raise self.error(tree, str(error)) from None
        needed = stretched(source.look_back, entry.look_back(bound) - 1, frame)
        text = _call_text(entry, bound, source, frame if frame != self.base else None, name)
        return Indicated(text, frame, needed, entry.name, name, tuple(sorted(bound.items())), source)

    def _frame(self, keywords: list[ast.keyword]) -> tuple[Interval, list[ast.keyword]]:
        """The interval that `interval=` names, and the other keywords."""
        others = [keyword for keyword in keywords if keyword.arg != "interval"]
        named = [keyword for keyword in keywords if keyword.arg == "interval"]
        if not named:
            return self.base, others
        value = named[0].value
        try:
            text = value.value if isinstance(value, ast.Constant) else None
            interval = interval_named(text if isinstance(text, str) else ast.unparse(value))
        except UnknownIntervalError as error:
            raise self.error(value, str(error), 'write it in quotes, like interval="4h"') from None
        if interval.seconds < self.base.seconds:
            raise self.error(value, f"{interval} is shorter than the watch's own interval, {self.base}")
        return interval, others

    def _source(self, arguments: list[ast.expr], frame: Interval) -> tuple[Numeric, list[ast.expr]]:
        """The series an indicator reads (its first argument, unless that is a number; else the close)."""
        if not arguments or _is_number(arguments[0]):
            return Series("close", frame, {frame.name: 1}, "close"), arguments
        inner = Checker(self.text, self.base)
        inner.base = frame
        source = inner.number(arguments[0])
        if source.frame is None:
            raise self.error(arguments[0], "a constant never changes")
        if source.frame != frame:
            source = AlignedNumeric(source.text, frame, source.look_back, source)
        return source, arguments[1:]

    def _parameter(self, tree: ast.expr) -> float:
        if not _is_number(tree):
            raise self.error(tree, "a parameter must be a number")
        return float(ast.literal_eval(tree))

    def _on_one_frame(self, left: Numeric, right: Numeric) -> tuple[Numeric, Numeric]:
        if left.frame is None or right.frame is None or left.frame == right.frame:
            return left, right
        return self._own_number(left), self._own_number(right)

    def _own_number(self, of: Numeric) -> Numeric:
        if of.frame is None or of.frame == self.base:
            return of
        return AlignedNumeric(of.text, self.base, of.look_back, of)

    def _own_condition(self, of: Condition) -> Condition:
        if of.frame == self.base:
            return of
        return AlignedCondition(of.text, self.base, of.look_back, of)


def _is_number(tree: ast.expr) -> bool:
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        tree = tree.operand
    return isinstance(tree, ast.Constant) and type(tree.value) in (int, float)


def _call_text(entry: Indicator, bound: dict[str, float], source: Numeric, frame: Interval | None, output: str) -> str:
    arguments = [] if source.text == "close" else [source.text]
    arguments += [f"{bound[parameter.name]:g}" for parameter in entry.parameters]
    if frame:
        arguments.append(f'interval="{frame}"')
    suffix = f".{output}" if output != entry.outputs[0] else ""
    return f"{entry.name}({', '.join(arguments)}){suffix}"


def _wrapped(node: Node) -> str:
    """Its text, in brackets where it stands beside an operator."""
    return f"({node.text})" if isinstance(node, Arithmetic | Junction | Comparison) else node.text


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
