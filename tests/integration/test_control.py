"""The control function, on a real database and moto's SNS and SQS."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cryptowatch.cli import show
from cryptowatch.clock import WallClock
from cryptowatch.pipeline.control import Control, UnknownActionError
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.queues import AlertsQueue, depth
from cryptowatch.settings import Settings
from cryptowatch.store.migrate import migrations

WATCH = {"name": "dip", "markets": ["kraken:BTC/USD"], "interval": "1h", "when": "close < 1", "notify": ["ann"]}


def request(people: dict[str, str] | None = None, **changes) -> dict:
    watch = {**WATCH, **changes}
    people = people or {"ann": "ann@example.com"}
    checked = [{"watch": watch, "look_back": {"1h": 1}}]
    return {"action": "apply", "watch_list": {"recipients": people, "watches": checked}}


@pytest.fixture
def control(connection, monkeypatch) -> Iterator[Control]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        settings = Settings(
            {
                "ALERT_TOPIC_ARN": sns.create_topic(Name="alerts")["TopicArn"],
                "ANALYSIS_QUEUE_URL": sqs.create_queue(QueueName="analysis")["QueueUrl"],
                "ALERTS_QUEUE_URL": sqs.create_queue(QueueName="alerts")["QueueUrl"],
            }
        )
        yield Control(connection, WallClock(), settings, sns, sqs)


def subscriptions(control: Control) -> dict[str, str]:
    """Address -> filter policy."""
    return {
        one["Endpoint"]: control._sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"][
            "FilterPolicy"
        ]
        for one in control._sns.list_subscriptions()["Subscriptions"]
    }


def test_applying_subscribes_each_recipient_to_their_own_alerts(control) -> None:
    report = control.answer(request())
    assert report["added"] == ["dip"]
    assert report["recipients_added"] == ["ann"]
    assert subscriptions(control) == {"ann@example.com": json.dumps({"recipient": ["ann"]})}


def test_applying_twice_changes_nothing(control) -> None:
    control.answer(request())
    report = control.answer(request())
    assert report == {
        "added": [],
        "changed": [],
        "removed": [],
        "unchanged": ["dip"],
        "expired": [],
        "recipients_added": [],
        "recipients_removed": [],
        "recipients_changed": [],
        "pending_gone": [],
    }
    assert len(subscriptions(control)) == 1


def test_a_dry_run_shows_the_changes_and_makes_none(control) -> None:
    shown = control.answer({**request(), "dry_run": True})
    show.changes({**shown, "estimates": []})
    assert shown["added"] == ["dip"]
    assert subscriptions(control) == {}
    assert control.answer({"action": "status"})["watches"] == []


def test_what_is_stored_of_a_watch_is_what_it_says_so_that_workers_that_know_fewer_keys_read_it(control) -> None:
    control.answer(request(cooldown="1h"))
    with control._connection.cursor() as cursor:
        cursor.execute("SELECT definition FROM watches")
        assert cursor.fetchone()[0] == {**WATCH, "cooldown": "1h"}


def test_the_track_record_of_a_watch_that_is_not_there_is_refused(control) -> None:
    control.answer(request())
    assert control.answer({"action": "track_record", "watch": "dip"}) == {"records": []}
    with pytest.raises(RefusedError, match="no watch 'dpi' in the watch list that is applied"):
        control.answer({"action": "track_record", "watch": "dpi"})


def test_who_left_the_list_is_unsubscribed_and_a_lost_subscription_is_made_anew(control) -> None:
    control.answer(request({"ann": "ann@example.com", "bob": "bob@example.com"}))
    assert control.answer(request())["recipients_removed"] == ["bob"]
    assert list(subscriptions(control)) == ["ann@example.com"]
    for one in control._sns.list_subscriptions()["Subscriptions"]:
        control._sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    assert control.answer(request())["recipients_added"] == ["ann"]
    assert list(subscriptions(control)) == ["ann@example.com"]


def test_a_removed_watch_keeps_its_alerts_and_comes_back_as_a_new_generation(control) -> None:
    control.answer(request())
    control.answer(request(name="other"))
    assert control.answer(request())["added"] == ["dip"]
    assert control.answer({"action": "status"})["watches"][0]["generation"] == 2


def test_status_names_what_there_is(control) -> None:
    control.answer(request())
    status = control.answer({"action": "status"})
    assert status["sources"][0]["name"] == "kraken"
    assert status["deliveries"] == {"waiting": 0, "postponed": {}, "sent": 0, "held": {}, "uncertain": 0}
    assert status["queues"]["alerts"] == {"visible": 0, "in_flight": 0}
    assert status["recipients"] == [{"name": "ann", "confirmed": True, "by_click": False}]
    assert json.loads(json.dumps(status)) == status


def test_an_unknown_action_is_refused(control) -> None:
    with pytest.raises(UnknownActionError, match="'explode': one of migrate, apply, alerts, status"):
        control.answer({"action": "explode"})


def test_migrating_twice_applies_nothing_the_second_time(control) -> None:
    newest = max(number for number, _, _ in migrations())
    assert control.answer({"action": "migrate"}) == {"applied": [], "schema_version": newest}


def test_alert_ids_are_sent_in_messages_of_a_hundred(control) -> None:
    queue = AlertsQueue(control._settings, control._sqs)
    assert queue.send(range(1, 251)) == 3
    assert depth(control._sqs, control._settings.alerts_queue_url)["visible"] == 3
