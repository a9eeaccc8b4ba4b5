"""Comparisons that can be computed and hardly mean anything: of a price with a percentage, or always the same."""

from cryptowatch.indicators import find
from cryptowatch.rules import nodes

_PRICES = frozenset({"open", "high", "low", "close", "hl2", "hlc3", "ohlc4"})
#: Kinds of quantities, and what messages say of them.
KINDS = {
    "price": "a price",
    "volume": "a volume",
    "turnover": "a price times a volume",
    "percent": "a percentage or a ratio",
    "candles": "a number of candles",
    "time": "a time",
}
#: The unit of an output of the catalogue -> its kind; a change of prices is told in the same currency.
_KIND_OF_UNIT = {
    "price": "price",
    "change": "price",
    "volume": "volume",
    "turnover": "turnover",
    "percent": "percent",
    "ratio": "percent",
    "candles": "candles",
}

#: Between which values an output lies whatever the candles are, by their definitions in the catalogue.
RANGES: dict[tuple[str, str], tuple[float, float]] = {
    **{
        (name, "value"): (0.0, 100.0)
        for name in ("rsi", "mfi", "connors_rsi", "percentile_rank", "ultimate_oscillator")
    },
    **{("stoch", output): (0.0, 100.0) for output in ("k", "d")},
    **{("stochrsi", output): (0.0, 100.0) for output in ("k", "d", "raw")},
    **{("adx", output): (0.0, 100.0) for output in ("adx", "plus_di", "minus_di")},
    **{("aroon", output): (0.0, 100.0) for output in ("up", "down")},
    ("aroon", "oscillator"): (-100.0, 100.0),
    ("williams_r", "value"): (-100.0, 0.0),
    ("cmo", "value"): (-100.0, 100.0),
    ("cmf", "value"): (-1.0, 1.0),
    ("linreg", "r2"): (0.0, 1.0),
    ("bars_since", "value"): (0.0, float("inf")),
    ("atr", "value"): (0.0, float("inf")),
}
_SERIES_RANGES = {"hour": (0.0, 23.0), "weekday": (0.0, 6.0)}


def kind_of(node: nodes.Node | None) -> str:
    """What kind of quantity a number is: a key of `KINDS`, or "" where that cannot be said."""
    match node:
        case nodes.Series():
            return "price" if node.name in _PRICES else "volume" if node.name == "volume" else "time"
        case nodes.Indicated():
            entry = find(node.indicator)
            unit = entry.outputs[node.output]
            if unit in ("price", "change") and entry.inputs[0] == "source":
                return kind_of(node.sources[0])
            return _KIND_OF_UNIT.get(unit, "")
        case nodes.Negative(of=of) | nodes.AlignedNumeric(of=of) | nodes.Windowed(of=of):
            return kind_of(of)
        case nodes.Counted():
            return "candles"
        case nodes.Chosen(yes=yes, no=no):
            return kind_of(yes) if kind_of(yes) == kind_of(no) else ""
        case nodes.Applied() if node.function in ("min", "max", "abs"):
            kinds = {kind_of(one) for one in node.arguments}
            return kinds.pop() if len(kinds) == 1 else ""
        case nodes.Arithmetic(left=nodes.Numeric() as left, right=nodes.Numeric() as right):
            return _of_arithmetic(node.operator, left, right)
    return ""


def _of_arithmetic(operator: str, left: nodes.Numeric, right: nodes.Numeric) -> str:
    one, other = kind_of(left), kind_of(right)
    if operator in "+-":
        return (
            one
            if one == other or isinstance(right, nodes.Constant)
            else other
            if isinstance(left, nodes.Constant)
            else ""
        )
    if isinstance(right, nodes.Constant):
        return one
    if operator == "/":
        return "percent" if one and one == other else ""
    if isinstance(left, nodes.Constant):
        return other
    return "turnover" if {one, other} == {"price", "volume"} else ""


def unlike_kinds(left: nodes.Numeric, right: nodes.Numeric) -> str:
    """What is odd about comparing the two, as a sentence; "" when nothing is."""
    one, other = kind_of(left), kind_of(right)
    if not one or not other or one == other:
        return ""
    return f"{left.text} is {KINDS[one]} and {right.text} is {KINDS[other]}"


def always(operator: str, left: nodes.Numeric, right: nodes.Numeric) -> bool | None:
    """Whether a comparison is true, or false, whatever the candles are; None where they decide."""
    if left == right:
        return operator in ("<=", ">=")
    if operator in (">", ">="):
        left, right, operator = right, left, "<" if operator == ">" else "<="
    (least, most), (least_right, most_right) = _range(left), _range(right)
    if most < least_right or (operator == "<=" and most <= least_right):
        return True
    if least > most_right or (operator == "<" and least >= most_right):
        return False
    return None


def _range(node: nodes.Numeric) -> tuple[float, float]:
    """Between which values it lies; prices and volumes are not negative."""
    match node:
        case nodes.Constant():
            return node.value, node.value
        case nodes.Series():
            return _SERIES_RANGES.get(node.name, (0.0, float("inf")))
        case nodes.AlignedNumeric(of=nodes.Numeric() as of):
            return _range(of)
        case nodes.Windowed(of=nodes.Numeric() as of) if node.function == "ago":
            return _range(of)
        case nodes.Counted():
            return 0.0, float(node.candles)
        case nodes.Indicated():
            return RANGES.get((node.indicator, node.output), (float("-inf"), float("inf")))
    return float("-inf"), float("inf")
