"""Each hour: what a source lists now. New markets join the watches whose star stands for them, those that are gone are
no longer asked for, and those that are called otherwise are reported.

A market joins when it trades and leaves when it is no longer listed: one that is halted stays.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from aws_lambda_powertools import Logger

from cryptowatch.markets.candle import Market
from cryptowatch.sources.exchange import Exchange, Listed
from cryptowatch.store.database import Connection, Cursor, transaction
from cryptowatch.store.listings import (
    Known,
    Selected,
    change_members,
    known_markets,
    listing_is_due,
    save_listed,
    save_market,
    selections,
)
from cryptowatch.watches.market_names import MarketNameError, excluded, expand
from cryptowatch.watches.values import STAR

logger = Logger(service="ingest")

#: Seconds of wall time that the list of markets may be old.
FRESH_S = 30.0
#: A list that lacks more than this many of the markets that were there, and more than half of them, is not believed.
FEW = 2


def refresh_listing(connection: Connection, exchange: Exchange, now: datetime) -> None:
    """Read the source's list of markets, if that is due, and do what follows from it.

    Args:
        now: the exchange's own time.

    Raises:
        SourceUnavailableError: the list cannot be read.
    """
    with transaction(connection) as cursor:
        if not listing_is_due(cursor, exchange.name, now):
            return
        chosen = selections(cursor, exchange.name)
    listing = exchange.listing(FRESH_S)
    by_volume = any(name.startswith(f"{exchange.name}:top ") for one in chosen for name in one.markets)
    volumes = exchange.volumes() if by_volume else None
    with transaction(connection) as cursor:
        known = known_markets(cursor, exchange.name)
        gone = [one for one in known if not one.delisted and one.symbol not in listing]
        if len(gone) > max(FEW, sum(not one.delisted for one in known) / 2):
            logger.warning("list of markets not believed", extra={"source": exchange.name, "gone": len(gone)})
            return
        _mark(cursor, exchange.name, known, listing, now)
        for one in selections(cursor, exchange.name):
            _find_anew(cursor, exchange, one, listing, volumes, now)
        save_listed(cursor, exchange.name, now)


def _mark(cursor: Cursor, source: str, known: list[Known], listing: Mapping[str, Listed], now: datetime) -> None:
    symbol_of = {one.exchange_id: symbol for symbol, one in listing.items()}
    for one in known:
        listed = listing.get(one.symbol)
        renamed_to = symbol_of.get(one.exchange_id or "") if listed is None else None
        if one.delisted != (listed is None):
            what = "market listed again" if listed else "market renamed" if renamed_to else "market delisted"
            logger.warning(what, extra={"market": f"{source}:{one.symbol}", "renamed_to": renamed_to})
        save_market(cursor, one, listed and listed.exchange_id, None if listed else now, renamed_to)


def _find_anew(
    cursor: Cursor,
    exchange: Exchange,
    selected: Selected,
    listing: Mapping[str, Listed],
    volumes: Mapping[str, float] | None,
    now: datetime,
) -> None:
    members = set(selected.members)
    there = [symbol for symbol, listed in listing.items() if listed.trading or symbol in members]
    try:
        wanted = _wanted(selected, _Listing(exchange.name, there, volumes))
    except MarketNameError as error:
        logger.warning("star kept as it was", extra={"watch": selected.name, "error": f"{error}: {error.hint}"})
        return
    joining, leaving = wanted - members, members - wanted
    if joining or leaving:
        change_members(cursor, selected, exchange.name, joining, leaving, now, lambda source: exchange.intervals())
        changes = {"joined": sorted(joining), "left": sorted(leaving)}
        logger.info("markets of a watch changed", extra={"watch": selected.name, "source": exchange.name, **changes})


def _wanted(selected: Selected, catalog: "_Listing") -> set[str]:
    """The symbols that the watch's list stands for now."""
    names: list[str] = []
    for name in selected.markets:
        if name.partition(":")[0] == catalog.source:
            names += expand(name, catalog) if STAR in name else [name]
    out = {one for name in selected.exclude for one in excluded(name, names)}
    return {Market.parse(name).symbol for name in names if name not in out}


class _Listing:
    """A `MarketCatalog` of one source, as it lists its markets now."""

    def __init__(self, source: str, symbols: Collection[str], volumes: Mapping[str, float] | None) -> None:
        self.source = source
        self._symbols = symbols
        self._volumes = volumes

    def sources(self) -> Collection[str]:
        return [self.source]

    def symbols(self, source: str) -> Collection[str]:
        return self._symbols

    def intervals(self, source: str) -> None:
        return None

    def volumes(self, source: str) -> Mapping[str, float] | None:
        return self._volumes

    def requests_a_minute(self, source: str) -> None:
        return None
