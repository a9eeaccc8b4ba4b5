"""What becomes of an alert: sent once, held for a reason, never lost."""

import json
import threading
from contextlib import closing
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from cryptowatch.pipeline.notify import notify
from cryptowatch.pipeline.sweep import sweep
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect
from cryptowatch.watches.form import Watch


@pytest.fixture
def storm(world):
    """Alerts on three markets at once; gives the world and their ids."""
    for symbol in ("ADA/USDT", "BTC/USDT", "ETH/USDT"):
        world.record.trade(symbol, -30, [100.0] * 31 + [120.0, 100.0, 120.0, 100.0] * 20)
    world.apply({"when": "close > 110"}, recipients={"me": "me@example.com"})
    ids = world.minute(2)
    assert len(ids) == 3
    return world, ids


class Queue:
    def __init__(self) -> None:
        self.sent: list[int] = []

    def send(self, ids) -> int:
        self.sent += ids
        return 1


def down(recipient, email) -> None:
    raise EndpointConnectionError(endpoint_url="sns")


def test_one_storm_is_one_email_even_if_only_one_alert_was_named(storm) -> None:
    world, ids = storm
    assert world.notify(ids[:1]) == []
    assert len(world.emails) == 1
    assert world.emails[0][1].subject.startswith("3 alerts on 3 markets")


def test_a_watch_is_read_once_however_many_of_its_alerts_are_due(storm, monkeypatch) -> None:
    world, ids = storm
    read = []
    monkeypatch.setattr(Watch, "model_validate", lambda data: read.append(data) or Watch(**data))
    assert world.notify(ids) == []
    assert len(read) == 1 and "3 alerts on 3 markets" in world.emails[0][1].subject


def test_a_recipient_for_whom_no_time_is_left_comes_again(storm) -> None:
    world, _ = storm
    world.apply({"when": "close > 110", "notify": ["me", "you"]}, recipients={"me": "me@a.de", "you": "you@a.de"})
    ids = world.minute(2)
    left = iter([30.0, 12.0])
    records = [{"messageId": "a", "body": json.dumps({"version": 1, "alert_ids": ids})}]
    send = lambda to, email: world.emails.append((to, email))  # noqa: E731
    assert notify(records, world.writer, world.clock, send, 0, lambda: next(left)) == ["a"]
    assert [to for to, _ in world.emails] == ["me"]
    assert world.notify(ids) == [] and [to for to, _ in world.emails] == ["me", "you"]


def test_what_one_email_cannot_carry_follows_at_once_in_the_next(storm, monkeypatch) -> None:
    world, ids = storm
    monkeypatch.setattr("cryptowatch.pipeline.notify.MOST_ALERTS", 2)
    assert world.notify(ids, down) == ["m1"], "what fails is not tried again at once"
    assert world.notify(ids) == []
    assert [email.subject for _, email in world.emails] == [
        "2 alerts on 2 markets: watch",
        "watch: binance:ETH/USDT is true at 120",
    ]


def test_the_same_message_delivered_three_times_is_one_email(storm) -> None:
    world, ids = storm
    assert [world.notify(ids) for _ in range(3)] == [[], [], []]
    assert len(world.emails) == 1


def test_two_copies_in_flight_send_one_email_and_the_other_comes_again(storm, database) -> None:
    world, ids = storm
    inside, go_on = threading.Event(), threading.Event()

    def slow(recipient, email) -> None:
        inside.set()
        assert go_on.wait(10)
        world.emails.append((recipient, email))

    def first() -> None:
        with closing(connect(Settings({"DATABASE_URL": database}))) as own:
            body = f'{{"version": 1, "alert_ids": {ids}}}'
            notify([{"messageId": "a", "body": body}], own, world.clock, slow, 0)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    assert world.notify(ids) == ["m1"], "leased by the first: it comes again"
    go_on.set()
    thread.join()
    assert world.notify(ids) == []
    assert len(world.emails) == 1


