"""`cryptowatch preview` over small records whose alerts can be counted by hand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cryptowatch.cli.recorded
from cryptowatch.cli.main import app

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def record(folder: Path, name: str, closes: list[float | None], start: datetime = NOON, minutes: int = 1) -> None:
    """A file of candles with these closes; None for one without a row."""
    rows = ["open_time,open,high,low,close,volume"]
    for place, close in enumerate(closes):
        if close is not None:
            opened = start + timedelta(minutes=minutes * place)
            rows.append(f"{opened:%Y-%m-%dT%H:%M:%SZ},{close},{close},{close},{close},1.0")
    (folder / name).write_text("\n".join(rows) + "\n")


def watch(**more: Any) -> dict[str, Any]:
    return {
        "name": "above",
        "markets": ["recorded:*/BTC"],
        "interval": "1m",
        "when": "close > 110",
        "notify": ["me"],
        **more,
    }


@pytest.fixture
def run(tmp_path: Path):
    """Runs preview over the files in `tmp_path/candles` with the given watches."""
    (tmp_path / "candles").mkdir()

    def run(*watches: dict[str, Any], arguments: tuple[str, ...] = ()) -> Any:
        people = {"me": "me@example.com", "ops": "ops@example.com"}
        file = tmp_path / "watches.yaml"
        file.write_text(json.dumps({"recipients": people, "watches": list(watches)}))
        return CliRunner().invoke(app, ["preview", str(file), "--candles", str(tmp_path / "candles"), *arguments])

    run.folder = tmp_path / "candles"
    return run


def told(run, *watches: dict[str, Any], arguments: tuple[str, ...] = ()) -> dict[str, Any]:
    done = run(*watches, arguments=("--json", *arguments))
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def closes(letters: str) -> list[float | None]:
    """H high, l low, a dot for no candle."""
    return [{"H": 120.0, "l": 100.0, ".": None}[letter] for letter in letters]


def fired_at(result: dict[str, Any]) -> list[tuple[str, int]]:
    """Base currency and minute after noon of each alert's candle."""
    opened = [(one["market"], datetime.fromisoformat(one["open_time"])) for one in result["alerts"]]
    return [(market[9:].split("/")[0], int((at - NOON) / timedelta(minutes=1))) for market, at in opened]


def test_an_alert_is_told_with_all_of_its_parts(run) -> None:
    record(run.folder, "LTC_BTC-1m.csv", closes("llHHl"))
    result = told(run, watch())
    assert result["alerts"] == [
        {
            "watch": "above",
            "market": "recorded:LTC/BTC",
            "interval": "1m",
            "open_time": "2026-03-02T12:02:00+00:00",
            "kind": "fired",
            "values": {"close": 120.0},
            "delivery": [{"recipient": "me", "at": "2026-03-02T12:03:00+00:00", "email": 1, "held_by": None}],
        }
    ]
    (one,) = result["watches"]
    assert (one["moments"], one["alerts"], one["emails"], one["markets"]) == (5, 1, 1, 1)
    assert one["days"] == [{"day": "2026-03-02", "alerts": 1, "emails": 1}]
    assert one["loudest"] == {"market": "recorded:LTC/BTC", "alerts": 1}
    assert one["latest"] == result["alerts"]


