"""What the group's own scaling policy asks for: CloudWatch's metric math, read from the deployed policy.

The expression is parsed and evaluated node by node: numbers, the metrics' names, `+ - * /`, comparisons, `IF` and
`FILL`. A metric that is missing is None and makes all it is used in None, as in CloudWatch.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Number = float | None

_OPERATIONS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

#: The group shrinks when it would still be this far below its target: it must not swing.
SHRINK_BELOW = 0.9


class MetricMathError(ValueError):
    """An expression holds something that is not understood here."""


def evaluate(expression: str, metrics: Mapping[str, Number]) -> Number:
    """The value of a metric math expression.

    Example:
        >>> evaluate("(lv+FILL(li,0))*0.2/(10*2)/IF(n>0,n,1)", {"lv": 100, "li": None, "n": 0})
        1.0

    Raises:
        MetricMathError: with what is not understood.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        raise MetricMathError(f"not an expression: {expression!r}") from None
    return _value(tree.body, metrics)


def _value(node: ast.expr, metrics: Mapping[str, Number]) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in metrics:
            return metrics[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _operation(op, _value(left, metrics), _value(right, metrics))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATIONS:
            return _operation(op, _value(left, metrics), _value(right, metrics))
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, filling], keywords=[]):
            value = _value(filled, metrics)
            return _value(filling, metrics) if value is None else value
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise], keywords=[]):
            true = _value(condition, metrics)
            return None if true is None else _value(then if true else otherwise, metrics)
    raise MetricMathError(f"not understood in metric math: {ast.unparse(node)}")


def _operation(op: ast.AST, left: Number, right: Number) -> Number:
    if left is None or right is None or (isinstance(op, ast.Div) and right == 0):
        return None
    return float(_OPERATIONS[type(op)](left, right))


def wanted(load: Number, target: float, in_service: int) -> int | None:
    """How many instances target tracking asks for; None when it asks for no change."""
    if load is None or in_service == 0:
        return None
    if load > target or load < SHRINK_BELOW * target:
        return math.ceil(in_service * load / target - 1e-9)
    return None


def metrics_of(policy: Mapping[str, Any]) -> tuple[str, float, dict[str, tuple[str, str]]]:
    """Of a target tracking policy: its expression, its target, and each metric's name and dimension by its id."""
    tracking = policy["TargetTrackingConfiguration"]
    metrics = tracking["CustomizedMetricSpecification"]["Metrics"]
    (expression,) = [one["Expression"] for one in metrics if one.get("ReturnData", True)]
    read = {one["Id"]: one["MetricStat"]["Metric"] for one in metrics if "MetricStat" in one}
    names = {name: (one["MetricName"], one["Dimensions"][0]["Value"]) for name, one in read.items()}
    return expression, float(tracking["TargetValue"]), names
