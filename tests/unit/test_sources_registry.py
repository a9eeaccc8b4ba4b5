"""A source's name finds the exchange behind it, or the nearest name."""

import subprocess
import sys

import pytest

from cryptowatch.sources.errors import UnknownSourceError
from cryptowatch.sources.registry import known_sources, open_source


def test_coinbase_means_coinbase_exchange() -> None:
    exchange = open_source("coinbase")
    assert exchange.name == "coinbase"
    assert exchange.intervals() == ["1m", "5m", "15m", "1h", "1d"]


@pytest.mark.parametrize(("name", "nearest"), [("krakn", "kraken"), ("binanse", "binance"), ("coinbas", "coinbase")])
def test_an_unknown_source_is_told_with_the_nearest_known_one(name: str, nearest: str) -> None:
    with pytest.raises(UnknownSourceError, match=f"unknown source '{name}': did you mean '{nearest}'?"):
        open_source(name)


@pytest.mark.parametrize("name", ["base", "__init__", "pro", ""])
def test_what_is_no_exchange_is_no_source(name: str) -> None:
    with pytest.raises(UnknownSourceError):
        open_source(name)


def test_weeks_that_do_not_start_on_monday_count_as_lacking() -> None:
    assert "1w" in open_source("binance").intervals()
    assert "1w" not in open_source("kraken").intervals()


def test_an_exchange_without_candles_has_no_intervals() -> None:
    assert open_source("zaif").intervals() == []


def test_one_exchange_is_opened_without_importing_the_others_and_all_are_known() -> None:
    code = (
        "import sys\n"
        "from cryptowatch.sources.registry import ALIASES, known_sources, open_source\n"
        "open_source('kraken')\n"
        "assert 'ccxt.kraken' in sys.modules and 'ccxt.binance' not in sys.modules\n"
        "del sys.modules['ccxt']\n"
        "import ccxt\n"
        "assert set(known_sources()) == {*ccxt.exchanges, *ALIASES}, set(known_sources()) ^ set(ccxt.exchanges)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_known_source_opens() -> None:
    for name in known_sources():
        open_source(name).intervals()
