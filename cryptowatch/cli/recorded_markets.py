"""Which records stand for the markets of a watch list."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptowatch.cli.recorded import SOURCE
from cryptowatch.markets.candle import Market
from cryptowatch.sources.registry import known_sources
from cryptowatch.watches.delivery import DeliverySettings
from cryptowatch.watches.document import DocumentError, read_document
from cryptowatch.watches.form import Watch
from cryptowatch.watches.market_names import MarketNameError, excluded, star_of
from cryptowatch.watches.reader import Problem, read_watch_list
from cryptowatch.watches.values import STAR

#: Stands in the symbol of a star that fits no record, since a star itself is no market.
STAND_IN = "∗"


@dataclass(frozen=True)
class RecordedWatch:
    """A watch, and the records that stand for its markets: those of the same symbol, whatever the exchange.

    Args:
        records: by symbol, the markets of the watch that the record stands for.
        no_record: its markets, and stars, without one.
        stars: for how many records each star that it names stands.
    """

    watch: Watch
    records: Mapping[str, Sequence[str]]
    no_record: Sequence[str]
    stars: Mapping[str, int]


def read_recorded(
    text: str, file: str, symbols: Collection[str], warn: Callable[[Problem], object]
) -> tuple[list[RecordedWatch], dict[str, DeliverySettings]]:
    """The watches of a list, checked as always, on the records with these symbols; and what recipients say of emails.

    Raises:
        WatchListError: the list is not right.
    """
    written = _written(text)
    catalog = _Catalog(symbols, [name for names in written.values() for name in names])
    checked = read_watch_list(text, file=file, catalog=catalog, warn=warn)
    watches = [_on_records(one.watch, symbols, written[one.watch.name]) for one in checked.watches]
    return watches, checked.delivery


def _on_records(watch: Watch, symbols: Collection[str], written: Sequence[str]) -> RecordedWatch:
    records: dict[str, list[str]] = {}
    missing: list[str] = []
    for name in watch.markets:
        symbol = Market.parse(name).symbol
        if symbol in symbols:
            records.setdefault(symbol, []).append(name)
        else:
            missing.append(name.replace(STAND_IN, STAR))
    had = [name for names in records.values() for name in names]
    stars = {name: len(excluded(star_of(name), had)) for name in written if STAR in name}
    return RecordedWatch(watch, records, missing, stars)


def _written(text: str) -> dict[str, list[str]]:
    """The markets of each watch as the list writes them; whatever is malformed is left to the reader."""
    try:
        data = read_document(text).data
    except DocumentError:
        return {}
    section: Any = data.get("watches") if isinstance(data, dict) else None
    watches = [one for one in section if isinstance(one, dict)] if isinstance(section, list) else []
    return {
        str(one.get("name")): [name for name in one["markets"] if isinstance(name, str)]
        for one in watches
        if isinstance(one.get("markets"), list)
    }


class _Catalog:
    """A `MarketCatalog` that asks nobody: every exchange lists what is recorded.

    A market that is named is taken as it is written, a star that fits no record stands for one market, itself with a
    `STAND_IN`: both are found to have no record later.
    """

    def __init__(self, symbols: Collection[str], written: Sequence[str]) -> None:
        self._symbols = sorted(symbols)
        self._stars = [star_of(name) for name in written if STAR in name and not self._fits(star_of(name))]

    def sources(self) -> Collection[str]:
        return [*known_sources(), SOURCE]

    def symbols(self, source: str) -> Collection[str]:
        stars = [Market.parse(name) for name in self._stars]
        stand_ins = [star.symbol.replace(STAR, STAND_IN) for star in stars if star.source == source]
        return _AnySymbol([*self._symbols, *stand_ins])

    def intervals(self, source: str) -> None:
        return None

    def volumes(self, source: str) -> Mapping[str, float]:
        """Nothing tells them apart: `top 50` takes the first fifty by name."""
        return {}

    def requests_a_minute(self, source: str) -> None:
        return None

    def _fits(self, star: str) -> bool:
        source = star.partition(":")[0]
        try:
            return bool(excluded(star, [str(Market(source, symbol)) for symbol in self._symbols]))
        except MarketNameError:
            return True  # the reader says what is wrong with it


class _AnySymbol(list[str]):
    """These symbols for stars; and any other is one too."""

    def __contains__(self, symbol: object) -> bool:
        return True
