"""Closed candles through ccxt, over the wire formats of Kraken, Coinbase Exchange and Binance."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cryptowatch.local.exchange.faults import Fault, hang
from cryptowatch.local.exchange.record import Candles, aggregate
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.local.exchange.wire import Answer
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.sources.ccxt_parts import exchange_class
from cryptowatch.sources.endpoint import point_at
from cryptowatch.sources.errors import (
    BadAnswerError,
    MarketRequestFailedError,
    SourceUnavailableError,
    UnknownSymbolError,
)
from cryptowatch.sources.exchange import Exchange, Page
from cryptowatch.sources.registry import open_source

MINUTE = INTERVALS["1m"]
NOW = datetime.fromisoformat("2026-03-02T12:00:30+00:00")
#: The step that is open at `NOW`.
OPEN = MINUTE.step_at(NOW)
SOURCES = ["kraken", "coinbase", "binance"]
every_source = pytest.mark.parametrize("source", SOURCES)


@dataclass
class Clock:
    at: datetime

    def now(self) -> datetime:
        return self.at


class Traded:
    """Markets that traded in the minutes given; each minute has figures of its own."""

    shows_quiet = False

    def __init__(self) -> None:
        every = set(range(OPEN - 5000, OPEN + 5000))
        self.minutes = {"BTC/USD": every, "ETH/USD": set(every)}

    def symbols(self, source: str) -> list[str]:
        return sorted(self.minutes)

    def decimals(self, source: str, symbol: str) -> int:
        return 2

    def bounds(self, symbol: str) -> None:
        """Without an end."""

    def parts(self, symbol: str, interval: Interval, step: int) -> Interval:
        return MINUTE

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        ratio = interval.seconds // 60
        start = first * ratio + interval.offset // 60
        span = range(start, start + (last - first + 1) * ratio)
        steps = np.array(sorted(self.minutes[symbol].intersection(span)), dtype=np.int64)
        price = 100.0 + steps % 1000
        values = np.stack([price, price + 2, price - 1, price + 1, price / 10], axis=1)
        return aggregate(Candles(steps, values), MINUTE, interval)


@pytest.fixture
def record() -> Traded:
    return Traded()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def server(record: Traded, clock: Clock) -> Iterator[SimulatedExchange]:
    with SimulatedExchange(record, clock, limited=False) as server:
        yield server


def spoil(
    server: SimulatedExchange,
    source: str,
    answer: Callable[[Answer], Answer],
    symbol: str | None = "BTC/USD",
    times: int | None = 1,
) -> None:
    """Replace the next answer of a market, or of any kind without one."""
    server.inject(Fault("spoiled", answer=answer), source, symbol, times=times)


@pytest.fixture
def opened(server: SimulatedExchange) -> Callable[[str], Exchange]:
    return lambda source: open_source(source, base_url=server.url, speed=1000, timeout_ms=500)


Opened = Callable[[str], Exchange]


def read(exchange: Exchange, first: int, last: int, symbol: str = "BTC/USD", grid: Interval = MINUTE) -> list[Page]:
    return list(exchange.pages(symbol, grid, first, last, exchange.now()))


def steps(pages: list[Page], grid: Interval = MINUTE) -> list[int]:
    return [grid.step_at(candle.open_time) for page in pages for candle in page.candles]


def assert_covered(pages: list[Page], first: int, last: int) -> None:
    """The pages follow one another from `first` to `last`."""
    ends = [first, *(page.covered_to for page in pages)]
    assert [page.covered_from for page in pages] == ends[:-1]
    assert ends[-1] == last + 1


@every_source
def test_the_clock_is_the_exchanges_own(source: str, opened: Opened, clock: Clock) -> None:
    clock.at = datetime.fromisoformat("2019-05-05T05:05:05+00:00")
    assert opened(source).now() == clock.at


@every_source
def test_an_exchange_that_tells_no_time_is_read_by_its_date_header(
    source: str, server: SimulatedExchange, clock: Clock
) -> None:
    client = exchange_class({"coinbase": "coinbaseexchange"}.get(source, source))({"timeout": 500})
    client.has |= {"fetchTime": False, "fetchCurrencies": False}
    client.options["fetchMarkets"] = {"types": ["spot"]}
    point_at(client, server.url)
    clock.at = datetime.fromisoformat("2019-05-05T05:05:05.900000+00:00")
    assert Exchange(source, client, 1000).now() == datetime.fromisoformat("2019-05-05T05:05:05+00:00")


@every_source
def test_its_symbols_are_listed(source: str, opened: Opened) -> None:
    assert opened(source).symbols() == ["BTC/USD", "ETH/USD"]


@every_source
def test_candles_arrive_with_their_figures(source: str, opened: Opened) -> None:
    [page] = read(opened(source), OPEN - 2, OPEN - 1)
    price = 100.0 + (OPEN - 2) % 1000
    assert page.candles[0] == (MINUTE.open_time(OPEN - 2), price, price + 2, price - 1, price + 1, price / 10)


@every_source
def test_neither_the_open_candle_nor_a_future_one_is_given(
    source: str, opened: Opened, record: Traded, clock: Clock
) -> None:
    exchange = opened(source)
    pages = read(exchange, OPEN - 3, OPEN + 3)
    assert steps(pages) == [OPEN - 3, OPEN - 2, OPEN - 1]
    assert_covered(pages, OPEN - 3, OPEN - 1)
    now = exchange.now()
    clock.at += timedelta(minutes=5)  # Time goes on while a run reads by the time it began at.
    assert steps(list(exchange.pages("BTC/USD", MINUTE, OPEN - 3, OPEN + 3, now))) == [OPEN - 3, OPEN - 2, OPEN - 1]


@every_source
def test_nothing_is_asked_for_before_a_step_has_closed(source: str, opened: Opened) -> None:
    assert read(opened(source), OPEN, OPEN) == []


@every_source
@pytest.mark.parametrize("name", ["5m", "1h", "1d"])
def test_every_interval_is_read_on_its_grid(source: str, name: str, opened: Opened) -> None:
    grid = INTERVALS[name]
    last = grid.last_closed(NOW)
    assert steps(read(opened(source), last - 1, last, grid=grid), grid) == [last - 1, last]


@every_source
def test_twelve_hours_without_a_trade_are_passed(source: str, opened: Opened, record: Traded) -> None:
    first, last = OPEN - 712, OPEN - 1
    record.minutes["BTC/USD"] = {first, last, OPEN}
    pages = read(opened(source), first, last)
    assert steps(pages) == [first, last]
    assert_covered(pages, first, last)


@every_source
def test_a_market_that_has_not_traded_since_is_read_up_to_now(source: str, opened: Opened, record: Traded) -> None:
    record.minutes["BTC/USD"] = {OPEN - 5000}
    pages = read(opened(source), OPEN - 700, OPEN - 1)
    assert steps(pages) == []
    assert_covered(pages, OPEN - 700, OPEN - 1)


@pytest.mark.parametrize("source", ["coinbase", "binance"])
def test_three_weeks_without_a_trade_are_passed(source: str, opened: Opened, record: Traded) -> None:
    grid = INTERVALS["5m"]
    last = grid.last_closed(NOW)
    first = last - 3 * 7 * 288
    record.minutes["BTC/USD"] = {first * 5, last * 5}
    pages = read(opened(source), first, last, grid=grid)
    assert steps(pages, grid) == [first, last]
    assert_covered(pages, first, last)


@pytest.mark.parametrize(("source", "requests"), [("coinbase", 17), ("binance", 5)])
def test_a_long_history_takes_full_pages(source: str, requests: int, opened: Opened, server: SimulatedExchange) -> None:
    pages = read(opened(source), OPEN - 5000, OPEN - 1)
    assert steps(pages) == list(range(OPEN - 5000, OPEN))
    assert_covered(pages, OPEN - 5000, OPEN - 1)
    assert sum(one.asked == "candles" for one in server.log) == requests


class TestKrakensShortHistory:
    def test_only_what_it_serves_is_asked_for_and_covered(self, opened: Opened) -> None:
        exchange = opened("kraken")
        oldest = exchange.history_start(MINUTE, NOW)
        assert oldest is not None
        assert OPEN - 719 <= oldest <= OPEN - 700
        pages = read(exchange, OPEN - 5000, OPEN - 1)
        assert_covered(pages, oldest, OPEN - 1)
        assert steps(pages) == list(range(oldest, OPEN))

    def test_candles_that_fell_out_of_reach_meanwhile_do_not_count_as_covered(
        self, opened: Opened, clock: Clock
    ) -> None:
        exchange = opened("kraken")
        now = exchange.now()
        clock.at += timedelta(minutes=100)
        pages = list(exchange.pages("BTC/USD", MINUTE, OPEN - 5000, OPEN - 1, now))
        assert_covered(pages, OPEN + 100 - 719, OPEN - 1)

    def test_the_others_serve_all_their_history(self, opened: Opened) -> None:
        assert opened("coinbase").history_start(MINUTE, NOW) is None
        assert opened("binance").history_start(MINUTE, NOW) is None


@every_source
def test_a_revised_candle_is_given_as_it_is_now(source: str, opened: Opened, server: SimulatedExchange) -> None:
    exchange = opened(source)
    before = read(exchange, OPEN - 2, OPEN - 1)[0].candles
    spoil(server, source, changed(**{"open": 1.5, "low": 1.25}))
    after = read(exchange, OPEN - 2, OPEN - 1)[0].candles
    assert [candle.open_time for candle in after] == [candle.open_time for candle in before]
    assert (after[0].open, after[0].low) == (1.5, 1.25)
    assert after[1] == before[1]


#: Where each format has its figures in a row, and whether as text.
COLUMNS = {
    "kraken": {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "volume": 6},
    "coinbase": {"time": 0, "low": 1, "high": 2, "open": 3, "close": 4, "volume": 5},
    "binance": {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "volume": 5},
}


def rows_of(body: Any) -> tuple[str, list[list[Any]]]:
    """The format of an answer, and its rows."""
    if isinstance(body, dict):
        return "kraken", next(value for name, value in body["result"].items() if name != "last")
    return ("binance" if body and len(body[0]) > 6 else "coinbase"), body


def changed(**figures: Any) -> Callable[[Answer], Answer]:
    """The oldest candle of an answer has other figures."""

    def change(answer: Answer) -> Answer:
        source, rows = rows_of(answer.body)
        oldest = min(rows, key=lambda row: row[0])
        for name, value in figures.items():
            oldest[COLUMNS[source][name]] = value
        return answer

    return change


def with_rows(edit: Callable[[list[list[Any]]], None]) -> Callable[[Answer], Answer]:
    def change(answer: Answer) -> Answer:
        edit(rows_of(answer.body)[1])
        return answer

    return change


def double_changed(rows: list[list[Any]]) -> None:
    """The oldest candle once more, with another volume."""
    oldest = min(rows, key=lambda row: row[0])
    again = [*oldest]
    again[6 if len(again) == 8 else 5] = 77.0
    rows.append(again)


def off_the_grid(answer: Answer) -> Answer:
    source, rows = rows_of(answer.body)
    rows[0][0] += 7 * (1000 if source == "binance" else 1)
    return answer


def cut(answer: Answer) -> Answer:
    return Answer(json.dumps(answer.body).encode()[:-7])


HTML = b"<!DOCTYPE html>\n<html><body>Just a moment...</body></html>"

FALSE_ANSWERS = {
    "NaN": (changed(close="NaN"), "the close of .* is not a number"),
    "NaN that no JSON has": (changed(close=float("nan")), "the answer is not JSON"),
    "a word": (changed(close="none"), "the close of .* is not a number"),
    "null": (changed(volume=None), "the volume of .* is not a number"),
    "infinite": (changed(high="Infinity"), "the high of .* is not a number"),
    "negative": (changed(low=-1.0), "the low of .* is negative"),
    "zero": (changed(low="0.0000"), "the low of .* is zero"),
    "negative volume": (changed(volume=-2.0), "the volume of .* is negative"),
    "high below low": (changed(high=1.0), "the high of .* is below its low"),
    "open outside": (changed(open=99_999.0), "the open of .* is outside its low and high"),
    "close outside": (changed(close=0.001), "the close of .* is outside its low and high"),
    "conflicting repeats": (with_rows(double_changed), "two different candles of "),
    "off the grid": (off_the_grid, "a candle of .* is not on the grid of 1m"),
    "short rows": (with_rows(lambda rows: rows.__setitem__(0, rows[0][:2])), "is not a number|not a candle"),
    "rows that are none": (with_rows(lambda rows: rows.__setitem__(0, None)), "not a candle|cannot be read"),
    "HTML": (lambda answer: Answer(HTML), "the answer is not JSON: <!DOCTYPE html> <html>"),
    "HTML said to be HTML": (lambda answer: Answer(HTML, headers={"Content-Type": "text/html"}), "is not JSON: <!"),
    "truncated": (cut, "the answer is not JSON: "),
    "nothing": (lambda answer: Answer(b""), "the answer is not JSON"),
    "null body": (lambda answer: Answer(None), "the answer is not JSON: null"),
    "an empty object": (lambda answer: Answer({}), "neither candles nor an empty list of them|cannot be read"),
    "a number": (lambda answer: Answer(7), "the answer is not JSON: 7"),
}


@every_source
@pytest.mark.parametrize("name", FALSE_ANSWERS)
def test_a_false_answer_is_one_clear_error_of_that_market_and_heals(
    source: str, name: str, opened: Opened, server: SimulatedExchange
) -> None:
    exchange = opened(source)
    fault, message = FALSE_ANSWERS[name]
    spoil(server, source, fault)
    with pytest.raises(BadAnswerError, match=f"^{source} BTC/USD 1m: .*({message})") as raised:
        read(exchange, OPEN - 10, OPEN - 1)
    assert "\n" not in str(raised.value)
    assert steps(read(exchange, OPEN - 10, OPEN - 1)) == list(range(OPEN - 10, OPEN))


@pytest.mark.parametrize("source", ["coinbase", "binance"])
def test_a_false_candle_on_a_later_page_leaves_the_earlier_pages(
    source: str, opened: Opened, server: SimulatedExchange
) -> None:
    pages = opened(source).pages("BTC/USD", MINUTE, OPEN - 2500, OPEN - 1, NOW)
    assert next(pages).covered_from == OPEN - 2500
    spoil(server, source, changed(close=-1))
    with pytest.raises(BadAnswerError):
        next(pages)


@every_source
@pytest.mark.parametrize(
    "edit",
    [
        lambda rows: rows.extend([*rows]),
        lambda rows: rows.reverse(),
        lambda rows: rows.sort(key=lambda row: row[0] % 7),
    ],
    ids=["repeated", "reversed", "shuffled"],
)
def test_repeats_and_disorder_do_no_harm(
    source: str, edit: Callable[[list[list[Any]]], None], opened: Opened, server: SimulatedExchange
) -> None:
    spoil(server, source, with_rows(edit), times=None)
    pages = read(opened(source), OPEN - 50, OPEN - 1)
    assert steps(pages) == list(range(OPEN - 50, OPEN))
    assert_covered(pages, OPEN - 50, OPEN - 1)


def test_kraken_answering_for_another_market_is_an_error_and_not_silence(
    opened: Opened, server: SimulatedExchange
) -> None:
    def another(answer: Answer) -> Answer:
        return Answer({"error": [], "result": {"XETHZUSD": rows_of(answer.body)[1], "last": 0}})

    spoil(server, "kraken", another)
    with pytest.raises(BadAnswerError, match=r"^kraken BTC/USD 1m: neither candles nor an empty list of them$"):
        read(opened("kraken"), OPEN - 10, OPEN - 1)


@pytest.mark.parametrize("source", ["coinbase", "binance"])
def test_candles_of_another_time_are_an_error_and_not_silence(
    source: str, opened: Opened, server: SimulatedExchange
) -> None:
    def long_ago(answer: Answer) -> Answer:
        for row in rows_of(answer.body)[1]:
            row[0] -= 86400 * 365 * (1000 if source == "binance" else 1)
        return answer

    spoil(server, source, long_ago)
    with pytest.raises(BadAnswerError, match="candles from before what was asked for"):
        read(opened(source), OPEN - 10, OPEN - 1)


REFUSALS = [
    ("coinbase", Answer({"message": "Public rate limit exceeded"}, 429, {"Retry-After": "7"}), 7.0),
    ("coinbase", Answer(b"<html>slow down</html>", 429), None),
    ("binance", Answer({"code": -1003, "msg": "Too many requests"}, 429, {"Retry-After": "11"}), 11.0),
    ("binance", Answer({"code": -1003, "msg": "IP banned until"}, 418, {"Retry-After": "120"}), 120.0),
    ("kraken", Answer({"error": ["EGeneral:Too many requests"]}), None),
    ("kraken", Answer({"error": ["EAPI:Rate limit exceeded"]}), None),
    ("kraken", Answer(b"slow down", 429, {"Retry-After": "3"}), 3.0),
]


@pytest.mark.parametrize(("source", "answer", "wait"), REFUSALS)
def test_a_refusal_for_asking_too_much_stops_the_source(
    source: str, answer: Answer, wait: float | None, opened: Opened, server: SimulatedExchange
) -> None:
    exchange = opened(source)
    spoil(server, source, lambda _: answer)
    with pytest.raises(SourceUnavailableError, match=f"^{source} refuses: too many requests") as raised:
        read(exchange, OPEN - 10, OPEN - 1)
    assert raised.value.asked_to_wait
    assert raised.value.retry_after == wait
    spoil(server, source, lambda _: answer, None)
    with pytest.raises(SourceUnavailableError) as raised:
        exchange.now()
    assert (raised.value.asked_to_wait, raised.value.retry_after) == (True, wait)


@every_source
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_contained_to_its_market(
    source: str, status: int, opened: Opened, server: SimulatedExchange
) -> None:
    exchange = opened(source)
    spoil(server, source, lambda _: Answer(HTML, status), times=None)
    with pytest.raises(MarketRequestFailedError, match=f"^{source} BTC/USD 1m: HTTP {status}$"):
        read(exchange, OPEN - 10, OPEN - 1)
    assert len(steps(read(exchange, OPEN - 10, OPEN - 1, "ETH/USD"))) == 10


def test_kraken_saying_that_it_is_unavailable_is_contained_to_that_market(
    opened: Opened, server: SimulatedExchange
) -> None:
    spoil(server, "kraken", lambda _: Answer({"error": ["EService:Unavailable"]}))
    with pytest.raises(MarketRequestFailedError, match=r"^kraken BTC/USD 1m: .*EService:Unavailable"):
        read(opened("kraken"), OPEN - 10, OPEN - 1)


@every_source
def test_a_time_out_is_contained_to_its_market(source: str, opened: Opened, server: SimulatedExchange) -> None:
    exchange = opened(source)
    now = exchange.now()
    server.inject(hang(), source, "BTC/USD")
    with pytest.raises(MarketRequestFailedError, match=f"^{source} BTC/USD 1m: no answer in 0.5 s$"):
        list(exchange.pages("BTC/USD", MINUTE, OPEN - 10, OPEN - 1, now))


@every_source
@pytest.mark.parametrize("status", [403, 451])
def test_an_exchange_that_does_not_want_us_stops_the_source(
    source: str, status: int, opened: Opened, server: SimulatedExchange
) -> None:
    exchange = opened(source)
    spoil(server, source, lambda _: Answer(HTML, status))
    with pytest.raises(SourceUnavailableError, match=f"^{source} refuses us: HTTP {status}$") as raised:
        read(exchange, OPEN - 10, OPEN - 1)
    assert not raised.value.asked_to_wait


@every_source
def test_an_exchange_that_cannot_be_reached_stops_the_source(source: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        exchange = open_source(source, base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", speed=1000)
        with pytest.raises(SourceUnavailableError, match=f"^{source} cannot be reached$"):
            exchange.now()
        with pytest.raises(SourceUnavailableError, match=f"^{source} cannot be reached$"):
            exchange.symbols()


@every_source
def test_an_exchange_that_garbles_its_time_or_its_markets_is_unavailable(
    source: str, opened: Opened, server: SimulatedExchange
) -> None:
    exchange = opened(source)
    for body in (HTML, b"{}", b"[]", b'{"error":[],"result":{}}', b"null"):
        spoil(server, source, lambda _, body=body: Answer(body), None)
        with pytest.raises(SourceUnavailableError, match=f"^{source} does not tell its time"):
            exchange.now()
        spoil(server, source, lambda _, body=body: Answer(body), None)
        with pytest.raises(SourceUnavailableError, match=f"^{source}: its list of markets cannot be read: "):
            exchange.symbols()
    assert exchange.symbols() == ["BTC/USD", "ETH/USD"]


@every_source
def test_a_symbol_that_it_never_listed_is_unknown(source: str, opened: Opened) -> None:
    with pytest.raises(UnknownSymbolError, match=f"^{source} does not list NO/USD$"):
        read(opened(source), OPEN - 10, OPEN - 1, "NO/USD")


@every_source
def test_a_symbol_that_vanished_is_unknown_and_the_others_go_on(source: str, opened: Opened, record: Traded) -> None:
    exchange = opened(source)
    assert exchange.symbols() == ["BTC/USD", "ETH/USD"]
    del record.minutes["BTC/USD"]
    with pytest.raises(UnknownSymbolError, match=f"^{source} does not list BTC/USD$"):
        read(exchange, OPEN - 10, OPEN - 1)
    assert len(steps(read(exchange, OPEN - 10, OPEN - 1, "ETH/USD"))) == 10


@every_source
def test_a_symbol_listed_since_is_found_when_the_list_is_some_minutes_old(
    source: str, opened: Opened, record: Traded, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = opened(source)
    exchange.symbols()
    record.minutes["NEW/USD"] = {OPEN - 1}
    with pytest.raises(UnknownSymbolError):
        read(exchange, OPEN - 10, OPEN - 1, "NEW/USD")
    monkeypatch.setattr("cryptowatch.sources.exchange.MISSING_KEPT_S", 0.0)
    assert steps(read(exchange, OPEN - 10, OPEN - 1, "NEW/USD")) == [OPEN - 1]


@every_source
def test_an_exchange_read_without_knowing_it_gives_the_same_candles(
    source: str, opened: Opened, record: Traded, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = set(range(OPEN - 600, OPEN - 100)) | set(range(OPEN - 90, OPEN - 5, 3))
    record.minutes["BTC/USD"] -= quiet
    expected = read(opened(source), OPEN - 650, OPEN - 1)
    monkeypatch.setattr("cryptowatch.sources.exchange.KNOWN", {})
    pages = read(opened(source), OPEN - 650, OPEN - 1)
    assert steps(pages) == steps(expected)
    assert_covered(pages, OPEN - 650, OPEN - 1)
