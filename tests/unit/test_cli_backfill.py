"""`cryptowatch backfill`: what is asked of the control function, and what a user sees while it goes on."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cryptowatch.cli import backfill_page as page
from cryptowatch.cli import control
from cryptowatch.cli.main import app
from cryptowatch.pipeline import catalog


def row(**more: Any) -> dict[str, Any]:
    return {
        "market": "kraken:BTC/USD",
        "interval": "1d",
        "since": "2025-01-01T00:00:00+00:00",
        "goal": None,
        "started_from": "2026-01-01T00:00:00+00:00",
        "reached": "2026-01-01T00:00:00+00:00",
        "oldest": None,
        "state": "open",
        "error": None,
        "candles": 0,
        "answers": 0,
        **more,
    }


class Asked:
    """Stands where the control function is: keeps what was asked, answers one thing after the other."""

    def __init__(self, *answers: dict[str, Any] | BaseException) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers = list(answers)

    def __call__(self, request: dict[str, Any], *_: Any) -> dict[str, Any]:
        assert request.keys() == {"action", "backfill"} and request["action"] == "backfill"
        self.requests.append(request["backfill"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return {"backfills": [answer]}


def run(monkeypatch: pytest.MonkeyPatch, asked: Asked, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(control, "ask", asked)
    monkeypatch.setattr(page, "LOOK_S", 0.0)
    monkeypatch.setattr(catalog.ExchangeCatalog, "symbols", lambda *_: ["BTC/USD", "ETH/USD", "ETH/EUR"])
    result = CliRunner().invoke(app, ["backfill", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_it_is_asked_for_once_and_looked_at_until_it_is_done(monkeypatch) -> None:
    done = row(state="done", goal="2025-02-01T00:00:00+00:00", reached="2025-02-01T00:00:00+00:00", candles=1334)
    done["oldest"] = "2025-02-01T01:00:00+00:00"
    asked = Asked(row(), row(reached="2025-08-01T00:00:00+00:00", candles=150), done)
    code, out, _ = run(monkeypatch, asked, "kraken:BTC/USD", "--interval", "1d", "--since", "2025-01-01")
    look = {"markets": ["kraken:BTC/USD"], "interval": "1d"}
    assert asked.requests == [{**look, "since": "2025-01-01", "cancel": False}, look, look]
    assert code == 0
    line = " ".join(out.splitlines()[-1].split())
    assert line == "kraken:BTC/USD 1d done 100% 2025-02-01 01:00 1,334 0 the source has none before"


def test_a_star_stands_for_what_the_exchange_lists(monkeypatch) -> None:
    asked = Asked(row())
    assert run(monkeypatch, asked, "kraken:*/USD", "--no-wait")[0] == 0
    assert asked.requests[0]["markets"] == ["kraken:BTC/USD", "kraken:ETH/USD"]
    assert asked.requests[0]["since"] == "365d"


def test_a_market_that_is_not_listed_is_not_asked_for(monkeypatch) -> None:
    asked = Asked(row())
    code, _, err = run(monkeypatch, asked, "kraken:BTC/USDD")
    assert (code, asked.requests) == (1, [])
    assert err == "kraken lists no market 'BTC/USDD': did you mean 'BTC/USD'?\n"


def test_interrupted_it_goes_on_without_the_terminal(monkeypatch) -> None:
    code, out, err = run(monkeypatch, Asked(row(), KeyboardInterrupt()), "kraken:BTC/USD")
    assert code == 0
    assert "it goes on without us" in err
    assert "open" in out


def test_a_backfill_that_failed_says_why_and_ends_with_1(monkeypatch) -> None:
    code, out, _ = run(monkeypatch, Asked(row(state="failed", error="kraken does not list BTC/USD")), "kraken:BTC/USD")
    assert code == 1
    assert "failed" in out and "kraken does not list BTC/USD" in out


def test_cancelling_asks_for_no_history(monkeypatch) -> None:
    asked = Asked(row(state="cancelled"))
    assert run(monkeypatch, asked, "kraken:BTC/USD", "--cancel")[0] == 0
    assert asked.requests == [{"markets": ["kraken:BTC/USD"], "interval": None, "since": None, "cancel": True}]


def test_without_markets_it_only_tells_how_all_of_them_stand(monkeypatch) -> None:
    asked = Asked(row())
    code, out, _ = run(monkeypatch, asked, "--json")
    assert code == 0 and json.loads(out) == [row()]
    assert asked.requests == [{"markets": [], "interval": None, "since": None, "cancel": False}]


@pytest.mark.parametrize(
    ("more", "share"),
    [
        ({}, 0.0),
        ({"reached": "2025-07-02T12:00:00+00:00"}, 0.5),
        ({"reached": "2025-10-02T00:00:00+00:00", "goal": "2025-07-03T00:00:00+00:00"}, 0.5),
        ({"state": "done"}, 1.0),
        ({"started_from": "2024-01-01T00:00:00+00:00", "reached": "2024-01-01T00:00:00+00:00"}, 0.0),
    ],
)
def test_how_much_is_done_is_told_by_time(more, share) -> None:
    assert page.share_done(row(**more)) == pytest.approx(share, abs=0.01)
