"""What a watch and a recipient say about when to be told what, and what people mute: on a real database."""

from datetime import timedelta

import pytest

from cryptowatch.pipeline.mutes import MuteRequest, acknowledge_alert, change_mute
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.pipeline.sweep import sweep
from cryptowatch.store.database import transaction
from cryptowatch.store.mutes import running_mutes

# The world's clock starts at 12:00:30 UTC.
WAVES = [100.0] * 31 + [120.0, 100.0] * 120


class Queue:
    def __init__(self) -> None:
        self.sent: list[int] = []

    def send(self, ids) -> int:
        self.sent += ids
        return 1


@pytest.fixture
def waves(world):
    """A market that is above 110 on every other minute: an alert each."""
    world.record.trade("BTC/USDT", -30, WAVES)
    return world


def live(world, minutes: int) -> None:
    """Let minutes pass with all that runs each minute."""
    for _ in range(minutes):
        ids = world.minute()
        queue = Queue()
        sweep(world.writer, world.clock, world.told, queue, 0)
        if ids or queue.sent:
            world.notify(sorted({*ids, *queue.sent}))


def held(world) -> dict[str, int]:
    return dict(world.query("SELECT held_by, count(*) FROM deliveries WHERE held_by IS NOT NULL GROUP BY 1"))


def subjects(world) -> list[str]:
    return [email.subject for _, email in world.emails]


def test_a_digest_tells_an_hour_in_one_email_at_the_full_hour(waves) -> None:
    waves.apply({"when": "close > 110", "digest": "hourly"})
    live(waves, 55)
    assert waves.emails == []
    assert waves.query("SELECT DISTINCT postponed_by FROM deliveries") == [("digest",)]
    live(waves, 6)
    assert subjects(waves) == ["30 alerts on 1 market: watch"]


def test_a_digest_holds_what_closes_at_its_time_though_the_sweep_comes_before_it(waves) -> None:
    waves.apply({"when": "close > 110", "digest": "hourly"})
    live(waves, 59)
    waves.clock.at += timedelta(seconds=31)  # 13:00:01
    queue = Queue()
    sweep(waves.writer, waves.clock, waves.told, queue, 0)
    assert queue.sent == []
    waves.clock.at -= timedelta(seconds=31)
    live(waves, 3)
    assert subjects(waves) == ["30 alerts on 1 market: watch"]


def test_what_a_digest_let_wait_is_told_at_its_time_even_if_the_digest_has_gone_since(waves) -> None:
    waves.apply({"when": "close > 110", "digest": "hourly"})
    live(waves, 30)
    waves.apply({"when": "close > 110", "once": True})
    live(waves, 31)
    assert held(waves) == {}
    assert sum("15 alerts" in subject for subject in subjects(waves)) == 1


def test_quiet_hours_are_summarised_after_them_and_nothing_of_it_is_late(waves) -> None:
    waves.apply({"when": "close > 110", "quiet_hours": {"from": "12:10", "to": "12:40"}})
    live(waves, 39)
    before = len(waves.emails)
    assert before == 4
    live(waves, 3)
    assert subjects(waves)[before] == "16 alerts on 1 market: watch"
    assert held(waves) == {}


def test_high_severity_passes_and_what_is_dropped_is_counted_and_said(waves) -> None:
    hours = {"from": "12:00", "to": "12:30", "then": "drop"}
    high = {"name": "high", "when": "close > 110", "severity": "high", "quiet_hours": hours, "once": True}
    waves.apply(high, {"name": "low", "when": "close > 110", "quiet_hours": hours})
    live(waves, 33)
    assert subjects(waves)[0].startswith("[HIGH] high:")
    assert held(waves) == {"quiet_hours": 14}
    first, then = (email.body for _, email in waves.emails[:2])
    assert "Not told since the last email: 1 in quiet hours." in first
    assert "Not told since the last email: 13 in quiet hours." in then


def test_a_recipient_has_a_budget_over_all_watches_and_a_least_severity(waves) -> None:
    people = {"ann": "ann@example.com", "bob": "bob@example.com"}
    watches = [
        {"name": "mild", "when": "close > 110", "notify": ["ann", "bob"]},
        {"name": "warning", "when": "close < 110", "severity": "warning", "notify": ["ann", "bob"]},
    ]
    wishes = {"ann": {"max_per_day": 3}, "bob": {"least_severity": "warning"}}
    waves.apply(*watches, recipients=people, delivery=wishes)
    live(waves, 12)
    assert len([to for to, _ in waves.emails if to == "ann"]) == 3
    assert all("[Warning]" in email.subject for to, email in waves.emails if to == "bob")
    assert set(held(waves)) == {"recipient_budget", "severity"}


