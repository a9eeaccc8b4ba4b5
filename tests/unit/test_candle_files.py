"""Files of candles: what is written is read back to the last bit; what is wrong is said with its row."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cryptowatch.cli import candle_files, transfer_page
from cryptowatch.cli.transfer_page import BadRecordError, NothingWrittenError, read, send_all, take
from cryptowatch.markets.interval import INTERVALS

HOUR = INTERVALS["1h"]


def rows(count: int) -> list[list[Any]]:
    chance = random.Random(7)
    closes = [chance.random() * 10 ** chance.randint(-6, 5) for _ in range(count)]
    # Every tenth hour had no trade.
    return [
        [3600 * (450_000 + at + at // 10), one, one * 1.5, one / 3, one * 1.1, one] for at, one in enumerate(closes)
    ]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_what_is_written_is_read_back_to_the_last_bit(tmp_path, suffix) -> None:
    path = tmp_path / candle_files.file_name("ETH/BTC", HOUR, suffix)
    candle_files.write(path, rows(200))
    assert candle_files.named(path) == ("ETH/BTC", HOUR)
    found = candle_files.read(path, HOUR)
    times = (found.steps * 3600).tolist()
    assert [[time, *values] for time, values in zip(times, found.values.tolist(), strict=True)] == rows(200)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_row_that_is_no_candle_is_named(tmp_path, suffix) -> None:
    bad = rows(20)
    bad[7][2], bad[7][3] = bad[7][3], bad[7][2]
    path = tmp_path / f"ETH_BTC-1h{suffix}"
    candle_files.write(path, bad)
    with pytest.raises(BadRecordError, match="row 9: the high is below the low"):
        read(path, "kraken")


def test_a_file_that_is_no_parquet_or_has_other_columns_is_said_in_one_line(tmp_path) -> None:
    (tmp_path / "ETH_BTC-1h.parquet").write_text("no")
    with pytest.raises(BadRecordError, match=r"ETH_BTC-1h\.parquet: not a Parquet file: [^\n]*$"):
        read(tmp_path / "ETH_BTC-1h.parquet", "kraken")
    pd.DataFrame({"time": [1]}).to_parquet(tmp_path / "ETH_BTC-1d.parquet")
    with pytest.raises(BadRecordError, match="the columns must be open_time,open,high,low,close,volume, not time"):
        read(tmp_path / "ETH_BTC-1d.parquet", "kraken")


def test_a_file_is_sent_from_its_newest_candles_back_each_batch_up_to_the_next(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(transfer_page, "MOST_CANDLES", 30)
    path = tmp_path / "ETH_BTC-1h.csv"
    candle_files.write(path, rows(70))
    batches: list[dict[str, Any]] = []

    def ask(batch: dict[str, Any]) -> dict[str, int]:
        batches.append(batch)
        return {"new": len(batch["candles"]), "same": 0, "differ": 0, "newer": 0}

    (result,) = send_all([read(path, "kraken")], ask, leave_hole=False)
    assert result["new"] == 70 and result["market"] == "kraken:ETH/BTC"
    assert [len(batch["candles"]) for batch in batches] == [30, 30, 10]
    assert [row for batch in reversed(batches) for row in batch["candles"]] == rows(70)
    for newer, older in zip(batches, batches[1:], strict=False):
        assert (
            older["until"]
            == HOUR.open_time(HOUR.step_at(pd.Timestamp(newer["candles"][0][0], unit="s", tz="UTC"))).isoformat()
        )


def test_an_export_asks_page_by_page_backwards(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(transfer_page, "MOST_CANDLES", 30)
    stored = rows(70)

    def ask(batch: dict[str, Any]) -> dict[str, Any]:
        before = pd.Timestamp(batch["before"]).timestamp()
        return {"candles": [row for row in stored if row[0] < before][-30:]}

    told = take("kraken:ETH/BTC", "1h", "2020-01-01", tmp_path / "new", "csv", ask)
    assert told["file"] == str(tmp_path / "new" / "ETH_BTC-1h.csv") and told["candles"] == 70
    assert len(candle_files.read(Path(told["file"]), HOUR).steps) == 70
    with pytest.raises(NothingWrittenError, match="nothing is stored of kraken:ETH/BTC at 1h since 2020-01-01"):
        take("kraken:ETH/BTC", "1h", "2020-01-01", tmp_path, "csv", lambda batch: {"candles": []})
