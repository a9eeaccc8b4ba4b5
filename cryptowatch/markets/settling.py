"""When a step of a market's grid is settled, so that the moment may be evaluated.

A step is settled when its candle is stored; or *missing*: error-free answers whose asked ranges cover it do not hold
it, and either a later candle of that market is stored, or a minute has passed since its close and the source has
shown that step for another market; or *unobtainable*: a hole with stored candles before it that the source no
longer serves.

Answers are asked for in one ascending run, so two frontiers say all of it: `covered_to` (every answer up to there was
free of errors) and `settled_to` (every step before it is settled).
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

#: How long after its close a source that shows a step for another market may still show it for this one.
GRACE = timedelta(minutes=1)


def settle(
    settled_to: int,
    covered_to: int,
    stored: Sequence[int],
    shown_elsewhere: Collection[int],
    grace_over_to: int,
) -> int:
    """The new settled frontier: the first step that is not settled, at least `settled_to`.

    Args:
        settled_to: the frontier so far; the steps before it are settled.
        covered_to: the first step not covered by error-free answers.
        stored: steps >= `settled_to` whose candles are stored, ascending.
        shown_elsewhere: steps the source has shown for another market.
        grace_over_to: the first step that closed less than a minute ago, by the source's clock.
    """
    frontier = settled_to
    if stored:
        frontier = max(frontier, min(stored[-1] + 1, covered_to))
    while frontier < min(covered_to, grace_over_to) and frontier in shown_elsewhere:
        frontier += 1
    return frontier


def lost_range(settled_to: int | None, covered_to: int | None, history_start: int | None) -> tuple[int, int] | None:
    """The steps `[from, to)` that have become unobtainable, or None.

    Args:
        settled_to: the settled frontier; None before the market's first candle (then nothing can be lost).
        covered_to: the first step not covered by error-free answers.
        history_start: the oldest step the source still serves; None when it serves all.
    """
    if settled_to is None or covered_to is None or history_start is None:
        return None
    start = max(settled_to, covered_to)
    return (start, history_start) if start < history_start else None
