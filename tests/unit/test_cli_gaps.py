"""`cryptowatch gaps`: what is asked of the control function, and what a user sees of its answer."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cryptowatch.cli import control
from cryptowatch.cli.main import app

COUNTS = {"gaps": 1200, "missing": 1300, "unobtainable": 40, "not_settled": 0}
ANSWER = {
    "since": "2026-02-20T12:00:00+00:00",
    "now": "2026-03-22T12:00:00+00:00",
    "gaps": [
        {
            "market": "kraken:[/x]/USD",
            "interval": "1m",
            "from": "2026-03-01T11:00:00+00:00",
            "to": "2026-03-01T11:40:00+00:00",
            "candles": 40,
            "state": "unobtainable",
            "asks": 2,
            "next_ask": "2026-03-23T11:40:00+00:00",
        }
    ],
    "marked": [
        {
            "market": "kraken:[/x]/USD",
            "interval": "1h",
            "open_time": "2026-03-02T11:00:00+00:00",
            "wick": 0.532,
            "not_on": "binance:X/USDT",
        }
    ],
    "totals": [{"market": "kraken:[/x]/USD", "interval": "1m", **COUNTS}],
    "all": COUNTS,
}


class Asked:
    """What the control function was asked, and what it answers."""

    def __init__(self) -> None:
        self.requests: list[tuple[Any, ...]] = []
        self.answer: dict[str, Any] | Exception = ANSWER

    def __call__(self, *request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    fake = Asked()
    monkeypatch.setattr(control, "ask", fake)
    return fake


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["gaps", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_all_gaps_of_the_last_thirty_days_are_asked_for_unless_told_otherwise(asked: Asked) -> None:
    assert run()[0] == 0
    request = {"action": "gaps", "source": None, "market": None, "interval": None, "since": "30d", "limit": 20}
    assert asked.requests == [(request, None, None, None)]


def test_what_the_user_names_is_asked_for(asked: Asked) -> None:
    chosen = ["--market", "kraken:BTC/USD", "--source", "kraken", "--interval", "1h", "--since", "8w", "--limit", "5"]
    assert run(*chosen, "--stack", "mine", "--region", "eu-central-1", "--profile", "work")[0] == 0
    request = {
        "action": "gaps",
        "source": "kraken",
        "market": "kraken:BTC/USD",
        "interval": "1h",
        "since": "8w",
        "limit": 5,
    }
    assert asked.requests == [(request, "mine", "eu-central-1", "work")]


@pytest.mark.usefixtures("asked")
def test_gaps_and_totals_are_shown() -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "opens (UTC) market interval wick not on",
        "2026-03-02 11:00 kraken:[/x]/USD 1h 53% binance:X/USDT",
        "from (UTC) to market interval candles what asked again",
        "2026-03-01 11:00 2026-03-01 11:40 kraken:[/x]/USD 1m 40 unobtainable 2 x, next 2026-03-23 11:40",
        "market interval gaps candles missing candles unobtainable candles not settled",
        "kraken:[/x]/USD 1m 1,200 1,300 40 0",
        "1,200 gaps from 2026-02-20 12:00 to 2026-03-22 12:00 UTC, the newest 1 shown; "
        "candles 1,300 missing, 40 unobtainable, 0 not settled",
    ]


def test_without_a_gap_one_line_says_so(asked: Asked) -> None:
    asked.answer = {**ANSWER, "gaps": [], "totals": [], "marked": [], "all": dict.fromkeys(COUNTS, 0)}
    assert run()[1] == "no gap from 2026-02-20 12:00 to 2026-03-22 12:00 UTC\n"


@pytest.mark.usefixtures("asked")
def test_as_json_it_is_the_answer() -> None:
    assert json.loads(run("--json")[1]) == ANSWER


def test_a_refusal_is_one_line(asked: Asked) -> None:
    asked.answer = control.ControlError("nothing is stored of source 'krakn': did you mean 'kraken'?")
    assert run("--source", "krakn") == (1, "", f"{asked.answer}\n")


@pytest.mark.parametrize("limit", ["0", "1001"])
def test_more_than_a_thousand_are_not_asked_for(asked: Asked, limit: str) -> None:
    assert run("--limit", limit)[0] == 2
    assert asked.requests == []
    assert "Example: cryptowatch gaps --market" in " ".join(run("--help")[1].split())
