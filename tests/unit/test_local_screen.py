"""What the person who runs the local stack sees."""

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cryptowatch.local.screen import LiveScreen, PlainScreen
from cryptowatch.local.snapshot import NewestEmail, Snapshot

NOON = datetime(2026, 3, 2, 12, 0, 15, tzinfo=UTC)


def source(candles: int, **more: Any) -> dict[str, Any]:
    row = {"name": "kraken", "markets": 2, "candles": candles, "settled_to": NOON.isoformat(), "lag_seconds": 15.0}
    return {**row, "last_error": None, **more}


def alert(identity: int) -> dict[str, Any]:
    return {
        "id": identity,
        "close_time": NOON.isoformat(),
        "market": "kraken:BTC/USD",
        "watch": "Dip",
        "kind": "fired",
        "price": 59221.66,
    }


FIRST = Snapshot(
    at=NOON,
    speed=1.0,
    next_close=datetime(2026, 3, 2, 12, 1, tzinfo=UTC),
    sources=[source(700)],
    queues={"analysis": {"visible": 3, "in_flight": 1}, "alerts": {"visible": 0, "in_flight": 0}},
    alerts=1,
    newest_alerts=[alert(1)],
    deliveries={"waiting": 0, "sent": 1, "held": {}},
    emails=1,
    newest_email=NewestEmail("[High] Dip", Path("mail/1.eml")),
    workers={"worker-1": "2 markets, 2 moments in 0.1 s"},
    fleet="1 of 2 wanted, load 1.25",
)


@pytest.fixture
def plain() -> PlainScreen:
    return PlainScreen(lambda: 12.34)


def test_the_first_look_says_from_where_it_goes_on_and_when_the_next_candle_closes(
    plain: PlainScreen, capsys: pytest.CaptureFixture[str]
) -> None:
    plain.show(FIRST)
    assert capsys.readouterr().out.splitlines() == [
        "   12.3s  goes on from 700 candles, 1 alerts, 1 emails",
        "   12.3s  the next candle closes at 12:01 UTC, in 45 s",
    ]


def test_then_each_event_is_one_line(plain: PlainScreen, capsys: pytest.CaptureFixture[str]) -> None:
    plain.show(FIRST)
    capsys.readouterr()
    plain.show(
        replace(
            FIRST,
            sources=[source(702)],
            alerts=3,
            newest_alerts=[alert(3), alert(2), alert(1)],
            emails=2,
            newest_email=NewestEmail("[High] Dip again", Path("mail/2.eml")),
            errors=[{"market": "kraken:ETH/USD", "interval": "1m", "error": "vanished"}],
        )
    )
    lines = [line.removeprefix("   12.3s  ") for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "candles kraken: 2 new, 702 stored, up to 03-02 12:00",
        "alert   03-02 12:00  kraken:BTC/USD  Dip  fired at 59,221.66",
        "alert   03-02 12:00  kraken:BTC/USD  Dip  fired at 59,221.66",
        "email   [High] Dip again  (mail/2.eml)",
        "error   kraken:ETH/USD 1m: vanished",
    ]


def test_nothing_new_is_no_line(plain: PlainScreen, capsys: pytest.CaptureFixture[str]) -> None:
    plain.show(FIRST)
    capsys.readouterr()
    plain.show(FIRST)
    assert capsys.readouterr().out == ""


def test_the_live_screen_shows_sources_queues_workers_alerts_and_emails() -> None:
    out = StringIO()
    screen = LiveScreen(Console(file=out, width=120, force_terminal=False), "local stack", lambda: 1.0)
    Console(file=out, width=120).print(screen.draw(replace(FIRST, speed=60.0)))
    shown = out.getvalue()
    for text in (
        "2026-03-02 12:00:15 UTC, 60 times as fast",
        "the next candle closes at 12:01 UTC, in 1 s",
        "700 candles stored",
        "kraken",
        "analysis",
        "worker-1",
        "2 markets, 2 moments in 0.1 s",
        "kraken:BTC/USD  Dip  fired at 59,221.66",
        "emails (1)",
        "[High] Dip",
        "mail/1.eml",
    ):
        assert text in shown, text
