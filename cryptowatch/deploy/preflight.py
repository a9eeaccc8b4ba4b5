"""What can be known before anything is made: credentials, bucket, image, quotas; each failure says what to do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from cryptowatch.deploy.account import AWS_ERRORS, AccountError, Clients, error_code, one_line
from cryptowatch.deploy.upload import bucket_is_there

#: Invocations at once that the functions need: the schedules, four of notify, one for each of some ten sources.
CONCURRENT_FUNCTIONS = 20
#: Processors of the smallest instance type of the workers.
PROCESSORS_AN_INSTANCE = 2
#: The database's version, as its template has it.
POSTGRESQL = "18"
#: Codes of Service Quotas.
_ON_DEMAND, _SPOT, _ADDRESSES, _VPCS = "L-1216C47A", "L-34B43A08", "L-0263D0A3", "L-F678F1CE"
_MACHINES = {"x86_64": "x86_64", "arm64": "arm64"}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        level: `failed` stops a deploy, `warning` does not.
        text: what was found, and what to do about it.
    """

    level: Literal["ok", "warning", "failed"]
    text: str

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def ok(text: str) -> Finding:
    return Finding("ok", text)


def warning(text: str) -> Finding:
    return Finding("warning", text)


def failed(text: str) -> Finding:
    return Finding("failed", text)


def account_number(clients: Clients) -> str:
    """Whose credentials these are.

    Raises:
        AccountError: nobody's; what to do.
    """
    try:
        return str(clients.client("sts").get_caller_identity()["Account"])
    except AWS_ERRORS as error:
        raise AccountError(
            f"AWS does not take the credentials ({one_line(error)}): run `aws configure` or `aws sso login`, "
            "or choose a profile with --profile"
        ) from error


def preflight(clients: Clients, account: str, parameters: Mapping[str, str], *, new: bool) -> Iterator[Finding]:
    """Check what can be checked.

    Args:
        parameters: all of the root template's, as they will be.
        new: the stack is still to be made.
    """
    yield ok(f"credentials of account {account}, region {clients.region}")
    yield from _fleet(parameters)
    for check in (_bucket, _image, _types, _database, _concurrency, _processors, *([_network] if new else [])):
        yield from _guarded(check, clients, {**parameters, "account": account})


def _fleet(parameters: Mapping[str, str]) -> Iterator[Finding]:
    """What CloudFormation, or the group, would refuse only when it comes to the workers, at the very end."""
    most = int(parameters["MostWorkers"])
    for name in ("LeastWorkers", "HourWorkers"):
        if int(parameters[name]) > most:
            yield failed(f"{name} is {parameters[name]}, more than MostWorkers ({most})")
    types = parameters["WorkerInstanceTypes"].replace(" ", "").split(",")
    if len(types) != 3 or len(set(types)) != 3:
        yield failed(
            f"WorkerInstanceTypes must be three different types, the most wanted first, not {', '.join(types)}"
        )


def confirmations(clients: Clients, topics: Iterable[str]) -> Iterator[Finding]:
    """Which addresses of a stack that is there have not confirmed yet; `topics` are its ARNs."""
    yield from _guarded(_confirmations, clients, topics)


def _confirmations(clients: Clients, topics: Iterable[str]) -> Iterator[Finding]:
    """Addresses that have not confirmed."""
    pages = clients.client("sns").get_paginator("list_subscriptions_by_topic")
    there = [one for topic in topics for page in pages.paginate(TopicArn=topic) for one in page["Subscriptions"]]
    mailed = [one for one in there if one["Protocol"] == "email"]
    waiting = sorted({one["Endpoint"] for one in mailed if not one["SubscriptionArn"].startswith("arn:")})
    if waiting:
        yield warning(
            f"not confirmed, so they get nothing: {', '.join(waiting)}. Recipients send you the link of AWS's mail for "
            "`cryptowatch confirm LINK`; the alarms' address opens it"
        )
    elif mailed:
        yield ok(f"{len(mailed)} addresses are confirmed")


def _guarded(check: Callable[..., Iterator[Finding]], clients: Clients, asked: object) -> Iterator[Finding]:
    """What may not be asked, or cannot be, is a warning: the deploy itself needs other rights."""
    try:
        yield from check(clients, asked)
    except AWS_ERRORS as error:
        yield warning(f"{(check.__doc__ or '').rstrip('.')}: not known ({one_line(error)[:150]})")


def _bucket(clients: Clients, asked: Mapping[str, str]) -> Iterator[Finding]:
    """The code bucket."""
    bucket = asked["CodeBucket"]
    try:
        there = bucket_is_there(clients, bucket, asked["account"])
    except AccountError as error:
        yield failed(str(error))
    else:
        yield ok(f"code bucket {bucket}" + ("" if there else ", which will be made"))


