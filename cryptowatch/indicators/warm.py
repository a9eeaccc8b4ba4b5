"""Compile every indicator, so that no task waits for it: `python -m cryptowatch.indicators.warm`.

Done when an image is built. numba keeps the code where NUMBA_CACHE_DIR says, for the processor NUMBA_CPU_NAME names.
"""

import numpy as np

from cryptowatch.indicators import CATALOGUE


def warm() -> int:
    """Run every indicator once, on a minute of candles; returns how many there are."""
    candles = np.ones((1, 60))
    for entry in CATALOGUE.values():
        entry.compute(*[candles] * len(entry.inputs), parameters=entry.bind((), {}))
    return len(CATALOGUE)


if __name__ == "__main__":
    print(f"{warm()} indicators are compiled")
