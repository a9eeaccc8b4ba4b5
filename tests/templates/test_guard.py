"""The rules of rules.guard: every template keeps them, and each rule can tell when one does not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.templates.reading import TEMPLATES

cfn_guard = pytest.importorskip("cfn_guard_rs", reason="there is no wheel of cfn-guard-rs for this Python")

RULES = Path(__file__).with_name("rules.guard").read_text()
PLAIN = {name: json.loads(json.dumps(template)) for name, template in TEMPLATES.items()}


def broken_rules(template: dict[str, Any]) -> set[str]:
    return {one.Rule.name for one in cfn_guard.run_checks(template, RULES).not_compliant}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_template_keeps_every_rule(name: str) -> None:
    assert broken_rules(PLAIN[name]) == set()


def properties(template: dict[str, Any], resource: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][resource]["Properties"]
    return found


def grant_everything(template: dict[str, Any]) -> None:
    policy = properties(template, "SweepRole")["Policies"][0]["PolicyDocument"]
    policy["Statement"].append({"Effect": "Allow", "Action": ["sqs:ListQueues", "sqs:*"], "Resource": "*"})


def grant_everything_in_a_choice(template: dict[str, Any]) -> None:
    policy = properties(template, "SweepRole")["Policies"][0]["PolicyDocument"]
    granted = {"Effect": "Allow", "Action": "rds:*", "Resource": "*"}
    policy["Statement"].append({"Fn::If": ["Some", granted, {"Ref": "AWS::NoValue"}]})


def make_administrator(template: dict[str, Any]) -> None:
    arn = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}
    properties(template, "SweepRole")["ManagedPolicyArns"].append(arn)


def open_the_database(template: dict[str, Any]) -> None:
    properties(template, "SecurityGroup")["SecurityGroupIngress"].append({"CidrIp": "0.0.0.0/0"})


def forget(resource: str, *path: str) -> Callable[[dict[str, Any]], None]:
    def change(template: dict[str, Any]) -> None:
        where = template["Resources"][resource]
        for key in path[:-1]:
            where = where[key]
        del where[path[-1]]

    return change


def put(resource: str, key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda template: properties(template, resource).update({key: value})


@pytest.mark.parametrize(
    ("name", "break_it", "rule"),
    [
        ("ingestion", grant_everything, "no_wildcard_action"),
        ("ingestion", grant_everything_in_a_choice, "no_wildcard_action"),
        ("ingestion", make_administrator, "no_administrator"),
        ("ingestion", forget("SweepFunction", "Properties", "VpcConfig"), "functions_in_network"),
        ("ingestion", forget("SweepLog", "Properties", "RetentionInDays"), "logs_end"),
        ("ingestion", forget("SweepLog", "DeletionPolicy"), "what_holds_data_says_what_becomes_of_it"),
        ("queues", forget("AlertsQueue", "Properties", "SqsManagedSseEnabled"), "queues_encrypted"),
        ("queues", forget("AlertsQueue", "Properties", "RedrivePolicy"), "queues_do_not_lose"),
        ("notification", forget("AlertTopic", "Properties", "KmsMasterKeyId"), "topics_encrypted"),
        ("database", put("Database", "PubliclyAccessible", True), "databases_private_and_encrypted"),
        ("database", put("Database", "StorageEncrypted", False), "databases_private_and_encrypted"),
        ("database", open_the_database, "nothing_comes_in_from_everywhere"),
        (
            "workers",
            forget("WorkerLaunchTemplate", "Properties", "LaunchTemplateData", "MetadataOptions"),
            "instances_ask_for_credentials_by_token",
        ),
        ("observability", forget("EmailsFail", "Properties", "TreatMissingData"), "alarms_tell_somebody_what"),
        ("observability", put("EmailsFail", "AlarmActions", []), "alarms_tell_somebody_what"),
    ],
)
def test_a_rule_tells_when_it_is_broken(name: str, break_it: Callable[[dict[str, Any]], None], rule: str) -> None:
    template = copy.deepcopy(PLAIN[name])
    break_it(template)
    assert broken_rules(template) == {rule}
