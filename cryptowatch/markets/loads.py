"""Which candles a rule's figures at one moment are computed from.

They depend on the rule and the candle alone, never on the batch: a load starts at a chunk boundary, a whole number
of chunks, derived from the rule's look-back, before the chunk of the candle. Each interval has a grid of its own.
"""

from collections.abc import Mapping

from cryptowatch.markets.interval import CHUNK, Interval, interval_named

#: Steps before a load's first one in which the close is looked for that the silence at its beginning is filled with.
LEAD = CHUNK


def load_start(look_back: int, step: int) -> int:
    """The first step of the load for a candle at `step` of a rule that looks `look_back` candles back."""
    chunks = -(-look_back // CHUNK)
    return Interval.chunk_start(step) - chunks * CHUNK


def last_closed_steps(look_back: Mapping[str, int], base: Interval, step: int) -> dict[str, int]:
    """For each interval of `look_back`, its last step closed when the base candle `step` closes."""
    moment = base.close_time(step)
    return {name: interval_named(name).last_closed(moment) for name in look_back}


def load_starts(look_back: Mapping[str, int], base: Interval, step: int) -> dict[str, int]:
    """For each interval of `look_back`, the first step of its load at the moment the base candle `step` closes."""
    return {name: load_start(look_back[name], last) for name, last in last_closed_steps(look_back, base, step).items()}
