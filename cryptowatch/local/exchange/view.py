"""What of a record an exchange shows at one moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cryptowatch.local.exchange.record import NO_CANDLES, Candles, Record, aggregate, join, part_steps
from cryptowatch.markets.interval import Interval

#: Steps looked back for a last trade, doubling: enough for four months without one at 1m.
_LOOK_BACKS = (64, 1024, 16_384, 180_000)
#: Steps read at once where the first so many candles are wanted.
_PAGE = 1000


@dataclass(frozen=True)
class View:
    """The markets of one source as they stand at `now`.

    A candle is there from its open on: the open one as far as it has come.

    Args:
        quiet: whether the exchange draws a flat candle of no volume where there was no trade.
        vanished: symbols that the source no longer lists.
    """

    record: Record
    source: str
    now: datetime
    quiet: bool
    vanished: Collection[str] = ()

    def symbols(self) -> list[str]:
        return [one for one in self.record.symbols(self.source) if one not in self.vanished]

    def decimals(self, symbol: str) -> int:
        return self.record.decimals(self.source, symbol)

    def candles(self, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        """The candles of the steps `first` to `last`, both inclusive, that there are by now."""
        newest = interval.step_at(self.now)
        last = min(last, newest)
        if last < first:
            return NO_CANDLES
        found = self.record.candles(self.source, symbol, interval, first, min(last, newest - 1))
        if last == newest:
            found = join(found, self._open_candle(symbol, interval, newest))
        return self._with_quiet(symbol, interval, found, first, last) if self._shows_quiet else found

    def first_candles(self, symbol: str, interval: Interval, first: int, last: int, count: int) -> Candles:
        """The first `count` candles from `first` to `last`, over gaps of any length."""
        bounds = self.record.bounds(symbol)
        if bounds is not None:
            first = max(first, interval.step_at(bounds[0]))
            last = min(last, interval.step_at(bounds[1]))
        last = min(last, interval.step_at(self.now))
        pieces, found = [NO_CANDLES], 0
        while first <= last and found < count:
            pieces.append(self.candles(symbol, interval, first, min(last, first + _PAGE - 1)))
            found += len(pieces[-1])
            first += _PAGE
        all_ = join(*pieces)
        return Candles(all_.steps[:count], all_.values[:count])

    @property
    def _shows_quiet(self) -> bool:
        return self.quiet and self.record.shows_quiet

    def _open_candle(self, symbol: str, interval: Interval, step: int) -> Candles:
        """The candle that is still open: its closed parts, and of the part that is open itself, a share."""
        part = self.record.parts(symbol, interval, step)
        if part is None:
            return NO_CANDLES
        first, _ = part_steps(interval, part, step, step)
        newest = part.step_at(self.now)
        fine = self.record.candles(self.source, symbol, part, first, newest)
        if len(fine) and fine.steps[-1] == newest:
            passed = (self.now - part.open_time(newest)) / part.length
            fine = _begun(fine, passed, self.decimals(symbol))
        return aggregate(fine, part, interval)

    def _with_quiet(self, symbol: str, interval: Interval, found: Candles, first: int, last: int) -> Candles:
        if len(found) == last - first + 1:
            return found
        if not len(found) or found.steps[0] > first:
            found = join(self._last_before(symbol, interval, first), found)
        if not len(found):
            return found
        steps = np.arange(max(first, found.steps[0]), last + 1, dtype=np.int64)
        at = np.searchsorted(found.steps, steps, side="right") - 1
        values = found.values[at]
        quiet = found.steps[at] != steps
        values[quiet, :4] = values[quiet, 3:4]
        values[quiet, 4] = 0.0
        return Candles(steps, values)

    def _last_before(self, symbol: str, interval: Interval, step: int) -> Candles:
        for steps in _LOOK_BACKS:
            before = self.record.candles(self.source, symbol, interval, step - steps, step - 1)
            if len(before):
                return before.between(int(before.steps[-1]), step - 1)
        return NO_CANDLES


def _begun(candles: Candles, passed: float, decimals: int) -> Candles:
    """The candles with only the share `passed` of the last one: from its open towards its close, never shrinking."""
    if passed <= 0:
        return Candles(candles.steps[:-1], candles.values[:-1])
    values = candles.values.copy()
    open_, high, low, close, volume = values[-1].tolist()
    # Rounded to the market's decimals, yet never beyond what the whole candle will show.
    now = min(max(round(open_ + (close - open_) * passed, decimals), low), high)
    top, bottom = max(open_, now), min(open_, now)
    above = (high - max(open_, close)) * passed
    below = (min(open_, close) - low) * passed
    values[-1, 1] = min(max(round(top + above, decimals), top), high)
    values[-1, 2] = max(min(round(bottom - below, decimals), bottom), low)
    values[-1, 3] = now
    values[-1, 4] = round(volume * passed, 8)
    return Candles(candles.steps, values)
