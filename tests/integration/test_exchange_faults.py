"""The simulated exchange goes wrong when told to, and is well again afterwards."""

import math
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from cryptowatch.clock import FixedClock
from cryptowatch.local.exchange.faults import (
    Fault,
    duplicated,
    future_candle,
    hang,
    high_below_low,
    html,
    kraken_errors,
    out_of_order,
    price,
    revised,
    status,
    truncated,
)
from cryptowatch.local.exchange.record import MINUTE
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.local.exchange.simulated import SimulatedRecord

NOW = datetime(2026, 3, 2, 20, 0, 30, tzinfo=UTC)
OPEN = MINUTE.step_at(NOW)
SOURCES = ["kraken", "coinbase", "binance"]
every_source = pytest.mark.parametrize("source", SOURCES)
PATHS = {
    "kraken": "/kraken/0/public/OHLC?pair={base}USD&interval=1&since={since}",
    "coinbase": "/coinbase/products/{base}-USD/candles?granularity=60&start={start}&end={end}",
    "binance": "/binance/api/v3/klines?symbol={base}USDT&interval=1m&startTime={since}999",
}
SYMBOLS = {"kraken": "{}/USD", "coinbase": "{}/USD", "binance": "{}/USDT"}
#: Where time, open, high, low, close and volume stand in a row.
COLUMNS = {"kraken": (0, 1, 2, 3, 4, 6), "coinbase": (0, 3, 2, 1, 4, 5), "binance": (0, 1, 2, 3, 4, 5)}


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(SimulatedRecord(), FixedClock(NOW), limited=False) as server:
        yield server


@pytest.fixture
def server(running: SimulatedExchange) -> Iterator[SimulatedExchange]:
    yield running
    running.heal()


def get(server: SimulatedExchange, source: str, base: str = "SOL", timeout: float = 5) -> requests.Response:
    """Ask for the candles of the last ten minutes."""
    since = int(MINUTE.open_time(OPEN - 11).timestamp())
    path = PATHS[source].format(base=base, since=since, start=since + 60, end=since + 660)
    return requests.get(server.url + path, timeout=timeout)


def candles(answer: requests.Response, source: str) -> list[tuple[float, ...]]:
    """The rows as they come: step, open, high, low, close, volume."""
    body = answer.json()
    if source == "kraken":
        body = next(value for name, value in body["result"].items() if name != "last")
    seconds = 60_000 if source == "binance" else 60
    rows = [[float(row[column]) for column in COLUMNS[source]] for row in body]
    return [(row[0] / seconds, *row[1:]) for row in rows]


