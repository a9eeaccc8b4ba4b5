"""When the messages of a close arrive: dispatched each minute, read as fast as each exchange allows, told in parts."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from cryptowatch.pipeline.told import PATIENCE_S
from cryptowatch.queues import MARKETS_A_MESSAGE

#: Seconds from a schedule's run to the first answer: two functions start, and the exchange's clock is asked.
FIRST_ANSWER_S = 2.0
#: Seconds for which a run asks before its time is over, and the next minute's run goes on (120 less a margin of 40).
RUN_S = 80.0
#: Requests a second that one source is asked at most, whatever its rate limit allows: that is enough for one address.
MOST_A_SECOND = 50.0


@dataclass(frozen=True)
class Message:
    """An `analyse` message.

    Args:
        at: when it is queued, in seconds of the simulation.
        close: the close it is about.
        markets: how many it names.
    """

    at: float
    close: float
    markets: int


@dataclass(frozen=True)
class Load:
    """Markets that are watched at one interval.

    Args:
        markets: how many.
        interval_s: length of a candle.
        rates: what each source allows, in requests a second; markets are spread in proportion, which is the best case.
            Empty: all markets of a close are there at once, the upper bound of a burst.
        patience_s: how long a market waits for others of its source to share a message with.
    """

    markets: int
    interval_s: int
    rates: tuple[float, ...] = ()
    patience_s: float = PATIENCE_S

    def shares(self) -> list[int]:
        """Markets on each source, all of them placed."""
        rates = [min(rate, MOST_A_SECOND) for rate in self.rates]
        placed, out = 0, []
        for index in range(len(rates)):
            upto = round(self.markets * sum(rates[: index + 1]) / sum(rates))
            out.append(upto - placed)
            placed = upto
        return out

    def reading_s(self) -> float:
        """Seconds of asking that a close takes, of the slowest source."""
        pairs = zip(self.shares(), self.rates, strict=True)
        return max((markets / min(rate, MOST_A_SECOND) for markets, rate in pairs), default=0.0)

    def is_possible(self) -> bool:
        """Whether the exchanges give all candles of a close before the next one: a run is done within its minute, or
        within its own limit where the interval leaves room for the runs that are skipped meanwhile.
        """
        room = 60.0 if self.interval_s == 60 else self.interval_s * RUN_S / 120.0
        return self.reading_s() <= room - FIRST_ANSWER_S

    def messages(self, close: float, chance: random.Random) -> list[Message]:
        """The messages of one close, by time."""
        if not self.rates:
            return [Message(close, close, size) for size in _full(self.markets)]
        offset = chance.uniform(0.0, 60.0)
        found: list[Message] = []
        for markets, rate in zip(self.shares(), self.rates, strict=True):
            times = _read_times(markets, min(rate, MOST_A_SECOND))
            found += [Message(close + offset + at, close, size) for at, size in _told(times, self.patience_s)]
        return sorted(found, key=lambda one: one.at)


def _full(markets: int) -> list[int]:
    whole, rest = divmod(markets, MARKETS_A_MESSAGE)
    return [MARKETS_A_MESSAGE] * whole + ([rest] if rest else [])


def _read_times(markets: int, rate: float) -> list[float]:
    """When each market has been read, from the schedule's run on; a run that is over goes on in the next free one."""
    a_run = max(1, int(RUN_S * rate))
    times = []
    for number in range(markets):
        runs, within = divmod(number, a_run)
        times.append(runs * 120.0 + FIRST_ANSWER_S + within / rate)
    return times


def _told(times: Sequence[float], patience_s: float) -> list[tuple[float, int]]:
    """Messages as ingest sends them: full, or so long after the first market in it."""
    out: list[tuple[float, int]] = []
    first, size = 0.0, 0
    for at in times:
        if size and at - first >= patience_s:
            out.append((at, size))
            size = 0
        if not size:
            first = at
        size += 1
        if size == MARKETS_A_MESSAGE:
            out.append((at, size))
            size = 0
    return out + ([(times[-1], size)] if size else [])
