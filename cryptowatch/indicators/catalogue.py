"""The catalogue: everything that is known of an indicator stands in one entry, above its function.

Adding one: a function of one market's series with an `@indicator` entry above it, and a row in the tests. The
function's signature says what it reads, takes and gives; the entry says the rest.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from cryptowatch.indicators.kernel import Kernel, Series
from cryptowatch.indicators.parameter import LONGEST, BadParameterError, Parameter, length, number
from cryptowatch.indicators.run import rooms, run, run_plain
from cryptowatch.markets.panel import Floats

# What an entry is written with, beside the decorator.
__all__ = [
    "ALIASES",
    "CATALOGUE",
    "LONGEST",
    "BadParameterError",
    "Drawn",
    "Indicator",
    "Parameter",
    "Parameters",
    "Unit",
    "UnknownIndicatorError",
    "find",
    "forgets",
    "indicator",
    "length",
    "names",
    "number",
]

#: What an output is measured in. `price`: what its source is measured in; `change`: differences of that; `percent`,
#: `ratio`, `candles` and `flag` (0 or 1): the same whatever prices are measured in; `turnover`: price times volume.
Unit = Literal["price", "change", "percent", "ratio", "candles", "flag", "volume", "turnover"]
#: Where a chart draws it: over the candles, or in a pane of its own below.
Drawn = Literal["price", "pane"]

#: Share of an old value that is left when a recursive average no longer knows its start.
FORGOTTEN = 1e-10

Answer = TypeVar("Answer")
#: Parameters by name: whole ones are int, the others float.
Parameters = Mapping[str, float]


class UnknownIndicatorError(KeyError):
    """No indicator has this name."""


@dataclass(frozen=True)
class Indicator:
    """One entry of the catalogue.

    Args:
        title: its full name.
        module: where it stands: those of one module are one kind.
        inputs: the series it reads. Where the first is `source`, another series may take the place of `source_default`;
            where it is `condition`, a rule must give one: 1 where it is true, 0 where it is not.
        parameters: in the order a rule may give them.
        ascending: parameters of which each must be less than the next.
        outputs: their units by name; the first is meant when a rule names none.
        optional: outputs that the function leaves out when they are of no length: nobody wants them then.
        first_defined: candles before an output's first value, for given parameters: one number, or one an output.
        candles_needed: candles, this one among them, after which the start no longer matters, for given parameters.
            Both may also ask for `interval_s`, the seconds a candle is long: a day holds more short ones.
        drawn: where a chart shows it, with `levels`: lines that mean something.
        cumulative: the level depends on where the series starts; only how it moves says something.
        flips: it switches sides for good, so an older start may matter for ever: its look-back is a convention.
        longest_interval_s: seconds of the longest candles on which it is ever known; None where it is on all.
        formula: how it is computed, in words a chart user knows.
        source: where the definition stands.
        notes: conventions, and where others differ.
        aliases: other names that a rule may use.
        engine: what computes it: `numba`, or the library `ta`.
        function: of one market's known candles; writes each output.
    """

    name: str
    title: str
    module: str
    inputs: tuple[str, ...]
    source_default: str
    parameters: tuple[Parameter, ...]
    ascending: tuple[str, ...]
    outputs: Mapping[str, Unit]
    optional: tuple[str, ...]
    first_defined: Callable[..., int | Mapping[str, int]]
    candles_needed: Callable[..., int]
    drawn: Drawn
    levels: tuple[float, ...]
    cumulative: bool
    flips: bool
    longest_interval_s: int | None
    formula: str
    source: str
    notes: str
    aliases: tuple[str, ...]
    function: Kernel | Callable[..., None]

    @property
    def engine(self) -> str:
        return "numba" if isinstance(self.function, Kernel) else "ta"

    @property
    def group(self) -> str:
        """Its module's own name: `momentum`."""
        return self.module.rsplit(".", 1)[-1]

    @property
    def default_output(self) -> str:
        """The output that is meant when a rule names none."""
        return next(iter(self.outputs))

    @property
    def series(self) -> tuple[str, ...]:
        """The candle series it reads when no other is given."""
        return tuple(self.source_default if name == "source" else name for name in self.inputs)

    def warm_up(self, parameters: Parameters, output: str | None = None, interval_s: int = 60) -> int:
        """Candles before the first value of `output`, or of the default one."""
        first = _asked(self.first_defined, parameters, interval_s)
        return first if isinstance(first, int) else first[output or self.default_output]

    def look_back(self, parameters: Parameters, interval_s: int = 60) -> int:
        """Candles, this one among them, that a value is computed from; what is older no longer matters."""
        return _asked(self.candles_needed, parameters, interval_s)

    def compute(
        self, *series: Floats, parameters: Parameters, outputs: Sequence[str] | None = None
    ) -> dict[str, Floats]:
        """The outputs, of the same shape as the input series; NaN where unknown, never infinite.

        Args:
            series: the inputs, in order: float64, shape `(market, time)`. What is not finite counts as unknown.
            parameters: what `bind` gave.
            outputs: the names of those that are wanted; without it, all. The others take no memory.

        Raises:
            ValueError: not as many series as inputs, or not all of one shape.

        Example:
            >>> import numpy as np
            >>> find("sma").compute(np.array([[1.0, 2.0, 4.0]]), parameters={"length": 2})["value"]
            array([[nan, 1.5, 3. ]])
        """
        wanted = list(self.outputs) if outputs is None else [name for name in self.outputs if name in outputs]
        inputs = [np.ascontiguousarray(one, dtype=np.float64) for one in series]
        shape = self._shape(inputs)
        room = dict(zip(wanted, rooms(len(wanted), shape), strict=True))
        spare = {name: np.empty((1, 0 if name in self.optional else shape[1])) for name in self.outputs}
        outs = [room.get(name, spare[name]) for name in self.outputs]
        numbers = [parameters[one.name] for one in self.parameters]
        kept = [name in room for name in self.outputs]
        if isinstance(self.function, Kernel):
            run(self.function, inputs, numbers, outs, kept)
        else:
            run_plain(self.function, inputs, numbers, outs, kept)
        return room

    def _shape(self, series: Sequence[Floats]) -> tuple[int, int]:
        shapes = {one.shape for one in series}
        if len(series) != len(self.inputs) or len(shapes) != 1 or len(series[0].shape) != 2:
            shown = ", ".join(str(one.shape) for one in series)
            raise ValueError(
                f"{self.name} reads {', '.join(self.inputs)}, all of one shape (market, time), not {shown}"
            )
        markets, steps = series[0].shape
        return markets, steps

    def bind(self, positional: Sequence[float], named: Mapping[str, float]) -> dict[str, float]:
        """Parameter values by name: what a rule gave, defaults for the rest.

        Raises:
            BadParameterError: too many, unknown, twice given, or out of range.
        """
        names = [parameter.name for parameter in self.parameters]
        if len(positional) > len(names):
            many = f"at most {len(names)} number{'s' if len(names) > 1 else ''}: {', '.join(names)}"
            raise BadParameterError(f"{self.name} takes {many if names else 'no numbers'}")
        given = dict(zip(names, positional, strict=False))
        for name, value in named.items():
            if name not in names:
                has = f"it has {', '.join(names)}" if names else "it has none"
                raise BadParameterError(f"{self.name} has no parameter {name!r}: {has}")
            if name in given:
                raise BadParameterError(f"{self.name}: {name} is given twice")
            given[name] = value
        bound = {one.name: one.check(self.name, given.get(one.name, one.default)) for one in self.parameters}
        for less, more in zip(self.ascending, self.ascending[1:], strict=False):
            if bound[less] >= bound[more]:
                raise BadParameterError(
                    f"{self.name}: {less} must be less than {more}, not {bound[less]:g} and {bound[more]:g}"
                )
        return bound


