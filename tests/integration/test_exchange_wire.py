"""The simulated exchange read through ccxt: its wire formats, pages and refusals are those of the real ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from cryptowatch.local.exchange.limits import TokenBucket, WeightWindow
from cryptowatch.local.exchange.record import MINUTE, Record
from cryptowatch.local.exchange.replay import ReplayRecord
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.local.exchange.simulated import SimulatedRecord
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.sources.ccxt_parts import errors, exchange_class
from cryptowatch.sources.endpoint import NotSimulatedError, point_at

ccxt = errors()
RECORD = SimulatedRecord()
NOW = datetime(2026, 3, 2, 20, 0, 30, tzinfo=UTC)
#: The step that is open at `NOW`.
OPEN = MINUTE.step_at(NOW)
IDS = {"kraken": "kraken", "coinbase": "coinbaseexchange", "binance": "binance"}
SYMBOLS = {"kraken": "BTC/USD", "coinbase": "BTC/USD", "binance": "BTC/USDT"}
RESTING = {"kraken": "CRV/USD", "coinbase": "CRV/USD", "binance": "CRV/USDT"}
#: The product's intervals that each exchange has; Kraken's weeks are tested by themselves.
OFFERED = {
    "kraken": ("1m", "5m", "15m", "30m", "1h", "4h", "1d"),
    "coinbase": ("1m", "5m", "15m", "1h", "1d"),
    "binance": ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"),
}
every_source = pytest.mark.parametrize("source", IDS)


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


def opened(server: SimulatedExchange, source: str) -> Any:
    client = exchange_class(IDS[source])({"timeout": 2000, "enableRateLimit": False})
    point_at(client, server.url)
    return client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[SimulatedExchange]:
    with SimulatedExchange(RECORD, clock, limited=False) as server:
        yield server


@pytest.fixture
def client(server: SimulatedExchange) -> Callable[[str], Any]:
    return lambda source: opened(server, source)


def ms(step: int, interval: Interval = MINUTE) -> int:
    return int(interval.open_time(step).timestamp() * 1000)


def recorded(
    source: str, first: int, last: int, interval: Interval = MINUTE, symbol: str = "", record: Record = RECORD
):
    """The record's own candles as ccxt gives them."""
    candles = record.candles(source, symbol or SYMBOLS[source], interval, first, last)
    return [
        [ms(step, interval), *row] for step, row in zip(candles.steps.tolist(), candles.values.tolist(), strict=True)
    ]


class TestMarkets:
    @every_source
    def test_are_those_of_the_record_all_active_and_spot(self, source: str, client: Callable[[str], Any]) -> None:
        markets = client(source).load_markets()
        assert sorted(markets) == sorted(RECORD.symbols(source))
        assert all(market["spot"] and market["active"] for market in markets.values())
        bitcoin = markets[SYMBOLS[source]]
        assert (bitcoin["base"], bitcoin["quote"]) == tuple(SYMBOLS[source].split("/"))
        assert bitcoin["precision"]["price"] == pytest.approx(10 ** -RECORD.decimals(source, SYMBOLS[source]))
        assert bitcoin["precision"]["amount"] == pytest.approx(1e-8)

    def test_have_krakens_old_names(self, client: Callable[[str], Any]) -> None:
        kraken = client("kraken")
        markets = kraken.load_markets()
        ids = {symbol: markets[symbol]["id"] for symbol in ("BTC/USD", "ETH/EUR", "DOGE/USD", "SOL/USD", "XLM/EUR")}
        assert list(ids.values()) == ["XXBTZUSD", "XETHZEUR", "XDGUSD", "SOLUSD", "XXLMZEUR"]
        assert kraken.currencies["BTC"]["id"] == "XXBT"
        assert kraken.currencies["USD"]["id"] == "ZUSD"

    def test_are_found_by_krakens_other_names_too(self, server: SimulatedExchange) -> None:
        for pair in ("XXBTZUSD", "XBTUSD", "XBT/USD"):
            answer = requests.get(f"{server.url}/kraken/0/public/OHLC", {"pair": pair}, timeout=2).json()
            assert list(answer["result"]) == ["XXBTZUSD", "last"]

    @every_source
    def test_nothing_is_asked_of_the_real_exchange(self, source: str, server: SimulatedExchange) -> None:
        client = opened(server, source)
        assert all(url.startswith(f"{server.url}/{source}") for url in client.urls["api"].values())

    def test_of_an_exchange_that_is_not_simulated_are_refused(self) -> None:
        with pytest.raises(NotSimulatedError, match="bitstamp is not simulated"):
            point_at(exchange_class("bitstamp")(), "http://127.0.0.1:1")