def closed(rows: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    return sorted(row for row in rows if row[0] < OPEN)


@every_source
def test_a_fault_hits_as_many_requests_as_it_is_told(source: str, server: SimulatedExchange) -> None:
    server.inject(status(503), source, times=2)
    assert [get(server, source).status_code for _ in range(3)] == [503, 503, 200]


@every_source
def test_a_fault_without_a_count_stays_until_it_is_healed(source: str, server: SimulatedExchange) -> None:
    server.inject(status(500), source, times=None)
    assert [get(server, source).status_code for _ in range(3)] == [500, 500, 500]
    server.heal()
    assert get(server, source).status_code == 200


@every_source
def test_a_fault_of_one_market_leaves_the_others_and_the_other_exchanges(
    source: str, server: SimulatedExchange
) -> None:
    server.inject(status(502), source, SYMBOLS[source].format("SOL"), times=None)
    assert get(server, source, "ADA").status_code == 200
    assert all(get(server, other).status_code == 200 for other in SOURCES if other != source)
    assert get(server, source).status_code == 502


def test_a_fault_may_be_of_one_kind_of_request_only(server: SimulatedExchange) -> None:
    server.inject(status(502), "binance", asked="time")
    assert get(server, "binance").status_code == 200
    assert requests.get(f"{server.url}/binance/api/v3/time", timeout=2).status_code == 502


@every_source
def test_a_status_comes_with_its_headers_and_body(source: str, server: SimulatedExchange) -> None:
    server.inject(status(429, {"Retry-After": "30"}, {"message": "slow down"}), source)
    answer = get(server, source)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert answer.json() == {"message": "slow down"}


@every_source
def test_a_page_for_people_and_half_an_answer_are_no_json(source: str, server: SimulatedExchange) -> None:
    whole = get(server, source).text
    for fault in (html(), truncated()):
        server.inject(fault, source)
        answer = get(server, source)
        assert answer.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
    assert whole.startswith(answer.text)


def test_krakens_errors_come_with_http_200(server: SimulatedExchange) -> None:
    server.inject(kraken_errors("EService:Unavailable", "EGeneral:Internal error"), "kraken")
    answer = get(server, "kraken")
    assert (answer.status_code, answer.json()) == (200, {"error": ["EService:Unavailable", "EGeneral:Internal error"]})


@every_source
def test_a_hanging_connection_makes_the_client_time_out(source: str, server: SimulatedExchange) -> None:
    server.inject(hang(), source)
    with pytest.raises(requests.ReadTimeout):
        get(server, source, timeout=0.1)
    assert get(server, source).status_code == 200


@every_source
@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_a_false_figure_stands_in_the_newest_closed_candle(source: str, column: str, server: SimulatedExchange) -> None:
    at = ("step", "open", "high", "low", "close", "volume").index(column)
    true = closed(candles(get(server, source), source))
    for value in ("nan", -1.0, 0.0):
        server.inject(price(value, column), source)
        rows = closed(candles(get(server, source), source))
        assert rows[:-1] == true[:-1]
        assert rows[-1][at] == value or (value == "nan" and math.isnan(rows[-1][at]))


@every_source
def test_a_high_may_be_below_its_low(source: str, server: SimulatedExchange) -> None:
    server.inject(high_below_low(), source)
    _, _, high, low, *_ = closed(candles(get(server, source), source))[-1]
    assert high < low


@every_source
def test_candles_may_come_twice_the_same_or_different(source: str, server: SimulatedExchange) -> None:
    true = candles(get(server, source), source)
    server.inject(duplicated(), source)
    assert candles(get(server, source), source) == [row for row in true for _ in range(2)]
    server.inject(duplicated(differing=True), source)
    twice = candles(get(server, source), source)
    assert len({row[0] for row in twice}) == len(true)
    assert len(set(twice)) == 2 * len(true)


@every_source
def test_candles_may_come_in_disorder(source: str, server: SimulatedExchange) -> None:
    true = candles(get(server, source), source)
    server.inject(out_of_order(), source)
    rows = candles(get(server, source), source)
    assert rows not in (true, true[::-1])
    assert sorted(rows) == sorted(true)


@every_source
def test_a_candle_may_come_from_the_future(source: str, server: SimulatedExchange) -> None:
    server.inject(future_candle(), source)
    assert max(row[0] for row in candles(get(server, source), source)) == OPEN + 3


@every_source
def test_a_candle_may_be_another_than_before(source: str, server: SimulatedExchange) -> None:
    true = closed(candles(get(server, source), source))
    server.inject(revised(1.5), source)
    after = closed(candles(get(server, source), source))
    assert after[:-1] == true[:-1]
    assert after[-1][4] == pytest.approx(true[-1][4] * 1.5)


@every_source
def test_a_vanished_market_is_neither_listed_nor_served(source: str, server: SimulatedExchange) -> None:
    server.vanish(source, SYMBOLS[source].format("SOL"))
    listed = {"kraken": "0/public/AssetPairs", "coinbase": "products", "binance": "api/v3/exchangeInfo"}[source]
    name = {"kraken": '"SOLUSD"', "coinbase": '"SOL-USD"', "binance": '"SOLUSDT"'}[source]
    assert name not in requests.get(f"{server.url}/{source}/{listed}", timeout=2).text
    gone = get(server, source)
    assert gone.status_code == {"kraken": 200, "coinbase": 404, "binance": 400}[source]
    assert any(text in gone.text for text in ("EQuery:Unknown asset pair", "NotFound", "-1121"))
    server.heal()
    assert name in requests.get(f"{server.url}/{source}/{listed}", timeout=2).text
    assert len(candles(get(server, source), source)) >= 10


@every_source
def test_an_exchange_may_be_away_altogether(source: str, server: SimulatedExchange) -> None:
    server.outage(source)
    assert get(server, source).status_code == 503
    assert requests.get(f"{server.url}/{source}/time", timeout=2).status_code == 503
    assert all(get(server, other).status_code == 200 for other in SOURCES if other != source)
    server.outage(source, on=False)
    assert get(server, source).status_code == 200


def test_every_request_is_in_the_log_with_what_became_of_it(server: SimulatedExchange) -> None:
    before = server.requests["kraken", "/0/public/OHLC"]
    server.inject(Fault("mine", answer=status(500).answer), "kraken")
    get(server, "kraken")
    logged = server.log[-1]
    assert (logged.source, logged.asked, logged.symbol) == ("kraken", "candles", "SOL/USD")
    assert (logged.status, logged.fault) == (500, "mine")
    assert server.requests["kraken", "/0/public/OHLC"] == before + 1


def test_stopping_ends_kept_and_hanging_connections_at_once() -> None:
    server = SimulatedExchange(SimulatedRecord(), FixedClock(NOW), limited=False).start()
    session = requests.Session()
    url = f"{server.url}/coinbase/time"
    session.get(url, timeout=2)
    hanging: list[Any] = []
    planned = server.inject(hang(), "binance")

    def ask() -> None:
        try:
            get(server, "binance", timeout=30)
        except requests.RequestException as error:
            hanging.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    deadline = time.monotonic() + 5
    while planned.left != 0 and time.monotonic() < deadline:
        time.sleep(0.005)
    started = time.monotonic()
    server.stop()
    thread.join(5)
    assert time.monotonic() - started < 2
    assert len(hanging) == 1
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=2)