def _asked(function: Callable[..., Answer], parameters: Parameters, interval_s: int) -> Answer:
    if "interval_s" in inspect.signature(function).parameters:
        return function(**parameters, interval_s=interval_s)
    return function(**parameters)


#: Every indicator by its name.
CATALOGUE: dict[str, Indicator] = {}
#: Names that mean another one.
ALIASES: dict[str, str] = {}


def indicator(
    title: str,
    *parameters: Parameter,
    outputs: Mapping[str, Unit],
    optional: tuple[str, ...] = (),
    warm_up: Callable[..., int | Mapping[str, int]],
    look_back: Callable[..., int],
    formula: str,
    source: str,
    notes: str = "",
    drawn: Drawn = "pane",
    levels: tuple[float, ...] = (),
    cumulative: bool = False,
    flips: bool = False,
    longest_interval_s: int | None = None,
    ascending: tuple[str, ...] = (),
    source_default: str = "close",
    aliases: tuple[str, ...] = (),
) -> Callable[[Kernel | Callable[..., None]], Kernel | Callable[..., None]]:
    """Enter the decorated function into the catalogue under its own name; the arguments are those of `Indicator`.

    Its arguments are first the series it reads (`Series`), then the parameters, then the outputs (`Out`), each by the
    name the entry uses; an output may have a `_` behind it, where a parameter has the same name. `warm_up` and
    `look_back` get the parameters by name.
    """

    def enter(function: Kernel | Callable[..., None]) -> Kernel | Callable[..., None]:
        plain = function.function if isinstance(function, Kernel) else function
        arguments = inspect.signature(plain).parameters
        inputs = [one.name for one in arguments.values() if one.annotation is Series]
        numbers = [one.name for one in parameters]
        if [*inputs, *numbers, *outputs] != [name.rstrip("_") for name in arguments]:
            raise TypeError(f"{plain.__name__}: its entry names {numbers} and {list(outputs)}, in that order")
        CATALOGUE[plain.__name__] = Indicator(
            name=plain.__name__,
            title=title,
            module=plain.__module__,
            inputs=tuple(inputs),
            source_default=source_default,
            parameters=parameters,
            ascending=ascending,
            outputs=outputs,
            optional=optional,
            first_defined=warm_up,
            candles_needed=look_back,
            drawn=drawn,
            levels=levels,
            cumulative=cumulative,
            flips=flips,
            longest_interval_s=longest_interval_s,
            formula=formula,
            source=source,
            notes=notes,
            aliases=aliases,
            function=function,
        )
        ALIASES.update(dict.fromkeys(aliases, plain.__name__))
        return function

    return enter


def names() -> list[str]:
    """Every name a rule may use for an indicator."""
    return [*CATALOGUE, *ALIASES]


def find(name: str) -> Indicator:
    """The indicator called `name`, or that `name` is an alias of.

    Raises:
        UnknownIndicatorError: there is none.
    """
    try:
        return CATALOGUE[ALIASES.get(name, name)]
    except KeyError:
        raise UnknownIndicatorError(name) from None


def forgets(weight: float) -> int:
    """Candles after which an average with this weight for the newest value has forgotten its start."""
    return math.ceil(math.log(FORGOTTEN) / math.log1p(-weight)) if weight < 1 else 1