def test_what_closes_at_one_moment_is_one_email_and_budgets_count_emails(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHlHlHl"))
    record(run.folder, "LTC_BTC-1m.csv", closes("lHlHlHl"))
    (one,) = told(run, watch(max_per_day=2, notify=["me", "ops"]))["watches"]
    assert (one["alerts"], one["emails"], one["emails_held"], one["held_back"]) == (6, 4, 2, {"budget": 4})


def test_a_budget_is_of_the_utc_day_of_the_close(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHlHlH"), start=NOON.replace(hour=23, minute=56))
    (one,) = told(run, watch(max_per_day=1))["watches"]
    assert [(day["day"], day["alerts"], day["emails"]) for day in one["days"]] == [
        ("2026-03-02", 1, 1),
        ("2026-03-03", 2, 1),
    ]


def test_the_cooldown_counts_what_it_held_back(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHlHlHlH"))
    result = told(run, watch(cooldown="5m"))
    assert fired_at(result) == [("ADA", 1), ("ADA", 7)]
    assert result["total"]["held_back"] == {"cooldown": 2}


def test_a_missing_candle_is_filled_with_the_close_before_it(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("llllllllllllH..lH"))
    result = told(run, watch(**{"for": 3}))
    assert fired_at(result) == [("ADA", 14)]


def test_a_market_of_any_exchange_is_previewed_on_the_record_of_its_symbol(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHl"))
    markets = ["kraken:ADA/BTC", "coinbase:ADA/BTC", "kraken:BTC/USD", "kraken:*/EUR", "binance:*/BTC"]
    result = told(run, watch(markets=markets))
    assert fired_at(result) == [("ADA", 1)]
    assert [(one["market"], one["why"]) for one in result["without_candles"]] == [
        ("kraken:BTC/USD", "no file"),
        ("kraken:*/EUR", "no file"),
    ]
    assert [(one["name"], one["records"]) for one in result["stars"]] == [("kraken:*/EUR", 0), ("binance:*/BTC", 1)]
    (shared,) = result["shared"]
    assert shared["markets"] == ["kraken:ADA/BTC", "coinbase:ADA/BTC", "binance:ADA/BTC"]


def test_exclude_takes_records_out(run) -> None:
    for name in ("ADA", "LTC", "XRP"):
        record(run.folder, f"{name}_BTC-1m.csv", closes("lHl"))
    assert fired_at(told(run, watch(exclude=["recorded:LTC/BTC"]))) == [("ADA", 1), ("XRP", 1)]


def test_a_market_whose_files_are_too_coarse_is_named(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHl"))
    record(run.folder, "LTC_BTC-5m.csv", closes("lHl"), minutes=5)
    (one,) = told(run, watch())["without_candles"]
    assert one == {"watch": "above", "market": "recorded:LTC/BTC", "why": "no 1m candles in its files at that time"}


def test_a_higher_interval_is_built_from_whole_candles_and_seen_only_once_closed(run) -> None:
    # From 12:03 on: the first whole five minutes are 12:05 to 12:10, the next ones end high at 12:15.
    record(run.folder, "ADA_BTC-1m.csv", closes("llllllllllHHHHHHH"), start=NOON + timedelta(minutes=3))
    result = told(run, watch(when='sma(1, interval="5m") > 110'))
    assert fired_at(result) == [("ADA", 14)]
    (one,) = result["watches"]
    assert one["unknown"] == {"too_little_history": 6, "later": 0, "never_known": []}


def test_a_file_of_the_higher_interval_goes_before_what_could_be_built(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("l" * 15))
    record(run.folder, "ADA_BTC-5m.csv", closes("lHl"), minutes=5)
    assert fired_at(told(run, watch(when='sma(1, interval="5m") > 110'))) == [("ADA", 9)]


def test_a_missing_candle_of_a_higher_interval_is_counted_as_perhaps_late(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lllll" + "....." + "lllll"))
    (one,) = told(run, watch(when='sma(1, interval="5m") > 110'))["watches"]
    assert one["perhaps_late"] == 5


def test_since_counts_from_the_newest_candle_and_starts_as_if_applied_then(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHlHHHlH"))
    record(run.folder, "LTC_BTC-1m.csv", closes("lH"))
    result = told(run, watch(), arguments=("--since", "4m"))
    assert fired_at(result) == [("ADA", 7)], "true at its first known candle, it waits until it has been false"
    assert (result["from"], result["to"]) == ("2026-03-02T12:04:00+00:00", "2026-03-02T12:08:00+00:00")
    assert [one["market"] for one in result["without_candles"]] == ["recorded:LTC/BTC"]


def test_one_watch_alone_tells_what_it_tells_among_others(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHlHHHlHllHlH"))
    list_ = [watch(), watch(name="mean", when="close > sma(3)", resolved=True), watch(name="until", until="close > 1")]
    both = told(run, *list_)
    for one in list_:
        alone = told(run, *list_, arguments=("--watch", one["name"]))
        strip = [{key: value for key, value in alert.items() if key != "delivery"} for alert in both["alerts"]]
        assert [alert for alert in strip if alert["watch"] == one["name"]] == [
            {key: value for key, value in alert.items() if key != "delivery"} for alert in alone["alerts"]
        ]


def test_in_however_many_groups_the_files_are_read(run, monkeypatch) -> None:
    for name in ("ADA", "LTC", "XRP"):
        record(run.folder, f"{name}_BTC-1m.csv", closes("lHlHl"))
    list_ = (watch(max_per_day=1, resolved=True), watch(name="more", cooldown="2m", notify=["ops"]))
    together = told(run, *list_)
    monkeypatch.setattr(cryptowatch.cli.recorded, "MOST_TEXT", 1)
    assert told(run, *list_) == together
    assert together["total"]["alerts"] == 18


def test_what_the_terminal_shows(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHlHlHl"))
    record(run.folder, "LTC_BTC-1m.csv", closes("lHl"))
    done = run(watch(max_per_day=2, markets=["kraken:*/BTC", "kraken:DOT/BTC"]))
    text = " ".join(done.stdout.split())
    assert "2026-03-02 12:00 to 2026-03-02 12:07 UTC, 1 day, 2 markets" in text
    assert "2026-03-02 2 4 ████████████████████████████████████████" in text
    assert "above 1m 2 4 2 2.0 1 max_per_day, 1 email less recorded:ADA/BTC (3) █" in text
    assert "2026-03-02 12:05 recorded:ADA/BTC above fired close 120 me: held by max_per_day" in text
    assert "1 market without candles (no file): kraken:DOT/BTC" in text
    assert "what kraken:*/BTC of 'above' would have stood for: here 2 records" in text
    assert done.stderr == "", "no progress bar where there is no terminal"


def test_nothing_in_that_time_is_said(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHl"))
    record(run.folder, "ADA_BTC-1h.csv", closes("l"), start=NOON + timedelta(days=9), minutes=60)
    done = run(watch(), arguments=("--since", "1h"))
    assert done.exit_code == 0
    assert "no candles in that time" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--watch", "abve"), "has no watch 'abve': did you mean 'above'?"),
        (("--since", "soon"), "--since: a duration is a number and one of m, h, d, w"),
        (("--since", "0m"), "--since: must be longer than nothing"),
        (("--candles", "nowhere"), "nowhere: no such folder"),
    ],
)
def test_what_is_wrong_is_one_clear_line(run, arguments, expected) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHl"))
    done = run(watch(), arguments=arguments)
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert expected in done.stderr


def test_records_that_cannot_be_read_are_one_clear_line(run) -> None:
    (run.folder / "ADA_BTC-1m.csv").write_text("open_time,open,high,low,close,volume\nyesterday,1,1,1,1,1\n")
    for arguments in ((), ("--since", "1d")):
        done = run(watch(), arguments=arguments)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert "ADA_BTC-1m.csv" in done.stderr


def test_no_market_with_a_record_says_what_there_is(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHl"))
    done = run(watch(markets=["kraken:BTC/USD"]))
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "it has ADA/BTC" in done.stderr


def test_a_list_with_mistakes_is_told_as_check_tells_it(run) -> None:
    record(run.folder, "ADA_BTC-1m.csv", closes("lHl"))
    done = run(watch(when="rsii(14) < 30"))
    assert done.exit_code == 1
    assert "unknown name 'rsii' — did you mean 'rsi'?" in done.stderr


def test_without_a_folder_a_running_system_is_asked(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = {"recipients": {"me": "a@b.org"}, "watches": [watch(markets=["kraken:BTC/USD"])]}
    (tmp_path / "w.yaml").write_text(json.dumps(document))
    done = CliRunner().invoke(app, ["preview", "w.yaml", "--offline"])
    assert done.exit_code == 1
    assert "no local stack is running" in done.stderr
