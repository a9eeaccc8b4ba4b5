"""Kleene's three values over arrays: true, false, and unknown where a figure is not known."""

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.panel import Floats

Truth = NDArray[np.int8]

#: Ordered so that `and` is the least and `or` the greatest of their parts, and `not` is `TRUE - truth`.
FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)

_COMPARISONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_TOLD = np.zeros(3, dtype=np.int8)
_TOLD[[FALSE, UNKNOWN, TRUE]] = (0, -1, 1)


def compare(sign: str, left: Floats, right: Floats) -> Truth:
    """Truth of a comparison; unknown where a side is NaN."""
    holds = _COMPARISONS[sign](left, right)
    unknown = np.isnan(left) | np.isnan(right)
    truth: Truth = TRUE * holds.view(np.int8) + UNKNOWN * unknown.view(np.int8)  # what is unknown never holds
    return truth


def told(truth: Truth) -> NDArray[np.int8]:
    """As others read it: 1 true, 0 false, -1 unknown."""
    return _TOLD[truth]
