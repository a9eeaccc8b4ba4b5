"""The figures that alarms and dashboard read, from a real database to the lines CloudWatch takes for metrics."""

import json
from typing import Any

import pytest

from cryptowatch.pipeline.measures import measure
from cryptowatch.store.pulse import Pulse, pulse


def test_nothing_watched_is_nothing_late(connection: Any, world: Any) -> None:
    assert pulse(connection, world.clock.now()) == Pulse(0, 0, 0, 0.0, 0, {})
    assert pulse(connection, world.clock.now()).greatest_lag_s == 0


def test_the_pulse_follows_candles_alerts_and_emails(world: Any) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0, 100.0, 100.0, 100.0, 100.0])
    world.apply({"when": "close > 110"})
    ids = world.minute(2)
    assert len(ids) == 1
    due = world.query("UPDATE alerts SET created_at = %s RETURNING id", world.clock.now())
    assert [row[0] for row in due] == ids
    world.query("UPDATE deliveries SET due_at = %s RETURNING 1", world.clock.now())

    world.clock.at = world.clock.at.replace(minute=world.clock.at.minute + 1)
    late = pulse(world.writer, world.clock.now())
    assert (late.alerts_made, late.alerts_sent, late.alerts_held) == (1, 0, 0)
    assert late.oldest_unsent_s == 60
    assert late.candles_stored > 30
    assert late.greatest_lag_s == late.lag_s["binance"] == pytest.approx(90, abs=60)

    world.ingest()
    assert pulse(world.writer, world.clock.now()).greatest_lag_s < late.greatest_lag_s
    assert world.notify(ids) == []
    world.query("UPDATE deliveries SET sent_at = %s RETURNING 1", world.clock.now())
    world.clock.at = world.clock.at.replace(minute=world.clock.at.minute + 1)
    told = pulse(world.writer, world.clock.now())
    assert (told.alerts_made, told.alerts_sent, told.alerts_held, told.oldest_unsent_s) == (0, 1, 0, 0)


def test_a_pulse_becomes_metrics_of_the_stack(capsys: pytest.CaptureFixture[str]) -> None:
    measure(Pulse(3, 2, 1, 4.5, 100, {"kraken": 5.0, "binance": 70.0}), "prod")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    all_of_it, *by_source = lines
    (kind,) = all_of_it["_aws"]["CloudWatchMetrics"]
    assert (kind["Namespace"], kind["Dimensions"]) == ("CryptoWatch", [["service"]])
    assert all_of_it["service"] == "prod"
    assert {one["Name"]: all_of_it[one["Name"]] for one in kind["Metrics"]} == {
        "AlertsMade": [3.0],
        "AlertsSent": [2.0],
        "AlertsHeld": [1.0],
        "OldestUnsentAlertSeconds": [4.5],
        "CandlesStored": [100.0],
        "GreatestIngestLagSeconds": [70.0],
    }
    assert {(one["service"], one["source"]): one["IngestLagSeconds"] for one in by_source} == {
        ("prod", "kraken"): [5.0],
        ("prod", "binance"): [70.0],
    }
    for one in by_source:
        (kind,) = one["_aws"]["CloudWatchMetrics"]
        assert sorted(kind["Dimensions"][0]) == ["service", "source"]