def _image(clients: Clients, asked: Mapping[str, str]) -> Iterator[Finding]:
    """The workers' image."""
    name = asked["WorkerImageParameter"]
    try:
        image = str(clients.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        yield failed(f"no SSM parameter {name} names the workers' image: build and publish one, see ami/README.md")
        return
    try:
        found = clients.client("ec2").describe_images(ImageIds=[image])["Images"]
    except ClientError as error:
        if not error_code(error).startswith("InvalidAMIID"):
            raise
        found = []
    wanted = _MACHINES[asked["Architecture"]]
    if not found:
        yield failed(f"the workers' image {image}, which {name} names, is not in {clients.region}: publish it there")
    elif found[0].get("Architecture") != wanted:
        machine = found[0].get("Architecture")
        yield failed(
            f"the workers' image {image} is for {machine}, not for {wanted}: set Architecture, or build another"
        )
    else:
        yield ok(f"the workers' image {image}")


def _types(clients: Clients, asked: Mapping[str, str]) -> Iterator[Finding]:
    """The workers' instance types."""
    wanted = asked["WorkerInstanceTypes"].replace(" ", "").split(",")
    answer = clients.client("ec2").describe_instance_type_offerings(
        LocationType="region", Filters=[{"Name": "instance-type", "Values": wanted}]
    )
    offered = {one["InstanceType"] for one in answer["InstanceTypeOfferings"]}
    missing = [name for name in wanted if name not in offered]
    if missing:
        yield failed(f"{clients.region} has no instances {', '.join(missing)}: set WorkerInstanceTypes to three it has")
    else:
        yield ok(f"the workers' instance types {', '.join(wanted)}")


def _database(clients: Clients, asked: Mapping[str, str]) -> Iterator[Finding]:
    """The database's version and class."""
    if asked["ExistingDatabaseSecretArn"]:
        return
    rds, name = clients.client("rds"), asked["DatabaseInstanceClass"]
    if not rds.describe_db_engine_versions(Engine="postgres", EngineVersion=POSTGRESQL)["DBEngineVersions"]:
        yield failed(f"RDS in {clients.region} has no PostgreSQL {POSTGRESQL}: choose another region")
        return
    answer = rds.describe_orderable_db_instance_options(
        Engine="postgres", DBInstanceClass=name, Vpc=True, MaxRecords=20
    )
    if answer["OrderableDBInstanceOptions"]:
        yield ok(f"PostgreSQL {POSTGRESQL} on {name}")
    else:
        yield failed(f"RDS in {clients.region} has no {name} for PostgreSQL: set DatabaseInstanceClass to one it has")


def _concurrency(clients: Clients, asked: Mapping[str, str]) -> Iterator[Finding]:
    """How many functions may run at once."""
    limit = clients.client("lambda").get_account_settings()["AccountLimit"]
    free = int(limit["UnreservedConcurrentExecutions"])
    text = f"{free} functions may run at once"
    if free >= CONCURRENT_FUNCTIONS:
        yield ok(text)
    else:
        yield warning(f"{text}, {CONCURRENT_FUNCTIONS} are wanted: ask for more (Service Quotas, Lambda, L-B99A9384)")


def _processors(clients: Clients, asked: Mapping[str, str]) -> Iterator[Finding]:
    """How many processors workers may have."""
    wanted = int(asked["MostWorkers"]) * PROCESSORS_AN_INSTANCE
    first = PROCESSORS_AN_INSTANCE if int(asked["OnDemandPercent"]) < 100 else wanted
    for name, code, needed in (("on-demand", _ON_DEMAND, first), ("Spot", _SPOT, wanted - first)):
        allowed = _quota(clients, "ec2", code)
        text = f"{allowed:g} {name} processors are allowed, the largest fleet takes {needed}"
        if allowed >= needed:
            yield ok(text)
        else:
            yield warning(f"{text}: ask for more (Service Quotas, EC2, {code}), or lower MostWorkers")


def _network(clients: Clients, asked: Mapping[str, str]) -> Iterator[Finding]:
    """Room for a network."""
    if asked["ExistingVpcId"]:
        return
    ec2 = clients.client("ec2")
    vpcs = len(ec2.describe_vpcs()["Vpcs"])
    addresses = len(ec2.describe_addresses()["Addresses"])
    for name, there, service, code in (
        ("networks (VPC)", vpcs, "vpc", _VPCS),
        ("elastic addresses", addresses, "ec2", _ADDRESSES),
    ):
        allowed = _quota(clients, service, code)
        text = f"{there} of {allowed:g} {name} are taken"
        if there + 1 <= allowed:
            yield ok(text)
        else:
            yield failed(
                f"{text}, and the stack makes one: free one, ask for more (Service Quotas, {code}), or use yours"
            )


def _quota(clients: Clients, service: str, code: str) -> float:
    answer = clients.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    return float(answer["Quota"]["Value"])
