"""An episode taken through many moments at once: what `advance` says of each, called only where it matters.

Most moments change nothing: a rule that stays false, or stays true after it has fired. They are skipped in stretches;
a property test holds this to `advance`, called for every moment.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cryptowatch.alerts.episode import TRUE, Episode, Kind, Policy, advance
from cryptowatch.markets.interval import Interval


class Told(NamedTuple):
    """What the candle of a step tells."""

    step: int
    kind: Kind


class Walk:
    """One watch on one market, on its way through time.

    Args:
        grid: the watch's own interval.
    """

    def __init__(self, grid: Interval, policy: Policy) -> None:
        self._grid = grid
        self._policy = policy
        self._episode = Episode()
        self._uncounted = 0  # true candles in a row that the episode has not been told of

    @property
    def episode(self) -> Episode:
        """Where it stands."""
        return replace(self._episode, run=self._episode.run + self._uncounted) if self._uncounted else self._episode

    @property
    def held(self) -> Counter[str]:
        """Episodes that were held back, by what: `cooldown`, `once`, or `period`: outside of `starts` and `expires`."""
        episode = self._episode
        return +Counter({"cooldown": episode.cooled, "once": episode.spent, "period": episode.outside})

    def through(self, truth: NDArray[np.int8], ended: NDArray[np.int8] | None, first_step: int) -> list[Told]:
        """Take the next moments, in order; gives what they tell.

        Args:
            truth: of the rule at each moment: 1 true, 0 false, -1 unknown.
            ended: of `until`, likewise; None where the watch has none.
            first_step: of the first moment.
        """
        told: list[Told] = []
        for start, stop in _stretches(truth, ended):
            end = None if ended is None else int(ended[start])
            if truth[start] == TRUE:
                told += self._while_true(end, first_step + start, first_step + stop)
            else:
                # The first one says it all: the same once more changes nothing.
                told += self._advance(int(truth[start]), end, first_step + start)
        return told

    def _while_true(self, ended: int | None, step: int, stop: int) -> list[Told]:
        told: list[Told] = []
        while step < stop:
            quiet = min(self._only_counted(ended, step), stop - step)
            self._uncounted += quiet
            step += quiet
            if step < stop:
                told += self._advance(TRUE, ended, step)
                step += 1
        return told

    def _only_counted(self, ended: int | None, step: int) -> int:
        """How many moments with a true rule, from `step` on, do nothing but count up the row of true candles."""
        episode, policy = self._episode, self._policy
        if episode.armed:
            return max(0, policy.for_ - 1 - episode.run - self._uncounted)
        if ended == TRUE and (episode.active or episode.untold):
            return 0
        if not (policy.repeat and episode.active and episode.last_told):
            return sys.maxsize
        due = max(episode.last_told + policy.repeat, self._grid.close_time(step))
        if policy.expires and due >= policy.expires:
            return sys.maxsize
        first = self._grid.last_closed(due) + (not self._grid.is_on_grid(due))  # that closes at `due` or later
        return first - step

    def _advance(self, truth: int, ended: int | None, step: int) -> list[Told]:
        before, close_time = self.episode if truth == TRUE else self._episode, self._grid.close_time(step)
        self._uncounted = 0
        self._episode, kinds = advance(before, truth, close_time, self._policy, ended)
        return [Told(step, kind) for kind in kinds]


def _stretches(truth: NDArray[np.int8], ended: NDArray[np.int8] | None) -> Iterator[tuple[int, int]]:
    """Where each stretch of equal moments begins, and where it is over."""
    if not len(truth):
        return
    differs = truth[1:] != truth[:-1]
    if ended is not None:
        differs = differs | (ended[1:] != ended[:-1])
    edges = [0, *(np.flatnonzero(differs) + 1).tolist(), len(truth)]
    yield from pairwise(edges)
