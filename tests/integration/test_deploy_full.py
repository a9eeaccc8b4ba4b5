"""The whole root on the emulator, with a network, a database and a replica of its own: made, changed and removed."""

import io
import json
import time
import zipfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from cfnlint.decode.cfn_yaml import load

from cryptowatch.local.deploy import TEMPLATES, Emulator
from tests.integration.emulated import emulated

STACK = "whole"
#: As far as the emulator goes: it makes no NAT gateway.
GIVEN = {
    "CodeBucket": "code",
    "CodeKey": "f.zip",
    "WayOut": "nat-instance",
    "DeletionProtection": "false",
    "AlarmEmail": "ops@example.com",
}


def without_metric_math(template: Path) -> str:
    """The template less the alarms that the emulator does not make."""
    content = json.loads(json.dumps(load(str(template))))
    kept = {name: one for name, one in content["Resources"].items() if "Metrics" not in one["Properties"]}
    return json.dumps(content | {"Resources": kept})


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulated(tmp_path_factory.mktemp("emulator")) as made:
        s3 = made.client("s3")
        s3.create_bucket(Bucket="code")
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("lambdas/__init__.py", "")
        s3.put_object(Bucket="code", Key="f.zip", Body=code.getvalue())
        for template in TEMPLATES.glob("*.yaml"):
            body = without_metric_math(template) if template.stem == "function-alarms" else template.read_text()
            s3.put_object(Bucket="code", Key=f"cloudformation/{template.name}", Body=body.encode())
        made.client("ssm").put_parameter(
            Name="/crypto-watch/worker-image", Value="ami-00000000000000000", Type="String"
        )
        yield made


def arguments(**parameters: str) -> dict[str, Any]:
    return {
        "StackName": STACK,
        "TemplateURL": "https://s3.us-east-1.amazonaws.com/code/cloudformation/crypto-watch.yaml",
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in (GIVEN | parameters).items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }


def until(emulator: Emulator, ends: Callable[[str], bool]) -> str:
    """The stack's status once it is one that ends the wait; an empty text when the stack is no more."""
    cloudformation = emulator.client("cloudformation")
    deadline = time.monotonic() + 30
    status = "not asked"
    while time.monotonic() < deadline:
        try:
            status = str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])
        except ClientError:
            status = ""
        if ends(status):
            return status
        time.sleep(0.05)
    pytest.fail(f"the stack is still {status!r}")


def done(status: str) -> bool:
    return "PROGRESS" not in status


@pytest.fixture(scope="module")
def whole(emulator: Emulator) -> Emulator:
    emulator.client("cloudformation").create_stack(**arguments(ReadReplica="true"))
    assert until(emulator, done) == "CREATE_COMPLETE"
    return emulator


def databases(emulator: Emulator) -> dict[str, dict[str, Any]]:
    """The instances by what they are."""
    found = emulator.client("rds").describe_db_instances()["DBInstances"]
    return {"replica" if "-replica-" in one["DBInstanceIdentifier"] else "primary": one for one in found}


def environment(emulator: Emulator, handler: str) -> dict[str, str]:
    functions = emulator.client("lambda").list_functions()["Functions"]
    (function,) = [one for one in functions if one["Handler"] == f"lambdas.{handler}.handler"]
    found: dict[str, str] = function["Environment"]["Variables"]
    return found


def policy(emulator: Emulator, role_part: str, name: str) -> list[dict[str, Any]] | None:
    """Statements of a role's policy; None when the role has no such policy."""
    iam = emulator.client("iam")
    (role,) = [one["RoleName"] for one in iam.list_roles()["Roles"] if role_part in one["RoleName"]]
    if name not in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        return None
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    read = json.loads(unquote(document)) if isinstance(document, str) else document
    statements: list[dict[str, Any]] = read["Statement"]
    return statements


def test_functions_and_workers_sign_in_by_token_and_may_not_read_the_secret(whole: Emulator) -> None:
    instances = databases(whole)
    primary, replica = instances["primary"], instances["replica"]
    for handler in ("dispatch", "ingest", "sweep", "notify"):
        given = environment(whole, handler)
        assert given["DATABASE_HOST"] == primary["Endpoint"]["Address"]
        assert (given["DATABASE_USER"], given["DATABASE_SECRET_ARN"]) == ("cryptowatch_app", "")
    assert policy(whole, "SweepRole", "secret") is None
    (may,) = policy(whole, "SweepRole", "token") or []
    assert may["Action"] == "rds-db:connect"
    assert may["Resource"].endswith(f":dbuser:{primary['DbiResourceId']}/cryptowatch_app")
    (may,) = policy(whole, "WorkerRole", "token") or []
    assert [arn.split(":dbuser:")[1] for arn in may["Resource"]] == [
        f"{primary['DbiResourceId']}/cryptowatch_worker",
        f"{replica['DbiResourceId']}/cryptowatch_worker",
    ]


