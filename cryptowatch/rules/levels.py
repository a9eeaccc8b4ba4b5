"""Levels that depend on where the candles begin: on-balance volume and its like count from the first one loaded."""

from cryptowatch.indicators import find
from cryptowatch.rules import nodes


def floating_level(node: nodes.Node | None) -> str | None:
    """The cumulative indicator whose level this number stands on; None when it stands on none.

    A difference of two such levels, and what only measures movement, stand on none.
    """
    match node:
        case nodes.Indicated():
            entry = find(node.indicator)
            if entry.cumulative:
                return entry.name
            # An average of a level is one; an oscillator of it, or the distance of two averages, is not.
            same_unit = entry.outputs[node.output] == "price" and entry.inputs[0] == "source"
            return floating_level(node.sources[0]) if same_unit else None
        case nodes.Negative(of=of) | nodes.AlignedNumeric(of=of):
            return floating_level(of)
        case nodes.Applied(arguments=arguments):
            return next((level for level in map(floating_level, arguments) if level), None)
        case nodes.Chosen(yes=yes, no=no):
            return floating_level(yes) or floating_level(no)
        case nodes.Windowed(of=of):
            return None if node.function == "change" else floating_level(of)
        case nodes.Arithmetic(left=left, right=right):
            levels = floating_level(left), floating_level(right)
            return None if node.operator == "-" and all(levels) else levels[0] or levels[1]
    return None
