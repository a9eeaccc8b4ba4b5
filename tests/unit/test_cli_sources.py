"""`cryptowatch sources`: what a user sees of the exchanges."""

import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cryptowatch.cli import sources as page
from cryptowatch.cli.main import app
from cryptowatch.sources.describe import Description, LeftOut, Markets, Reason, Survey

SURVEY = Survey(
    [
        Description(
            name="alpha",
            id="alphaexchange",
            title="Alpha [/x]",
            website="https://alpha.example",
            intervals=("1m", "1h"),
            spot=Markets("alpha:BASE/QUOTE", 1500, 416.667),
            perpetual=Markets("alpha:BASE/QUOTE:SETTLE", None, 0.139),
            newest_candles=720,
            reach_known=True,
        )
    ],
    [
        LeftOut("beta", Reason.needs_key, 'beta requires "apiKey" credential'),
        LeftOut("gamma", Reason.no_candles),
        LeftOut("omega", Reason.needs_key, "omega requires a key"),
    ],
)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["sources", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def surveyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "describe_all", lambda progress: SURVEY)


@pytest.mark.usefixtures("surveyed")
def test_a_line_for_each_exchange_and_how_many_are_left_out_and_why() -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    header, line, *rest = (" ".join(line.split()) for line in out.splitlines())
    assert header == "source spot page requests/s perpetual page requests/s newest intervals"
    assert line == "alpha 1,500 417 ? 0.14 720 1m 1h"
    assert rest == [
        "1 exchanges give candles without a key, 3 are left out:",
        "1: ccxt reads no candles from it: gamma",
        "2: it needs a key: beta, omega",
    ]


@pytest.mark.usefixtures("surveyed")
def test_all_as_json_with_what_is_left_out() -> None:
    data = json.loads(run("--json")[1])
    assert data["sources"][0]["spot"] == {
        "written": "alpha:BASE/QUOTE",
        "page": 1500,
        "requests_per_second": 416.667,
    }
    assert data["left_out"][1] == {"id": "gamma", "reason": "ccxt reads no candles from it", "detail": ""}


def test_all_of_ccxt_are_listed() -> None:
    code, out, _ = run("--json")
    names = [one["name"] for one in json.loads(out)["sources"]]
    assert code == 0
    assert {"binance", "coinbase", "kraken"} <= set(names)
    assert 80 <= len(names) <= 130


def test_one_exchange_with_all_facts() -> None:
    code, out, err = run("kraken")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "kraken  Kraken, https://www.kraken.com",
        "  intervals: 1m 5m 15m 30m 1h 4h 1d",
        "  spot: kraken:BASE/QUOTE, 720 candles a page, 0.83 requests for candles a second",
        "  perpetual: none",
        "  history: the newest 720 candles of a market",
        "  key: not needed for candles",
    ]


def test_an_exchange_with_another_name_here_tells_what_ccxt_calls_it() -> None:
    out = run("coinbase")[1]
    assert "in ccxt: coinbaseexchange" in out
    assert "history: all" in out
    assert run("coinbaseexchange")[1] == out


def test_what_ccxt_does_not_tell_is_said_to_be_unknown() -> None:
    out = run("gemini")[1]
    assert "gemini:BASE/QUOTE, ccxt tells no page size, 2.00 requests" in out
    assert "history: ccxt tells no limit" in out


def test_one_as_json() -> None:
    assert json.loads(run("kraken", "--json")[1])["newest_candles"] == 720


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("krakn", "unknown source 'krakn': did you mean 'kraken'?\n"),
        ("luno", 'luno cannot be a source: it needs a key (luno requires "apiKey" credential)\n'),
        ("zaif", "zaif cannot be a source: ccxt reads no candles from it\n"),
    ],
)
def test_what_cannot_be_a_source_is_one_clear_line(name: str, message: str) -> None:
    assert run(name) == (1, "", message)


class Clock:
    """Seconds that pass with each exchange."""

    def __init__(self, seconds: float) -> None:
        self.at = 0.0
        self._seconds = seconds

    def monotonic(self) -> float:
        return self.at

    def survey(self, progress: Callable[[int, int], None]) -> Survey:
        for done in range(1, 5):
            self.at += self._seconds
            progress(done, 4)
        return SURVEY


@pytest.mark.parametrize(("terminal", "seconds", "shown"), [(True, 0.4, True), (True, 0.2, False), (False, 0.4, False)])
def test_progress_is_shown_on_a_terminal_when_it_takes_longer_than_a_second(
    terminal: bool, seconds: float, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    clock = Clock(seconds)
    monkeypatch.setattr(page, "Console", lambda **_: Console(file=written, force_terminal=terminal))
    monkeypatch.setattr(page, "time", clock)
    monkeypatch.setattr(page, "describe_all", clock.survey)
    assert page.all_sources() == SURVEY
    assert ("of 4 exchanges" in written.getvalue()) is shown


def test_help_has_an_example() -> None:
    assert "Example: cryptowatch sources kraken" in " ".join(run("--help")[1].split())
