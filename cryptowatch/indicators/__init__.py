"""Technical indicators: functions of arrays of shape `(market, time)`, and the catalogue that names them."""

from cryptowatch.indicators import averages, momentum
from cryptowatch.indicators.catalogue import (
    CATALOGUE,
    BadParameterError,
    Indicator,
    Parameter,
    UnknownIndicatorError,
    find,
)

__all__ = [
    "CATALOGUE",
    "BadParameterError",
    "Indicator",
    "Parameter",
    "UnknownIndicatorError",
    "averages",
    "find",
    "momentum",
]
