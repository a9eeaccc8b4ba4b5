"""A folder of recorded candles, served at their recorded times; a folder that is not one is refused in one line."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.replay import BadRecordError, ReplayRecord
from cryptowatch.local.exchange.view import View
from cryptowatch.markets.interval import INTERVALS, Interval

HEAD = "open_time,open,high,low,close,volume"
START = datetime(2018, 1, 10, 4, 55, tzinfo=UTC)
FIVE = INTERVALS["5m"]
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "candles"


def row(minutes: int, open_: float = 2.0, high: float = 4.0, low: float = 1.0, close: float = 3.0, volume=1.5) -> str:
    return f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ},{open_},{high},{low},{close},{volume}"


def write(folder: Path, name: str, *rows: str, head: str = HEAD) -> Path:
    path = folder / name
    text = "\n".join([head, *rows]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return folder


def steps(candles: Candles) -> list[int]:
    return candles.steps.tolist()


class TestAGoodFolder:
    def test_gives_its_markets_to_every_exchange_or_to_those_named(self, tmp_path: Path) -> None:
        write(tmp_path, "ETH_BTC-5m.csv.gz", row(0))
        write(tmp_path, "ADA_BTC-5m.csv", row(0))
        (tmp_path / "README.md").write_text("Where these are from.")
        record = ReplayRecord(tmp_path)
        assert all(record.symbols(source) == ["ADA/BTC", "ETH/BTC"] for source in ("kraken", "coinbase", "binance"))
        one = ReplayRecord(tmp_path, sources=["kraken"])
        assert (one.symbols("kraken"), one.symbols("binance")) == (["ADA/BTC", "ETH/BTC"], [])

    def test_gives_its_candles_at_their_times_and_nothing_where_there_is_no_row(self, tmp_path: Path) -> None:
        record = ReplayRecord(write(tmp_path, "ETH_BTC-5m.csv", row(0), row(5, close=2.5), row(20, volume=0)))
        first = FIVE.step_at(START)
        candles = record.candles("kraken", "ETH/BTC", FIVE, first - 9, first + 9)
        assert steps(candles) == [first, first + 1, first + 4]
        assert candles.values.tolist() == [[2, 4, 1, 3, 1.5], [2, 4, 1, 2.5, 1.5], [2, 4, 1, 3, 0]]
        assert steps(record.candles("kraken", "ETH/BTC", FIVE, first + 1, first + 3)) == [first + 1]

    def test_tells_its_first_and_last_time(self, tmp_path: Path) -> None:
        write(tmp_path, "ETH_BTC-5m.csv", row(0), row(60))
        write(tmp_path, "ADA_BTC-1h.csv", row(-175), row(65))
        record = ReplayRecord(tmp_path)
        assert record.interval == FIVE
        assert record.span() == (START, START + timedelta(minutes=65))
        assert record.bounds("ADA/BTC") == (START - timedelta(minutes=175), START + timedelta(minutes=125))

    def test_puts_longer_candles_together_where_it_has_all_of_their_time(self, tmp_path: Path) -> None:
        record = ReplayRecord(write(tmp_path, "ETH_BTC-5m.csv", *(row(n * 5, high=5 + n) for n in range(30))))
        hour = INTERVALS["1h"]
        last = hour.step_at(START) + 9
        candles = record.candles("kraken", "ETH/BTC", hour, last - 20, last)
        assert [hour.open_time(step).hour for step in steps(candles)] == [5, 6]
        assert candles.values.tolist() == [[2, 17, 1, 3, 18], [2, 29, 1, 3, 18]]
        assert steps(record.candles("kraken", "ETH/BTC", INTERVALS["1m"], 0, 2**40)) == []
        assert steps(record.candles("kraken", "ETH/BTC", INTERVALS["1d"], 0, 2**20)) == []

    def test_prefers_what_was_recorded_to_what_can_be_put_together(self, tmp_path: Path) -> None:
        write(tmp_path, "ETH_BTC-5m.csv", *(row(n * 5) for n in range(1, 37)))
        write(tmp_path, "ETH_BTC-1h.csv", row(65, close=3.25), row(5 + 240, close=3.5))
        hour = INTERVALS["1h"]
        candles = ReplayRecord(tmp_path).candles("kraken", "ETH/BTC", hour, 0, 2**30)
        assert [hour.open_time(step).hour for step in steps(candles)] == [5, 6, 9]
        assert candles.values[:, 3].tolist() == [3, 3.25, 3.5]

    def test_shows_the_open_longer_candle_as_its_parts_have_come(self, tmp_path: Path) -> None:
        rows = (row(n * 5, high=5 + n, close=3.2) for n in range(30))
        record = ReplayRecord(write(tmp_path, "ETH_BTC-5m.csv", *rows))
        hour = INTERVALS["1h"]

        def shown(minutes: float) -> list[list[float]]:
            now = START + timedelta(minutes=minutes)
            step = hour.step_at(now)
            view = View(record, "binance", now, quiet=True)
            return view.candles("ETH/BTC", hour, step, step).values.tolist()

        assert shown(2) == []  # of the hour from 04:00 only five minutes were recorded
        assert shown(5 + 10) == [[2, 7, 1, 3.2, 3]]
        assert shown(5 + 12.5) == [[2, 7, 1, 2.6, 3.75]]


class TestABadFolder:
    def refused(self, folder: Path) -> str:
        with pytest.raises(BadRecordError) as raised:
            ReplayRecord(folder)
        assert "\n" not in str(raised.value)
        return str(raised.value)

    def test_is_missing_or_empty_or_holds_nothing_of_the_kind(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path / "none").endswith("none: no such folder")
        assert "no recorded candles" in self.refused(tmp_path)
        (tmp_path / "notes.txt").write_text("nothing")
        assert "files named like ETH_BTC-5m.csv.gz" in self.refused(tmp_path)

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("ETHBTC.csv", "a file of candles is named like ETH_BTC-5m.csv.gz"),
            ("ETH_BTC-7m.csv", "unknown interval '7m'"),
        ],
    )
    def test_holds_a_table_that_is_not_named_for_a_market(self, name: str, says: str, tmp_path: Path) -> None:
        write(tmp_path, "ADA_BTC-5m.csv", row(0))
        assert says in self.refused(write(tmp_path, name, row(0)))

    def test_holds_a_market_twice(self, tmp_path: Path) -> None:
        write(tmp_path, "ETH_BTC-5m.csv", row(0))
        assert "a second file of ETH/BTC 5m" in self.refused(write(tmp_path, "ETH_BTC-5m.csv.gz", row(0)))

    @pytest.mark.parametrize(
        ("rows", "says"),
        [
            ([], "no candles in it"),
            ([row(0), row(5, close="")], "row 3: a figure is missing or not finite"),
            ([row(0), row(5, close="inf")], "row 3: a figure is missing or not finite"),
            ([row(0, close="cheap")], "not candles: could not convert string to float: 'cheap'"),
            ([row(0), row(7)], "row 3: the open time is not on the grid of 5m"),
            ([row(0), row(5), row(5)], "row 4: the open time is not after the one before"),
            ([row(5), row(0)], "row 3: the open time is not after the one before"),
            ([row(0, low=0)], "row 2: a price is zero or negative"),
            ([row(0, volume=-1)], "row 2: the volume is negative"),
            ([row(0, high=0.5)], "row 2: the high is below the low"),
            ([row(0, close=5)], "row 2: open or close is outside of high and low"),
            ([row(0), "yesterday,1,1,1,1,1"], "not candles: "),
            ([row(0), ",1,1,1,1,1"], "row 3: the open time is not on the grid"),
            ([row(0) + ",7", row(5)], "the columns must be|not a table|not candles|row"),
        ],
    )
    def test_holds_rows_that_are_no_candles(self, rows: list[str], says: str, tmp_path: Path) -> None:
        message = self.refused(write(tmp_path, "ETH_BTC-5m.csv", *rows))
        assert any(one in message for one in says.split("|"))

    def test_holds_other_columns(self, tmp_path: Path) -> None:
        message = self.refused(write(tmp_path, "ETH_BTC-5m.csv", head="time,price"))
        assert message.endswith("the columns must be open_time,open,high,low,close,volume, not time,price")

    @pytest.mark.parametrize("name", ["ETH_BTC-5m.csv", "ETH_BTC-5m.csv.gz"])
    def test_holds_what_cannot_be_read(self, name: str, tmp_path: Path) -> None:
        (tmp_path / name).write_bytes(b"\x1f\x8b\x00\xff\xfe garbage \x00")
        assert "not a table: " in self.refused(tmp_path)

    def test_holds_a_file_that_was_cut_off(self, tmp_path: Path) -> None:
        write(tmp_path, "ETH_BTC-5m.csv.gz", *(row(n * 5) for n in range(500)))
        whole = (tmp_path / "ETH_BTC-5m.csv.gz").read_bytes()
        (tmp_path / "ETH_BTC-5m.csv.gz").write_bytes(whole[: len(whole) // 2])
        assert "not a table: " in self.refused(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recorded candles are not here")
class TestRealCandles:
    def test_are_served_as_they_were_recorded(self) -> None:
        record = ReplayRecord(SHARED)
        for path in SHARED.glob("*.csv.gz"):
            market, _, name = path.name.removesuffix(".csv.gz").partition("-")
            table = pd.read_csv(path)
            times = pd.to_datetime(table["open_time"])
            interval = INTERVALS[name]
            first, last = interval.step_at(times.iloc[0]), interval.step_at(times.iloc[-1])
            candles = record.candles("binance", market.replace("_", "/"), interval, first, last)
            np.testing.assert_array_equal(candles.values, table.iloc[:, 1:].to_numpy())
            assert [interval.open_time(step) for step in steps(candles)[-9:]] == list(times.iloc[-9:])

    @pytest.mark.parametrize("interval", [INTERVALS["15m"], INTERVALS["1d"], Interval(604_800, "1w")], ids=str)
    def test_make_longer_ones(self, interval: Interval) -> None:
        record = ReplayRecord(SHARED)
        table = pd.read_csv(SHARED / "ADA_BTC-5m.csv.gz", index_col="open_time", parse_dates=True)
        seconds = table.index.astype("datetime64[s, UTC]").astype("int64") // interval.seconds
        grouped = table.groupby(seconds.to_numpy())
        expected = pd.DataFrame(
            {"open": grouped["open"].first(), "high": grouped["high"].max(), "low": grouped["low"].min()}
        )
        expected["close"] = grouped["close"].last()
        opened, closed = record.bounds("ADA/BTC")
        whole = [s for s in expected.index if opened <= interval.open_time(s) and interval.close_time(s) <= closed]
        candles = record.candles("binance", "ADA/BTC", interval, min(expected.index), max(expected.index))
        assert steps(candles) == whole
        np.testing.assert_array_equal(candles.values[:, :4], expected.loc[whole].to_numpy())
