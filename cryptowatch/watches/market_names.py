"""Which markets a name in a watch list stands for.

`kraken:BTC/USD` is one market, `kraken:*/USD` every one the exchange lists in USD, `kraken:top 50 */USD by volume` the
fifty of those that traded most in the last 24 hours.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from cryptowatch.markets.candle import Market
from cryptowatch.watches.problem import did_you_mean, nearest
from cryptowatch.watches.values import STAR

#: Markets that one name with a star may stand for.
MOST_MARKETS = 500

#: What a symbol looks like where the exchange cannot be asked: BASE/QUOTE, with a settlement currency for swaps.
_SYMBOL = re.compile(r"[^\s/:*,]+/[^\s/:*,]+(?::[^\s/:*,]+)?")
_STARRED = re.compile(r"[^\s/:,]+/[^\s/:,]+(?::[^\s/:,]+)?")
#: The markets of a star that trade most, of their quote currency, in 24 hours.
_TOP = re.compile(r"top ([1-9][0-9]{0,5}) (\S+) by volume")
_TOP_BEGINS = "top "


class MarketCatalog(Protocol):
    """What is known of the sources without reading a candle."""

    def sources(self) -> Collection[str]:
        """The names a market may begin with."""
        ...

    def symbols(self, source: str) -> Collection[str] | None:
        """What the source lists; None when it cannot be known now."""
        ...

    def intervals(self, source: str) -> Collection[str] | None:
        """The intervals it has candles of; None when it cannot be known now."""
        ...

    def volumes(self, source: str) -> Mapping[str, float] | None:
        """What was traded of each of its symbols in 24 hours, in the quote currency; None when it does not tell."""
        ...

    def requests_a_minute(self, source: str) -> float | None:
        """How many requests for candles it allows a minute; None when it cannot be known now."""
        ...


class MarketNameError(ValueError):
    """The name stands for no market; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def expand(name: str, catalog: MarketCatalog) -> list[str]:
    """The markets `name` stands for: one, or with a star those that the source lists, in alphabetical order, or the
    ones of them that trade most, most first.

    Raises:
        MarketNameError: unknown source or symbol, a star that stands for nothing, too much or nobody knows what.
    """
    market = _parsed(name)
    sources = sorted(catalog.sources())
    if market.source not in sources:
        near = nearest(market.source, sources)
        hint = f"did you mean {near!r}?" if near else "an exchange that ccxt knows, like kraken, coinbase or binance"
        raise MarketNameError(f"unknown exchange {market.source!r} in market {name!r}", hint)
    if market.symbol.startswith(_TOP_BEGINS):
        return [str(Market(market.source, symbol)) for symbol in _top(market, catalog)]
    if STAR in market.symbol:
        found = _matching(market, catalog)
        if len(found) > MOST_MARKETS:
            raise MarketNameError(
                f"{name!r} stands for {len(found)} markets, more than {MOST_MARKETS}",
                f"name the markets, or write {market.source}:{_TOP_BEGINS}50 {market.symbol} by volume",
            )
        return [str(Market(market.source, symbol)) for symbol in found]
    _check_symbol(market, catalog)
    return [name]


def star_of(name: str) -> str:
    """The star that a `top` chooses from; any other name as it is."""
    source, _, symbol = name.partition(":")
    top = _TOP.fullmatch(symbol)
    return f"{source}:{top[2]}" if top else name


def excluded(name: str, markets: Sequence[str]) -> set[str]:
    """Those of these markets that `name`, one market or a star, takes out.

    Raises:
        MarketNameError: the name has not the form of a market.
    """
    market = _parsed(name)
    if market.symbol.startswith(_TOP_BEGINS):
        raise MarketNameError(f"{name!r} cannot be excluded", "exclude markets, or a star like kraken:USD*/USD")
    if STAR not in market.symbol:
        return {name} & set(markets)
    pattern = _pattern(market)
    others = (Market.parse(other) for other in markets)
    return {str(other) for other in others if other.source == market.source and pattern.fullmatch(other.symbol)}


def _parsed(name: str) -> Market:
    try:
        return Market.parse(name)
    except ValueError:
        hint = f"write exchange:{name}, like kraken:{name}" if "/" in name else "write it like kraken:BTC/USD"
        raise MarketNameError(f"market {name!r} names no exchange", hint) from None


def _check_symbol(market: Market, catalog: MarketCatalog) -> None:
    symbols = catalog.symbols(market.source)
    if symbols is None:
        if not _SYMBOL.fullmatch(market.symbol):
            raise MarketNameError(f"{market.symbol!r} is not a market", "write it BASE/QUOTE, like BTC/USD")
        if market.symbol.islower():
            raise MarketNameError(f"unknown market {str(market)!r}", f"did you mean {market.symbol.upper()!r}?")
    elif market.symbol not in symbols:
        raise MarketNameError(
            f"{market.source} lists no market {market.symbol!r}", _symbol_hint(market.symbol, sorted(symbols))
        )


def _symbol_hint(symbol: str, symbols: Sequence[str]) -> str:
    """The nearest symbol, else those of the same base: few enough to read."""
    if near := nearest(symbol, symbols):
        return did_you_mean(near, [near])
    same_base = [known for known in symbols if known.split("/")[0] == symbol.split("/")[0]]
    return f"it lists {', '.join(same_base[:5])}" if same_base else "write it BASE/QUOTE, like BTC/USD"


def _pattern(market: Market) -> re.Pattern[str]:
    """What symbols a star stands for."""
    if not _STARRED.fullmatch(market.symbol):
        raise MarketNameError(
            f"the star in {str(market)!r} is not clear",
            f"write {market.source}:*/USD for every market in USD",
        )
    # A run of stars is one: each of its own would try every way to share the characters out.
    parts = re.split(r"\*+", market.symbol)
    return re.compile("[^/:]*".join(map(re.escape, parts)))


def _matching(market: Market, catalog: MarketCatalog) -> list[str]:
    pattern = _pattern(market)
    symbols = catalog.symbols(market.source)
    if symbols is None:
        raise MarketNameError(
            f"what {str(market)!r} stands for cannot be known: {market.source} was not asked or did not answer",
            "name the markets one by one, or try again with the network",
        )
    found = sorted(symbol for symbol in symbols if pattern.fullmatch(symbol))
    if not found:
        raise MarketNameError(f"{market.source} lists no market like {market.symbol!r}", "check the quote currency")
    return found


def _top(market: Market, catalog: MarketCatalog) -> list[str]:
    top = _TOP.fullmatch(market.symbol)
    if not top or STAR not in top[2]:
        raise MarketNameError(
            f"{str(market)!r} is not understood", f"write it like {market.source}:top 50 */USD by volume"
        )
    count, star = int(top[1]), Market(market.source, top[2])
    if count > MOST_MARKETS:
        raise MarketNameError(f"{str(market)!r} stands for more than {MOST_MARKETS} markets", "ask for fewer")
    found = _matching(star, catalog)
    volumes = catalog.volumes(market.source)
    if volumes is None:
        raise MarketNameError(
            f"what {str(market)!r} stands for cannot be known: {market.source} does not tell its volumes now",
            f"name the markets, or take them all: {star}",
        )
    return sorted(found, key=lambda symbol: (-volumes.get(symbol, 0.0), symbol))[:count]
