"""Looks at a deployed stack as its operator would: each finding says what is wrong and what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

from cryptowatch.deploy.account import Clients
from cryptowatch.deploy.preflight import Finding, failed, ok, warning
from cryptowatch.deploy.stack import Stack
from cryptowatch.store.migrate import migrations

#: Seconds past a candle's close after which a source is stale.
STALE_S = 300
#: Names that one call may ask of CloudWatch.
_ALARMS_A_CALL = 100


def diagnose(clients: Clients, stack: Stack, status: Mapping[str, Any]) -> Iterator[Finding]:
    """Check a stack.

    Args:
        status: what its control function answers to `status`.

    Raises:
        StackError: there is no such stack.
    """
    yield from _stack(stack)
    yield from _schema(stack.name, status)
    yield from _recipients(status)
    yield from _sources(status)
    outputs = stack.outputs()
    yield from _dead_letters(clients, outputs)
    yield from _workers(clients, outputs["WorkerGroupName"])
    yield from _alarms(clients, stack)


def _stack(stack: Stack) -> Iterator[Finding]:
    status = stack.there()["StackStatus"]
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        yield ok(f"the stack {stack.name} is {status}")
    else:
        yield failed(
            f"the stack {stack.name} is {status}: look at `cryptowatch deploy` or at its events in the console"
        )


def _schema(name: str, status: Mapping[str, Any]) -> Iterator[Finding]:
    newest, there = max(number for number, _, _ in migrations()), status["schema_version"]
    if there == newest:
        yield ok(f"the database has schema version {there}")
    elif there is None or there < newest:
        yield failed(
            f"the database has schema version {there or 0}, not {newest}: `cryptowatch migrate --stack {name}`"
        )
    else:
        yield warning(f"the database has schema version {there}, newer than this checkout's {newest}: update it")


def _recipients(status: Mapping[str, Any]) -> Iterator[Finding]:
    waiting = [one["name"] for one in status["recipients"] if not one["confirmed"]]
    clicked = [one["name"] for one in status["recipients"] if one.get("by_click")]
    if waiting:
        yield failed(
            f"not confirmed, so they get nothing: {', '.join(waiting)}. Have them send you the link of AWS's mail "
            "for `cryptowatch confirm LINK`; after 48 hours apply again for a new mail"
        )
    if clicked:
        yield warning(f"confirmed by a click, so a click (a mail scanner's too) ends it: {', '.join(clicked)}")
    if not waiting:
        yield ok(f"{len(status['recipients'])} recipients are confirmed")


def _sources(status: Mapping[str, Any]) -> Iterator[Finding]:
    stale = [one for one in status["sources"] if (one["lag_seconds"] or 0) > STALE_S]
    for one in stale:
        error = f", last error: {one['last_error']}" if one["last_error"] else ""
        yield failed(f"{one['name']} is {one['lag_seconds']:.0f} s behind{error}: `cryptowatch logs ingest`")
    if not stale:
        yield ok(f"{len(status['sources'])} sources are fresh")


def _dead_letters(clients: Clients, outputs: Mapping[str, str]) -> Iterator[Finding]:
    for name in sorted(name for name in outputs if name.endswith("DeadLetterQueueUrl")):
        answer = clients.client("sqs").get_queue_attributes(
            QueueUrl=outputs[name], AttributeNames=["ApproximateNumberOfMessages"]
        )
        count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        queue = name.removesuffix("DeadLetterQueueUrl").lower()
        if count:
            yield failed(
                f"{count} messages of {queue} could not be worked on: read the logs, mend the cause, then redrive the "
                "dead-letter queue (SQS, Start DLQ redrive)"
            )
        else:
            yield ok(f"no dead letters of {queue}")


def _workers(clients: Clients, group: str) -> Iterator[Finding]:
    answer = clients.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    found = next(iter(answer["AutoScalingGroups"]), None)
    if found is None:
        yield failed(f"the workers' group {group} is gone: somebody has removed it outside of the stack")
        return
    serving = [one for one in found["Instances"] if one["LifecycleState"] == "InService"]
    ill = [one["InstanceId"] for one in serving if one["HealthStatus"] != "Healthy"]
    text = f"{len(serving)} workers in service, {found['DesiredCapacity']} wanted, {found['MinSize']} at least"
    if ill:
        yield warning(f"{text}; unhealthy, so they are being replaced: {', '.join(ill)}")
    elif len(serving) < found["MinSize"]:
        yield failed(f"{text}: see the group's activity, most often there is no capacity or the image does not start")
    else:
        yield ok(text)


def _alarms(clients: Clients, stack: Stack) -> Iterator[Finding]:
    names = [physical for _, kind, physical in stack.resources() if kind == "AWS::CloudWatch::Alarm"]
    if not names:
        yield warning("there are no alarms: name who is told with --set AlarmEmail=you@example.com")
        return
    loud = []
    for first in range(0, len(names), _ALARMS_A_CALL):
        part = names[first : first + _ALARMS_A_CALL]
        answer = clients.client("cloudwatch").describe_alarms(AlarmNames=part)
        loud += [one for one in answer["MetricAlarms"] if one["StateValue"] == "ALARM"]
    for one in loud:
        yield failed(f"alarm: {one.get('AlarmDescription') or one['AlarmName']}")
    if not loud:
        yield ok(f"none of {len(names)} alarms is on")
