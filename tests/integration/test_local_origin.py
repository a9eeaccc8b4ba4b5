"""Where a local stack's candles come from, and when a replay starts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cryptowatch.local import origin
from cryptowatch.local.origin import Origin, OriginError, decide


def watch_list(folder: Path, *markets: str, interval: str = "5m") -> Path:
    path = folder / "watches.yaml"
    names = ", ".join(f'"{market}"' for market in markets)
    path.write_text(f"watches:\n  - name: w\n    markets: [{names}]\n    interval: {interval}\n")
    return path


def record(folder: Path, name: str, first: datetime, minutes: int, candles: int) -> None:
    lines = ["open_time,open,high,low,close,volume"]
    lines += [f"{(first + n * timedelta(minutes=minutes)).isoformat()},1,2,0.5,1.5,3" for n in range(candles)]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}-{minutes}m.csv").write_text("\n".join(lines) + "\n")


def replay(folder: Path, watches: Path, speed: float | None = None) -> Origin:
    return decide("replay", folder, speed, watches, lambda text: None)


MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_short_replay_starts_after_a_third_of_the_record(tmp_path: Path) -> None:
    record(tmp_path / "tape", "ETH_BTC", MONDAY, 5, 100)
    got = replay(tmp_path / "tape", watch_list(tmp_path, "kraken:ETH/BTC"))
    assert got.start == MONDAY + 30 * timedelta(minutes=5)
    assert got.end == MONDAY + 100 * timedelta(minutes=5)
    assert got.name == "replay-tape"
    assert got.speed == 5 * 60 / origin.REPLAY_INTERVAL_S


def test_a_long_replay_leaves_as_much_history_as_rules_need(tmp_path: Path) -> None:
    record(tmp_path / "tape", "ETH_BTC", MONDAY, 5, 5000)
    got = replay(tmp_path / "tape", watch_list(tmp_path, "kraken:ETH/BTC"))
    assert got.start == MONDAY + origin.REPLAY_HISTORY * timedelta(minutes=5)


def test_a_replay_runs_while_the_markets_of_the_watch_list_were_recorded(tmp_path: Path) -> None:
    record(tmp_path / "tape", "ETH_BTC", MONDAY, 5, 100)
    record(tmp_path / "tape", "OLD_BTC", MONDAY - timedelta(days=100), 1, 100)
    got = replay(tmp_path / "tape", watch_list(tmp_path, "kraken:ETH/BTC"))
    assert (got.start, got.end) == (MONDAY + timedelta(minutes=150), MONDAY + timedelta(minutes=500))


def test_a_star_means_the_recorded_markets_it_matches(tmp_path: Path) -> None:
    record(tmp_path / "tape", "ETH_BTC", MONDAY, 5, 100)
    record(tmp_path / "tape", "ETH_USD", MONDAY + timedelta(days=1), 5, 100)
    got = replay(tmp_path / "tape", watch_list(tmp_path, "kraken:*/BTC"))
    assert got.end == MONDAY + timedelta(minutes=500)


def test_a_replay_without_a_market_of_the_watch_list_is_refused(tmp_path: Path) -> None:
    record(tmp_path / "tape", "ETH_BTC", MONDAY, 5, 100)
    with pytest.raises(OriginError, match=r"holds no market of .*recorded are ETH/BTC"):
        replay(tmp_path / "tape", watch_list(tmp_path, "kraken:SOL/USD"))


def test_a_folder_that_is_no_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OriginError, match="no such folder"):
        replay(tmp_path / "nowhere", watch_list(tmp_path, "kraken:SOL/USD"))
    with pytest.raises(OriginError, match="needs a folder"):
        decide("replay", None, None, tmp_path / "watches.yaml", lambda text: None)


def test_the_speed_can_be_chosen(tmp_path: Path) -> None:
    record(tmp_path / "tape", "ETH_BTC", MONDAY, 5, 100)
    assert replay(tmp_path / "tape", watch_list(tmp_path, "kraken:ETH/BTC"), speed=7).speed == 7
    assert decide("simulated", None, 7, tmp_path / "none.yaml", lambda text: None).speed == 7


def test_auto_says_why_it_takes_simulated_markets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(origin, "_why_not_live", lambda source: asked.append(source) or "bitfinex: no route to host")
    told: list[str] = []
    got = decide("auto", None, None, watch_list(tmp_path, "bitfinex:BTC/USD"), told.append)
    assert (got.kind, got.record, got.end) == ("simulated", "simulated", None)
    assert asked == ["bitfinex"]
    assert told == ["bitfinex: no route to host: using simulated markets"]


def test_auto_takes_the_real_exchange_when_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "_why_not_live", lambda source: None)
    got = decide("auto", None, None, watch_list(tmp_path, "kraken:BTC/USD"), lambda text: None)
    assert (got.kind, got.record, got.speed, got.name) == ("live", None, 1.0, "live")
