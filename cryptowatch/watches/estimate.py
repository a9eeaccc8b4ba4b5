"""How often a watch list makes each source be asked."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from cryptowatch.markets.building import part_for
from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import interval_named
from cryptowatch.watches.form import CheckedWatch


def requests_a_minute(
    watches: Iterable[CheckedWatch], intervals: Callable[[str], Collection[str] | None]
) -> dict[str, float]:
    """Requests for candles a minute, by source: one for each candle that closes, however many watches read it.

    Args:
        intervals: those that a source has candles of; the others are built. None when it is not known.
    """
    asked: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for checked in watches:
        for name in checked.look_back:
            for market in map(Market.parse, checked.watch.markets):
                served = intervals(market.source)
                interval = interval_named(name)
                part = part_for(interval, served) if served is not None else None
                asked[market.source].add((market.symbol, (part or interval).seconds))
    return {source: sum(60 / seconds for _, seconds in some) for source, some in sorted(asked.items())}
