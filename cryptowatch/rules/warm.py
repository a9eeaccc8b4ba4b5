"""Compile all that rules compute with, so that no task waits for it: `python -m cryptowatch.rules.warm`.

Done when an image is built. numba keeps the code where NUMBA_CACHE_DIR says, for the processor NUMBA_CPU_NAME names.
"""

import numpy as np

from cryptowatch.indicators import CATALOGUE
from cryptowatch.rules import windows


def warm() -> int:
    """Run every indicator, and every function that is compiled, once; returns how many there are."""
    candles = np.ones((1, 60))
    for entry in CATALOGUE.values():
        entry.compute(*[candles] * len(entry.inputs), parameters=entry.bind((), {}))
    windows.log(candles)
    return len(CATALOGUE) + 1


if __name__ == "__main__":
    print(f"{warm()} indicators and functions are compiled")
