"""What was traded of each market in the last 24 hours, from one answer for all of them."""

from typing import Any


def quote_volumes(client: Any) -> dict[str, float] | None:
    """By symbol, in the quote currency; None when the exchange does not tell.

    Args:
        client: the ccxt exchange, its markets loaded.
    """
    if client.has.get("fetchTickers") is not True:
        return None
    tickers = client.fetch_tickers()
    bases = _coinbase_volumes(client) if client.id == "coinbaseexchange" else {}
    found = {}
    for symbol, ticker in tickers.items():
        base = bases.get(symbol, ticker.get("baseVolume"))
        quote = ticker.get("quoteVolume")
        if quote is None and base is not None and ticker.get("last") is not None:
            quote = base * ticker["last"]
        if quote is not None:
            found[symbol] = float(quote)
    return found or None


def _coinbase_volumes(client: Any) -> dict[str, float]:
    """In the base currency: Coinbase's answer with all prices has no volumes."""
    rows = client.publicGetProductsVolumeSummary()
    return {client.safe_symbol(row["id"], None, "-"): float(row["spot_volume_24hour"] or 0) for row in rows}
