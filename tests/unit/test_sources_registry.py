"""A source's name finds the exchange behind it, or the nearest name."""

import pytest

from cryptowatch.sources.errors import UnknownSourceError
from cryptowatch.sources.registry import open_source


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
