"""Candles of the past, handed out as the panels that the live evaluation would have loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cryptowatch.markets.interval import CHUNK, Interval
from cryptowatch.markets.loads import LEAD
from cryptowatch.markets.panel import Panel, Rows, build_panel

_ARRAYS = ("open", "high", "low", "close", "volume", "filled")
_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class MarketHistory:
    """What is known of one market.

    Args:
        candles: by interval name: ascending steps and values of the candles that are known.
        end: until when candles are known, UTC: a step that has closed by then and has no candle is missing, and filled.
    """

    candles: Mapping[str, Rows]
    end: datetime

    def first_step(self, interval: Interval) -> int | None:
        """The step of its first candle; None when it has none."""
        steps = self._steps(interval)
        return int(steps[0]) if len(steps) else None

    def last_step(self, interval: Interval) -> int | None:
        """The step of its last candle; None when it has none."""
        steps = self._steps(interval)
        return int(steps[-1]) if len(steps) else None

    def since(self, interval: Interval, step: int) -> Rows:
        """Its candles from this step on; where that has none, from `LEAD` steps before it on."""
        rows = self.candles[interval.name]
        at = int(np.searchsorted(rows.steps, step))
        if at == len(rows.steps) or rows.steps[at] != step:
            at = int(np.searchsorted(rows.steps, step - LEAD))
        return Rows(rows.steps[at:], rows.values[at:], None)

    def _steps(self, interval: Interval) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        rows = self.candles.get(interval.name)
        return _NONE if rows is None else rows.steps


#: A panel by the interval's name, its first and last step, and its markets.
_Panels = dict[tuple[str, int, int, tuple[int, ...]], Panel]


class History:
    """What is known of some markets, by id, as panels. What is not there was missing: nothing is ever lost in it.

    Panels are put together from chunks, each laid on its grid once: the loads of one chunk's moments overlap with
    those of the next.
    """

    def __init__(self, markets: Mapping[int, MarketHistory]) -> None:
        self._markets = markets
        self._panels: _Panels = {}
        self._chunks: _Panels = {}
        self._chunks_used: _Panels = {}

    def panel(self, interval: Interval, first: int, last: int, market_ids: Sequence[int]) -> Panel:
        """The candles of these markets from step `first`, where a chunk starts, to step `last`, both inclusive.

        Filled as `build_panel` fills; the same panel for the same question, until `forget`.
        """
        key = (interval.name, first, last, tuple(market_ids))
        if key not in self._panels:
            chunks = [self._chunk(interval, start, key[3]) for start in range(first, last + 1, CHUNK)]
            width = last - first + 1
            arrays = [
                np.concatenate([getattr(chunk, name) for chunk in chunks], axis=1)[:, :width].copy() for name in _ARRAYS
            ]
            self._panels[key] = Panel(interval, first, key[3], *arrays)
        return self._panels[key]

    def forget(self) -> None:
        """Let go of the panels, and of chunks that were not used since the last time."""
        self._panels = {}
        self._chunks, self._chunks_used = self._chunks_used, {}

    def _chunk(self, interval: Interval, first: int, market_ids: tuple[int, ...]) -> Panel:
        last = first + CHUNK - 1
        key = (interval.name, first, last, market_ids)
        if key not in self._chunks_used:
            self._chunks_used[key] = self._chunks.get(key) or self._built(interval, first, last, market_ids)
        return self._chunks_used[key]

    def _built(self, interval: Interval, first: int, last: int, market_ids: tuple[int, ...]) -> Panel:
        rows = {id_: _between(self._markets[id_].candles[interval.name], first, last) for id_ in market_ids}
        settled = {id_: interval.last_closed(self._markets[id_].end) + 1 for id_ in market_ids}
        return build_panel(interval, first, last, rows, {}, settled)


def _between(rows: Rows, first: int, last: int) -> Rows:
    """The rows from step `first` to step `last`, with the close before them."""
    start, end = np.searchsorted(rows.steps, [first, last + 1])
    before = float(rows.values[start - 1, 3]) if start else None
    return Rows(rows.steps[start:end], rows.values[start:end], before)
