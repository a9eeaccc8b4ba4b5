"""Deploy the real templates onto the emulator, in the form with an existing VPC and an existing database."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import boto3

from cryptowatch.deploy.files import fingerprint, own_code, zipped
from cryptowatch.deploy.stack import Stack, StackError
from cryptowatch.deploy.upload import TEMPLATES, make_bucket, upload

BUCKET = "crypto-watch-code"
STACK = "crypto-watch"
#: Seconds between two looks at the emulator.
POLL_S = 0.1
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
    # The emulator runs functions with this environment's own interpreter: what they need of others is there.
    code = zipped(own_code())
    make_bucket(emulator, BUCKET)
    uploaded = upload(emulator, BUCKET, f"functions/{fingerprint(code)}.zip", code, TEMPLATES)
    progress(f"uploaded the functions' code ({len(code) // 1024} KiB) and the templates")
    parameters = {
        **uploaded.parameters,
        "ExistingDatabaseSecretArn": _secret(emulator, database),
        "LeastWorkers": str(least_workers),
        "MostWorkers": str(most_workers),
        "GatherSeconds": f"{gather_seconds:g}",
        **_existing_network(emulator),
    }
    emulator.client("ssm").put_parameter(
        Name=_IMAGE_PARAMETER, Value="ami-00000000000000000", Type="String", Overwrite=True
    )
    stack = Stack(emulator, STACK, POLL_S)
    try:
        change_set = stack.prepare(parameters, uploaded.template_url)
        if change_set:
            stack.execute(change_set, lambda event: None)
        outputs = stack.outputs()
    except StackError as error:
        raise DeployFailedError(str(error)) from error
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