class TestTime:
    @every_source
    def test_is_the_clocks(self, source: str, client: Callable[[str], Any], clock: Clock) -> None:
        clock.at = datetime(2018, 1, 20, 3, 4, 5, 678_000, tzinfo=UTC)
        told = client(source).fetch_time()
        assert told == {"kraken": 1516417445000}.get(source, 1516417445678)

    @every_source
    def test_stands_in_the_date_header_too(self, source: str, server: SimulatedExchange, clock: Clock) -> None:
        clock.at = datetime(2018, 1, 20, 3, 4, 5, tzinfo=UTC)
        assert requests.get(f"{server.url}/{source}/", timeout=2).headers["Date"] == "Sat, 20 Jan 2018 03:04:05 GMT"


class TestCandles:
    @pytest.mark.parametrize(("source", "name"), [(source, name) for source in IDS for name in OFFERED[source]])
    def test_equal_the_record_to_the_last_bit(self, source: str, name: str, client: Callable[[str], Any]) -> None:
        interval = INTERVALS[name]
        last = interval.last_closed(NOW)
        rows = client(source).fetch_ohlcv(SYMBOLS[source], name, ms(last - 99, interval), 100)
        assert rows == recorded(source, last - 99, last, interval)

    @every_source
    def test_of_every_market_equal_the_record(self, source: str, client: Callable[[str], Any]) -> None:
        exchange = client(source)
        for symbol in RECORD.symbols(source):
            traded = recorded(source, OPEN - 3, OPEN - 1, symbol=symbol)
            rows = exchange.fetch_ohlcv(symbol, "1m", ms(OPEN - 3), 3)
            assert [row for row in rows if row[5]] == traded

    @every_source
    def test_of_years_ago_are_served_but_by_kraken(self, source: str, client: Callable[[str], Any]) -> None:
        first = MINUTE.step_at(datetime(2019, 5, 5, tzinfo=UTC))
        rows = client(source).fetch_ohlcv(SYMBOLS[source], "1m", ms(first), 10)
        if source == "kraken":
            assert rows == recorded(source, OPEN - 719, OPEN - 710)
        else:
            assert rows == recorded(source, first, first + 9)

    @every_source
    def test_end_with_the_one_that_is_still_open(self, source: str, client: Callable[[str], Any], clock: Clock) -> None:
        exchange = client(source)
        half = exchange.fetch_ohlcv(SYMBOLS[source], "1m", ms(OPEN - 2), 5)
        assert [row[0] for row in half] == [ms(OPEN - 2), ms(OPEN - 1), ms(OPEN)]
        clock.at += timedelta(seconds=30)
        whole = exchange.fetch_ohlcv(SYMBOLS[source], "1m", ms(OPEN - 2), 3)
        assert half[:2] == whole[:2]
        assert half[2][1] == whole[2][1]
        assert half[2][5] == pytest.approx(whole[2][5] / 2)

    def test_of_krakens_weeks_begin_on_thursdays(self, client: Callable[[str], Any]) -> None:
        rows = client("kraken").fetch_ohlcv("BTC/USD", "1w")
        assert len(rows) == 720
        assert {datetime.fromtimestamp(row[0] / 1000, UTC).weekday() for row in rows} == {3}
        thursday = datetime(2026, 2, 19, tzinfo=UTC)
        days = INTERVALS["1d"].step_at(thursday)
        week = recorded("kraken", days, days + 6, INTERVALS["1d"])
        expected = [ms(days, INTERVALS["1d"]), week[0][1], max(day[2] for day in week), min(day[3] for day in week)]
        assert rows[-2] == [*expected, week[-1][4], sum(day[5] for day in week)]


