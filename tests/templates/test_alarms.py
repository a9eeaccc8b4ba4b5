"""The alarms, the topic they speak through, and the dashboard."""

import json
import re
from typing import Any

import pytest

from tests.templates.reading import ROOT, TEMPLATES, properties

ALARMS = {name: one for name, one in properties("AWS::CloudWatch::Alarm").items() if "OKActions" in one}


def metrics_of(alarm: dict[str, Any]) -> set[str]:
    if "Metrics" in alarm:
        return {one["MetricStat"]["Metric"]["MetricName"] for one in alarm["Metrics"] if "MetricStat" in one}
    return {alarm["MetricName"]}


def test_alarms_may_publish_to_their_encrypted_topic() -> None:
    """Under AWS's own key, or a policy with nothing but the TLS rule, an alarm topic stays silent."""
    made = TEMPLATES["alarm-topic"]["Resources"]
    assert made["AlarmTopic"]["Properties"]["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    key = made["AlarmKey"]["Properties"]["KeyPolicy"]["Statement"]
    topic = made["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    cloudwatch = {"Service": "cloudwatch.amazonaws.com"}
    here = {"Ref": "AWS::AccountId"}
    (may_encrypt,) = [one for one in key if one["Principal"] == cloudwatch]
    assert set(may_encrypt["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert may_encrypt["Condition"] == {"StringEquals": {"aws:SourceAccount": here}}
    (may_publish,) = [one for one in topic if one["Principal"] == cloudwatch]
    assert (may_publish["Effect"], may_publish["Action"]) == ("Allow", "sns:Publish")
    assert may_publish["Condition"] == {"StringEquals": {"aws:SourceAccount": here}}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_is_wrong_and_when_it_is_over(name: str) -> None:
    alarm = ALARMS[name]
    assert len(alarm["AlarmDescription"].split()) > 4
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopicArn"}]
    assert alarm["TreatMissingData"] in ("breaching", "notBreaching")


def test_everything_that_can_go_wrong_has_its_alarm() -> None:
    watched = {metric for alarm in ALARMS.values() for metric in metrics_of(alarm)}
    assert watched == {
        "OldestUnsentAlertSeconds",
        "NumberOfNotificationsFailed",
        "GreatestIngestLagSeconds",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "GroupInServiceInstances",
        "WorkerHeartbeat",
        "Errors",
        "Throttles",
        "Duration",
        "CPUUtilization",
        "FreeStorageSpace",
        "DatabaseConnections",
        "ReplicaLag",
    }


def test_every_queue_is_watched_for_age_and_every_dead_letter_queue_for_messages() -> None:
    def queues(metric: str) -> set[str]:
        found = [one for one in ALARMS.values() if metrics_of(one) == {metric}]
        return {one["Dimensions"][0]["Value"]["Ref"].removesuffix("Name") for one in found}

    made = set(properties("AWS::SQS::Queue"))
    dead = {name for name in made if "DeadLetter" in name}
    assert queues("ApproximateAgeOfOldestMessage") == made - dead
    assert queues("ApproximateNumberOfMessagesVisible") == dead


def test_every_function_is_watched_for_errors() -> None:
    watched = {one["Dimensions"][0]["Value"]["Ref"] for one in ALARMS.values() if metrics_of(one) == {"Errors"}}
    assert watched == {f"{name}Name" for name in properties("AWS::Lambda::Function")}


def test_a_function_is_slow_by_its_own_limit() -> None:
    slow = next(one for one in ALARMS["FunctionsAreSlow"]["Metrics"] if one["Id"] == "all")
    limits = re.findall(r"FILL\((\w+),0\)/(\d+)000", slow["Expression"])
    functions = properties("AWS::Lambda::Function")
    assert {f"{name.title()}Function": int(seconds) for name, seconds in limits} == {
        name: function["Timeout"] for name, function in functions.items()
    }


def test_silence_of_the_workers_and_of_the_sweep_is_an_alarm() -> None:
    for name in ("CandlesAreLate", "WorkersAreSilent", "TooFewWorkers"):
        assert ALARMS[name]["TreatMissingData"] == "breaching"


def test_a_fleet_that_may_be_empty_is_not_blamed_for_silence() -> None:
    made = TEMPLATES["observability"]
    assert made["Resources"]["WorkersAreSilent"]["Condition"] == "WithWorkerAlarms"
    assert made["Resources"]["TooFewWorkers"]["Condition"] == "WithWorkerAlarms"
    both = made["Conditions"]["WithWorkerAlarms"]["Fn::And"]
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "LeastWorkers"}, "0"]}]} in both


def test_the_connections_alarm_knows_how_many_there_are() -> None:
    (group,) = properties("AWS::RDS::DBParameterGroup").values()
    assert ALARMS["DatabaseIsCrowded"]["Threshold"] == 0.8 * int(group["Parameters"]["max_connections"])


def dashboard() -> dict[str, Any]:
    body = TEMPLATES["observability"]["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found: dict[str, Any] = json.loads(body)
    return found


def test_the_dashboard_answers_in_this_order() -> None:
    texts = [one for one in dashboard()["widgets"] if one["type"] == "text"]
    headings = [one["properties"]["markdown"] for one in sorted(texts, key=lambda one: int(one["y"]))]
    assert [heading.removeprefix("## ") for heading in headings] == [
        "Are people getting their alerts?",
        "Is the data fresh?",
        "Is the fleet keeping up?",
        "What does it cost?",
    ]


def test_the_dashboards_widgets_do_not_overlap() -> None:
    taken = set()
    for one in dashboard()["widgets"]:
        cells = {(one["x"] + i, one["y"] + j) for i in range(one["width"]) for j in range(one["height"])}
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def test_the_dashboard_shows_what_the_system_measures_of_itself() -> None:
    metrics = [metric for one in dashboard()["widgets"] for metric in one["properties"].get("metrics", [])]
    assert {metric[1] for metric in metrics if metric[0] == "CryptoWatch"} == {
        "AlertsMade",
        "AlertsSent",
        "AlertsHeld",
        "OldestUnsentAlertSeconds",
        "GreatestIngestLagSeconds",
        "CandlesStored",
        "WorkerHeartbeat",
    }


def test_no_alarm_is_made_without_an_address() -> None:
    for stack in ("AlarmTopic", "FunctionAlarms"):
        assert ROOT["Resources"][stack]["Condition"] == "WithAlarms"
    for name, one in TEMPLATES["observability"]["Resources"].items():
        if one["Type"] == "AWS::CloudWatch::Alarm":
            assert one["Condition"] in ("WithAlarms", "WithWorkerAlarms"), name
