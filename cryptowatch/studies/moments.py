"""Which moments are evaluated together: those whose loads start alike, as the live evaluation cuts them."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from cryptowatch.markets.interval import CHUNK, Interval, interval_named
from cryptowatch.markets.loads import last_closed_steps, load_starts


class Segment(NamedTuple):
    """Moments that share their load starts.

    Args:
        first, last: steps of the watch's own interval, both inclusive.
        loads: for each interval by name, the first and the last step of its load.
    """

    first: int
    last: int
    loads: tuple[tuple[str, int, int], ...]


def segments(look_back: Mapping[str, int], base: Interval, first: int, last: int) -> Iterator[Segment]:
    """The moments from `first` to `last`, both inclusive, in order, cut where the start of a load moves on.

    Args:
        look_back: candles of each interval, by name, that the watch reads.
        base: the watch's own interval.
    """
    cuts = {first, last + 1}
    for name in look_back:
        interval = interval_named(name)
        chunk = Interval.chunk_start(interval.last_closed(base.close_time(first))) + CHUNK
        while (cut := base.last_closed(interval.close_time(chunk))) <= last:
            cuts.add(cut)
            chunk += CHUNK
    for start, end in pairwise(sorted(cuts)):
        starts = load_starts(look_back, base, start)
        ends = last_closed_steps(look_back, base, end - 1)
        yield Segment(start, end - 1, tuple((name, starts[name], ends[name]) for name in sorted(look_back)))
