"""Imported candles join what the source has told; they never change it, and no hole is made up."""

from datetime import timedelta
from typing import Any

import pytest

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline import transfer
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.pipeline.transfer import ExportRequest, ImportRequest, export_batch, import_batch

MINUTE = INTERVALS["1m"]
MARKET = "coinbase:BTC/USD"
FIGURES = [100.0, 101.0, 99.0, 100.5, 7.0]


def bring(world, minutes: range, until: int | None = None, close: float = 100.5, **more: Any) -> dict[str, int]:
    """Import candles of these minutes before now (30: it closed 29 minutes ago)."""
    now = MINUTE.step_at(world.clock.at)
    rows = [((now - one) * 60, 100.0, 101.0, 99.0, close, 7.0) for one in minutes]
    end = min(minutes) - 1 if until is None else until
    request = ImportRequest.model_validate(
        {
            "market": MARKET,
            "interval": "1m",
            "candles": rows,
            "until": MINUTE.open_time(now - end).isoformat(),
            **more,
        }
    )
    return import_batch(world.writer, request, world.clock.at)


def had(world) -> list[int]:
    """Minutes before now of the candles stored, oldest first."""
    now = MINUTE.step_at(world.clock.at)
    return [now - MINUTE.step_at(time) for (time,) in world.query("SELECT open_time FROM candles ORDER BY 1")]


def test_a_market_nobody_watches_is_stored_and_taken_out_as_it_was_brought(world, monkeypatch) -> None:
    brought = [*range(200, 150, -1), *range(140, 20, -1)]
    assert bring(world, brought) == {"new": 170, "same": 0, "differ": 0, "newer": 0}
    assert had(world) == brought
    assert bring(world, brought) == {"new": 0, "same": 170, "differ": 0, "newer": 0}
    monkeypatch.setattr(transfer, "MOST_CANDLES", 100)
    asked = {"market": MARKET, "interval": "1m", "since": "2026-01-01"}
    newest = export_batch(world.writer, ExportRequest(**asked, before=world.clock.at))["candles"]
    assert len(newest) == 100 and newest[0][1:] == tuple(FIGURES)
    before = MINUTE.open_time(newest[0][0] // 60)
    older = export_batch(world.writer, ExportRequest(**asked, before=before))["candles"]
    assert [one[0] for one in older + newest] == [(MINUTE.step_at(world.clock.at) - one) * 60 for one in brought]


def test_live_candles_go_on_where_an_import_ends(world) -> None:
    world.record.trade("BTC/USD", -1500, [100.0] * 1500)
    bring(world, range(2000, 1000, -1))
    world.apply({"when": "close > sma(20)", "markets": [MARKET]})
    world.ingest("coinbase")
    assert had(world) == list(range(2000, 0, -1))
    assert world.query("SELECT count(*) FROM unobtainable") == [(0,)]
    ((settled, candles),) = world.query("SELECT settled_to, candles FROM series")
    assert MINUTE.step_at(settled) == MINUTE.step_at(world.clock.at) and candles == 2000


def test_what_the_source_told_stays_and_what_it_has_not_told_yet_is_left_to_it(world) -> None:
    world.record.trade("BTC/USD", -1500, [100.0 if minute % 10 else None for minute in range(1500)])
    world.apply({"when": "close > sma(20)", "markets": [MARKET]})
    world.ingest("coinbase")
    before = world.query("SELECT open_time, close FROM candles ORDER BY 1")
    done = bring(world, range(300, -0, -1), close=99.5)
    assert done == {"new": 30, "same": 0, "differ": 270, "newer": 0}
    after = dict(world.query("SELECT open_time, close FROM candles"))
    assert all(after[time] == close for time, close in before)
    assert world.query("SELECT late_candles FROM series") == [(30,)]
    world.clock.at += timedelta(minutes=5)
    assert bring(world, range(10, 0, -1))["newer"] == 5


def test_a_hole_behind_an_import_is_refused_or_left_unknown_but_never_filled(world) -> None:
    world.record.trade("BTC/USD", -1500, [100.0] * 1500)
    world.apply({"when": "close > sma(20)", "markets": [MARKET]})
    world.ingest("coinbase")
    oldest = had(world)[0]
    with pytest.raises(RefusedError, match="import what lies between first, backfill --since 2026-0"):
        bring(world, range(4000, 3000, -1))
    assert had(world)[0] == oldest
    assert bring(world, range(4000, 3000, -1), leave_hole=True)["new"] == 1000
    ((begin, end),) = world.query("SELECT from_time, to_time FROM unobtainable")
    now = MINUTE.step_at(world.clock.at)
    assert (now - MINUTE.step_at(begin), now - MINUTE.step_at(end)) == (3000, oldest)
    assert world.query("SELECT candles = (SELECT count(*) FROM candles) FROM series") == [(True,)]


def test_older_batches_of_a_file_join_the_newer_ones_over_minutes_without_a_trade(world) -> None:
    bring(world, range(100, 50, -1))
    bring(world, range(300, 110, -1), until=100)
    assert had(world) == [*range(300, 110, -1), *range(100, 50, -1)]
    assert world.query("SELECT count(*) FROM unobtainable") == [(0,)]


def test_candles_that_are_not_closed_or_no_candles_are_refused(world) -> None:
    with pytest.raises(RefusedError, match="is not closed"):
        bring(world, range(10, -1, -1))
    with pytest.raises(RefusedError, match="outside its low and high"):
        bring(world, range(10, 0, -1), close=200.0)
    with pytest.raises(RefusedError, match="nothing is stored of coinbase:BTC/USD at 1m"):
        export_batch(
            world.writer, ExportRequest(market=MARKET, interval="1m", since="2026-01-01", before=world.clock.at)
        )
    assert had(world) == []
