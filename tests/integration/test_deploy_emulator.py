"""The root template, deployed onto the emulator with an existing network and database."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cryptowatch.local.deploy import DeployFailedError, Emulator, StackOutputs, deploy
from cryptowatch.local.emulator import start_emulator, wait_for_emulator

#: A database that is not there: a deploy only writes where it is.
DATABASE = {"host": "/nowhere", "port": 5432, "username": "u", "password": "p", "dbname": "d"}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    child, made = start_emulator(tmp_path_factory.mktemp("emulator"), {})
    try:
        wait_for_emulator(child, made)
        yield made
    finally:
        child.stop()


@pytest.fixture(scope="module")
def stack(emulator: Emulator) -> StackOutputs:
    return deploy(emulator, DATABASE, lambda _: None)


def attributes(emulator: Emulator, url: str) -> dict[str, str]:
    answer = emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    found: dict[str, str] = answer["Attributes"]
    return found


def test_a_deploy_takes_seconds_and_a_second_one_changes_nothing(emulator: Emulator, stack: StackOutputs) -> None:
    begun = time.monotonic()
    assert deploy(emulator, DATABASE, lambda _: None) == stack
    assert time.monotonic() - begun < 10


def test_the_secret_holds_what_was_given(emulator: Emulator, stack: StackOutputs) -> None:
    secret = emulator.client("secretsmanager").get_secret_value(SecretId=stack.database_secret_arn)
    assert json.loads(secret["SecretString"]) == DATABASE


def test_queues_hand_over_to_their_dead_letter_queues(emulator: Emulator, stack: StackOutputs) -> None:
    for url, dead in (
        (stack.analysis_queue_url, stack.analysis_dead_letter_queue_url),
        (stack.alerts_queue_url, stack.alerts_dead_letter_queue_url),
    ):
        redrive = json.loads(attributes(emulator, url)["RedrivePolicy"])
        assert redrive["deadLetterTargetArn"] == attributes(emulator, dead)["QueueArn"]
    assert attributes(emulator, stack.analysis_queue_url)["VisibilityTimeout"] == "60"
    assert attributes(emulator, stack.alerts_queue_url)["VisibilityTimeout"] == "180"


def test_every_function_is_there_with_our_code(emulator: Emulator, stack: StackOutputs) -> None:
    handlers = {one["Handler"] for one in emulator.client("lambda").list_functions()["Functions"]}
    assert handlers == {f"lambdas.{name}.handler" for name in ("dispatch", "ingest", "sweep", "notify", "control")}
    assert stack.control_function == "crypto-watch-control"


def test_the_schedules_and_the_queue_are_connected(emulator: Emulator, stack: StackOutputs) -> None:
    schedules = emulator.client("scheduler").list_schedules()["Schedules"]
    targets = {one["Target"]["Arn"].rsplit(":", 1)[-1] for one in schedules}
    assert targets == {stack.dispatch_function, stack.sweep_function}
    (mapping,) = emulator.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["EventSourceArn"] == attributes(emulator, stack.alerts_queue_url)["QueueArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_group_keeps_its_scaling_expression_and_takes_a_desired_capacity(
    emulator: Emulator, stack: StackOutputs
) -> None:
    autoscaling: Any = emulator.client("autoscaling")
    (policy,) = autoscaling.describe_policies(AutoScalingGroupName=stack.worker_group)["ScalingPolicies"]
    metrics = policy["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    (expression,) = [one["Expression"] for one in metrics if one["Id"] == "load"]
    assert expression == "((lv+FILL(li,0))*0.1/(10*2) + (bv+FILL(bi,0))*20/(600*1)) / IF(n>0,n,1)"
    (hook,) = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=stack.worker_group)["LifecycleHooks"]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    autoscaling.set_desired_capacity(AutoScalingGroupName=stack.worker_group, DesiredCapacity=2)
    (group,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[stack.worker_group])["AutoScalingGroups"]
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (1, 2, 2)


def test_a_deploy_that_fails_says_its_first_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "templates"
    broken.mkdir()
    for template in (Path(__file__).resolve().parents[2] / "cloudformation").glob("*.yaml"):
        text = template.read_text()
        if template.stem == "queues":
            text = text.replace("AWS::SQS::QueuePolicy", "AWS::SQS::NoSuchThing")
        (broken / template.name).write_text(text)
    monkeypatch.setattr("cryptowatch.local.deploy.TEMPLATES", broken)
    child, emulator = start_emulator(tmp_path, {})
    try:
        wait_for_emulator(child, emulator)
        with pytest.raises(DeployFailedError, match="NoSuchThing"):
            deploy(emulator, DATABASE, lambda _: None)
    finally:
        child.stop()
