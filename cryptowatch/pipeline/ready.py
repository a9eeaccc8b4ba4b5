"""Which moments may be evaluated.

The market's own candle is settled, and each input from elsewhere too, or it has kept the moment waiting for one
interval of that input.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.markets.loads import last_closed_steps, load_starts
from cryptowatch.store.evaluation import Frontier, Standing, StoredWatch

#: Of one watch and market at most, so that the others come along.
MOST_OF_ONE = 2048

#: Frontiers of the markets at hand, by interval name, then market id.
Frontiers = Mapping[str, Mapping[int, Frontier]]


@dataclass(frozen=True)
class Segment:
    """Moments of one watch that share their load starts: evaluated at once, for all markets that stand alike.

    Args:
        first, last: base steps, both inclusive.
        starts: the first step of the load of each interval, by name.
    """

    watch_id: int
    first: int
    last: int
    starts: tuple[tuple[str, int], ...]

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def ready_segments(
    watch: StoredWatch, standing: Standing, known: Frontiers, now: datetime | None, most: int = MOST_OF_ONE
) -> list[Segment]:
    """The moments of one watch on one market that may be evaluated now, in order, cut where the loads' starts change.

    Args:
        now: market time, to tell which inputs from elsewhere have been waited for long enough; None: none has.
        most: moments at most.
    """
    base = watch.watch.grid
    own = known[base.name].get(standing.market_id)
    if own is None:
        return []
    first = max(standing.next_step, own.first_step)
    segments: list[Segment] = []
    start, starts = first, None
    step = first
    for step in range(first, min(own.settled_to, first + most)):
        if not _is_ready(watch, standing.market_id, base, step, known, now):
            break
        here = tuple(sorted(load_starts(watch.look_back, base, step).items()))
        if starts is not None and here != starts:
            segments.append(Segment(watch.id, start, step - 1, starts))
            start = step
        starts = here
    else:
        step = min(own.settled_to, first + most)
    if starts is not None:
        segments.append(Segment(watch.id, start, step - 1, starts))
    return segments


def _is_ready(
    watch: StoredWatch, market_id: int, base: Interval, step: int, known: Frontiers, now: datetime | None
) -> bool:
    starts = load_starts(watch.look_back, base, step)
    own = known[base.name][market_id]
    if own.have_from > starts[base.name]:
        return False  # older history is still on its way
    for name, last in last_closed_steps(watch.look_back, base, step).items():
        if name == base.name:
            continue
        interval = interval_named(name)
        input_ = known[name].get(market_id)
        settled = input_ is not None and input_.settled_to > last and input_.have_from <= starts[name]
        if not settled and (now is None or now < interval.close_time(last) + interval.length):
            return False
    return True