@pytest.mark.parametrize(
    ("kind", "name"), [("watch", "watch"), ("market", "binance:BTC/USDT"), ("recipient", "me"), ("tag", "btc")]
)
def test_what_is_muted_is_not_told_until_then_and_is_counted(waves, kind, name) -> None:
    waves.apply({"when": "close > 110", "tags": ["btc"]})
    live(waves, 4)
    before = len(waves.emails)
    asked = MuteRequest(kind=kind, name=name, length="10m")
    said = change_mute(waves.writer, asked, waves.clock.at)
    assert said["until"] == (waves.clock.at + timedelta(minutes=10)).isoformat()
    live(waves, 10)
    assert len(waves.emails) == before and held(waves) == {"mute": 5}
    live(waves, 2)
    assert len(waves.emails) == before + 1


def test_unmuting_ends_it_and_a_second_mute_takes_the_place_of_the_first(waves) -> None:
    waves.apply({"when": "close > 110"})
    for length in ("1d", "2d"):
        change_mute(waves.writer, MuteRequest(kind="watch", name="watch", length=length), waves.clock.at)
    with transaction(waves.writer) as cursor:
        assert len(running_mutes(cursor, waves.clock.at)) == 1
    change_mute(waves.writer, MuteRequest(kind="watch", name="watch"), waves.clock.at)
    with pytest.raises(RefusedError, match="watch 'watch' is not muted"):
        change_mute(waves.writer, MuteRequest(kind="watch", name="watch"), waves.clock.at)
    live(waves, 4)
    assert len(waves.emails) == 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"kind": "watch", "name": "wach", "length": "1d"}, "no watch 'wach' in the watch list"),
        ({"kind": "tag", "name": "x", "length": "1d"}, "no tag 'x'"),
        ({"kind": "watch", "name": "watch", "until": "2020-01-01"}, "a mute ends after now"),
        ({"kind": "watch", "name": "watch", "length": "99w"}, "within 366 days"),
    ],
)
def test_a_mute_that_means_nothing_is_refused(waves, asked, message) -> None:
    waves.apply({"when": "close > 110"})
    with pytest.raises(RefusedError, match=message):
        change_mute(waves.writer, MuteRequest(**asked), waves.clock.at)


def test_an_acknowledged_episode_is_not_repeated_but_its_end_is_told_and_so_is_the_next(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0] * 10 + [100.0] + [120.0] * 5)
    world.apply({"when": "close > 110", "repeat": "3m", "resolved": True})
    live(world, 3)
    (fired,) = world.query("SELECT id FROM alerts WHERE kind = 'fired'")[0]
    assert acknowledge_alert(world.writer, fired, world.clock.at)["market"] == "binance:BTC/USDT"
    live(world, 13)
    told = world.query("SELECT kind, held_by FROM deliveries JOIN alerts ON alerts.id = alert_id ORDER BY alert_id")
    assert told == [
        ("fired", None),
        ("repeated", "ack"),
        ("repeated", "ack"),
        ("repeated", "ack"),
        ("resolved", None),
        ("fired", None),
        ("repeated", None),
    ]
    with pytest.raises(RefusedError, match="no alert 999"):
        acknowledge_alert(world.writer, 999, world.clock.at)


def test_what_waits_for_a_digest_when_it_is_acknowledged_is_not_told_again_either(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0] * 70)
    world.apply({"when": "close > 110", "repeat": "10m", "digest": "hourly"})
    live(world, 40)
    (fired,) = world.query("SELECT id FROM alerts WHERE kind = 'fired'")[0]
    acknowledge_alert(world.writer, fired, world.clock.at)
    live(world, 22)
    assert subjects(world) == ["watch: binance:BTC/USDT is true at 120"]
    assert held(world) == {"ack": 5}


def test_a_storm_is_one_line_that_says_on_how_many_of_its_markets(world) -> None:
    for number in range(12):
        rise = 120.0 if number < 9 else 100.0
        world.record.trade(f"A{number}/USDT", -30, [100.0] * 31 + [rise])
    world.apply({"when": "close > 110"})
    world.notify(world.minute(2))
    assert "watch fired on 9 of 12 markets" in world.emails[0][1].body


def test_a_title_and_a_note_are_filled_in(waves) -> None:
    waves.apply({"when": "close > 110", "title": "{symbol} above {price}!", "note": "see {source} at {time}"})
    live(waves, 2)
    email = waves.emails[0][1]
    assert email.subject == "BTC/USDT above 120!"
    assert "Note:   see binance at 2026-03-02 12:02 UTC" in email.body
