"""What a watch's options do to its alerts, on a real database, minute by minute after noon."""

import json

from cryptowatch.store import status

SAW = [90.0, 90.0, 111.0, 105.0, 112.0, 99.0, 113.0, 114.0, 90.0, 111.0]


def told(world, **options) -> list[tuple[int, str]]:
    """Apply a watch of `close > 110` at noon, let `SAW` pass from then on, and give minute and kind of each alert."""
    world.record.trade("BTC/USDT", -30, [100.0] * 30 + SAW)
    world.apply({"when": "close > 110", "resolved": True, **options})
    world.minute(len(SAW))
    return [(minute, kind) for _, minute, kind in world.alerts()]


def test_without_options_each_time_the_rule_becomes_true_is_told(world) -> None:
    assert [minute for minute, kind in told(world) if kind == "fired"] == [3, 5, 7, 10]


def test_until_ends_the_episode_and_the_rule_in_between_does_not(world) -> None:
    assert told(world, until="close < 100") == [
        (3, "fired"),
        (6, "resolved"),
        (7, "fired"),
        (9, "resolved"),
        (10, "fired"),
    ]
    ended = world.query("SELECT rule, figures FROM alerts WHERE kind = 'resolved' ORDER BY open_time LIMIT 1")
    assert ended == [("close > 110 until close < 100", {"close": 99.0})]
    assert world.query("SELECT DISTINCT rule FROM alerts WHERE kind = 'fired'") == [("close > 110",)]


def test_an_alert_on_the_end_tells_what_both_rules_look_at(world) -> None:
    told(world, until="low < 100")
    figures = dict(world.query("SELECT kind, figures FROM alerts ORDER BY open_time DESC"))
    assert set(figures["fired"]) == {"close"}
    assert set(figures["resolved"]) == {"close", "low"}


def test_until_and_the_rule_may_be_true_on_one_candle_and_both_are_kept(world) -> None:
    assert sorted(told(world, until="close > 113")) == [(3, "fired"), (8, "fired"), (8, "resolved")]


def test_a_repeat_is_told_and_delivered_like_any_alert(world) -> None:
    assert told(world, until="close < 50", repeat="3m") == [(3, "fired"), (7, "repeated"), (10, "repeated")]
    ids = [row[0] for row in world.query("SELECT id FROM alerts")]
    assert len(world.query("SELECT 1 FROM deliveries")) == 3
    world.notify(ids)
    assert "Still:  close > 110" in world.emails[0][1].body


def test_once_is_done_after_its_first_episode_until_the_rule_changes(world) -> None:
    assert told(world, once=True) == [(3, "fired"), (4, "resolved")]
    assert status.watch_rows(world.writer, world.clock.at)[0]["done"] == 1
    assert status.watch_rows(world.writer, world.clock.at)[0]["held"] == {"cooldown": 0, "once": 3, "period": 0}
    world.record.trade("BTC/USDT", 10, [90.0, 115.0, 90.0, 116.0])
    assert world.apply({"when": "close > 109", "once": True, "resolved": True})["changed"][0]["what"] == "rule"
    world.minute(4)
    assert [(minute, kind) for _, minute, kind in world.alerts()][2:] == [(12, "fired"), (13, "resolved")]


def test_nothing_is_told_before_it_starts_and_once_it_has_expired(world) -> None:
    bounds = {"starts": "2026-03-02 12:04", "expires": "2026-03-02T13:09:00+01:00"}
    assert told(world, **bounds) == [(5, "fired"), (6, "resolved"), (7, "fired")]
    row = status.watch_rows(world.writer, world.clock.at)[0]
    assert (row["phase"], row["expires"]) == ("expired", "2026-03-02T12:09:00+00:00")


def test_a_new_until_is_a_new_rule_and_the_other_options_are_not(world) -> None:
    told(world)
    generation = "SELECT generation FROM watches"
    options = {"resolved": True, "repeat": "5m", "once": True, "expires": "2026-03-01", "tags": ["btc"]}
    report = world.apply({"when": "close > 110", **options})
    assert report["changed"] == [
        {"name": "watch", "what": "notification", "keys": ["repeat", "once", "expires", "tags"]}
    ]
    assert report["expired"] == ["watch"]
    assert world.query(generation) == [(1,)]
    report = world.apply({"when": "close > 110", "until": "close < 90", **options})
    assert report["changed"] == [{"name": "watch", "what": "rule", "keys": ["until"]}]
    assert world.query(generation) == [(2,)]
    assert world.query("SELECT state FROM watch_state") == [({},)]


def test_until_is_evaluated_when_its_own_inputs_are_there(world) -> None:
    world.record.trade("BTC/USDT", -120, [100.0] * 122 + SAW)
    world.apply({"when": "close > 110", "until": 'sma(2, interval="5m") < 1000'})
    assert world.query("SELECT interval_s, look_back FROM watch_inputs ORDER BY 1") == [(60, 1), (300, 2)]
    world.minute(10)
    fired = [minute for _, minute, kind in world.alerts()]
    assert fired == [5, 7, 9, 10]


def test_a_state_that_an_older_version_wrote_goes_on(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 30 + [111.0, 111.0, 90.0, 112.0])
    world.apply({"when": "close > 110", "resolved": True})
    old = {"armed": False, "run": 1, "active": True, "last_fired": "2026-03-02T11:59:00+00:00", "cooled": 0}
    world.writer.cursor().execute("UPDATE watch_state SET state = %s", (json.dumps(old),))
    world.writer.commit()
    world.minute(4)
    assert [(minute, kind) for _, minute, kind in world.alerts()] == [(3, "resolved"), (4, "fired")]