def test_sns_away_for_a_minute_loses_nothing_and_withholds_nothing_as_late(storm) -> None:
    world, ids = storm
    assert world.notify(ids, down) == ["m1"]
    world.clock.at += timedelta(hours=1)  # decided to send before: lateness is judged once
    assert world.notify(ids) == []
    assert len(world.emails) == 1
    assert world.query("SELECT sum(uncertain) FROM deliveries") == [(0,)]


def test_a_crash_between_publish_and_mark_is_counted_and_sent_again(storm) -> None:
    world, ids = storm

    def no_answer(recipient, email) -> None:
        world.emails.append((recipient, email))
        raise ReadTimeoutError(endpoint_url="sns")

    assert world.notify(ids, no_answer) == ["m1"]
    assert world.notify(ids) == ["m1"], "its lease is still alive"
    world.writer.cursor().execute("UPDATE deliveries SET lease_until = now() - interval '1 second'")
    world.writer.commit()
    assert world.notify(ids) == []
    assert len(world.emails) == 2
    assert world.query("SELECT sum(uncertain) FROM deliveries") == [(3,)]


def test_an_email_that_nobody_knows_of_takes_no_budget_from_the_one_that_repeats_it(storm) -> None:
    world, _ = storm
    world.apply({"when": "close > 110", "max_per_day": 1})

    def no_answer(recipient, email) -> None:
        raise ReadTimeoutError(endpoint_url="sns")

    world.notify(world.minute(2), no_answer)
    world.writer.cursor().execute("UPDATE deliveries SET lease_until = now() - interval '1 second'")
    world.writer.commit()
    assert world.notify(world.minute(2)) == []
    assert [email.subject for _, email in world.emails] == ["9 alerts on 3 markets: watch"], "in one email with it"
    assert world.query("SELECT count(*) FROM deliveries WHERE held_by IS NOT NULL") == [(0,)]
    world.notify(world.minute(2))
    assert world.query("SELECT held_by, count(*) FROM deliveries WHERE held_by IS NOT NULL GROUP BY 1") == [
        ("budget", 3)
    ]


def test_one_of_two_recipients_failing_does_not_keep_the_other_from_theirs(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0])
    people = {"ann": "ann@example.com", "bob": "bob@example.com"}
    world.apply({"when": "close > 110", "notify": list(people)}, recipients=people)
    ids = world.minute(2)

    def only_bob(recipient, email) -> None:
        if recipient == "ann":
            down(recipient, email)
        world.emails.append((recipient, email))

    assert world.notify(ids, only_bob) == ["m1"]
    assert [to for to, _ in world.emails] == ["bob"]
    assert world.notify(ids) == []
    assert [to for to, _ in world.emails] == ["bob", "ann"]


def test_what_comes_too_late_is_recorded_and_not_sent(storm) -> None:
    world, ids = storm
    world.clock.at += timedelta(minutes=4)
    assert world.notify(ids) == []
    assert world.emails == []
    assert world.query("SELECT DISTINCT held_by FROM deliveries") == [("late",)]


def test_lateness_is_measured_on_the_source_s_clock(storm) -> None:
    world, ids = storm
    world.clock.at += timedelta(minutes=4)
    world.writer.cursor().execute("UPDATE sources SET clock_ahead_s = -180")
    world.writer.commit()
    world.notify(ids)
    assert len(world.emails) == 1


def test_a_budget_counts_emails_not_alerts(world) -> None:
    for symbol in ("ADA/USDT", "BTC/USDT"):
        world.record.trade(symbol, -30, [100.0] * 31 + [120.0, 100.0] * 20)
    world.apply({"when": "close > 110", "max_per_day": 2})
    for _ in range(4):
        ids = world.minute(2)
        assert len(ids) == 2
        world.notify(ids)
    assert len(world.emails) == 2
    assert world.query("SELECT held_by, count(*) FROM deliveries GROUP BY 1 ORDER BY 1") == [("budget", 4), (None, 4)]


