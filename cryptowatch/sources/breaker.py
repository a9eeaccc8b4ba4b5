"""When a source that fails is left alone, and for how long.

After a run that got nothing it is tried again the next minute. After a few it is left alone, longer each time, and
one run tries it when that is over: the first one that gets answers ends it.
"""

import random

#: Runs in a row that got nothing before a source is left alone.
PATIENCE = 3
#: Seconds it is left alone at first; twice as long each time, up to the most.
FIRST_S = 60.0
LONGEST_S = 900.0


def wait_seconds(failures: int, asked_to_wait: float | None) -> float:
    """How long to leave a source alone after so many failures in a row; 0 when it may be tried again at once.

    A part of it is chance, so that those who failed together do not come back together.

    Args:
        asked_to_wait: seconds the source asked for; never less than that.
    """
    own = 0.0
    if failures >= PATIENCE:
        own = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - PATIENCE, 10)) * random.uniform(0.5, 1.0)
    return max(own, asked_to_wait or 0.0)
