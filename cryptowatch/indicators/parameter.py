"""The numbers an indicator takes, and their ranges."""

import math
from dataclasses import dataclass

#: The longest window a rule may ask for, in candles.
LONGEST = 2000


class BadParameterError(ValueError):
    """A parameter is not one the indicator takes, or its value is outside its range."""


@dataclass(frozen=True)
class Parameter:
    """A number that an indicator takes.

    Args:
        default: used when the rule does not give one.
        least, most: the range, both inclusive.
        whole: only whole numbers.
    """

    name: str
    default: float
    least: float
    most: float
    whole: bool = True

    def check(self, indicator: str, value: float) -> float:
        """The value, as int if it is to be whole.

        Raises:
            BadParameterError: it is not in range; the message names indicator, parameter, value and range.
        """
        ok = math.isfinite(value) and self.least <= value <= self.most and (not self.whole or value == int(value))
        if not ok:
            kind = "a whole number" if self.whole else "a number"
            raise BadParameterError(
                f"{indicator}: {self.name} must be {kind} from {self.least:g} to {self.most:g}, not {value:.15g}"
            )
        return int(value) if self.whole else float(value)


def length(default: int, name: str = "length", least: int = 1, most: int = LONGEST) -> Parameter:
    """A number of candles."""
    return Parameter(name, default, least, most)


def number(name: str, default: float, least: float, most: float) -> Parameter:
    """A number that need not be whole."""
    return Parameter(name, default, least, most, whole=False)
