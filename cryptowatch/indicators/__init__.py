"""Technical indicators: functions of arrays of shape `(market, time)`, and the catalogue that names them."""

from cryptowatch.indicators import averages, momentum
from cryptowatch.indicators.catalogue import (
    ALIASES,
    CATALOGUE,
    BadParameterError,
    Indicator,
    Parameter,
    UnknownIndicatorError,
    find,
    names,
)

__all__ = [
    "ALIASES",
    "CATALOGUE",
    "BadParameterError",
    "Indicator",
    "Parameter",
    "UnknownIndicatorError",
    "averages",
    "find",
    "momentum",
    "names",
]
