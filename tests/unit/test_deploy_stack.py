"""What a deploy tells of change sets, events, parameters and protection; AWS is played by a few lines."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cryptowatch.deploy.account import Account
from cryptowatch.deploy.changes import change_of, in_words, lossy
from cryptowatch.deploy.deploying import kept
from cryptowatch.deploy.events import Watcher
from cryptowatch.deploy.parameters import ParameterError, read_template
from cryptowatch.deploy.preflight import Finding, confirmations, preflight
from cryptowatch.deploy.stack import Stack, StackError
from cryptowatch.deploy.upload import ROOT, TEMPLATES, make_bucket

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NESTED = "AWS::CloudFormation::Stack"


def resource(action: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": kind, **more}


class FakeCloudFormation:
    """Answers from what a test puts in; `paginate` gives one page."""

    def __init__(self) -> None:
        self.meta = type("Meta", (), {"region_name": "eu-central-1"})
        self.stack: dict[str, Any] | None = {"StackId": "arn:root", "StackStatus": "UPDATE_COMPLETE", "Parameters": []}
        self.change_sets: dict[str, list[dict[str, Any]]] = {}
        self.status = ("CREATE_COMPLETE", "")
        #: Why it makes no change set that looks into nested stacks.
        self.cannot_look: str | None = None
        self.events: dict[str, list[dict[str, Any]]] = {"arn:root": []}
        self.resources: list[dict[str, Any]] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.on_execute: Any = lambda: None

    @property
    def region(self) -> str:
        return "eu-central-1"

    def client(self, service: str) -> Any:
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.stack is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "Stack x does not exist"}}, "x")
        return {"Stacks": [self.stack]}

    def create_change_set(self, **asked: Any) -> dict[str, str]:
        self.asked.append(("create", asked))
        return {"Id": "root", "StackId": "arn:root"}

    def describe_change_set(self, ChangeSetName: str, StackName: str) -> dict[str, str]:
        if self.cannot_look and self.asked[-1][1]["IncludeNestedStacks"]:
            return {"Status": "FAILED", "StatusReason": self.cannot_look}
        return {"Status": self.status[0], "StatusReason": self.status[1]}

    def delete_change_set(self, **asked: Any) -> None:
        self.asked.append(("delete change set", asked))

    def delete_stack(self, **asked: Any) -> None:
        self.asked.append(("delete stack", asked))

    def execute_change_set(self, **_: Any) -> None:
        self.on_execute()

    def get_paginator(self, operation: str) -> Any:
        def paginate(**asked: Any) -> list[dict[str, Any]]:
            match operation:
                case "describe_change_set":
                    found = self.change_sets[asked["ChangeSetName"]]
                    return [{"Changes": [{"ResourceChange": one} for one in found]}]
                case "describe_stack_events":
                    return [{"StackEvents": self.events[asked["StackName"]][::-1]}]
            return [{"StackResourceSummaries": self.resources}]

        return type("Paginator", (), {"paginate": staticmethod(paginate)})

    def event(self, stack: str, name: str, status: str, reason: str = "", kind: str = "X", physical: str = "") -> None:
        at = NOON + timedelta(seconds=sum(map(len, self.events.values())))
        self.events.setdefault(stack, []).append(
            {"EventId": f"{stack}{at}", "Timestamp": at, "LogicalResourceId": name, "ResourceType": kind,
             "ResourceStatus": status, "ResourceStatusReason": reason, "PhysicalResourceId": physical}
        )  # fmt: skip


@pytest.fixture
def cloud() -> FakeCloudFormation:
    return FakeCloudFormation()


@pytest.fixture
def stack(cloud: FakeCloudFormation) -> Stack:
    return Stack(cloud, "mine", poll_s=0)


# --- change sets ---


def test_changes_of_nested_stacks_are_told_where_they_are_and_losses_first(
    stack: Stack, cloud: FakeCloudFormation
) -> None:
    replaced = {"Replacement": "True", "Details": [{"Target": {"Attribute": "Properties", "Name": "Engine"}}]}
    cloud.change_sets = {
        "root": [
            resource("Modify", "Database", NESTED, ChangeSetId="inner", Replacement="Conditional"),
            resource("Add", "Alarms", NESTED),
            resource("Remove", "OldQueue", "AWS::SQS::Queue"),
        ],
        "inner": [
            resource("Modify", "Database", "AWS::RDS::DBInstance", **replaced),
            resource("Modify", "Replica", "AWS::RDS::DBInstance", **replaced),
            resource("Modify", "Secret", "AWS::SecretsManager::Secret", Replacement="False"),
        ],
    }
    change_set = stack.prepare({}, "https://template")
    assert change_set is not None
    assert in_words(change_set.changes) == [
        "remove          OldQueue (SQS Queue)  LOSES the messages in it",
        "replace         Database/Database (RDS DBInstance): Engine  LOSES all candles, watches and alerts; "
        "a last snapshot is kept",
        "replace         Database/Replica (RDS DBInstance): Engine",
        "change          Database/Secret (SecretsManager Secret)",
        "add             Alarms (CloudFormation Stack)",
        "1 to remove, 2 to replace, 1 to change, 1 to add",
    ]
    assert {one.name for one in lossy(change_set.changes)} == {"OldQueue", "Database/Database"}
    assert cloud.asked[0][1]["IncludeNestedStacks"] is True


@pytest.mark.parametrize(
    ("new", "template", "whole"), [(True, "https://t", True), (False, "https://t", False), (False, None, True)]
)
def test_where_nested_stacks_cannot_be_looked_into_the_change_is_made_without(
    stack: Stack, cloud: FakeCloudFormation, new: bool, template: str | None, whole: bool
) -> None:
    cloud.cannot_look = "Nested change set arn:1 was not successfully created: Currently in FAILED."
    cloud.change_sets = {"root": [resource("Modify", "Database", NESTED)]}
    if new:
        cloud.stack = None
    change_set = stack.prepare({}, template)
    assert change_set is not None
    assert in_words(change_set.changes)[0] == "change          Database (CloudFormation Stack)"
    assert change_set.whole is whole  # what a new template does in a stack that is there is not known
    assert [name for name, _ in cloud.asked] == ["create", "delete change set", "create"]  # the empty stack stays
    assert [asked["IncludeNestedStacks"] for name, asked in cloud.asked if name == "create"] == [True, False]


def test_a_change_that_is_refused_without_looking_too_says_why_and_leaves_nothing(
    stack: Stack, cloud: FakeCloudFormation
) -> None:
    cloud.stack, cloud.status = None, ("FAILED", "Circular dependency between resources")
    with pytest.raises(StackError, match="Circular dependency"):
        stack.prepare({}, "https://t")
    assert cloud.asked[-1][0] == "delete stack"


def test_a_parameter_that_the_template_has_no_more_is_not_kept(stack: Stack, cloud: FakeCloudFormation) -> None:
    assert cloud.stack
    cloud.stack["Parameters"] = [{"ParameterKey": key, "ParameterValue": "1"} for key in ("Old", "MostWorkers")]
    cloud.change_sets = {"root": []}
    stack.prepare({}, "https://t", {"MostWorkers": {}})
    assert cloud.asked[0][1]["Parameters"] == [{"ParameterKey": "MostWorkers", "UsePreviousValue": True}]


def test_a_stack_in_the_stack_is_never_said_to_be_replaced() -> None:
    assert change_of(resource("Modify", "Workers", NESTED, Replacement="Conditional")).action == "change"


def test_what_is_not_set_keeps_its_value(stack: Stack, cloud: FakeCloudFormation) -> None:
    assert cloud.stack
    cloud.stack["Parameters"] = [
        {"ParameterKey": key, "ParameterValue": "1"} for key in ("LeastWorkers", "MostWorkers")
    ]
    cloud.change_sets = {"root": []}
    stack.prepare({"MostWorkers": "8"})
    (_, asked), *_ = cloud.asked
    assert (asked["ChangeSetType"], asked["UsePreviousTemplate"]) == ("UPDATE", True)
    assert asked["Parameters"] == [
        {"ParameterKey": "MostWorkers", "ParameterValue": "8"},
        {"ParameterKey": "LeastWorkers", "UsePreviousValue": True},
    ]


@pytest.mark.parametrize(
    "reason", ["The submitted information didn't contain changes.", "No updates are to be performed"]
)
def test_a_change_set_without_changes_is_none_and_forgotten(
    stack: Stack, cloud: FakeCloudFormation, reason: str
) -> None:
    cloud.status = ("FAILED", reason)
    assert stack.prepare({}) is None
    assert cloud.asked[-1][0] == "delete change set"


def test_a_new_stack_that_is_not_wanted_after_all_leaves_nothing(stack: Stack, cloud: FakeCloudFormation) -> None:
    cloud.stack, cloud.change_sets = None, {"root": []}
    change_set = stack.prepare({}, "https://template")
    assert change_set is not None
    stack.discard(change_set)
    assert [name for name, _ in cloud.asked] == ["create", "delete stack"]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("ROLLBACK_COMPLETE", "cryptowatch destroy --stack mine"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", "wait until that is done"),
    ],
)
def test_a_stack_that_takes_no_change_says_what_to_do(
    stack: Stack, cloud: FakeCloudFormation, status: str, advice: str
) -> None:
    cloud.stack = {"StackId": "arn:root", "StackStatus": status}
    with pytest.raises(StackError, match=advice):
        stack.prepare({})
    assert cloud.asked == []


# --- events ---


def test_each_event_is_told_once_and_the_first_cause_of_a_failure_is_no_consequence(
    stack: Stack, cloud: FakeCloudFormation
) -> None:
    cloud.event("arn:root", "mine", "CREATE_FAILED", "of last year", NESTED, "arn:root")
    cloud.change_sets = {"root": []}

    def fails() -> None:
        cloud.event("arn:root", "Queues", "UPDATE_IN_PROGRESS", "", NESTED, "arn:queues")
        cloud.events["arn:queues"] = []
        cloud.event("arn:queues", "Dead", "CREATE_FAILED", "Resource creation cancelled")
        cloud.event("arn:queues", "Queue", "CREATE_FAILED", "the name is taken")
        cloud.event("arn:root", "Queues", "UPDATE_FAILED", "Embedded stack arn was not successfully updated", NESTED)
        assert cloud.stack
        cloud.stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"

    cloud.on_execute = fails
    change_set = stack.prepare({})
    assert change_set is not None
    told: list[str] = []
    with pytest.raises(StackError, match=r"UPDATE_ROLLBACK_COMPLETE: Queues/Queue: the name is taken$"):
        stack.execute(change_set, lambda event: told.append(f"{event.name} {event.status}"))
    assert told == [
        "Queues UPDATE_IN_PROGRESS",
        "Queues/Dead CREATE_FAILED",
        "Queues/Queue CREATE_FAILED",
        "Queues UPDATE_FAILED",
    ]


def test_a_nested_stack_that_is_met_late_does_not_tell_its_past(cloud: FakeCloudFormation) -> None:
    cloud.event("arn:old", "Queue", "CREATE_FAILED", "long ago")
    cloud.event("arn:root", "mine", "UPDATE_COMPLETE", "", NESTED, "arn:root")
    watcher = Watcher(cloud, "arn:root")
    cloud.event("arn:root", "Old", "UPDATE_IN_PROGRESS", "", NESTED, "arn:old")
    cloud.event("arn:old", "Queue", "UPDATE_COMPLETE")
    assert [event.name for event in watcher.news()] == ["Old", "Old/Queue"]
    assert list(watcher.news()) == []
    assert watcher.failures == []


def test_who_watches_a_dozen_stacks_waits_when_aws_asks_it_to() -> None:
    """Refused for asking too often, a deploy must not end half-way: it would neither migrate nor apply."""
    retries = Account(None, "eu-central-1").client("cloudformation").meta.config.retries
    assert retries["mode"] == "adaptive"
    assert retries["total_max_attempts"] >= 10


# --- parameters ---

TEMPLATE = read_template(TEMPLATES / ROOT)


def test_every_default_of_the_template_is_of_its_own_form() -> None:
    defaults = TEMPLATE.whole()
    settable = [name for name in defaults if name != "TemplatePrefix"]
    assert TEMPLATE.checked(f"{name}={defaults[name]}" for name in settable) == {one: defaults[one] for one in settable}
    assert TEMPLATE.whole({"MostWorkers": "5"}, {"MostWorkers": "6"})["MostWorkers"] == "6"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["MostWorkers"], "write it as NAME=VALUE"),
        (["MostWorker=3"], "did you mean 'MostWorkers'"),
        (["MostWorkers=1"], "it must be a number from 2"),
        (["MostWorkers=many"], "it must be a number"),
        (["MultiAz=yes"], "it must be one of true, false"),
        (["AlarmEmail=nobody"], "it must be of the form"),
        (["CodeKey=x"], "this is set by the deploy itself"),
        (["MultiAz=true", "MultiAz=false"], "given twice"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(texts: list[str], expected: str) -> None:
    with pytest.raises(ParameterError, match=expected):
        TEMPLATE.checked(texts)


# --- preflight, protection ---


class FakeAccount:
    """Each service is a dict of operations; an operation that is not there is refused."""

    region = "eu-central-1"

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def client(self, service: str) -> Any:
        return self

    def __getattr__(self, operation: str) -> Any:
        def call(*_: Any, **asked: Any) -> Any:
            if operation not in self._answers:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": f"no {operation}"}}, operation)
            answer = self._answers[operation]
            return answer(**asked) if callable(answer) else answer

        return call


def looked(account: FakeAccount, *, new: bool = True, **parameters: str) -> list[Finding]:
    return list(preflight(account, "1", {**TEMPLATE.whole(parameters), "CodeBucket": "b"}, new=new))


GOOD = {
    "head_bucket": {},
    "get_parameter": {"Parameter": {"Value": "ami-1"}},
    "describe_images": {"Images": [{"Architecture": "x86_64"}]},
    "get_account_settings": {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}},
    "get_service_quota": {"Quota": {"Value": 32.0}},
    "describe_vpcs": {"Vpcs": [{}]},
    "describe_addresses": {"Addresses": []},
    "describe_instance_type_offerings": {
        "InstanceTypeOfferings": [{"InstanceType": name} for name in ("c7i.large", "c7a.large", "m7i.large")]
    },
    "describe_db_engine_versions": {"DBEngineVersions": [{"EngineVersion": "18.1"}]},
    "describe_orderable_db_instance_options": {"OrderableDBInstanceOptions": [{"DBInstanceClass": "db.t4g.medium"}]},
}


def test_an_account_with_room_passes() -> None:
    assert {finding.level for finding in looked(FakeAccount(**GOOD))} == {"ok"}


@pytest.mark.parametrize(
    ("change", "level", "expected"),
    [
        ({"describe_images": {"Images": [{"Architecture": "arm64"}]}}, "failed", "is for arm64, not for x86_64"),
        ({"describe_images": {"Images": []}}, "failed", "publish it there"),
        (
            {"describe_instance_type_offerings": {"InstanceTypeOfferings": [{"InstanceType": "c7i.large"}]}},
            "failed",
            "eu-central-1 has no instances c7a.large, m7i.large",
        ),
        ({"describe_db_engine_versions": {"DBEngineVersions": []}}, "failed", "has no PostgreSQL 18"),
        (
            {"describe_orderable_db_instance_options": {"OrderableDBInstanceOptions": []}},
            "failed",
            "has no db.t4g.medium for PostgreSQL",
        ),
        ({"describe_vpcs": {"Vpcs": [{}] * 32}}, "failed", "32 of 32 networks"),
        ({"get_account_settings": {"AccountLimit": {"UnreservedConcurrentExecutions": 10}}}, "warning", "L-B99A9384"),
        ({"get_service_quota": {"Quota": {"Value": 5.0}}}, "warning", "the largest fleet takes 6: ask for more"),
    ],
)
def test_what_is_wrong_says_what_to_do(change: dict[str, Any], level: str, expected: str) -> None:
    wrong = [finding for finding in looked(FakeAccount(**{**GOOD, **change})) if finding.level != "ok"]
    assert [finding.level for finding in wrong] == [level]
    assert expected in wrong[0].text


def test_what_may_not_be_asked_is_a_warning_and_a_bucket_of_others_a_failure() -> None:
    levels = [finding.level for finding in looked(FakeAccount())]
    assert levels == ["ok", "failed", *["warning"] * 6]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"LeastWorkers": "5"}, "LeastWorkers is 5, more than MostWorkers (4)"),
        ({"HourWorkers": "8"}, "HourWorkers is 8, more than MostWorkers (4)"),
        ({"WorkerInstanceTypes": "c7i.large,c7a.large"}, "three different types"),
        ({"WorkerInstanceTypes": "c7i.large,c7i.large,m7i.large"}, "three different types"),
    ],
)
def test_a_fleet_that_cannot_be_is_told_before_a_database_is_made_for_it(wrong: dict[str, Any], expected: str) -> None:
    (finding,) = [one for one in looked(FakeAccount(**GOOD), **wrong) if one.level == "failed"]
    assert expected in finding.text


class FakeTopics:
    """SNS with these subscriptions to each topic."""

    def __init__(self, **topics: list[tuple[str, str, str]]) -> None:
        self._topics = topics

    region = "eu-central-1"

    def client(self, service: str) -> Any:
        return self

    def get_paginator(self, operation: str) -> Any:
        return self

    def paginate(self, TopicArn: str) -> list[dict[str, Any]]:
        names = ("Protocol", "Endpoint", "SubscriptionArn")
        return [{"Subscriptions": [dict(zip(names, one, strict=True))]} for one in self._topics[TopicArn]]


def test_addresses_of_a_stack_that_is_there_which_have_not_confirmed_are_named() -> None:
    alerts = [("email", "b@x.org", "PendingConfirmation"), ("email", "c@x.org", "arn:1"), ("sqs", "q", "Pending")]
    alarms = [("email", "a@x.org", "PendingConfirmation")]
    (finding,) = confirmations(FakeTopics(alerts=alerts, alarms=alarms), ["alerts", "alarms"])
    assert finding.level == "warning"
    assert finding.text.startswith("not confirmed, so they get nothing: a@x.org, b@x.org. ")
    (finding,) = confirmations(FakeTopics(alerts=alerts[1:]), ["alerts"])
    assert (finding.level, finding.text) == ("ok", "1 addresses are confirmed")


def test_topics_that_may_not_be_looked_at_are_a_warning() -> None:
    (finding,) = confirmations(FakeAccount(), ["alerts"])
    assert finding.level == "warning"
    assert finding.text.startswith("Addresses that have not confirmed: not known")


def test_a_network_that_is_there_needs_no_room() -> None:
    full = FakeAccount(**{**GOOD, "describe_vpcs": {"Vpcs": [{}] * 32}})
    assert {finding.level for finding in looked(full, new=False)} == {"ok"}
    assert {finding.level for finding in looked(full, ExistingVpcId="vpc-1")} == {"ok"}


def test_a_removal_says_what_is_kept_and_turns_no_protection_off(
    stack: Stack, cloud: FakeCloudFormation, tmp_path: Path
) -> None:
    kinds = {
        "Database": "AWS::RDS::DBInstance",
        "Replica": "AWS::RDS::DBInstance",
        "Secret": "AWS::SecretsManager::Secret",
    }
    cloud.resources = [
        {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": name.lower()}
        for name, kind in kinds.items()
    ]
    said = {"CodeBucket": "code", "WorkerImageParameter": "/image", "DeletionProtection": "false"}
    assert cloud.stack

    def parameters(**changed: str) -> list[dict[str, str]]:
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in {**said, **changed}.items()]

    cloud.stack["Parameters"] = parameters()
    lines = kept(stack)
    assert lines[:4] == [
        "kept: a last snapshot of the database database, which costs by the GiB",
        "kept: the database's own logs /aws/rds/instance/database/..., which RDS keeps for good",
        "kept: the secret secret",
        "kept: the code bucket code and what is in it",
    ]
    cloud.stack["Parameters"] = parameters(DeletionProtection="true")
    with pytest.raises(StackError, match="deploy --stack mine --set DeletionProtection=false"):
        kept(stack)
    cloud.stack |= {"Parameters": parameters(), "EnableTerminationProtection": True}
    with pytest.raises(StackError, match="update-termination-protection"):
        kept(stack)


@pytest.mark.parametrize("status", ["ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_stack_that_only_can_be_removed_is_not_sent_to_a_deploy_that_it_refuses(
    stack: Stack, cloud: FakeCloudFormation, status: str
) -> None:
    cloud.resources = [
        {"LogicalResourceId": f"{name}Database", "ResourceType": "AWS::RDS::DBInstance", "PhysicalResourceId": name,
         "ResourceStatus": state}
        for name, state in (("gone", "DELETE_COMPLETE"), ("there", "DELETE_FAILED"))
    ]  # fmt: skip
    said = {"CodeBucket": "code", "WorkerImageParameter": "/image", "DeletionProtection": "true"}
    cloud.stack = {
        "StackStatus": status,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in said.items()],
    }
    text = "\n".join(kept(stack))
    assert "--db-instance-identifier there --no-deletion-protection" in text
    assert "gone" not in text


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-north-1"])
def test_the_code_buckets_policy_names_it_as_its_partition_does(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = boto3.client("s3", region_name=region, aws_access_key_id="x", aws_secret_access_key="x")
    put: list[str] = []
    for operation in ("create_bucket", "put_public_access_block"):
        monkeypatch.setattr(s3, operation, lambda **_: None)
    monkeypatch.setattr(s3, "put_bucket_policy", lambda Policy, **_: put.append(Policy))
    make_bucket(SimpleNamespace(region=region, client=lambda _: s3), "code")
    partition = {"us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn"}.get(region, "aws")
    assert json.loads(put[0])["Statement"][0]["Resource"][0] == f"arn:{partition}:s3:::code"
