"""Every exchange of ccxt is described from what ccxt knows, without a network."""

import re
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.sources import describe as describe_module
from cryptowatch.sources.ccxt_parts import errors, exchange_class, exchange_ids
from cryptowatch.sources.describe import Description, LeftOut, Markets, Reason, Survey, describe, describe_all
from cryptowatch.sources.errors import UnknownSourceError
from cryptowatch.sources.registry import open_source


def no_network(*arguments: object) -> None:
    raise AssertionError(f"the network is touched: {arguments}")


@pytest.fixture(scope="module")
def survey() -> Survey:
    """All of them, on a machine without a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", no_network)
        patch.setattr(socket, "getaddrinfo", no_network)
        return describe_all()


def test_about_a_hundred_exchanges_of_which_each_is_either_described_or_left_out(survey: Survey) -> None:
    assert 80 <= len(survey.described) <= 130
    ids = Counter([one.id for one in survey.described] + [one.id for one in survey.left_out])
    assert ids == Counter(exchange_ids())
    names = [one.name for one in survey.described]
    assert names == sorted(set(names))


def test_each_description_is_complete(survey: Survey) -> None:
    for one in survey.described:
        assert one.title, one
        assert one.website.startswith("https://"), one
        assert one.spot or one.perpetual, one
        assert one.newest_candles is None or (one.newest_candles > 0 and one.reach_known), one


def test_the_intervals_are_ours_shortest_first_and_those_the_source_itself_serves(survey: Survey) -> None:
    for one in survey.described:
        assert one.intervals, one
        assert list(one.intervals) == [name for name in INTERVALS if name in one.intervals], one
        assert list(one.intervals) == open_source(one.name).intervals(), one


def test_pages_and_rates_are_numbers_that_can_be_used(survey: Survey) -> None:
    for one in survey.described:
        for markets in filter(None, (one.spot, one.perpetual)):
            assert markets.page is None or 1 <= markets.page <= 100_000, one
            assert 0 < markets.requests_per_second <= 1000, one


def test_a_market_is_written_with_the_source_s_name_base_and_quote(survey: Survey) -> None:
    for one in survey.described:
        for markets, form in ((one.spot, r"[A-Z]+/[A-Z]+"), (one.perpetual, r"[A-Z]+/[A-Z]+:[A-Z]+")):
            if markets is not None:
                source, symbol = Market.parse(markets.written)
                assert source == one.name
                assert re.fullmatch(form, symbol), one


def test_what_is_left_out_has_a_reason(survey: Survey) -> None:
    reasons = Counter(one.reason for one in survey.left_out)
    assert set(reasons) == set(Reason)
    for one in survey.left_out:
        if one.reason is Reason.no_candles:
            assert exchange_class(one.id)().has.get("fetchOHLCV") is not True, one
        else:
            assert one.detail, one


def test_exchanges_whose_candles_need_a_key_are_left_out(survey: Survey) -> None:
    """Some of them call them public all the same: what counts is that ccxt signs the request."""
    with_key = {one.id for one in survey.left_out if one.reason is Reason.needs_key}
    assert {"luno", "woofipro"} <= with_key
    client = exchange_class("luno")({"enableRateLimit": False})
    client.fetch = no_network
    client.set_markets([client.safe_market_structure({"id": "1", "symbol": "BTC/USDT", "spot": True})])
    with pytest.raises(errors().AuthenticationError):
        client.fetch_ohlcv("BTC/USDT", "1m", 0, 10)


def test_known_facts_of_three_exchanges() -> None:
    kraken, coinbase, binance = (describe(name) for name in ("kraken", "coinbase", "binance"))
    assert kraken == Description(
        name="kraken",
        id="kraken",
        title="Kraken",
        website="https://www.kraken.com",
        intervals=("1m", "5m", "15m", "30m", "1h", "4h", "1d"),  # its weeks start on Thursday
        spot=Markets("kraken:BASE/QUOTE", 720, 0.833),
        perpetual=None,
        newest_candles=720,
        reach_known=True,
    )
    assert isinstance(coinbase, Description)
    assert (coinbase.id, coinbase.spot) == ("coinbaseexchange", Markets("coinbase:BASE/QUOTE", 300, 10.0))
    assert describe("coinbaseexchange") == coinbase
    assert isinstance(binance, Description)
    assert binance.spot == Markets("binance:BASE/QUOTE", 1000, 50.0), "6,000 a minute, candles weigh 2"
    assert binance.perpetual == Markets("binance:BASE/QUOTE:SETTLE", 500, 4.0)


def test_a_kind_of_market_without_candles_is_not_told() -> None:
    bigone = describe("bigone")
    assert isinstance(bigone, Description)
    assert bigone.perpetual is None, "it trades them, but gives candles of spot markets only"


def test_an_exchange_that_asks_for_more_than_market_interval_and_time_is_left_out() -> None:
    cex = describe("cex")
    assert isinstance(cex, LeftOut)
    assert cex.reason is Reason.needs_more
    assert "dataType" in cex.why
    assert replace(cex, detail="").why == str(cex.reason)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownSourceError, match="unknown source 'krakn': did you mean 'kraken'"):
        describe("krakn")


def test_progress_is_told_after_each_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describe_module, "exchange_ids", lambda: ("coinbase", "coinbaseexchange", "kraken"))
    told: list[tuple[int, int]] = []
    found = describe_all(lambda done, of: told.append((done, of)))
    assert [one.name for one in found.described] == ["coinbase", "kraken"]
    assert [(one.id, one.reason) for one in found.left_out] == [("coinbase", Reason.no_name)]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_one_exchange_is_described_without_importing_the_others() -> None:
    code = (
        "import sys\n"
        "from cryptowatch.sources.describe import describe\n"
        "describe('kraken')\n"
        "print([name for name in ('ccxt.kraken', 'ccxt.binance', 'requests') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ccxt.kraken', 'requests']"