def test_control_alone_has_the_owners_secret(whole: Emulator) -> None:
    given = environment(whole, "control")
    assert "DATABASE_USER" not in given
    secret = whole.client("secretsmanager").get_secret_value(SecretId=given["DATABASE_SECRET_ARN"])
    assert json.loads(secret["SecretString"])["username"] == "cryptowatch"


def test_a_worker_is_told_of_the_replica(whole: Emulator) -> None:
    ec2 = whole.client("ec2")
    texts = []
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        (version,) = ec2.describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
        )["LaunchTemplateVersions"]
        texts.append(b64decode(version["LaunchTemplateData"]["UserData"]).decode())
    (worker,) = [text for text in texts if "worker.env" in text]
    lines = dict(line.split("=", 1) for line in worker.splitlines() if "=" in line and " " not in line)
    assert lines["STACK_NAME"] == STACK
    assert lines["DATABASE_USER"] == "cryptowatch_worker"
    assert lines["DATABASE_HOST"] == databases(whole)["primary"]["Endpoint"]["Address"]
    assert lines["DATABASE_REPLICA_HOST"] == databases(whole)["replica"]["Endpoint"]["Address"]


def test_every_alarm_goes_to_the_topic(whole: Emulator) -> None:
    (topic,) = [one["TopicArn"] for one in whole.client("sns").list_topics()["Topics"] if "Alarm" in one["TopicArn"]]
    alarms = whole.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {one["MetricName"] for one in alarms} >= {
        "ReplicaLag",
        "WorkerHeartbeat",
        "GreatestIngestLagSeconds",
        "Errors",
    }
    assert all(one["AlarmActions"] == one["OKActions"] == [topic] for one in alarms)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"ExistingVpcId": "vpc-1", "WayOut": "nat-gateway"}, "security group"),
        (
            {"ExistingVpcId": "vpc-1", "ExistingSubnetIds": "subnet-1", "ExistingClientSecurityGroupId": "sg-1"},
            "way out",
        ),
        ({"ExistingClientSecurityGroupId": "sg-1"}, "belongs to a VPC"),
        ({"ExistingDatabaseSecretArn": "arn:aws:secretsmanager:us-east-1:1:secret:x"}, "its own VPC"),
        ({"Architecture": "arm64"}, "Graviton"),
        ({"WorkerInstanceTypes": "c7g.large,c8g.large,m7g.large"}, "Intel or AMD"),
        ({"LogRetentionDays": "8"}, "LogRetentionDays"),
        ({"CandleRetention": "1m:90"}, "CandleRetention"),
        ({"AlarmEmail": "nobody"}, "AlarmEmail"),
    ],
)
def test_a_wrong_combination_is_refused_before_anything_is_made(
    emulator: Emulator, wrong: dict[str, str], why: str
) -> None:
    cloudformation = emulator.client("cloudformation")
    refused = arguments(**wrong) | {"StackName": "refused"}
    with pytest.raises(ClientError, match=why):
        cloudformation.create_stack(**refused)


def test_an_update_takes_the_replica_away_and_a_delete_everything(whole: Emulator) -> None:
    cloudformation = whole.client("cloudformation")
    cloudformation.update_stack(**arguments(ReadReplica="false", GatherSeconds="5"))
    assert until(whole, done) == "UPDATE_COMPLETE"
    assert set(databases(whole)) == {"primary"}
    assert environment(whole, "notify")["GATHER_SECONDS"] == "5"
    (may,) = policy(whole, "WorkerRole", "token") or []
    assert str(may["Resource"]).count(":dbuser:") == 1
    cloudformation.delete_stack(StackName=STACK)
    assert until(whole, lambda status: status in ("", "DELETE_COMPLETE", "DELETE_FAILED")) != "DELETE_FAILED"
    assert whole.client("sqs").list_queues().get("QueueUrls", []) == []
    assert whole.client("lambda").list_functions()["Functions"] == []
    assert databases(whole) == {}
