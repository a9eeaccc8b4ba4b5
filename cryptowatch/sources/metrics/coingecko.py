"""CoinGecko's totals over all coins: capitalisation and volume in US dollars, and how much of it each coin is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptowatch.sources.json_answer import ask_json
from cryptowatch.sources.metrics import Figure, MetricSource


def _read(base_url: str | None) -> Sequence[Figure]:
    root = f"{base_url}/coingecko" if base_url else "https://api.coingecko.com"
    data = ask_json("coingecko", f"{root}/api/v3/global")["data"]
    time = datetime.fromtimestamp(int(data["updated_at"]), UTC)
    return [
        Figure("total_cap", time, float(data["total_market_cap"]["usd"])),
        Figure("total_volume", time, float(data["total_volume"]["usd"])),
        Figure("btc_dominance", time, float(data["market_cap_percentage"]["btc"])),
        Figure("eth_dominance", time, float(data["market_cap_percentage"]["eth"])),
    ]


SOURCE = MetricSource(
    name="coingecko",
    metrics={
        "total_cap": "capitalisation of all coins, US dollars",
        "total_volume": "volume of all coins in 24 hours, US dollars",
        "btc_dominance": "Bitcoin's share of the capitalisation, percent",
        "eth_dominance": "Ether's share of the capitalisation, percent",
    },
    every=timedelta(minutes=10),
    read=_read,
)