class TestPages:
    def test_of_kraken_are_the_newest_720_whatever_is_asked(self, client: Callable[[str], Any]) -> None:
        exchange = client("kraken")
        assert [row[0] for row in exchange.fetch_ohlcv("BTC/USD", "1m")] == [ms(OPEN - n) for n in range(719, -1, -1)]
        # ccxt takes the first `limit` of them itself.
        assert exchange.fetch_ohlcv("BTC/USD", "1m", ms(OPEN - 5000), 1)[0][0] == ms(OPEN - 719)

    def test_of_kraken_begin_after_since_and_always_hold_the_open_one(self, server: SimulatedExchange) -> None:
        def times(since: int) -> list[int]:
            query = {"pair": "XXBTZUSD", "interval": 1, "since": since}
            result = requests.get(f"{server.url}/kraken/0/public/OHLC", query, timeout=2).json()["result"]
            assert result["last"] == ms(OPEN - 1) // 1000
            return [row[0] for row in result["XXBTZUSD"]]

        assert times(ms(OPEN - 3) // 1000) == [ms(OPEN - n) // 1000 for n in (2, 1, 0)]
        assert times(ms(OPEN - 3) // 1000 - 1) == [ms(OPEN - n) // 1000 for n in (3, 2, 1, 0)]
        assert times(ms(OPEN + 500) // 1000) == [ms(OPEN) // 1000]

    def test_of_coinbase_hold_300_and_more_is_refused(self, server: SimulatedExchange) -> None:
        def ask(first: int, last: int) -> Any:
            query = {"granularity": 60, "start": MINUTE.open_time(first).isoformat()}
            query["end"] = MINUTE.open_time(last).isoformat()
            return requests.get(f"{server.url}/coinbase/products/BTC-USD/candles", query, timeout=2)

        rows = ask(OPEN - 300, OPEN - 1).json()
        assert [row[0] for row in rows] == [ms(OPEN - n) // 1000 for n in range(1, 301)]
        refused = ask(OPEN - 301, OPEN)
        assert refused.status_code == 400
        assert refused.json() == {
            "message": "granularity too small for the requested time range. Count of aggregations requested exceeds 300"
        }

    def test_of_coinbase_without_both_ends_are_the_newest(self, server: SimulatedExchange) -> None:
        query = {"granularity": 60, "start": MINUTE.open_time(OPEN - 5000).isoformat()}
        rows = requests.get(f"{server.url}/coinbase/products/BTC-USD/candles", query, timeout=2).json()
        assert [row[0] for row in rows] == [ms(OPEN - n) // 1000 for n in range(300)]

    def test_of_binance_are_the_first_1000_from_their_start(self, client: Callable[[str], Any]) -> None:
        rows = client("binance").fetch_ohlcv("BTC/USDT", "1m", ms(OPEN - 5000), 2000)
        assert rows == recorded("binance", OPEN - 5000, OPEN - 4001)

    def test_of_binance_without_a_start_are_the_newest(self, server: SimulatedExchange) -> None:
        def times(**query: Any) -> list[int]:
            query |= {"symbol": "BTCUSDT", "interval": "1m"}
            return [row[0] for row in requests.get(f"{server.url}/binance/api/v3/klines", query, timeout=2).json()]

        assert times() == [ms(OPEN - n) for n in range(499, -1, -1)]
        assert times(limit=2, endTime=ms(OPEN - 10)) == [ms(OPEN - 11), ms(OPEN - 10)]
        assert times(limit=9, startTime=ms(OPEN - 12) + 1, endTime=ms(OPEN - 10)) == [ms(OPEN - 11), ms(OPEN - 10)]
        assert times(startTime=ms(OPEN + 5)) == []

    def test_of_binance_are_text_but_for_times_and_counts(self, server: SimulatedExchange) -> None:
        query = {"symbol": "BTCUSDT", "interval": "1m", "limit": 2}
        row = requests.get(f"{server.url}/binance/api/v3/klines", query, timeout=2).json()[0]
        assert [type(value) for value in row] == [int, *[str] * 5, int, str, int, str, str, str]
        assert row[6] == row[0] + 59_999
        assert all(len(value.partition(".")[2]) == 8 for value in row[1:6])


class TestTwelveHoursWithoutATrade:
    """The resting market trades from 16:00 on; it is asked for from midnight to 15:00."""

    FIRST, LAST = OPEN - 20 * 60, OPEN - 5 * 60

    def test_coinbase_has_no_rows(self, client: Callable[[str], Any]) -> None:
        exchange = client("coinbase")
        for first in range(self.FIRST, self.LAST, 300):
            assert exchange.fetch_ohlcv("CRV/USD", "1m", ms(first), 300) == []

    @pytest.mark.parametrize("source", ["kraken", "binance"])
    def test_the_others_have_flat_candles_at_the_last_close(
        self, source: str, client: Callable[[str], Any], clock: Clock
    ) -> None:
        clock.at = MINUTE.open_time(self.LAST)
        rows = client(source).fetch_ohlcv(RESTING[source], "1m", ms(self.LAST - 400), 300)
        close = recorded(source, self.FIRST - 60, self.LAST, symbol=RESTING[source])[-1][4]
        assert rows == [[ms(self.LAST - 400 + n), close, close, close, close, 0.0] for n in range(300)]


@every_source
def test_a_recorded_hole_has_no_rows_anywhere(source: str, tmp_path: Any, clock: Clock) -> None:
    lines = ["open_time,open,high,low,close,volume"]
    kept = [step for step in range(OPEN - 100, OPEN) if not OPEN - 90 <= step < OPEN - 10]
    lines += [f"{MINUTE.open_time(step).isoformat()},5.330000000000001e-05,0.0001,5e-05,6e-05,7.5" for step in kept]
    (tmp_path / "ETH_BTC-1m.csv").write_text("\n".join(lines))
    record = ReplayRecord(tmp_path)
    with SimulatedExchange(record, clock, limited=False) as server:
        rows = opened(server, source).fetch_ohlcv("ETH/BTC", "1m", ms(OPEN - 100), 100)
    assert rows == recorded(source, OPEN - 100, OPEN - 1, symbol="ETH/BTC", record=record)
    assert [row[0] for row in rows] == [ms(step) for step in kept]
    assert rows[0][1] == 5.330000000000001e-05


class TestErrors:
    def test_of_a_symbol_nobody_lists(self, server: SimulatedExchange) -> None:
        asked = [
            ("kraken/0/public/OHLC", {"pair": "NONEUSD"}, 200, {"error": ["EQuery:Unknown asset pair"]}),
            ("coinbase/products/NONE-USD/candles", {}, 404, {"message": "NotFound"}),
            (
                "binance/api/v3/klines",
                {"symbol": "NONEUSDT", "interval": "1m"},
                400,
                {"code": -1121, "msg": "Invalid symbol."},
            ),
        ]
        for path, query, status, body in asked:
            answer = requests.get(f"{server.url}/{path}", query, timeout=2)
            assert (answer.status_code, answer.json()) == (status, body)

    @pytest.mark.parametrize(
        ("path", "query", "says"),
        [
            ("kraken/0/public/OHLC", {"pair": "XXBTZUSD", "interval": "7"}, "EGeneral:Invalid arguments"),
            ("kraken/0/public/OHLC", {"pair": "XXBTZUSD", "since": "inf"}, "EGeneral:Invalid arguments"),
            ("kraken/0/public/Nothing", {}, "EGeneral:Unknown method"),
            ("coinbase/products/BTC-USD/candles", {"granularity": "61"}, "Unsupported granularity"),
            ("coinbase/products/BTC-USD/candles", {"start": "yesterday", "end": "now"}, "invalid start or end"),
            ("binance/api/v3/klines", {"symbol": "BTCUSDT", "interval": "7m"}, "-1120"),
            ("binance/api/v3/klines", {"interval": "1m"}, "-1102"),
            ("binance/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "startTime": "-1"}, "-1100"),
            ("binance/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "0"}, "-1130"),
            ("binance/api/v3/nothing", {}, "404 Not found"),
            ("bitstamp/api", {}, "no such exchange"),
        ],
    )
    def test_of_a_request_that_is_wrong(self, path: str, query: Any, says: str, server: SimulatedExchange) -> None:
        assert says in requests.get(f"{server.url}/{path}", query, timeout=2).text


class TestLimits:
    def test_of_coinbase_are_fifteen_at_once_and_ten_a_second(self, clock: Clock) -> None:
        with SimulatedExchange(RECORD, clock) as server:
            exchange = opened(server, "coinbase")
            for _ in range(15):
                exchange.fetch_time()
            with pytest.raises(ccxt.RateLimitExceeded, match="Public rate limit exceeded"):
                exchange.fetch_time()
            clock.at += timedelta(seconds=0.1)
            exchange.fetch_time()
            with pytest.raises(ccxt.RateLimitExceeded):
                exchange.fetch_time()

    def test_of_kraken_come_with_http_200_and_count_each_market_by_itself(self, clock: Clock) -> None:
        with SimulatedExchange(RECORD, clock, limits={"kraken": TokenBucket(rate=1.0, burst=3)}) as server:
            exchange = opened(server, "kraken")
            exchange.load_markets()
            for _ in range(3):
                exchange.fetch_ohlcv("BTC/USD", "1m")
            with pytest.raises(ccxt.DDoSProtection, match="EGeneral:Too many requests"):
                exchange.fetch_ohlcv("BTC/USD", "1m")
            assert server.log[-1].status == 200
            exchange.fetch_ohlcv("ETH/USD", "1m")

    def test_of_binance_are_a_weight_a_minute_told_with_each_answer(self, clock: Clock) -> None:
        limit = WeightWindow(30, 60, patience=2, ban_seconds=120, header="X-MBX-USED-WEIGHT-1M")
        with SimulatedExchange(RECORD, clock, limits={"binance": limit}) as server:
            exchange = opened(server, "binance")
            exchange.load_markets()
            assert exchange.last_response_headers["X-Mbx-Used-Weight-1M".upper()] == "20"
            for _ in range(5):
                exchange.fetch_ohlcv("BTC/USDT", "1m")
            assert [_refusal(exchange) for _ in range(4)] == [(429, "60"), (429, "60"), (418, "120"), (418, "120")]
            clock.at += timedelta(seconds=121)
            exchange.fetch_ohlcv("BTC/USDT", "1m")
            assert exchange.last_response_headers["X-MBX-USED-WEIGHT-1M"] == "2"


def _refusal(exchange: Any) -> tuple[int, str]:
    with pytest.raises(ccxt.DDoSProtection) as raised:
        exchange.fetch_ohlcv("BTC/USDT", "1m")
    return int(str(raised.value).split()[1]), exchange.last_response_headers["Retry-After"]
