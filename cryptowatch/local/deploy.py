"""Deploy the real templates onto the emulator, in the form with an existing VPC and an existing database."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cryptowatch.deploy.files import fingerprint, own_code, zipped

TEMPLATES = Path(__file__).resolve().parents[2] / "cloudformation"
ROOT = "crypto-watch.yaml"
BUCKET = "crypto-watch-code"
STACK = "crypto-watch"
#: Seconds a deploy may take.
PATIENCE_S = 120
#: The emulator takes any number of twelve digits for an account.
ACCOUNT = "000000000000"

_IMAGE_PARAMETER = "/crypto-watch/worker-image"


class DeployFailedError(RuntimeError):
    """The stack could not be deployed; the message is the first cause."""


@dataclass(frozen=True)
class StackOutputs:
    """What the stack made, by the names of the root template's outputs."""

    control_function: str
    dispatch_function: str
    sweep_function: str
    notify_function: str
    analysis_queue_url: str
    analysis_dead_letter_queue_url: str
    studies_queue_url: str
    studies_dead_letter_queue_url: str
    alerts_queue_url: str
    alerts_dead_letter_queue_url: str
    alert_topic_arn: str
    worker_group: str
    database_secret_arn: str


@dataclass(frozen=True)
class Emulator:
    """Where the emulator is, and clients for it."""

    endpoint_url: str
    region: str = "us-east-1"
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """The client for a service; threads may share it, but not the making of it."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = boto3.client(
                    service,  # type: ignore[call-overload]
                    endpoint_url=self.endpoint_url,
                    region_name=self.region,
                    aws_access_key_id=ACCOUNT,
                    aws_secret_access_key="local",  # noqa: S106  the emulator takes any
                )
            return self._clients[service]


def deploy(
    emulator: Emulator,
    database: dict[str, Any],
    progress: Callable[[str], None],
    *,
    least_workers: int = 1,
    most_workers: int = 2,
    gather_seconds: float = 0.5,
) -> StackOutputs:
    """Upload code and templates, make what the stack is given as existing, and create or update the root stack.

    Args:
        database: the database secret's content.
        progress: told of each step.

    Raises:
        DeployFailedError: with the first cause.
    """
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    # The emulator runs functions with this environment's own interpreter: what they need of others is there.
    code = zipped(own_code())
    code_key = f"functions/{fingerprint(code)}.zip"
    s3.put_object(Bucket=BUCKET, Key=code_key, Body=code)
    for template in sorted(TEMPLATES.glob("*.yaml")):
        s3.put_object(Bucket=BUCKET, Key=f"cloudformation/{template.name}", Body=template.read_bytes())
    progress(f"uploaded the functions' code ({len(code) // 1024} KiB) and the templates")
    parameters = {
        "CodeBucket": BUCKET,
        "CodeKey": code_key,
        "ExistingDatabaseSecretArn": _secret(emulator, database),
        "LeastWorkers": str(least_workers),
        "MostWorkers": str(most_workers),
        "GatherSeconds": f"{gather_seconds:g}",
        **_existing_network(emulator),
    }
    emulator.client("ssm").put_parameter(
        Name=_IMAGE_PARAMETER, Value="ami-00000000000000000", Type="String", Overwrite=True
    )
    _create_or_update(emulator, parameters)
    outputs = _wait(emulator)
    progress("deployed the CloudFormation stack")
    return StackOutputs(
        control_function=outputs["ControlFunctionName"],
        dispatch_function=outputs["DispatchFunctionName"],
        sweep_function=outputs["SweepFunctionName"],
        notify_function=outputs["NotifyFunctionName"],
        analysis_queue_url=outputs["AnalysisQueueUrl"],
        analysis_dead_letter_queue_url=outputs["AnalysisDeadLetterQueueUrl"],
        studies_queue_url=outputs["StudiesQueueUrl"],
        studies_dead_letter_queue_url=outputs["StudiesDeadLetterQueueUrl"],
        alerts_queue_url=outputs["AlertsQueueUrl"],
        alerts_dead_letter_queue_url=outputs["AlertsDeadLetterQueueUrl"],
        alert_topic_arn=outputs["AlertTopicArn"],
        worker_group=outputs["WorkerGroupName"],
        database_secret_arn=outputs["DatabaseSecretArn"],
    )


def _secret(emulator: Emulator, database: dict[str, Any]) -> str:
    client = emulator.client("secretsmanager")
    text = json.dumps(database)
    try:
        return str(client.create_secret(Name="crypto-watch/database", SecretString=text)["ARN"])
    except client.exceptions.ResourceExistsException:
        return str(client.put_secret_value(SecretId="crypto-watch/database", SecretString=text)["ARN"])


def _existing_network(emulator: Emulator) -> dict[str, str]:
    ec2 = emulator.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets(Filters=of_vpc)["Subnets"]]
    group = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"][0]["GroupId"]
    return {
        "ExistingVpcId": vpc,
        "ExistingSubnetIds": ",".join(subnets[:2]),
        "ExistingClientSecurityGroupId": group,
    }


def _create_or_update(emulator: Emulator, parameters: dict[str, str]) -> None:
    cloudformation = emulator.client("cloudformation")
    arguments: dict[str, Any] = {
        "StackName": STACK,
        "TemplateURL": f"https://s3.{emulator.region}.amazonaws.com/{BUCKET}/cloudformation/{ROOT}",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        cloudformation.create_stack(**arguments)
    except cloudformation.exceptions.AlreadyExistsException:
        try:
            cloudformation.update_stack(**arguments)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise DeployFailedError(str(error)) from error
    except ClientError as error:
        raise DeployFailedError(str(error)) from error


def _wait(emulator: Emulator) -> dict[str, str]:
    cloudformation = emulator.client("cloudformation")
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        status = stack["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        if "FAILED" in status or "ROLLBACK" in status:
            raise DeployFailedError(_first_cause(cloudformation))
        time.sleep(0.1)
    raise DeployFailedError(f"the stack {STACK} is not there after {PATIENCE_S} s")


def _first_cause(cloudformation: Any) -> str:
    """The oldest failure of any of the stacks: what came after it is its consequence."""
    failures = []
    for stack in cloudformation.describe_stacks()["Stacks"]:
        for event in cloudformation.describe_stack_events(StackName=stack["StackId"])["StackEvents"]:
            if event["ResourceStatus"].endswith("_FAILED"):
                reason = event.get("ResourceStatusReason", "no reason given")
                failures.append((event["Timestamp"], f"{event['LogicalResourceId']}: {reason}"))
    return min(failures)[1] if failures else "the stack was rolled back without a reason"