def test_who_left_the_list_is_sent_nothing_more(storm) -> None:
    world, ids = storm
    world.writer.cursor().execute("UPDATE recipients SET removed_at = now()")
    world.writer.commit()
    assert world.notify(ids) == []
    assert world.emails == []
    assert world.query("SELECT DISTINCT held_by FROM deliveries") == [("removed",)]


def test_garbage_and_unknown_alerts_go_back_without_blocking_the_rest(storm) -> None:
    world, ids = storm
    records = [
        {"messageId": "garbage", "body": "hello"},
        {"messageId": "unknown", "body": '{"version": 1, "alert_ids": [999999]}'},
        {"messageId": "good", "body": f'{{"version": 1, "alert_ids": {ids}}}'},
    ]
    failed = notify(records, world.writer, world.clock, lambda to, email: world.emails.append((to, email)), 0)
    assert sorted(failed) == ["garbage", "unknown"]
    assert len(world.emails) == 1


def test_the_sweep_finds_alerts_whose_message_was_lost(storm) -> None:
    world, ids = storm
    queue = Queue()
    assert sweep(world.writer, world.clock, world.told, queue, patience_s=3600)["alerts"] == 0
    assert sweep(world.writer, world.clock, world.told, queue, patience_s=0)["alerts"] == 3
    assert queue.sent == ids
    world.notify(ids)
    assert sweep(world.writer, world.clock, world.told, queue, patience_s=0)["alerts"] == 0


def test_the_sweep_leaves_alone_what_somebody_is_sending(storm) -> None:
    world, ids = storm
    world.writer.cursor().execute("UPDATE deliveries SET lease_until = now() + interval '1 minute'")
    world.writer.commit()
    assert sweep(world.writer, world.clock, world.told, Queue(), patience_s=0)["alerts"] == 0


def test_the_sweep_finds_candles_settled_and_never_analysed(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0])
    world.apply({"when": "close > 110"})
    world.clock.at += timedelta(minutes=2)
    world.ingest()
    world.told.markets.clear()
    assert sweep(world.writer, world.clock, world.told, Queue(), patience_s=0) == {"alerts": 0, "markets": 1}
    assert world.told.markets == {(60, 1)}
    world.analyse()
    assert sweep(world.writer, world.clock, world.told, Queue(), patience_s=0)["markets"] == 0


def test_an_email_tells_of_the_rule_that_fired_not_of_today_s(storm) -> None:
    world, ids = storm
    world.apply({"when": "close > 119", "severity": "high"})
    world.notify(ids)
    assert "close > 110" in world.emails[0][1].body
    assert not world.emails[0][1].subject.startswith("[HIGH]")


def test_a_source_whose_clock_is_ahead_does_not_keep_the_email_waiting(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0])
    world.apply({"when": "close > 110"})
    world.clock.at += timedelta(minutes=2)
    world.ingest()
    world.clock.at -= timedelta(minutes=1)
    ids = world.analyse()
    assert world.notify(ids) == []
    assert len(world.emails) == 1


def refusing(code: str, message: str, status: int):
    def refuse(recipient, email) -> None:
        answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "Publish")

    return refuse


def test_an_email_that_sns_can_never_take_is_held_and_the_next_goes_out(storm) -> None:
    world, ids = storm
    assert world.notify(ids, refusing("InvalidParameter", "Invalid parameter: Message too long", 400)) == []
    assert world.query("SELECT DISTINCT held_by FROM deliveries") == [("refused",)]
    later = world.minute(2)
    world.notify(later)
    assert len(world.emails) == 1


def test_a_missing_topic_is_tried_again_and_an_error_of_sns_is_counted(storm) -> None:
    world, ids = storm
    assert world.notify(ids, refusing("NotFound", "Topic does not exist", 404)) == ["m1"]
    assert world.query("SELECT count(*) FROM deliveries WHERE lease_until IS NULL") == [(3,)]
    assert world.notify(ids, refusing("InternalError", "oops", 500)) == ["m1"]
    assert world.query("SELECT count(*) FROM deliveries WHERE lease_until IS NOT NULL") == [(3,)]
