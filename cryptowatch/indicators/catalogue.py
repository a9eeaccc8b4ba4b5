"""The catalogue: everything that is known of an indicator stands in one entry, beside its function.

Adding one: a function of arrays, an `@indicator` entry above it, a row in the tests.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cryptowatch.markets.panel import Floats

Parameters = Mapping[str, float]
#: The input series, each `(market, time)`, then the parameters; gives each output as a new array.
Function = Callable[..., Mapping[str, Floats]]

#: Share of an old value that is left when a recursive average no longer knows its start.
FORGOTTEN = 1e-10


class BadParameterError(ValueError):
    """A parameter is not one the indicator takes, or its value is outside its range."""


class UnknownIndicatorError(KeyError):
    """No indicator has this name."""


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
        """The value, if it is in range.

        Raises:
            BadParameterError: it is not; the message names indicator, parameter, value and range.
        """
        ok = math.isfinite(value) and self.least <= value <= self.most and (not self.whole or value == int(value))
        if not ok:
            kind = "a whole number" if self.whole else "a number"
            raise BadParameterError(
                f"{indicator}: {self.name} must be {kind} from {self.least:g} to {self.most:g}, not {value:.15g}"
            )
        return value


@dataclass(frozen=True)
class Indicator:
    """One entry of the catalogue.

    Args:
        parameters: in the order a rule may give them.
        inputs: the series it reads. One that reads a single series takes any other in its place.
        outputs: their names; the first is meant when a rule names none.
        first_defined: candles before an output's first value, for given parameters: one number, or one an output.
        look_back: candles after which the start no longer matters, for given parameters.
        formula: how it is computed, in words a chart user knows.
        source: where the definition stands.
        engine: what computes it: `numba`.
        function: arrays in, arrays out.
    """

    name: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    first_defined: Callable[[Parameters], int | Mapping[str, int]]
    look_back: Callable[[Parameters], int]
    formula: str
    source: str
    engine: str
    function: Function

    def warm_up(self, parameters: Parameters, output: str | None = None) -> int:
        """Candles before the first value of `output`, or of the default one."""
        first = self.first_defined(parameters)
        return first if isinstance(first, int) else first[output or self.outputs[0]]

    def compute(self, *series: Floats, parameters: Parameters) -> dict[str, Floats]:
        """Each output, of the same shape as the input series; NaN where it is unknown, never infinite.

        Args:
            series: the inputs, in order: float64, shape `(market, time)`, finite or NaN.
            parameters: what `bind` gave.

        Example:
            >>> import numpy as np
            >>> find("sma").compute(np.array([[1.0, 2.0, 4.0]]), parameters={"length": 2})["value"]
            array([[nan, 1.5, 3. ]])
        """
        with np.errstate(all="ignore"):
            outputs = self.function(*(np.ascontiguousarray(one) for one in series), parameters)
        for values in outputs.values():
            values[~np.isfinite(values)] = np.nan
        return dict(outputs)

    def bind(self, positional: tuple[float, ...], named: Mapping[str, float]) -> dict[str, float]:
        """Parameter values by name: what a rule gave, defaults for the rest.

        Raises:
            BadParameterError: too many, unknown, twice given, or out of range.
        """
        names = [parameter.name for parameter in self.parameters]
        if len(positional) > len(names):
            many = f"{len(names)} number" + ("s" if len(names) != 1 else "")
            raise BadParameterError(f"{self.name} takes at most {many}: {', '.join(names)}")
        given = dict(zip(names, positional, strict=False))
        for name, value in named.items():
            if name not in names:
                raise BadParameterError(f"{self.name} has no parameter {name!r}: it has {', '.join(names)}")
            if name in given:
                raise BadParameterError(f"{self.name}: {name} is given twice")
            given[name] = value
        bound = {
            parameter.name: parameter.check(self.name, given.get(parameter.name, parameter.default))
            for parameter in self.parameters
        }
        if "fast" in bound and "slow" in bound and bound["fast"] >= bound["slow"]:
            raise BadParameterError(
                f"{self.name}: fast must be less than slow, not {bound['fast']:g} and {bound['slow']:g}"
            )
        return bound


CATALOGUE: dict[str, Indicator] = {}


def indicator(
    name: str,
    *parameters: Parameter,
    inputs: tuple[str, ...] = ("close",),
    outputs: tuple[str, ...] = ("value",),
    warm_up: Callable[[Parameters], int | Mapping[str, int]],
    look_back: Callable[[Parameters], int],
    formula: str,
    source: str,
    engine: str = "numba",
) -> Callable[[Function], Function]:
    """Enter the decorated function into the catalogue under `name`; the arguments are those of `Indicator`."""

    def enter(function: Function) -> Function:
        CATALOGUE[name] = Indicator(
            name, parameters, inputs, outputs, warm_up, look_back, formula, source, engine, function
        )
        return function

    return enter


def find(name: str) -> Indicator:
    """The indicator called `name`.

    Raises:
        UnknownIndicatorError: there is none.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        raise UnknownIndicatorError(name) from None


def forgets(weight: float) -> int:
    """Candles after which an average with this weight for the newest value has forgotten its start."""
    return math.ceil(math.log(FORGOTTEN) / math.log1p(-weight)) if weight < 1 else 1
